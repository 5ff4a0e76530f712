"""Object storage through fsspec: listed once, read in ranges, nothing kept on disk but tables for an engine.

Credentials are those of the ecosystem (environment, profiles, instance roles, fsspec's configuration); none is taken
from an address, none is shown. s3fs, gcsfs, adlfs and huggingface_hub repeat what fails for a passing reason, with
growing pauses; nothing is repeated on top of that.
"""

from __future__ import annotations

import errno
import os
import pickle
import stat as modes
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, Any, NamedTuple, cast

from leakaudit.errors import InputError
from leakaudit.sources.storage.addresses import cleaned, root_parts, shown
from leakaudit.sources.storage.copies import LocalCopy, new_copy
from leakaudit.sources.storage.errors import explained, plain_errors

BLOCK = 1 << 23
"""Bytes of one request while a tar shard or the head of a table is read on."""

_TOKEN_MASK = (1 << 60) - 1


class File(NamedTuple):
    """An object: bytes, and nanoseconds since the epoch or a number that changes with its ETag."""

    size: int
    mtime_ns: int


@dataclass(slots=True)
class Folder:
    """What lies directly in a folder."""

    folders: set[str] = field(default_factory=set)
    files: dict[str, File] = field(default_factory=dict)


# What is known since the last load. Where it is forgotten under a scan that still runs, it is asked for again.
_systems: dict[str, Any] = {}
_folders: dict[str, Folder | None] = {}
_whole: set[str] = set()
_single: dict[str, File] = {}
_odd: dict[str, list[str]] = {}


# --- listing ----------------------------------------------------------------------------------------------------


def _system(address: str) -> Any:  # noqa: ANN401  fsspec has no types
    scheme = address.partition("://")[0]
    if scheme not in _systems:
        try:
            import fsspec

            kind = fsspec.get_filesystem_class(scheme)
        except ImportError:
            raise InputError(
                f"{shown(address)}: {scheme}:// needs an optional dependency: pip install 'leakaudit[remote]'"
            ) from None
        with plain_errors():
            fresh = {} if scheme == "memory" else {"skip_instance_cache": True}
            _systems[scheme] = kind(**fresh)
    return _systems[scheme]


def _split(address: str) -> tuple[str, str]:
    folder, _, name = address.rpartition("/")
    return folder, name


def reach(addresses: Iterable[bytes]) -> dict[str, Any] | None:
    """What a process of ours has to `adopt` to read these addresses; None: only this process can read one of them.

    The environment and the files of profiles are there anyway. What was set in Python is fsspec's configuration.
    """
    if any(address.startswith(b"memory:") for address in addresses):
        return None
    import fsspec.config

    try:
        told: dict[str, Any] = pickle.loads(pickle.dumps(dict(fsspec.config.conf)))  # noqa: S301  made in this line
    except Exception:  # noqa: BLE001  objects of any kind may lie there
        return None
    return told


def adopt(told: Mapping[str, Any]) -> None:
    """Take over what `reach` gave."""
    import fsspec.config

    fsspec.config.conf.update(told)


def forget() -> None:
    """Let go of all listings and connections: the next question is answered anew."""
    for known in (_systems, _folders, _single, _odd):
        known.clear()
    _whole.clear()


def resolve(address: str) -> bool | None:
    """Look at what the user named: True for a folder, which is listed whole; False for an object; None for neither.

    Raises
    ------
    InputError
        The extra is not installed.
    OSError
        No access, no bucket, no answer.
    """
    fs = _system(address)
    with plain_errors():
        path = fs._strip_protocol(address)
        try:
            info = fs.info(path)
        except FileNotFoundError:
            bucket = "/".join(path.lstrip("/").split("/")[: root_parts(address)])
            if address.startswith("memory://") or (bucket != path and fs.exists(bucket)):
                return None
            raise FileNotFoundError(errno.ENOENT, f"no such bucket: {bucket}") from None
        if info["type"] == "file" and not address.endswith("/"):
            _single[cleaned(address)] = _file(info)
            return False
    _list_whole(cleaned(address))
    return True


def matching(pattern: str) -> list[str]:
    """Addresses of the objects that a pattern matches, sorted.

    Raises
    ------
    OSError
    """
    fs = _system(pattern)
    scheme = pattern.partition("://")[0]
    with plain_errors():
        found = fs.glob(fs._strip_protocol(pattern), detail=True)
    addresses = []
    for name, info in sorted(found.items()):
        if info["type"] == "file":
            address = f"{scheme}://{name.lstrip('/')}"
            _single[address] = _file(info)
            addresses.append(address)
    return addresses


