"""What lies in the folders that the user pointed at: every folder is read from disk (or storage) once, for all layouts.

A layout asks for the folders that it cares about; whoever asks first pays. File names are bytes here: any name works.
Nothing but regular files is opened, and of those only the first bytes of files whose name does not say what they are.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from leakaudit.errors import InputError
from leakaudit.model import ProblemKind
from leakaudit.sources import storage
from leakaudit.sources.kinds import FILE_KINDS, MAGIC_BYTES, DataKind, FileKind, begins_as_picture, data_kind, kind_of

HIDDEN = (b".", b"__MACOSX")
"""How the names of folders begin that are nobody's data."""

MOST_FILES = 20_000_000
"""Files of one inventory, 3 GB: with more (a home directory, a whole disk) the user meant something else."""

_DOT = ord(".")
_USUAL = frozenset(
    ending
    for suffix, kind in FILE_KINDS.items()
    if kind == "picture"
    for ending in (b"." + suffix, b"." + suffix.upper())
)


@dataclass(slots=True)
class Folder:
    """What lies directly in one folder.

    Parameters
    ----------
    identity : (device, inode)
        Equal for a folder and a link to it.
    pictures : list of (name, bytes, nanoseconds)
    others : list of (name, bytes, nanoseconds, kind)
        Other regular files, hidden ones among them.
    folders, links : list of bytes
        Names of folders, and of symbolic links to folders; hidden ones left out.
    picture_folders : list of bytes
        Those of `folders` that are named like a picture.
    pointers : list of bytes
        Names of DVC pointer files whose data are not there.
    n_skipped : int
        Hidden folders, and broken links to what is no sample by its name.
    broken : list of bytes
        Names of broken links to what is no sample by its name: texts, tables, lists.
    problems : list of (name, kind, reason)
        What could not be looked at.
    """

    identity: tuple[int, int]
    pictures: list[tuple[bytes, int, int]] = field(default_factory=list)
    others: list[tuple[bytes, int, int, FileKind]] = field(default_factory=list)
    folders: list[bytes] = field(default_factory=list)
    links: list[bytes] = field(default_factory=list)
    picture_folders: list[bytes] = field(default_factory=list)
    pointers: list[bytes] = field(default_factory=list)
    n_skipped: int = 0
    broken: list[bytes] = field(default_factory=list)
    problems: list[tuple[bytes, ProblemKind, str]] = field(default_factory=list)


@dataclass(slots=True)
class Tally:
    """Files of one kind: how many, their bytes, and the first by path."""

    n: int = 0
    n_bytes: int = 0
    example: bytes = b""

    def add(self, path: bytes, size: int) -> None:
        """Count one more."""
        if not self.n or path < self.example:
            self.example = path
        self.n += 1
        self.n_bytes += size


@dataclass(slots=True)
class Inventory:
    """Folders that were read, by path and by identity."""

    n_files: int = 0
    _by_path: dict[bytes, Folder | OSError] = field(default_factory=dict)
    _by_identity: dict[tuple[int, int], Folder] = field(default_factory=dict)

    def folder(self, path: bytes) -> Folder:
        """The folder at a path, with or without a slash at its end.

        Raises
        ------
        OSError
            It cannot be listed; the same error whenever it is asked for.
        InputError
            More files than `MOST_FILES`.
        """
        path = path.rstrip(b"/") or path
        found = self._by_path.get(path)
        if found is None:
            try:
                found = self._read(path)
            except OSError as error:
                found = error
            self._by_path[path] = found
        if isinstance(found, OSError):
            raise found
        return found

    def _read(self, path: bytes) -> Folder:
        at = storage.stat(path)
        identity = (at.st_dev, at.st_ino)
        known = self._by_identity.get(identity)
        if known is not None:  # reached again through a link
            return known
        found = Folder(identity)
        base = os.path.join(path, b"")
        with storage.scandir(path) as entries:
            _list_entries(found, base, entries)
        self.n_files += len(found.pictures) + len(found.others)
        if self.n_files > MOST_FILES:
            raise InputError(
                f"more than {MOST_FILES:,} files lie here: name the folder of the data set, or the splits (train=…)"
            )
        self._by_identity[identity] = found
        return found

    def walk(self, top: bytes) -> Iterator[tuple[bytes, Folder | OSError]]:
        """Every folder under `top`, each once: first those that lie there, then those that links lead to.

        Yields
        ------
        path : bytes
            Begins with `top` and ends in a slash.
        folder : Folder, or the OSError that says why it cannot be listed
        """
        waiting = [os.path.join(top, b"")]
        links: list[bytes] = []
        seen: set[tuple[int, int]] = set()
        while waiting or links:
            linked = not waiting
            path = links.pop(0) if linked else waiting.pop()
            try:
                found = self.folder(path)
            except OSError as error:
                yield path, error
                continue
            if linked and found.identity in seen:
                yield path, FileExistsError("symbolic link to a folder that is listed already")
                continue
            seen.add(found.identity)
            yield path, found
            waiting += [path + name + b"/" for name in found.folders]
            links += [path + name + b"/" for name in found.links]

    def tally(self, top: bytes) -> dict[DataKind, Tally]:
        """Files under a folder by kind, with their bytes."""
        counts: dict[DataKind, Tally] = {}
        for path, folder in self.walk(top):
            if isinstance(folder, Folder):
                count_files(counts, path, folder)
        return counts


