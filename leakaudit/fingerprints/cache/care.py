"""What the cache holds, and ways to make it smaller. Only files that leakaudit names are ever touched."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from leakaudit.fingerprints.cache.store import data_base_name

RESULT_SUFFIXES = (".npz", ".json", ".partial")

DAY = 86_400


@dataclass(frozen=True, slots=True)
class CacheInfo:
    """What a cache folder holds.

    Parameters
    ----------
    folder : Path
    pictures, bytes_of_pictures : int
        Records of this version, and the size of their data base.
    results, bytes_of_results : int
        Remembered searches and outcomes.
    others, bytes_of_others : int
        Data bases of other versions of leakaudit or of Pillow: this version does not read them.
    """

    folder: Path
    pictures: int
    bytes_of_pictures: int
    results: int
    bytes_of_results: int
    others: int
    bytes_of_others: int

    @property
    def n_bytes(self) -> int:
        """All of it."""
        return self.bytes_of_pictures + self.bytes_of_results + self.bytes_of_others


def info(folder: Path) -> CacheInfo:
    """Look at a cache folder; one that does not exist is empty."""
    own = [path for path in _data_bases(folder) if path.name.startswith(data_base_name())]
    others = [path for path in _data_bases(folder) if path not in own]
    results = list(_results(folder))
    return CacheInfo(
        folder,
        _n_records(folder / data_base_name()),
        _bytes(own),
        len(results),
        _bytes(results),
        sum(path.suffix == ".sqlite" for path in others),
        _bytes(others),
    )


def prune(folder: Path, days: float) -> int:
    """Drop data bases of other versions, and results that were not used for so many days.

    Returns
    -------
    int
        Bytes that were freed.
    """
    oldest = time.time() - days * DAY
    before = info(folder).n_bytes
    _remove([path for path in _data_bases(folder) if not path.name.startswith(data_base_name())])
    _remove([path for path in _results(folder) if _modified(path) < oldest])
    return before - info(folder).n_bytes


def clear(folder: Path) -> int:
    """Drop everything; the next scan computes it anew. Returns the bytes that were freed."""
    before = info(folder).n_bytes
    _remove([*_data_bases(folder), *_results(folder)])
    for empty in (folder / "results", folder):
        with suppress(OSError):  # not empty: something in it is not ours
            empty.rmdir()
    return before - info(folder).n_bytes


def _data_bases(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("pictures-*.sqlite*") if path.is_file())


def _results(folder: Path) -> Iterator[Path]:
    for path in sorted((folder / "results").glob("*")):
        if path.suffix in RESULT_SUFFIXES and path.is_file():
            yield path


def _n_records(path: Path) -> int:
    if not path.is_file():
        return 0
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db:
            return int(db.execute("SELECT coalesce(sum(n), 0) FROM packs").fetchone()[0])
    except sqlite3.Error:
        return 0


def _bytes(paths: list[Path]) -> int:
    total = 0
    for path in paths:
        with suppress(OSError):
            total += path.stat().st_size
    return total


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _remove(paths: list[Path]) -> None:
    for path in paths:
        with suppress(OSError):  # another scan was faster, or holds it open (Windows)
            path.unlink()