def _list_whole(address: str) -> None:
    fs = _system(address)
    with plain_errors():
        top = fs._strip_protocol(address).rstrip("/")
        found = fs.find(top, detail=True)
    fresh = {address: Folder()}
    odd = []
    for path, info in found.items():
        relative = path[len(top) :].lstrip("/") if path != top else ""
        if not relative or path.endswith("/"):
            continue  # the marker of a folder
        parts = relative.split("/")
        if not {"", ".", ".."}.isdisjoint(parts):
            odd.append(relative)
            continue
        _add(fresh, address, parts, _file(info))
    _folders.update(fresh)
    _odd[address] = odd
    _whole.add(address)


def _add(fresh: dict[str, Folder], top: str, parts: Sequence[str], file: File) -> None:
    at = top
    for part in parts[:-1]:
        fresh[at].folders.add(part)
        at = f"{at}/{part}"
        if at not in fresh:
            fresh[at] = Folder()
    fresh[at].files[parts[-1]] = file


def _file(info: dict[str, Any]) -> File:
    """Size, and the time; where there is an ETag or a digest, a number that stands for it: that misses no change.

    The number is below 2^60 and so lies in the past, which means that it is never too fresh for the cache.
    """
    from blake3 import blake3

    etag = next((info[name] for name in ("ETag", "etag", "blob_id", "md5Hash", "content_md5") if info.get(name)), None)
    times = ("LastModified", "updated", "last_modified", "mtime", "created")
    time = next((info[name] for name in times if info.get(name) is not None), None)
    size = int(info.get("size") or 0)
    if etag is None and time is not None:
        seconds = time.timestamp() if hasattr(time, "timestamp") else time
        if isinstance(seconds, int | float):
            return File(size, int(seconds * 1_000_000) * 1000)
    told = f"{etag!s}\0{time!s}".encode("utf-8", "surrogateescape")
    return File(size, int.from_bytes(blake3(told).digest(8), "little") & _TOKEN_MASK)


def _folder(address: str) -> Folder | None:
    """What lies in a folder, from the listing that covers it, or else from one of its own."""
    if address in _folders:
        return _folders[address]
    around = address
    while around.count("/") > 2:
        around = _split(around)[0]
        if around in _whole:
            return None
    fs = _system(address)
    try:
        with plain_errors():
            entries = fs.ls(fs._strip_protocol(address), detail=True)
    except (FileNotFoundError, NotADirectoryError):
        _folders[address] = None
        return None
    found = Folder()
    for info in entries:
        path = info["name"].rstrip("/")
        name = _split(path)[1]
        if path == fs._strip_protocol(address).rstrip("/") or name in ("", ".", ".."):
            continue
        if info["type"] == "file":
            found.files[name] = _file(info)
        else:
            found.folders.add(name)
    _folders[address] = found if found.files or found.folders else None
    return _folders[address]


def check_folder(address: str) -> None:
    """Ask for a folder, where `is_file` and `is_folder` would take a failure for an absence.

    Raises
    ------
    OSError
        No access, no answer.
    """
    _folder(cleaned(address))


def _known_file(address: str) -> File | None:
    if address in _single:
        return _single[address]
    folder, name = _split(address)
    here = _folder(folder) if folder.count("/") > 1 else None
    return None if here is None else here.files.get(name)


# --- what `storage` asks ----------------------------------------------------------------------------------------


def is_file(address: str) -> bool:
    """Whether there is such an object."""
    try:
        return _known_file(cleaned(address)) is not None
    except OSError:
        return False


def is_folder(address: str) -> bool:
    """Whether there is such a folder."""
    try:
        return _folder(cleaned(address)) is not None
    except OSError:
        return False


def stat(address: str) -> os.stat_result:
    """Status of an object or a folder, as far as there is one.

    Raises
    ------
    OSError
    """
    address = cleaned(address)
    file = _known_file(address)
    if file is not None:
        return _status(modes.S_IFREG | 0o444, 0, file)
    if _folder(address) is not None:
        from blake3 import blake3

        return _status(
            modes.S_IFDIR | 0o555, int.from_bytes(blake3(os.fsencode(address)).digest(7), "little"), File(0, 0)
        )
    raise FileNotFoundError(errno.ENOENT, "no such object")


