"""What cells of a table and slices of an array hold, as if each were a file."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

from blake3 import blake3

from leakaudit.fingerprints.pictures.files import FileContent, Unreadable, pointer_in
from leakaudit.sources import storage
from leakaudit.sources.storage.inside import Cell, Slice
from leakaudit.sources.storage.members import MOST_BYTES

if TYPE_CHECKING:
    from leakaudit.sources.readers.array_pictures import Picture

_DAMAGED = "its file cannot be read to here: it is damaged or has changed"


def cell_contents(cells: Sequence[Cell]) -> Iterator[FileContent | Unreadable]:
    """The bytes of cells in their order; those of one group that follow each other are read in one go."""
    for (file, column, group), run in groupby(cells, key=lambda cell: cell[:3]):
        rows = [cell.row for cell in run]
        is_ascending = all(a < b for a, b in pairwise(rows))
        asked = rows if is_ascending else sorted(set(rows))
        found = _of_group(file, column, group, asked)
        if is_ascending:
            yield from found
        else:
            by_row = dict(zip(asked, map(_kept, found), strict=True))
            yield from (by_row[row] for row in rows)


def _of_group(file: bytes, column: str, group: int, rows: Sequence[int]) -> Iterator[FileContent | Unreadable]:
    """Contents of rows of one group; once the file fails, every further one is unreadable."""
    import pyarrow as pa

    from leakaudit.sources.readers.cells import read_cells

    n_read = 0
    try:
        mtime_ns = storage.stat(file).st_mtime_ns
        for data in read_cells(os.fsdecode(file), column, group, rows):
            yield _cell_content(data, mtime_ns)
            n_read += 1
    except FileNotFoundError:
        problem = Unreadable("missing", "gone since it was listed")
    except (OSError, pa.ArrowException):
        problem = Unreadable("unreadable", _DAMAGED)
    else:
        return
    for _ in rows[n_read:]:
        yield problem


def _cell_content(data: memoryview | None, mtime_ns: int) -> FileContent | Unreadable:
    if data is None or not len(data):
        return Unreadable("unreadable", "an empty cell: no picture in it")
    if len(data) > MOST_BYTES:
        return Unreadable("unreadable", "larger than 1 GiB: not read from a cell")
    if len(data) < 1024 and (pointer := pointer_in(bytes(data))):
        return Unreadable("pointer", pointer)
    return FileContent(data, blake3(data).digest(16), len(data), mtime_ns)


def _kept(content: FileContent | Unreadable) -> FileContent | Unreadable:
    """With bytes of its own, for one that has to wait for its turn."""
    if isinstance(content, Unreadable) or content.data is None:
        return content
    return content._replace(data=memoryview(bytes(content.data)))


def slice_contents(slices: Sequence[Slice]) -> Iterator[FileContent | Unreadable]:
    """The pictures that slices of arrays are, in their order."""
    from leakaudit.sources.readers.array_pictures import Form, pictures_of

    for (file, member, form), run in groupby(slices, key=lambda place: place[:3]):
        rows = [place.row for place in run]
        n_read = 0
        try:
            mtime_ns = storage.stat(file).st_mtime_ns
            for picture in pictures_of(os.fsdecode(file), member, Form.parse(form), rows):
                yield _picture_content(picture, mtime_ns)
                n_read += 1
        except FileNotFoundError:
            problem = Unreadable("missing", "gone since it was listed")
        except (OSError, ValueError, EOFError) as error:
            problem = Unreadable("unreadable", str(error) if type(error) is ValueError else _DAMAGED)
        else:
            continue
        for _ in rows[n_read:]:
            yield problem


def _picture_content(picture: Picture, mtime_ns: int) -> FileContent:
    """RGB of four channels is looked at without the fourth, and compared with it."""
    pixels = picture.pixels if picture.pixels.ndim == 2 else picture.pixels[..., :3]
    return FileContent(None, picture.content, picture.n_bytes, mtime_ns, pixels, picture.numbers)
