"""Addresses of samples that lie inside a file and are no range of its bytes: cells of a table, slices of an array.

An address is a path with NUL in it, which no name of a file holds: ``file NUL cell NUL …`` and ``file NUL slice NUL
…``, beside the ``file NUL start+size NUL …`` of `leakaudit.sources.storage.members`. So `Samples.path` stays one column
of bytes, and whoever reads it asks `locate_inside` first.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

_CELL, _SLICE = b"cell", b"slice"


class Cell(NamedTuple):
    """A cell of a parquet or Arrow file.

    Parameters
    ----------
    file : bytes
    column : str
        Dotted where it is a field of a struct: ``image.bytes``.
    group, row : int
        Row group (parquet) or record batch (Arrow), and the row in it; both from 0.
    """

    file: bytes
    column: str
    group: int
    row: int


class Slice(NamedTuple):
    """One sample of an array.

    Parameters
    ----------
    file : bytes
    member : str
        Name of the array in its file; empty where the file is the array.
    form : str
        How its numbers are a picture, see `leakaudit.sources.readers.array_pictures.Form`.
    row : int
        From 0, along the axis of the samples.
    """

    file: bytes
    member: str
    form: str
    row: int


Inside: TypeAlias = Cell | Slice


def cell_path(cell: Cell) -> bytes:
    """The address of a cell.

    >>> locate_inside(cell_path(Cell(b"a.parquet", "image.bytes", 0, 7)))
    Cell(file=b'a.parquet', column='image.bytes', group=0, row=7)
    """
    return b"%s\0cell\0%s\0%d\0%d" % (cell.file, _coded(cell.column), cell.group, cell.row)


def slice_path(place: Slice) -> bytes:
    """The address of a slice.

    >>> locate_inside(slice_path(Slice(b"a.npz", "x_train", "0 hwc 8", 7)))
    Slice(file=b'a.npz', member='x_train', form='0 hwc 8', row=7)
    """
    return b"%s\0slice\0%s\0%s\0%d" % (place.file, _coded(place.member), place.form.encode(), place.row)


def locate_inside(path: bytes) -> Inside | None:
    """The cell or slice that an address means; None for everything else."""
    if b"\0" not in path:
        return None
    parts = path.split(b"\0")
    if len(parts) != 5:
        return None
    if parts[1] == _CELL:
        return Cell(parts[0], _decoded(parts[2]), int(parts[3]), int(parts[4]))
    if parts[1] == _SLICE:
        return Slice(parts[0], _decoded(parts[2]), parts[3].decode(), int(parts[4]))
    return None


def group_of(path: bytes) -> bytes | None:
    """The part of a cell's address that all cells of its group share; None for everything but a cell.

    >>> group_of(cell_path(Cell(b"a.parquet", "image", 2, 7))) == group_of(cell_path(Cell(b"a.parquet", "image", 2, 8)))
    True
    """
    return path.rpartition(b"\0")[0] if b"\0cell\0" in path else None


def _coded(name: str) -> bytes:
    """A name without NUL: names of columns and arrays may hold anything."""
    return name.replace("%", "%25").replace("\0", "%00").encode("utf-8", "surrogatepass")


def _decoded(name: bytes) -> str:
    return name.decode("utf-8", "surrogatepass").replace("%00", "\0").replace("%25", "%")
