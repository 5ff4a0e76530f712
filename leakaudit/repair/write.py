"""A new split as files: a manifest of pictures, a file of rows a split, and ``split.json`` that says how it was made.

The folder is written beside the target under a name of its own and moved there at the end, so that the target is whole
or not there. The user's files are read only; pictures are linked or copied on request.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from leakaudit import __version__
from leakaudit.errors import ConfigError, InputError
from leakaudit.repair.kept import FORMAT, VERSION
from leakaudit.repair.original import write_rows
from leakaudit.repair.whole import LEFT_OUT

if TYPE_CHECKING:
    from leakaudit.repair.split import NewSplit

How = Literal["manifest", "link", "copy"]
"""Pictures: only named in a manifest, or in folders of symbolic links or of copies."""

JSON, MANIFEST = "split.json", "manifest.csv"


def check_target(to: Path, paths: Sequence[str | os.PathLike[str]], *, force: bool) -> None:
    """Make sure, before the work starts, that the target can be written and that nothing of the user's is lost.

    Raises
    ------
    ConfigError
        Its parent is not there or cannot be written to; it lies inside the data; or it exists (with `force`: and is no
        folder that an earlier split was written to).
    """
    parent = to.absolute().parent
    if not parent.is_dir():
        raise ConfigError(f"--to {to}: the folder {parent} does not exist; make it first")
    if not os.access(parent, os.W_OK):
        raise ConfigError(f"--to {to}: {parent} cannot be written to")
    here = os.path.realpath(to)
    for path in paths:
        data = os.path.realpath(os.fspath(path).rpartition("=")[2] or os.fspath(path))
        if Path(data).is_dir() and os.path.commonpath([here, data]) == data:
            raise ConfigError(f"--to {to} lies inside the data, {path}: a later scan would take it for data")
    if not os.path.lexists(to):
        return
    if not force:
        raise ConfigError(f"--to {to} exists: choose another name, or --force to replace an earlier split")
    if not _is_ours(to):
        raise ConfigError(f"--to {to} is no split that leakaudit wrote: nothing is overwritten")


def write_split(new: NewSplit, to: Path, *, how: How = "manifest", force: bool = False) -> list[Path]:
    """Write a new split into a folder.

    Parameters
    ----------
    new : NewSplit
    to : Path
        The folder to make.
    how : {"manifest", "link", "copy"}, default "manifest"
        Of pictures.
    force : bool, default False
        Replace an earlier split.

    Returns
    -------
    list of Path
        The files and folders in it, sorted.

    Raises
    ------
    ConfigError
        As `check_target`, or it cannot be written.
    InputError
        Pictures without a file of their own are to be linked or named in a manifest.
    """
    if how not in get_args(How):
        raise ConfigError(f"how: {how!r} is none of {', '.join(get_args(How))}")
    check_target(to, (), force=force)
    partial = to.absolute().with_name(f".leakaudit-{secrets.token_hex(8)}.partial")
    try:
        partial.mkdir()
        try:
            if new.whole.dataset.samples is None:
                write_rows(new, partial)
            elif how == "manifest":
                _manifest(new, partial, to.absolute())
            else:
                _folders(new, partial, how)
            text = json.dumps(_described(new), ensure_ascii=False, indent=1)
            (partial / JSON).write_text(text + "\n", encoding="utf-8")
            _move(partial, to.absolute())
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    except OSError as error:
        raise ConfigError(f"cannot write {to}: {error.strerror or error}") from error
    return sorted(to.iterdir())


def _is_ours(to: Path) -> bool:
    with suppress(OSError, ValueError, UnicodeDecodeError):
        return FORMAT in json.loads((to / JSON).read_text(encoding="utf-8"))
    return False


def _move(partial: Path, to: Path) -> None:
    if not os.path.lexists(to):
        partial.rename(to)
        return
    old = to.with_name(f".leakaudit-{secrets.token_hex(8)}.partial")
    to.rename(old)
    partial.rename(to)
    shutil.rmtree(old, ignore_errors=True)


def _described(new: NewSplit) -> Mapping[str, object]:
    """How the split was made, and which sample is where."""
    names = new.whole.names
    assignment = {
        split: sorted(names[at] for at in np.flatnonzero(new.of == number).tolist())
        for number, split in enumerate(new.names)
    }
    digest = hashlib.blake2b(digest_size=16)
    for name in sorted(names):
        digest.update(name.encode("utf-8", "surrogatepass") + b"\0")
    return {
        FORMAT: VERSION,
        "version": __version__,
        "data": new.whole.dataset.root,
        "n": len(new.whole),
        "names_digest": digest.hexdigest(),
        "seed": new.seed,
        "shares": dict(zip(new.names, new.shares, strict=True)),
        "sizes": new.sizes,
        "strata": {"kind": new.strata.kind, "shares": new.class_shares()},
        "distance": {"strata": round(new.distance.strata, 6), "size": round(new.distance.size, 6)},
        "units": {"n": new.units.n, "largest": int(new.units.sizes.max(initial=0)), "links": dict(new.units.links)},
        "proof": [
            {"code": each.code, "slug": each.slug, "status": each.status, "reason": each.reason}
            for each in new.outcomes
        ],
        "proven": new.is_proven,
        "notes": list(new.notes),
        "left_out": {
            "reasons": dict(new.left_out),
            "names": sorted(names[at] for at in np.flatnonzero(new.of == LEFT_OUT).tolist()),
        },
        "assignment": assignment,
    }


# --- pictures -------------------------------------------------------------------------------------------------


def _files(new: NewSplit) -> list[str]:
    """The file of every picture.

    Raises
    ------
    InputError
        A picture is a part of a file, lies in object storage, or has a name that is no text.
    """
    samples = new.whole.dataset.samples
    assert samples is not None
    files = []
    for raw in samples.path.to_pylist():
        file = os.fsdecode(raw)
        if b"\0" in raw or "://" in file:
            raise InputError("these pictures are no files on this machine: --to FILE.csv writes a list of their names")
        files.append(file)
    return files


def _column(new: NewSplit) -> str:
    return "fold" if all(name.startswith("fold") for name in new.names) else "split"


def _manifest(new: NewSplit, folder: Path, to: Path) -> None:
    """Paths relative to the manifest, so that it can be scanned where it lies."""
    labels = new.whole.labels
    labelled = any(label is not None for label in labels)
    with (folder / MANIFEST).open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["path", *(["label"] if labelled else []), _column(new)])
        for name, at, label in zip(_files(new), new.of.tolist(), labels, strict=True):
            if at == LEFT_OUT:
                continue
            try:
                relative = os.path.relpath(os.path.realpath(name), os.path.realpath(to.parent) + os.sep + to.name)
                relative.encode()
            except UnicodeEncodeError as error:
                raise InputError(f"{name!r}: a name that is no UTF-8 cannot stand in a csv file: rename it") from error
            rows.writerow([relative, *([label or ""] if labelled else []), new.names[at]])


def _folders(new: NewSplit, folder: Path, how: How) -> None:
    """``split/label/name``; of two pictures of one name the second gets a number."""
    taken: set[Path] = set()
    for name, at, label in zip(_files(new), new.of.tolist(), new.whole.labels, strict=True):
        if at == LEFT_OUT:
            continue
        source = Path(name)
        inside = folder / new.names[at] / _as_folder(label) if label else folder / new.names[at]
        place, number = inside / source.name, 1
        while place in taken:
            number += 1
            place = inside / f"{source.stem}-{number}{source.suffix}"
        taken.add(place)
        inside.mkdir(parents=True, exist_ok=True)
        if how == "copy":
            shutil.copy2(source, place)
        else:
            place.symlink_to(source.resolve())


def _as_folder(label: str) -> str:
    """A label as the name of one folder."""
    safe = label.replace("/", "_").replace("\0", "_").strip()
    return "_" if safe in ("", ".", "..") else safe


def write_list(new: NewSplit, to: Path) -> None:
    """One csv file that says the split of every sample: name, label, split, unit; left-out ones have no split."""
    from leakaudit.render.atomic import replacing

    with replacing(to) as file:
        new.to_frame().to_csv(file, index=False, lineterminator="\n", encoding="utf-8")