def _status(mode: int, ino: int, file: File) -> os.stat_result:
    seconds = file.mtime_ns // 1_000_000_000
    return os.stat_result((mode, ino, -1, 1, 0, 0, file.size, 0, seconds, 0), {"st_mtime_ns": file.mtime_ns})


class Entry(NamedTuple):
    """An entry of a folder, with what is used of `os.DirEntry`."""

    name: str | bytes
    path: str | bytes
    file: File | None

    def is_file(self, *, follow_symlinks: bool = True) -> bool:
        """Whether it is an object."""
        return self.file is not None

    def is_dir(self, *, follow_symlinks: bool = True) -> bool:
        """Whether it is a folder."""
        return self.file is None

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
        """Size and time."""
        return _status(modes.S_IFREG | 0o444, 0, self.file or File(0, 0))


@contextmanager
def scandir(address: str, *, as_bytes: bool) -> Iterator[list[Entry]]:
    """Entries of a folder, sorted.

    Raises
    ------
    OSError
    """
    address = cleaned(address)
    here = _folder(address)
    if here is None:
        raise FileNotFoundError(errno.ENOENT, "no such folder")
    entries: list[tuple[str, File | None]] = [*((name, None) for name in here.folders), *here.files.items()]
    coded = os.fsencode if as_bytes else str
    yield [Entry(coded(name), coded(f"{address}/{name}"), file) for name, file in sorted(entries, key=lambda e: e[0])]


def odd_names(address: str) -> list[bytes]:
    """Keys below a folder that are no paths."""
    address = cleaned(address)
    odd = (f"{top}/{name}" for top, names in _odd.items() for name in names)
    return sorted(os.fsencode(each[len(address) + 1 :]) for each in odd if each.startswith(f"{address}/"))


# --- reading ----------------------------------------------------------------------------------------------------


def read_ranges(ranges: Sequence[tuple[str, int, int]]) -> list[bytes]:
    """As `try_ranges`; raises the first error.

    Raises
    ------
    OSError
    """
    found = try_ranges(ranges)
    for each in found:
        if isinstance(each, OSError):
            raise each
    return cast("list[bytes]", found)


def try_ranges(ranges: Sequence[tuple[str, int, int]]) -> list[bytes | OSError]:
    """Bytes of objects (address, start, stop), all asked for at once; what goes wrong stands in place of its bytes."""
    by_scheme: dict[str, list[int]] = {}
    for at, (address, _, _) in enumerate(ranges):
        by_scheme.setdefault(address.partition("://")[0], []).append(at)
    found: list[bytes | OSError] = [b""] * len(ranges)
    for rows in by_scheme.values():
        try:
            with plain_errors():
                fs = _system(ranges[rows[0]][0])
                paths = [fs._strip_protocol(cleaned(ranges[at][0])) for at in rows]
                starts, stops = [ranges[at][1] for at in rows], [ranges[at][2] for at in rows]
                got: Sequence[Any] = fs.cat_ranges(paths, starts, stops, on_error="return")
        except OSError as error:
            got = [error] * len(rows)
        for at, each in zip(rows, got, strict=True):
            found[at] = each if isinstance(each, bytes) else explained(each)
    return found


def open_file(address: str) -> IO[bytes]:
    """Open an object; it is read in blocks, ahead of what is asked for.

    Raises
    ------
    OSError
    """
    fs = _system(address)
    with plain_errors():
        path = fs._strip_protocol(cleaned(address))
        opened = fs.open(path, "rb", block_size=BLOCK, cache_type="readahead")
    return cast("IO[bytes]", opened)


_copies: weakref.WeakValueDictionary[tuple[str, File | None], LocalCopy] = weakref.WeakValueDictionary()


def local_copy(address: str) -> str:
    """Copy an object into a temporary folder, in a stream; the same one again while it is in use.

    Raises
    ------
    OSError
    """
    address = cleaned(address)
    key = (address, _known_file(address))
    if (known := _copies.get(key)) is not None:
        return known
    fs = _system(address)
    copy = new_copy()
    with plain_errors():
        fs.get_file(fs._strip_protocol(address), str(copy))
    _copies[key] = copy
    return copy
