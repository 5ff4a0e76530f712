"""Files of arrays: which arrays are in them, and some rows of one. NumPy, IDX (as MNIST comes), HDF5 and MATLAB.

Nothing is unpickled: arrays of Python objects are refused. What has to be unpacked is unpacked once by each process,
small arrays in memory and large ones into a temporary file without a name, after its size was weighed.
"""

from __future__ import annotations

import gzip
import math
import os
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import IO, TYPE_CHECKING, Any, Literal, cast

import numpy as np

from leakaudit.errors import InputError, MissingExtraError
from leakaudit.sources import storage
from leakaudit.sources.inventory import why
from leakaudit.sources.listing import display
from leakaudit.sources.readers.volumes import MEMBER, VolumeKind, read_numbers

if TYPE_CHECKING:
    import numpy.typing as npt

IN_MEMORY = 1 << 26
"""Unpacked arrays up to these bytes (64 MiB) are held in memory."""

MOST_TIMES = 200
"""A packed array may be so many times as large once unpacked, and any times up to `SURELY_FINE`: photographs shrink to
half, blank masks to a hundredth, and only a bomb to a thousandth, which is as far as deflate goes."""

SURELY_FINE = 1 << 30
MOST_ARRAYS = 10_000
"""Arrays, or objects of an HDF5 file, that are looked at."""

_IDX_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_HDF5 = b"\x89HDF\r\n\x1a\n"
_ENDINGS = (".npy", ".npz", ".h5", ".hdf5", ".hdf", ".mat", "-ubyte", ".idx", ".ubyte")


@dataclass(frozen=True, slots=True)
class ArrayInfo:
    """An array as its file describes it.

    Parameters
    ----------
    file : str
    name : str
        In its file, ``/``-separated in groups; empty where the file is the array.
    shape : tuple of int
    dtype : str
        As NumPy writes it: ``<f4``, ``|u1``, ``<U3``; "O" for Python objects, which are never loaded; "str" for texts
        of HDF5.
    """

    file: str
    name: str
    shape: tuple[int, ...]
    dtype: str

    @property
    def is_number(self) -> bool:
        """Whether it holds numbers or truth values."""
        return self.dtype.lstrip("<>|=")[:1] in "biuf"


def is_array_name(name: str) -> bool:
    """Whether a file may hold arrays by its name.

    >>> is_array_name("t10k-images-idx3-ubyte.gz"), is_array_name("X_train.npy"), is_array_name("a.csv")
    (True, True, False)
    """
    lower = name.lower().removesuffix(".gz")
    return lower.endswith(_ENDINGS) or "-ubyte" in lower or ("idx" in lower and lower.endswith((".ubyte", "ubyte")))


