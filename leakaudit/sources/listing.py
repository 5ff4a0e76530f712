"""Listing folders of pictures: every name that is not a sample accounted for.

File names are bytes here: any name works, and no object is made per file but its row.
"""

from __future__ import annotations

import bisect
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leakaudit.model import Problem, ProblemKind, Samples
from leakaudit.sources import storage
from leakaudit.sources.inventory import HIDDEN, Folder, Inventory, why

Row: TypeAlias = tuple[bytes, int, int]
"""Relative path, size in bytes, modification time in nanoseconds."""


STRAYS_SHOWN = 3


# --- names ----------------------------------------------------------------------------------------------------


def uri_of(path: bytes) -> str:
    r"""A path as people read it: ``/``-separated, bytes that are not UTF-8 as ``\xNN``, a backslash as ``\x5c``.

    Two paths never have the same uri.

    >>> print(uri_of(b"caf\xe9/a.png"))
    caf\xe9/a.png
    """
    if os.sep == "\\":
        path = path.replace(b"\\", b"/")
    return path.replace(b"\\", rb"\x5c").decode("utf-8", "backslashreplace")


def display(path: str) -> str:
    """A path of the user as it can be printed anywhere: like `uri_of`, backslashes of Windows kept as slashes."""
    return uri_of(os.fsencode(path))


# --- walking --------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Listing:
    """What lies under one folder.

    Parameters
    ----------
    rows : list of (relative path, bytes, nanoseconds)
        The samples, sorted by path.
    problems : list of Problem
    n_other : int
        Files that are no samples.
    split : str or None
        Of the problems.
    """

    rows: list[Row] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    n_other: int = 0
    split: str | None = None

    def add(self, relative: bytes, kind: ProblemKind, reason: str) -> None:
        """A problem with a path."""
        self.problems.append(Problem(uri_of(relative), kind, reason, self.split))


def list_pictures(inventory: Inventory, root: str, top: str = "", split: str | None = None) -> Listing:
    """List all pictures under a folder, and account for every name that is none.

    Symbolic links are followed; a folder that is reached again through a link is listed once.

    Parameters
    ----------
    inventory : Inventory
    root : str
        What the relative paths are relative to.
    top : str, default ""
        The folder to list, relative to `root`.
    split : str or None
        Put into the problems.
    """
    base = os.path.join(os.fsencode(root), b"")
    found = Listing(split=split)
    named_like_pictures: list[bytes] = []
    for path, folder in inventory.walk(base + os.fsencode(top)):
        prefix = path[len(base) :]
        if isinstance(folder, OSError):
            known = isinstance(folder, FileExistsError)
            reason = why(folder) if known else f"folder cannot be listed: {why(folder)}"
            found.add(prefix[:-1] or b".", "unreadable", reason)
            continue
        found.rows += [(prefix + name, size, mtime_ns) for name, size, mtime_ns in folder.pictures]
        for name, _, _, kind in folder.others:
            if kind == "media":
                suffix = uri_of(name.rpartition(b".")[2].lower())
                found.add(prefix + name, "unsupported", f"files of type .{suffix} are not read")
        found.n_other += folder.n_skipped + sum(kind != "media" for *_, kind in folder.others)
        for name, problem, reason in folder.problems:
            found.add(prefix + name, problem, reason)
        named_like_pictures += [prefix + name for name in folder.picture_folders]
    for relative in storage.odd_names(base + os.fsencode(top)):
        found.add(
            os.path.join(os.fsencode(top), relative), "unreadable", "its key has an empty or dotted part: no path"
        )
    found.rows.sort()
    for relative in named_like_pictures:
        after = bisect.bisect_left(found.rows, (relative + b"/", 0, 0))
        if after == len(found.rows) or not found.rows[after][0].startswith(relative + b"/"):
            found.add(relative, "unreadable", "a folder that is named like a picture")
    found.problems.sort(key=lambda each: (each.uri, each.kind))
    return found


def say_strays(problems: Sequence[Problem]) -> list[str]:
    """A note on what could not be looked at beside samples that are named: no samples, but somebody may miss one."""
    if not problems:
        return []
    shown = "; ".join(f"{each.uri}: {each.reason}" for each in problems[:STRAYS_SHOWN])
    more = f" and {len(problems) - STRAYS_SHOWN:,} more" if len(problems) > STRAYS_SHOWN else ""
    return [f"Not looked at, and named by nothing: {shown}{more}."]


def holds_picture(inventory: Inventory, folder: str) -> bool:
    """Whether a picture lies anywhere under a folder; stops at the first."""
    walk = inventory.walk(os.fsencode(folder))
    return any(isinstance(each, Folder) and each.pictures for _, each in walk)


def entries_of(inventory: Inventory, folder: str) -> tuple[list[str], list[str]]:
    """Sorted names of the folders and of the regular files directly in a folder, without hidden ones.

    Raises
    ------
    OSError
    """
    found = inventory.folder(os.fsencode(folder))
    names = [*(each[0] for each in found.pictures), *(each[0] for each in found.others), *found.pointers]
    files = [os.fsdecode(name) for name in names if not name.startswith(HIDDEN)]
    return sorted(map(os.fsdecode, (*found.folders, *found.links))), sorted(files)


# --- samples --------------------------------------------------------------------------------------------------


def make_samples(
    root: str,
    splits: Sequence[str],
    rows: Sequence[Sequence[Row]],
    label: Sequence[str | None] | None = None,
    group: Sequence[str | None] | None = None,
    time: Sequence[str | None] | None = None,
) -> Samples:
    """Arrays over the rows of all splits, one split after the other.

    Parameters
    ----------
    root : str
        What the rows are relative to.
    splits : sequence of str
    rows : sequence, aligned with `splits`, of sequences of `Row`
    label, group, time : sequence of str or None, over the rows of all splits
    """
    flat: list[Row] = [row for part in rows for row in part]
    relative = pa.array([row[0] for row in flat], pa.binary())
    base = pa.scalar(os.path.join(os.fsencode(root), b""), pa.binary())
    if any(row[0][:1] == b"/" or b":" in row[0][1:8] for row in flat):  # a manifest may name pictures anywhere
        path = pa.array([storage.join(base.as_py(), row[0]) for row in flat], pa.binary())
    else:
        path = pc.binary_join_element_wise(base, relative, pa.scalar(b"", pa.binary()))
    return Samples(
        uri=_uris(relative),
        path=path,
        split=np.repeat(np.arange(len(splits), dtype=np.int16), [len(part) for part in rows]),
        label=None if label is None else pa.array(label, pa.string()),
        group=None if group is None else pa.array(group, pa.string()),
        time=None if time is None else pa.array(time, pa.string()),
        size=np.fromiter((row[1] for row in flat), dtype=np.int64, count=len(flat)),
        mtime_ns=np.fromiter((row[2] for row in flat), dtype=np.int64, count=len(flat)),
    )


def _uris(relative: pa.BinaryArray) -> pa.StringArray:
    plain_names = os.sep == "/" and not pc.any(pc.match_substring(relative, b"\\")).as_py()
    if plain_names:
        try:
            return relative.cast(pa.string())
        except pa.ArrowInvalid:
            pass
    return pa.array([uri_of(name) for name in relative.to_pylist()], pa.string())


def total(listings: Iterable[Listing]) -> tuple[list[Problem], int]:
    """Problems and other files of several listings together."""
    problems: list[Problem] = []
    n_other = 0
    for listing in listings:
        problems += listing.problems
        n_other += listing.n_other
    return problems, n_other
