"""What was computed once: fingerprints of pictures, their pixel digests and previews, and results of searches.

Everything lives in one folder of the user's cache (``LEAKAUDIT_CACHE`` or ``--cache-dir`` move it), never in the data:

``pictures-….sqlite``
    Records in packs of 4,096, so that all records of an unchanged listing are a few large reads; found by path, size
    and modification time, or by the digest of the content. About 1.3 KB a picture. The name carries the versions of
    the record and of Pillow, because another decoder may give other pixels.
``results``
    One ``.npz`` file for each remembered search.

SQLite in WAL mode serves several scans at once and survives ``kill -9``. A damaged or unwritable cache is given up
with a note; it never fails a scan and never changes a result.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from blake3 import blake3

from leakaudit.errors import ConfigError
from leakaudit.fingerprints.cache.record import RECORD, RECORD_VERSION, blank_records

if TYPE_CHECKING:
    from leakaudit.config import Config
    from leakaudit.model import IntArray, ProblemKind

PACK = 4096
"""Records in a full pack; a record's place is ``pack * PACK + row``."""

PACKS_KEPT = 1000
"""Above this (5 GB), packs that no scan of today used are dropped, the longest unused first."""

LISTINGS_KEPT = 200

ASKED_AT_ONCE = 3
"""Known files for one that is looked for, up to which all of them are read at once."""

PREVIEWS_KEPT = 20_000

SAVED_AGAIN = 50
"""Rows by sample are written again when more than one in so many is new: a commit of a few files writes nothing."""

RESULTS_KEPT = 1 << 30
"""Bytes of remembered search results."""

RACY_NS = 2_000_000_000
"""A file modified less than this before it was read may change again without a new time stamp (FAT counts in 2 s)."""

_BUSY_SECONDS = 30
_DIGEST = 16

_SCHEMA_VERSION = 1
_SCHEMA = f"""
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS packs (
  id INTEGER PRIMARY KEY AUTOINCREMENT, n INTEGER, used INTEGER, digest BLOB, records BLOB
);
CREATE TABLE IF NOT EXISTS contents (content BLOB PRIMARY KEY, place INTEGER, kind TEXT, reason TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS files (path BLOB PRIMARY KEY, size INTEGER, mtime_ns INTEGER, place INTEGER) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS listings (key BLOB PRIMARY KEY, used INTEGER, places BLOB);
CREATE TABLE IF NOT EXISTS pixels (content BLOB PRIMARY KEY, digest BLOB) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS previews (key BLOB PRIMARY KEY, used INTEGER, picture BLOB);
PRAGMA user_version = {_SCHEMA_VERSION};
COMMIT;
"""


def cache_folder(config: Config) -> Path:
    """Where the cache is: ``config.cache_dir``, else ``$LEAKAUDIT_CACHE``, else the user's cache folder."""
    if config.cache_dir is not None:
        return Path(config.cache_dir)
    if named := os.environ.get("LEAKAUDIT_CACHE"):
        return Path(named)
    from platformdirs import user_cache_path

    return user_cache_path("leakaudit", appauthor=False)


def refuse_inside(given: Iterable[object], config: Config) -> None:
    """Refuse to keep the cache inside the data.

    Parameters
    ----------
    given : iterable
        What the user named as data; only folders matter, as ``PATH`` or ``split=PATH``.
    config : Config

    Raises
    ------
    ConfigError
        The cache folder lies in one of them.
    """
    if not config.use_cache:
        return
    cache = cache_folder(config).resolve()
    for item in given:
        if isinstance(item, str | os.PathLike):
            text = os.fspath(item)
            for name in (text, text.partition("=")[2]):
                folder = Path(name).resolve() if name and Path(name).is_dir() else None
                if folder is not None and (folder == cache or folder in cache.parents):
                    raise ConfigError(
                        f"the cache folder {cache} lies inside the data: choose another (--cache-dir), or --no-cache"
                    )