def arrays_in(path: str) -> list[ArrayInfo]:
    """The arrays of a file, from its headers alone.

    Raises
    ------
    InputError
        It cannot be read, is damaged, leads to other files, unpacks to far more than it is, or is HDF5 without
        ``leakaudit[hdf5]``.
    """
    try:
        here = storage.local_copy(path)
        head = storage.first_bytes(os.fsencode(here), 16)
        if head.startswith(b"\x93NUMPY"):
            with open(here, "rb") as file:
                shape, dtype, _ = _npy_header(file)
            return [ArrayInfo(path, "", shape, _said(dtype))]
        if head.startswith(b"PK\x03\x04") or head.startswith(b"PK\x05\x06"):
            return _in_npz(path, here)
        if head.startswith(_HDF5):
            return [ArrayInfo(path, *each) for each in _in_hdf5(here)]
        if here.lower().endswith(".mat"):
            return _in_mat(path, here)
        with _plain(here) as file:
            shape, dtype = _idx_header(file)
        _weigh(_n_bytes(shape, dtype), os.path.getsize(here))
        return [ArrayInfo(path, "", shape, _said(dtype))]
    except MissingExtraError as error:
        raise InputError(f"{display(path)}: an HDF5 file {error}") from error
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, ValueError, struct.error) as error:
        raise InputError(f"{display(path)}: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    if isinstance(error, gzip.BadGzipFile | zipfile.BadZipFile | zlib.error | EOFError | struct.error):
        return "damaged: it is cut short, or no file of arrays"
    if isinstance(error, OSError):
        return why(error) if error.errno else "damaged: it is cut short, or no file of arrays"
    return str(error).splitlines()[0] if str(error) else "damaged"


class Opened:
    """An array that can be read in part.

    Parameters
    ----------
    values : ndarray or object with the like of it
        In memory, mapped, or a dataset of HDF5.
    turned : bool, default False
        Its axes are in the opposite order: MATLAB's, as HDF5 shows them.
    """

    def __init__(self, values: Any, *, turned: bool = False) -> None:  # noqa: ANN401 - h5py is not always there
        self._values = values
        self._turned = turned

    @property
    def shape(self) -> tuple[int, ...]:
        """As in `ArrayInfo`."""
        shape = tuple(int(n) for n in self._values.shape)
        return shape[::-1] if self._turned else shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the numbers."""
        return cast("np.dtype[Any]", np.dtype(self._values.dtype))

    def take(self, start: int, stop: int, axis: int = 0) -> np.ndarray:
        """Some samples, along whichever axis they are, as an array in which they are the first axis.

        Raises
        ------
        OSError, ValueError
            The file is damaged there.
        """
        n_axes = len(self._values.shape)
        at = n_axes - 1 - axis if self._turned else axis
        some = np.asarray(self._values[(*(slice(None),) * at, slice(start, stop))])
        return np.moveaxis(some.T if self._turned else some, axis, 0)

    def whole(self) -> npt.NDArray[Any]:
        """All of it."""
        values = self._values
        if hasattr(values, "asstr") and values.dtype.kind == "O":
            values = values.asstr()
        whole = np.asarray(values[...])
        return whole.T if self._turned else whole


def open_array(path: str, name: str) -> Opened:
    """An array of a file, to be read in part; the last few stay open.

    Raises
    ------
    OSError, ValueError, EOFError
        It is gone, damaged, or holds Python objects.
    MissingExtraError
        HDF5 without ``leakaudit[hdf5]``.
    """
    status = storage.stat(path)
    return _opened(path, name, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=8)
def _opened(path: str, name: str, size: int, _mtime_ns: int) -> Opened:
    return _volume(path, name) if name.startswith(MEMBER) else _array(path, name, size)


def _volume(path: str, name: str) -> Opened:
    return Opened(read_numbers(path, cast("VolumeKind", name.removeprefix(MEMBER))))


def _array(path: str, name: str, size: int) -> Opened:
    here = storage.local_copy(path)
    head = storage.first_bytes(os.fsencode(here), 16)
    if head.startswith(b"\x93NUMPY"):
        return Opened(np.load(here, mmap_mode="r", allow_pickle=False))
    if head.startswith(b"PK"):
        return Opened(_from_npz(here, name))
    if head.startswith(_HDF5):
        return _from_hdf5(here, name)
    if here.lower().endswith(".mat"):
        from scipy.io import loadmat

        return Opened(loadmat(here, variable_names=[name])[name])
    with _plain(here) as file:
        shape, dtype = _idx_header(file)
        _weigh(_n_bytes(shape, dtype), size)
        if isinstance(cast("object", file), gzip.GzipFile):
            return Opened(_unpacked(file, shape, dtype, "C"))
        return Opened(np.memmap(here, dtype, "r", file.tell(), shape) if math.prod(shape) else np.zeros(shape, dtype))


# --- NumPy ----------------------------------------------------------------------------------------------------


def _npy_header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any], str]:
    """Shape, type and order of an array whose file (or member) begins here.

    Raises
    ------
    ValueError
    """
    version = np.lib.format.read_magic(file)
    if version == (1, 0):
        shape, is_fortran, dtype = np.lib.format.read_array_header_1_0(file)
    elif version == (2, 0):
        shape, is_fortran, dtype = np.lib.format.read_array_header_2_0(file)
    else:
        raise ValueError(f"an array in version {version[0]}.{version[1]} of NumPy's format, which is not read")
    return shape, dtype, "F" if is_fortran else "C"


def _said(dtype: np.dtype[Any]) -> str:
    return "O" if dtype.hasobject else dtype.str


def _in_npz(path: str, here: str) -> list[ArrayInfo]:
    found = []
    with zipfile.ZipFile(here) as file:
        members = [each for each in file.infolist() if each.filename.endswith(".npy")]
        if not members:
            raise ValueError("a zip archive without arrays in it")
        for member in members[:MOST_ARRAYS]:
            with file.open(member) as packed:
                shape, dtype, _ = _npy_header(packed)
            if not dtype.hasobject:
                _weigh(max(_n_bytes(shape, dtype), member.file_size), member.compress_size)
            found.append(ArrayInfo(path, member.filename.removesuffix(".npy"), shape, _said(dtype)))
    return found


def _from_npz(here: str, name: str) -> np.ndarray:
    with zipfile.ZipFile(here) as file:
        member = file.getinfo(f"{name}.npy")
        try:
            with file.open(member) as packed:
                shape, dtype, order = _npy_header(packed)
                if dtype.hasobject:
                    raise ValueError("an array of Python objects, which are never loaded")
                _weigh(max(_n_bytes(shape, dtype), member.file_size), member.compress_size)
                return _unpacked(packed, shape, dtype, order)
        except (zipfile.BadZipFile, zlib.error) as error:
            raise ValueError("its file is damaged: the packed data are corrupt") from error


def _n_bytes(shape: Sequence[int], dtype: np.dtype[Any]) -> int:
    return math.prod(shape) * dtype.itemsize


def _weigh(n_bytes: int, n_packed: int) -> None:
    """Refuse what unpacks to far more than any data do.

    Raises
    ------
    ValueError
    """
    if n_bytes > SURELY_FINE and n_bytes > MOST_TIMES * max(n_packed, 1):
        raise ValueError(
            f"an array of {n_bytes / 1e9:,.1f} GB packed into {n_packed / 1e6:,.1f} MB: not unpacked (bomb guard)"
        )


def _unpacked(packed: Any, shape: tuple[int, ...], dtype: np.dtype[Any], order: str) -> np.ndarray:  # noqa: ANN401
    """The rest of a packed file as an array: in memory, or mapped from a temporary file without a name.

    Raises
    ------
    ValueError
        It ends early.
    """
    n_bytes = _n_bytes(shape, dtype)
    layout: Literal["F", "C"] = "F" if order == "F" else "C"
    if n_bytes <= IN_MEMORY:
        data = _read_fully(packed, n_bytes)
        return np.frombuffer(data, dtype).reshape(shape, order=layout)
    with tempfile.TemporaryFile(prefix="leakaudit-") as file:
        left = n_bytes
        while left:
            file.write(block := _read_fully(packed, min(left, 1 << 22)))
            left -= len(block)
        file.flush()
        mapped: np.ndarray = np.memmap(cast("Any", file), dtype, "r", 0, shape, layout).view(np.ndarray)
        return mapped


def _read_fully(packed: Any, n: int) -> bytes:  # noqa: ANN401
    try:
        data: bytes = packed.read(n)
        while len(data) < n and (more := packed.read(n - len(data))):
            data += more
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ValueError("its file ends early or is damaged") from error
    if len(data) < n:
        raise ValueError("its file ends early or is damaged")
    return data


# --- IDX (http://yann.lecun.com/exdb/mnist, "the IDX file format") ----------------------------------------------


def _plain(here: str) -> IO[bytes]:
    if storage.first_bytes(os.fsencode(here), 2) == b"\x1f\x8b":
        return gzip.open(here, "rb")  # type: ignore[return-value]
    return open(here, "rb")


def _idx_header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape and type; the file is then at its first number.

    Raises
    ------
    ValueError
    """
    start = file.read(4)
    if len(start) < 4 or start[:2] != b"\0\0" or start[2] not in _IDX_TYPES or not 1 <= start[3] <= 5:
        raise ValueError("no file of arrays: neither NumPy, HDF5, MATLAB nor IDX")
    shape = struct.unpack(f">{start[3]}i", file.read(4 * start[3]))
    if min(shape) < 0:
        raise ValueError("damaged: an array of negative length")
    return shape, np.dtype(_IDX_TYPES[start[2]])


# --- HDF5 and MATLAB ---------------------------------------------------------------------------------------------


def _h5py() -> Any:  # noqa: ANN401
    try:
        import h5py
    except ImportError as error:
        raise MissingExtraError("hdf5") from error
    return h5py


def _in_hdf5(here: str) -> list[tuple[str, tuple[int, ...], str]]:
    """Name, shape and type of every dataset; nothing is followed out of the file.

    Raises
    ------
    ValueError
        Something in it leads to another file.
    """
    h5py = _h5py()
    found: list[tuple[str, tuple[int, ...], str]] = []
    with h5py.File(here, "r") as file:
        is_matlab = _is_matlab(file)
        waiting = [("", file)]
        n_seen = 0
        while waiting:
            prefix, group = waiting.pop()
            for name in group:
                n_seen += 1
                if n_seen > MOST_ARRAYS:
                    return found
                link = group.get(name, getlink=True)
                if isinstance(link, h5py.ExternalLink):
                    where = f"{prefix}{name} is a link to another file ({link.filename})"
                    raise ValueError(f"{where}, which is not followed")  # noqa: TRY004  of the file, not of a type
                if not isinstance(link, h5py.HardLink) or name == "#refs#":
                    continue
                each = group[name]
                if isinstance(each, h5py.Group):
                    if prefix.count("/") < 8:
                        waiting.append((f"{prefix}{name}/", each))
                elif isinstance(each, h5py.Dataset) and each.shape is not None:
                    if each.external or each.is_virtual:
                        raise ValueError(f"{prefix}{name} has its data in another file, which is not followed")
                    is_text = h5py.check_string_dtype(each.dtype) is not None
                    dtype = "str" if is_text else _said(each.dtype)
                    found.append((f"{prefix}{name}", each.shape[::-1] if is_matlab else each.shape, dtype))
    return sorted(found)


def _is_matlab(file: Any) -> bool:  # noqa: ANN401
    return any("MATLAB_class" in file[name].attrs for name in file if file.get(name, getclass=True) is not None)


def _from_hdf5(here: str, name: str) -> Opened:
    file = _h5py().File(here, "r")
    return Opened(file[name], turned=_is_matlab(file))


def _in_mat(path: str, here: str) -> list[ArrayInfo]:
    """Arrays of a MATLAB file before version 7.3, which is HDF5.

    Raises
    ------
    ValueError
    """
    from scipy.io import whosmat

    kinds = {"logical": "|b1", "char": "<U1", "single": "<f4", "double": "<f8", **{
        f"{sign}int{bits}": f"<{'u' if sign else 'i'}{bits // 8}" for sign in ("", "u") for bits in (8, 16, 32, 64)
    }}  # fmt: skip
    try:
        listed = whosmat(here)
    except Exception as error:
        raise ValueError("a damaged MATLAB file") from error
    found = []
    for name, shape, kind in listed[:MOST_ARRAYS]:
        dtype = kinds.get(kind, "O")
        if dtype != "O":
            _weigh(_n_bytes(shape, np.dtype(dtype)), os.path.getsize(here))
        found.append(ArrayInfo(path, name, tuple(map(int, shape)), dtype))
    return found
