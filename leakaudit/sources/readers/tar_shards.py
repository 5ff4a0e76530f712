"""What is in a tar shard of WebDataset: pictures, and the small files beside them that say what they show.

A shard is read from its first header to its last, and nothing is unpacked: a picture is remembered as a range of
bytes, and only ``.cls`` and ``.json`` members are read. Samples and their fields are named as WebDataset names them:
the key is the path up to the first dot of the file name, the field what follows
(https://github.com/webdataset/webdataset#the-webdataset-format).
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from leakaudit.model import Problem, ProblemKind
from leakaudit.sources import storage
from leakaudit.sources.inventory import why
from leakaudit.sources.kinds import kind_of
from leakaudit.sources.listing import uri_of
from leakaudit.sources.readers.heads import cell_of

MOST_FIELD_BYTES = 1 << 20
"""A ``.cls`` or ``.json`` member beyond 1 MiB is not read."""

_BLOCK = 512
_COMPRESSED = {b"\x1f\x8b": "gzip", b"BZ": "bzip2", b"\xfd7": "xz", b"\x28\xb5": "zstd"}


class Picture(NamedTuple):
    """A picture in a shard: name of the member, where its bytes are, and the fields of its sample."""

    name: bytes
    start: int
    size: int
    fields: dict[str, str | None]


@dataclass(slots=True)
class Shard:
    """What one shard holds.

    Parameters
    ----------
    path : str
    pictures : list of Picture
        In the order of the file.
    problems : list of Problem
    n_other : int
        Members that are neither pictures nor fields that are read, and pictures beside the main one of a sample.
    mtime_ns : int
        Of the shard.
    """

    path: str
    pictures: list[Picture] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    n_other: int = 0
    mtime_ns: int = -1


@dataclass(slots=True)
class _Sample:
    """Members of one key that follow each other."""

    key: str = ""
    pictures: list[tuple[str, tarfile.TarInfo]] = field(default_factory=list)
    fields: dict[str, str | None] = field(default_factory=dict)


def read_shard(path: str, uri: str, split: str, keep: Callable[[str], bool]) -> Shard:
    """Read the headers of a shard.

    Parameters
    ----------
    path : str
    uri : str
        As in the report; members are ``uri/name``.
    split : str
    keep : callable
        Whether a field of ``.json`` members matters, by its name.

    Returns
    -------
    Shard
        One that is cut short, damaged or compressed has a problem, and what came before it.
    """
    found = Shard(path)
    reader = _Reader(found, uri, split, keep)
    try:
        found.mtime_ns = storage.stat(path).st_mtime_ns
        with storage.open_file(path) as file:
            reader.read(file)
    except OSError as error:
        reader.problem(None, "unreadable", why(error))
    return found


class _Reader:
    """Goes through one shard, sample by sample."""

    def __init__(self, found: Shard, uri: str, split: str, keep: Callable[[str], bool]) -> None:
        self._found = found
        self._uri = uri
        self._split = split
        self._keep = keep
        self._sample = _Sample()
        self._names: set[str] = set()
        self._keys: set[str] = set()

    def problem(self, name: str | None, kind: ProblemKind, reason: str) -> None:
        uri = self._uri if name is None else f"{self._uri}/{uri_of(_coded(name))}"
        self._found.problems.append(Problem(uri, kind, reason, self._split))

    def read(self, file: Any) -> None:  # noqa: ANN401  a file of this machine or of fsspec
        magic = file.read(_BLOCK)
        if not magic:
            self.problem(None, "unreadable", "an empty file")
            return
        if magic.startswith(b"version https://git-lfs"):
            self.problem(None, "pointer", "Git LFS pointer: run git lfs pull")
            return
        if compression := _COMPRESSED.get(magic[:2]):
            self.problem(None, "unsupported", f"a shard compressed with {compression} is not read: unpack it to .tar")
            return
        file.seek(0)
        try:
            with tarfile.open(fileobj=file, mode="r:", encoding="utf-8", errors="surrogateescape") as tar:
                while (member := tar.next()) is not None:
                    self._add(tar, member)
                    vars(tar)["members"].clear()  # it would keep every header
                self._finish()
                self._check_end(file, tar)
        except (tarfile.TarError, ValueError, OverflowError, EOFError, MemoryError) as error:
            self._finish()
            begun = self._found.pictures or self._names
            end = f"ends early or is damaged after {len(self._names):,} members" if begun else "not a tar file"
            self.problem(None, "unreadable", f"{end} ({str(error).splitlines()[0] or type(error).__name__})")

    def _check_end(self, file: Any, tar: tarfile.TarFile) -> None:  # noqa: ANN401
        """Python's reader takes a damaged header, and the end of the file, for the end of the shard."""
        file.seek(tar.offset)
        end = file.read(_BLOCK)
        n = len(self._names)
        if len(end) < _BLOCK:
            self.problem(None, "unreadable", f"no end mark after {n:,} members: it may have been cut short")
        elif any(end):
            self.problem(None, "unreadable", f"a damaged header after {n:,} members: the rest was not read")

    def _add(self, tar: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        name = member.name.removeprefix("./")
        base = name.rpartition("/")[2]
        if member.isdir():
            return
        if base.startswith("."):
            self._found.n_other += 1
            return
        kind = kind_of(_coded(base))
        is_picture = kind == "picture"
        if not member.isreg() or member.issparse():
            self._unread(name, is_picture, f"{_type_of(member)} inside a shard: not followed")
            return
        if name.startswith("/") or ".." in name.split("/") or name[1:3] == ":\\":
            self._unread(name, is_picture, "its name leads out of the shard: not read")
            return
        if name in self._names:
            self.problem(name, "duplicate-path", "named more than once in this shard")
            return
        self._names.add(name)
        key, ending = _key_and_field(name)
        if key != self._sample.key:
            self._finish()
            if key in self._keys:
                self.problem(name, "duplicate-path", "its key occurs again later in this shard")
            self._keys.add(key)
            self._sample = _Sample(key)
        if is_picture:
            self._sample.pictures.append((ending, member))
        elif ending in ("cls", "json") and member.size <= MOST_FIELD_BYTES:
            self._read_field(tar, member, ending)
        elif kind == "media":
            self.problem(name, "unsupported", f"members of type .{uri_of(_coded(ending.lower()))} are not read")
        else:
            self._found.n_other += 1

    def _unread(self, name: str, is_picture: bool, reason: str) -> None:
        if is_picture:
            self.problem(name, "unreadable", reason)
        else:
            self._found.n_other += 1

    def _read_field(self, tar: tarfile.TarFile, member: tarfile.TarInfo, ending: str) -> None:
        opened = tar.extractfile(member)  # a view of the bytes; nothing is written
        text = opened.read().decode("utf-8", "replace") if opened else ""
        if ending == "cls":
            self._sample.fields["cls"] = text.strip() or None
            return
        try:
            record = json.loads(text)
        except (ValueError, RecursionError):
            self.problem(member.name, "unreadable", "not JSON: its fields are unknown")
            return
        if isinstance(record, dict):
            self._sample.fields |= {name: _cell(value) for name, value in record.items() if self._keep(name)}

    def _finish(self) -> None:
        sample, self._sample = self._sample, _Sample()
        plain = [each for each in sample.pictures if "." not in each[0]]
        main = plain or sample.pictures
        self._found.n_other += len(sample.pictures) - len(main)
        for _, member in main:
            name = _coded(member.name.removeprefix("./"))
            self._found.pictures.append(Picture(name, member.offset_data, member.size, sample.fields))


def _key_and_field(name: str) -> tuple[str, str]:
    """Key and field of a member.

    >>> _key_and_field("a.b/c.seg.png"), _key_and_field("a/readme")
    (('a.b/c', 'seg.png'), ('a/readme', ''))
    """
    folder, slash, base = name.rpartition("/")
    stem, _, ending = base.partition(".")
    return folder + slash + stem, ending


def _cell(value: object) -> str | None:
    text = cell_of(value)
    return (text or "").strip() or None


def _coded(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")


def _type_of(member: tarfile.TarInfo) -> str:
    if member.issym():
        return "a symbolic link"
    return "a hard link" if member.islnk() else "a sparse file" if member.issparse() else "a special file"