class PictureCache:
    """The data base of fingerprints. Every method answers "nothing known" once the cache had to be given up.

    Parameters
    ----------
    folder : Path or None
        Made where it does not exist; None: no cache.
    """

    def __init__(self, folder: Path | None) -> None:
        self.note: str | None = None
        self.folder = folder
        self._db: sqlite3.Connection | None = None
        if folder is None:
            return
        with self._tolerant():
            folder.mkdir(parents=True, exist_ok=True)
            self._db = _connect(folder / data_base_name())

    @classmethod
    def of(cls, config: Config) -> PictureCache:
        """The cache that the settings ask for."""
        return cls(cache_folder(config) if config.use_cache else None)

    def close(self) -> None:
        """Let go of the data base."""
        if self._db is not None:
            with suppress(sqlite3.Error):
                self._db.close()
            self._db = None

    def __enter__(self) -> PictureCache:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    @contextmanager
    def _tolerant(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            self.close()
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            self.note = f"the cache in {self.folder} could not be used ({reason}): everything was computed anew"

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        assert self._db is not None
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield self._db
        except BaseException:
            with suppress(sqlite3.Error):
                self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    # --- records -----------------------------------------------------------------------------------------------

    def has_contents(self) -> bool:
        """Whether looking for known contents can help at all."""
        with self._tolerant():
            if self._db is not None:
                return self._db.execute("SELECT 1 FROM contents LIMIT 1").fetchone() is not None
        return False

    def places_of_listing(self, key: bytes) -> IntArray | None:
        """Places of all records of a listing, -1 where not known; None for a listing never seen."""
        with self._tolerant():
            if self._db is not None:
                row = self._db.execute("SELECT places FROM listings WHERE key = ?", (key,)).fetchone()
                if row is not None and blake3(row[0][_DIGEST:]).digest(_DIGEST) == row[0][:_DIGEST]:
                    return np.frombuffer(row[0], dtype="<i8", offset=_DIGEST).astype(np.int64)
        return None

    def places_of_files(self, paths: Sequence[bytes], sizes: IntArray, mtimes_ns: IntArray) -> IntArray:
        """Places of the records of files that look unchanged, -1 for the others."""
        places = np.full(len(paths), -1, dtype=np.int64)
        with self._tolerant():
            if self._db is not None:
                find = self._find_file(len(paths))
                stats = zip(paths, sizes.tolist(), mtimes_ns.tolist(), strict=True)
                for at, (path, size, mtime_ns) in enumerate(stats):
                    row = find(path_key(path))
                    if row is not None and row[0] == size and row[1] == mtime_ns:
                        places[at] = row[2]
        return places

    def _find_file(self, n: int) -> Callable[[bytes], tuple[int, int, int] | None]:
        """From the key of a path to (size, mtime_ns, place): one question for each, or one for all of many.

        70,000 questions take 0.24 s, one that gives all of as many files 0.07 s.
        """
        assert self._db is not None
        if self._db.execute("SELECT count(*) FROM files").fetchone()[0] <= ASKED_AT_ONCE * n:
            rows = self._db.execute("SELECT path, size, mtime_ns, place FROM files")
            return {path: (size, mtime_ns, place) for path, size, mtime_ns, place in rows}.get
        ask = partial(self._db.execute, "SELECT size, mtime_ns, place FROM files WHERE path = ?")
        return lambda path: ask((path,)).fetchone()

    def load(self, places: IntArray) -> tuple[np.ndarray, np.ndarray]:
        """Records by place.

        Returns
        -------
        records : ndarray of `RECORD`, shape (n,)
        found : ndarray of bool, shape (n,)
            False where the place is negative or its pack is gone or damaged.
        """
        records = blank_records(len(places), self.folder)
        found = np.zeros(len(places), dtype=bool)
        pack_of = places // PACK
        with self._tolerant():
            for pack in np.unique(pack_of[places >= 0]).tolist() if self._db is not None else ():
                held = self._pack(pack)
                at = np.flatnonzero(pack_of == pack)
                rows = places[at] % PACK
                at, rows = at[rows < len(held)], rows[rows < len(held)]
                if len(at) and at[-1] - at[0] == len(at) - 1 and (np.diff(rows) == 1).all():
                    records[at[0] : at[-1] + 1] = held[rows[0] : rows[-1] + 1]  # as they were stored: one copy
                else:
                    records[at] = held[rows]
                found[at] = True
        return records, found

    def _pack(self, pack: int) -> np.ndarray:
        assert self._db is not None
        row = self._db.execute("SELECT digest, records FROM packs WHERE id = ?", (pack,)).fetchone()
        if row is not None and len(row[1]) % RECORD.itemsize == 0 and blake3(row[1]).digest(_DIGEST) == row[0]:
            return np.frombuffer(row[1], dtype=RECORD)
        if not self._db.in_transaction:
            with self._writing() as db:
                _drop_pack(db, pack)
        return np.zeros(0, dtype=RECORD)

    def add(self, records: np.ndarray) -> IntArray:
        """Store records that are not known by their content yet; places of all of them (-1 if that failed)."""
        places = np.full(len(records), -1, dtype=np.int64)
        contents = [record.tobytes() for record in records["content"]]
        with self._tolerant():
            if self._db is not None and len(records):
                with self._writing() as db:
                    known = {}
                    for content in contents:
                        row = db.execute("SELECT place FROM contents WHERE content = ?", (content,)).fetchone()
                        if row is not None and row[0] >= 0:
                            known[content] = row[0]
                    new = {content: at for at, content in enumerate(contents) if content not in known}
                    added = self._append(records[list(new.values())])
                    known |= zip(new, added, strict=True)
                    db.executemany(
                        "INSERT OR REPLACE INTO contents VALUES (?, ?, NULL, NULL)",
                        sorted((content, known[content]) for content in new),
                    )
                places[:] = [known[content] for content in contents]
        return places

    def _append(self, records: np.ndarray) -> list[int]:
        """Fill the last pack, then new ones; in a transaction."""
        assert self._db is not None
        places: list[int] = []
        row = self._db.execute("SELECT id, n FROM packs ORDER BY id DESC LIMIT 1").fetchone()
        if row is not None and row[1] < PACK and len(records):
            pack, held = row[0], self._pack(row[0])
            if len(held) == row[1]:
                fitting = records[: PACK - len(held)]
                data = np.concatenate([held, fitting]).tobytes()
                self._db.execute(
                    "UPDATE packs SET n = ?, used = ?, digest = ?, records = ? WHERE id = ?",
                    (len(held) + len(fitting), _today(), blake3(data).digest(_DIGEST), data, pack),
                )
                places += range(pack * PACK + len(held), pack * PACK + len(held) + len(fitting))
                records = records[len(fitting) :]
        for start in range(0, len(records), PACK):
            data = records[start : start + PACK].tobytes()
            n = len(data) // RECORD.itemsize
            insert = "INSERT INTO packs (n, used, digest, records) VALUES (?, ?, ?, ?)"
            pack = self._db.execute(insert, (n, _today(), blake3(data).digest(_DIGEST), data)).lastrowid
            assert pack is not None
            places += range(pack * PACK, pack * PACK + n)
        return places

    def add_files(self, files: Sequence[tuple[bytes, int, int, int]]) -> None:
        """Remember (path, size, mtime_ns, place) of files that are not racy."""
        with self._tolerant():
            if self._db is not None and files:
                with self._writing() as db:
                    db.executemany(
                        "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?)",
                        sorted((path_key(path), size, mtime_ns, place) for path, size, mtime_ns, place in files),
                    )

    def add_failures(self, failures: Sequence[tuple[bytes, ProblemKind, str]]) -> None:
        """Remember contents that cannot be decoded, as (content, kind, reason)."""
        with self._tolerant():
            if self._db is not None and failures:
                with self._writing() as db:
                    rows = [(content, -1, kind, reason) for content, kind, reason in failures]
                    db.executemany("INSERT OR IGNORE INTO contents VALUES (?, ?, ?, ?)", rows)

    def find_content(self, content: bytes) -> tuple[int, ProblemKind, str] | None:
        """Place, problem kind and reason of a known content; the place is negative where there is a problem."""
        with self._tolerant():
            if self._db is not None:
                find = "SELECT place, kind, reason FROM contents WHERE content = ?"
                found: tuple[int, ProblemKind, str] | None = self._db.execute(find, (content,)).fetchone()
                return found
        return None

    def add_listing(self, key: bytes, places: IntArray) -> None:
        """Remember where all records of a listing are, mark them as used, and drop what was not used for long."""
        with self._tolerant():
            if self._db is not None:
                data = places.astype("<i8").tobytes()
                used = np.unique(places[places >= 0] // PACK).tolist()
                with self._writing() as db:
                    db.execute(
                        "INSERT OR REPLACE INTO listings VALUES (?, ?, ?)",
                        (key, _today(), blake3(data).digest(_DIGEST) + data),
                    )
                    db.executemany("UPDATE packs SET used = ? WHERE id = ?", [(_today(), pack) for pack in used])
                    _keep_newest(db, "listings", LISTINGS_KEPT)
                    _drop_unused_packs(db)

    # --- smaller things ----------------------------------------------------------------------------------------

    def pixel_digests(self, contents: Sequence[bytes]) -> dict[bytes, bytes]:
        """Known pixel digests of pictures, by content."""
        known: dict[bytes, bytes] = {}
        with self._tolerant():
            for content in contents if self._db is not None else ():
                assert self._db is not None
                row = self._db.execute("SELECT digest FROM pixels WHERE content = ?", (content,)).fetchone()
                if row is not None:
                    known[content] = row[0]
        return known

    def add_pixel_digests(self, digests: Mapping[bytes, bytes]) -> None:
        """Remember pixel digests by content."""
        with self._tolerant():
            if self._db is not None and digests:
                with self._writing() as db:
                    db.executemany("INSERT OR REPLACE INTO pixels VALUES (?, ?)", sorted(digests.items()))

    def preview(self, key: bytes) -> bytes | None:
        """A preview made before."""
        with self._tolerant():
            if self._db is not None:
                row = self._db.execute("SELECT picture FROM previews WHERE key = ?", (key,)).fetchone()
                return None if row is None else bytes(row[0])
        return None

    def add_previews(self, pictures: Mapping[bytes, bytes]) -> None:
        """Remember previews."""
        with self._tolerant():
            if self._db is not None and pictures:
                with self._writing() as db:
                    rows = [(key, _today(), picture) for key, picture in sorted(pictures.items())]
                    db.executemany("INSERT OR REPLACE INTO previews VALUES (?, ?, ?)", rows)
                    _keep_newest(db, "previews", PREVIEWS_KEPT)


def data_base_name() -> str:
    """File name of the data base; other versions of the record or of Pillow have others."""
    from PIL import __version__ as pillow

    return f"pictures-{RECORD_VERSION}-{RECORD.itemsize}-pillow-{pillow}.sqlite"


def path_key(path: bytes) -> bytes:
    """Key of an absolute path."""
    return blake3(path).digest(_DIGEST)


def remember(key: bytes, compute: Callable[[], Mapping[str, np.ndarray]], config: Config) -> Mapping[str, np.ndarray]:
    """Compute named arrays, or read them where they were computed before under the same key.

    Parameters
    ----------
    key : bytes
        Stands for everything that the result depends on: digests of the inputs, parameters, and a version of the
        method.
    compute : callable
        Gives arrays by name, of plain types.
    config : Config

    Returns
    -------
    mapping of str to ndarray
    """
    arrays = recall(key, config)
    if arrays is None:
        arrays = dict(compute())
        keep(key, arrays, config)
    return arrays


def recall(key: bytes, config: Config) -> Mapping[str, np.ndarray] | None:
    """The arrays that were kept last under this key, or None."""
    path = _result_path(key, config)
    if not config.use_cache:
        return None
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        os.utime(path)
    except Exception:  # noqa: BLE001  absent, or damaged in whatever way
        return None
    return arrays


def keep(key: bytes, arrays: Mapping[str, np.ndarray], config: Config) -> None:
    """Keep named arrays of plain types, in place of those that were kept before; a full disk is no error."""
    if config.use_cache:
        with suppress(OSError):
            _store(_result_path(key, config), arrays)


def _result_path(key: bytes, config: Config) -> Path:
    return cache_folder(config) / "results" / f"{blake3(key).hexdigest(length=20)}.npz"


def remember_rows(
    key: bytes,
    ids: np.ndarray,
    compute: Callable[[IntArray], Mapping[str, np.ndarray]],
    config: Config,
) -> Mapping[str, np.ndarray]:
    """Arrays with one row a sample, of which only the rows of samples that were not there before are computed.

    Parameters
    ----------
    key : bytes
        Stands for the data set and for the version of the method; not for the samples.
    ids : ndarray of bytes, shape (n,)
        Content digests.
    compute : callable
        From indices, shape (m,), to arrays by name with m rows each.
    config : Config

    Returns
    -------
    mapping of str to ndarray
        With n rows each.
    """
    known = recall(key, config) or {}
    place = np.full(len(ids), -1, dtype=np.int64)
    if len(known.get("ids", ())):
        at = np.minimum(np.searchsorted(known["ids"], ids), len(known["ids"]) - 1)
        place = np.where(known["ids"][at] == ids, at, -1)
    new = np.flatnonzero(place < 0)
    fresh = compute(new) if len(new) or not known else {}
    rows = {}
    for name in (fresh or known).keys() - {"ids"}:
        like = known.get(name, fresh.get(name))
        assert like is not None
        rows[name] = known[name][place] if name in known else np.empty((len(ids), *like.shape[1:]), like.dtype)
        if len(new):
            rows[name][new] = fresh[name]
    if len(new) > len(ids) // SAVED_AGAIN or not known:
        distinct, first = np.unique(ids, return_index=True)
        keep(key, {"ids": distinct} | {name: array[first] for name, array in rows.items()}, config)
    return rows


def _store(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    if any(array.dtype.hasobject for array in arrays.values()):
        raise TypeError("only arrays of plain types can be remembered")
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, partial = tempfile.mkstemp(dir=path.parent, suffix=".partial")
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]  # names are the caller's, none is allow_pickle
        Path(partial).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(partial).unlink()
        raise
    _shrink_results(path.parent)


def _shrink_results(folder: Path) -> None:
    held = []
    for path in folder.iterdir():
        with suppress(OSError):  # another scan was faster
            status = path.stat()
            held.append((status.st_mtime_ns, path.name, status.st_size))
    total = sum(size for _, _, size in held)
    for _, name, size in sorted(held)[:-1]:
        if total <= RESULTS_KEPT:
            break
        with suppress(OSError):
            (folder / name).unlink()
        total -= size


def _connect(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)
    try:
        db.execute("PRAGMA page_size = 16384")
        _switch_to_wal(db)
        db.execute("PRAGMA synchronous = NORMAL")
        if db.execute("PRAGMA user_version").fetchone()[0] != _SCHEMA_VERSION:
            db.executescript(_SCHEMA)
    except BaseException:
        db.close()
        raise
    return db


def _switch_to_wal(db: sqlite3.Connection) -> None:
    """Of several scans that make a new data base at once, SQLite lets one switch and turns the others away at once."""
    deadline = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return


def _today() -> int:
    return int(time.time() // 86_400)


def _keep_newest(db: sqlite3.Connection, table: Literal["listings", "previews"], kept: int) -> None:
    surplus = f"SELECT key FROM {table} ORDER BY used DESC, rowid DESC LIMIT -1 OFFSET ?"  # noqa: S608  our own names
    db.execute(f"DELETE FROM {table} WHERE key IN ({surplus})", (kept,))  # noqa: S608


def _drop_unused_packs(db: sqlite3.Connection) -> None:
    surplus = db.execute("SELECT count(*) FROM packs").fetchone()[0] - PACKS_KEPT
    if surplus <= 0:
        return
    find = "SELECT id FROM packs WHERE used < ? ORDER BY used, id LIMIT ?"
    for (pack,) in db.execute(find, (_today(), surplus)).fetchall():
        _drop_pack(db, pack)


def _drop_pack(db: sqlite3.Connection, pack: int) -> None:
    places = (pack * PACK, (pack + 1) * PACK - 1)
    db.execute("DELETE FROM packs WHERE id = ?", (pack,))
    db.execute("DELETE FROM contents WHERE place BETWEEN ? AND ?", places)
    db.execute("DELETE FROM files WHERE place BETWEEN ? AND ?", places)