def count_files(counts: dict[DataKind, Tally], path: bytes, folder: Folder) -> None:
    """Add the files directly in a folder to the counts by kind."""
    if folder.pictures:
        pictures = counts.setdefault("picture", Tally())
        pictures.add(path + min(folder.pictures)[0], sum(size for _, size, _ in folder.pictures))
        pictures.n += len(folder.pictures) - 1
    for name, size, _, _ in folder.others:
        counts.setdefault(data_kind(name), Tally()).add(path + name, size)


def files_of(folder: Folder) -> Iterator[tuple[DataKind, bytes, int]]:
    """Kind, name and bytes of every file directly in a folder."""
    for name, size, _ in folder.pictures:
        yield "picture", name, size
    for name, size, _, _ in folder.others:
        yield data_kind(name), name, size


def node_kind(mode: int) -> str:
    """What a path that is neither a file nor a folder is, in words."""
    kinds = {
        stat.S_IFIFO: "a named pipe",
        stat.S_IFSOCK: "a socket",
        stat.S_IFBLK: "a device",
        stat.S_IFCHR: "a device",
    }
    return kinds.get(stat.S_IFMT(mode), "neither a file nor a folder")


def why(error: OSError | ValueError) -> str:
    """The reason of an operating-system error in a few words."""
    return (error.strerror or str(error)).lower() if isinstance(error, OSError) else str(error)


def _list_entries(found: Folder, base: bytes, entries: Iterable[os.DirEntry[bytes]]) -> None:
    """All entries of one folder, each by what it is; one look at its status, and none where there is no need."""
    add_picture = found.pictures.append
    for entry in entries:
        name = entry.name
        if entry.is_file(follow_symlinks=False):
            status = entry.stat(follow_symlinks=False)
            # Nearly all files of large sets are pictures with a usual ending: they cost one look-up.
            if name[name.rfind(b".") :] in _USUAL and name[0] != _DOT:
                add_picture((name, status.st_size, status.st_mtime_ns))
            else:
                _add_file(found, base, name, status)
        elif entry.is_dir(follow_symlinks=False):
            if name.startswith(HIDDEN):
                found.n_skipped += 1
                continue
            if kind_of(name) == "picture":
                found.picture_folders.append(name)
            found.folders.append(name)
        else:
            _add_special(found, base, name)


def _add_file(found: Folder, base: bytes, name: bytes, status: os.stat_result) -> None:
    """A regular file, or a link to one, by its name or else by its first bytes."""
    kind = kind_of(name)
    if kind == "unknown":
        try:
            head = storage.first_bytes(base + name, MAGIC_BYTES)
        except OSError as error:
            found.problems.append((name, "unreadable", why(error)))
            return
        kind = "picture" if begins_as_picture(head) else "unknown"
    if kind == "picture":
        found.pictures.append((name, status.st_size, status.st_mtime_ns))
    elif kind != "media" and name.endswith(b".dvc") and not storage.lexists(base + name[:-4]):
        found.pointers.append(name)
        found.problems.append((name[:-4], "pointer", "DVC pointer: run dvc pull"))
    else:
        found.others.append((name, status.st_size, status.st_mtime_ns, kind))


def _add_special(found: Folder, base: bytes, name: bytes) -> None:
    """A symbolic link, or what is neither a file nor a folder."""
    try:
        status = os.stat(base + name)
    except OSError as error:
        if kind_of(name) == "sidecar":
            found.n_skipped += 1
            found.broken.append(name)
        elif not isinstance(error, FileNotFoundError):
            found.problems.append((name, "unreadable", why(error)))
        elif b".git/annex/objects" in os.readlink(base + name).replace(b"\\", b"/"):
            found.problems.append((name, "pointer", "git-annex pointer: run git annex get"))
        else:
            found.problems.append((name, "missing", "broken symbolic link"))
        return
    if stat.S_ISDIR(status.st_mode):
        if not name.startswith(HIDDEN):
            found.links.append(name)
    elif stat.S_ISREG(status.st_mode):
        _add_file(found, base, name, status)
    else:
        found.problems.append((name, "unreadable", f"{node_kind(status.st_mode)}, not opened"))
