"""Reading the files that ought to be pictures, whatever they turn out to be.

A pipe, a folder, a socket, a pointer file or a broken link never blocks and never crashes: the answer is the content
or an `Unreadable` with a phrase for people. Nothing but regular files is opened.
"""

from __future__ import annotations

import io
import os
import re
import stat
import threading
from typing import TYPE_CHECKING, NamedTuple

from blake3 import blake3

from leakaudit.sources.storage.members import Content, Range, locate, read_ranges

if TYPE_CHECKING:
    import numpy as np

    from leakaudit.model import ProblemKind

LARGE_FILE = 1 << 26
"""Files beyond these bytes (64 MiB) are hashed in blocks and decoded from disk, so that workers stay small."""

_BLOCK = 1 << 20
_KEPT_BUFFER = 1 << 23
_SMALL_FILE = 1 << 15
"""Up to so many bytes, fresh memory costs less than what goes with a buffer that is kept."""

_OPEN_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NONBLOCK", 0)  # a file replaced by a pipe between stat and open must not block
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


class Unreadable(Exception):  # noqa: N818  it is an answer, not an accident
    """The file is no picture that can be compared.

    Parameters
    ----------
    kind : str
        As in `leakaudit.model.Problem`.
    reason : str
        One phrase for people.
    """

    def __init__(self, kind: ProblemKind, reason: str) -> None:
        super().__init__(reason)
        self.kind: ProblemKind = kind
        self.reason = reason


class FileContent(NamedTuple):
    """What a file held at one moment.

    Parameters
    ----------
    data : memoryview or None
        Valid until this thread reads its next file; None beyond `LARGE_FILE` bytes.
    digest : bytes
        BLAKE3, 128 bits. (At 4 GB/s it costs 2 % of decoding a JPEG at reduced scale; BLAKE2b or SHA-256 cost 7 to 14
        %.)
    size, mtime_ns : int
        Of the opened file.
    pixels : ndarray or None
        Of a slice of an array, which is a picture already and has no bytes of a file: shape (height, width) or (height,
        width, 3), uint8.
    pixel_digest : bytes or None
        With `pixels`, where they are not exact: the digest of the numbers they were made from.
    """

    data: memoryview | None
    digest: bytes
    size: int
    mtime_ns: int
    pixels: np.ndarray | None = None
    pixel_digest: bytes | None = None


def read_file(path: bytes) -> FileContent:
    """Read a regular file, an object or a member of a shard, once.

    Raises
    ------
    Unreadable
        Missing, no regular file, no permission, empty, a pointer file, or changed while it was read.
    """
    if (place := locate(path)) is not None:
        return content_of(place, read_ranges([place])[0])
    return read_here(path)


def read_here(path: bytes) -> FileContent:
    """`read_file` for what is known to be a path of this machine."""
    try:
        before = os.stat(path)  # noqa: PTH116  a bytes path
        if not stat.S_ISREG(before.st_mode):
            raise Unreadable("unreadable", f"{_file_type(before.st_mode)}, not a file")
        handle = os.open(path, _OPEN_FLAGS)
    except OSError as error:
        raise _unopened(path, error) from None
    except ValueError:  # a null byte in the path
        raise Unreadable("missing", "no such file") from None
    try:
        return _read_open_file(handle)
    except OSError as error:
        raise Unreadable("unreadable", f"reading failed: {os.strerror(error.errno or 0)}") from None
    finally:
        os.close(handle)


def content_of(place: Range, answer: Content | OSError) -> FileContent:
    """What was read of an object or a member.

    Raises
    ------
    Unreadable
        Gone, no permission, empty, cut short, or a pointer file.
    """
    if isinstance(answer, FileNotFoundError):
        raise Unreadable("missing", "gone since it was listed")
    if isinstance(answer, OSError):
        raise Unreadable("unreadable", f"reading failed: {answer.strerror or type(answer).__name__}")
    if not answer.data:
        raise Unreadable("unreadable", "empty file")
    if 0 <= place.size != len(answer.data):
        raise Unreadable("unreadable", "cut short: its shard ends early")
    if len(answer.data) < 1024 and (pointer := pointer_in(answer.data)):
        raise Unreadable("pointer", pointer)
    return FileContent(memoryview(answer.data), blake3(answer.data).digest(16), len(answer.data), answer.mtime_ns)


def _read_open_file(handle: int) -> FileContent:
    info = os.fstat(handle)
    if not stat.S_ISREG(info.st_mode):
        raise Unreadable("unreadable", f"{_file_type(info.st_mode)}, not a file")
    if info.st_size == 0:
        raise Unreadable("unreadable", "empty file")
    data: memoryview | bytes | None = None
    if info.st_size > LARGE_FILE:
        file = io.FileIO(handle, closefd=False)
        digest, n_read = blake3(), 0
        while block := file.read(_BLOCK):
            digest.update(block)
            n_read += len(block)
    else:
        data = (_read_small if info.st_size <= _SMALL_FILE else _read_all)(handle, info.st_size)
        n_read = len(data)
        digest = blake3(data)
    after = os.fstat(handle)
    if n_read != info.st_size or after.st_size != info.st_size or after.st_mtime_ns != info.st_mtime_ns:
        raise Unreadable("unreadable", "changed while it was read")
    if data is not None and len(data) < 1024 and (pointer := pointer_in(bytes(data))):
        raise Unreadable("pointer", pointer)
    content = data if data is None else memoryview(data)
    return FileContent(content, digest.digest(16), info.st_size, info.st_mtime_ns)


_reused = threading.local()


def _read_small(handle: int, size: int) -> bytes:
    data = os.read(handle, size + 1)  # one byte more shows that the file has grown
    while len(data) < size and (more := os.read(handle, size + 1 - len(data))):
        data += more
    return data


def _read_all(handle: int, size: int) -> memoryview:
    """Read into a buffer that the thread keeps, because fresh memory costs as much as the reading."""
    file = io.FileIO(handle, closefd=False)
    buffer: bytearray | None = getattr(_reused, "buffer", None)
    if buffer is None or len(buffer) <= size:
        buffer = bytearray(max(size + 1, _BLOCK))
        if size < _KEPT_BUFFER:
            _reused.buffer = buffer
    view = memoryview(buffer)[: size + 1]
    n_read = 0
    while n_read < size and (got := file.readinto(view[n_read:])):
        n_read += got
    return view[:n_read]


def _file_type(mode: int) -> str:
    if stat.S_ISDIR(mode):
        return "a folder"
    if stat.S_ISFIFO(mode):
        return "a named pipe"
    return "a socket" if stat.S_ISSOCK(mode) else "a device"


def _unopened(path: bytes, error: OSError) -> Unreadable:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        if os.path.islink(path):  # noqa: PTH114  a bytes path
            return Unreadable("missing", "symbolic link to a file that does not exist")
        return Unreadable("missing", "no such file")
    if isinstance(error, PermissionError):
        return Unreadable("unreadable", "no permission to read it")
    phrase = os.strerror(error.errno) if error.errno else "cannot be opened"
    return Unreadable("unreadable", phrase[:1].lower() + phrase[1:])


def pointer_in(data: bytes) -> str | None:
    """Name the tool that left a pointer in place of the data.

    Formats: https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md and
    https://dvc.org/doc/user-guide/project-structure/dvc-files.
    """
    if data.startswith(b"version https://git-lfs"):
        return "Git LFS pointer: run git lfs pull"
    if re.match(rb"(outs:\s|md5: [0-9a-f]{32}\s)", data) and re.search(rb"\bmd5: [0-9a-f]{32}", data):
        return "DVC pointer: run dvc pull"
    return None
