"""Pictures in memory, written to a temporary folder, from where workers read them as they read files.

A picture is packed without loss and without an effort to make it small: it is read once, and soon gone.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from io import BytesIO
from typing import IO, Any

import numpy as np
import pyarrow as pa
from blake3 import blake3

from leakaudit.errors import InputError
from leakaudit.sources.inventory import why
from leakaudit.sources.objects.parts import Cells, Stack
from leakaudit.sources.readers.array_pictures import channels_of, scale_of

TOGETHER = 1 << 23
"""Bytes of cells that are written together (8 MiB): a record batch, which one worker reads."""

_PNG_MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")
_ORIENTATION = 0x0112


def place(folder: str, name: str, ending: str) -> str:
    """A file of a split in the temporary folder, whatever the split is called."""
    safe = re.sub(r"\W", "_", name)
    if safe != name:
        safe += f"-{blake3(name.encode('utf-8', 'surrogatepass')).hexdigest(4)}"
    return os.path.join(folder, safe + ending)


def packed(picture: Any) -> bytes:  # noqa: ANN401 - a picture of Pillow
    """A picture of Pillow as the bytes of a file, with all that its pixels say and its orientation.

    Raises
    ------
    InputError
        Its own file is damaged or gone.
    """
    out = BytesIO()
    try:
        if picture.mode in _PNG_MODES:
            turned = {"exif": picture.getexif()} if picture.getexif().get(_ORIENTATION, 1) != 1 else {}
            picture.save(out, "PNG", compress_level=1, **turned)
        else:
            picture.save(out, "TIFF")
    except (OSError, ValueError, SyntaxError) as error:
        reason = why(error) if isinstance(error, OSError) and error.errno else str(error).partition("\n")[0]
        raise InputError(f"a picture in memory cannot be read: {reason}") from error
    return out.getvalue()


def as_picture(numbers: np.ndarray) -> Any:  # noqa: ANN401 - a picture of Pillow, or None
    """Numbers of 8 bits in the shape of a picture as a picture of Pillow; None for all others.

    Floats from 0 to 1 that are 255ths are such numbers: so tensors come from pictures.
    """
    from PIL import Image

    channels = channels_of(numbers.shape)
    if channels is None or channels == "stacked":
        return None
    low, high, is_exact = scale_of(numbers)
    if not is_exact or low != 0:
        return None
    levels = numbers if numbers.dtype == np.uint8 else np.rint(numbers.astype(np.float64) * (255 / (high or 1)))
    levels = levels.astype(np.uint8)
    if channels == "first":
        levels = np.moveaxis(levels, 0, -1)
    if levels.ndim == 3 and levels.shape[2] == 1:
        levels = levels[..., 0]
    return Image.fromarray(np.ascontiguousarray(levels))


def write_cells(
    path: str, pictures: Iterable[bytes | None], beside: Mapping[str, Sequence[Any]], *, are_files: bool = False
) -> Cells:
    """Write pictures into an Arrow file, a batch at a time, with what is known of each beside it.

    Parameters
    ----------
    path : str
    pictures : iterable of bytes or None
        Files of pictures; taken one by one.
    beside : mapping of str to sequence
        Further columns, which may grow while the pictures are taken: row i is read after picture i.
    """
    n = 0
    writer: pa.RecordBatchFileWriter | None = None
    waiting: list[bytes | None] = []

    def write() -> None:
        nonlocal writer, n
        stop = n + len(waiting)
        arrays = {"image": pa.array(waiting, pa.binary())}
        arrays |= {name: pa.array(values[n:stop], pa.string()) for name, values in beside.items()}
        batch = pa.RecordBatch.from_pydict(arrays)
        if writer is None:
            writer = pa.ipc.new_file(path, batch.schema)
        writer.write_batch(batch)
        n = stop
        waiting.clear()

    n_bytes = 0
    try:
        for picture in pictures:
            waiting.append(picture)
            n_bytes += len(picture or b"")
            if n_bytes >= TOGETHER:
                write()
                n_bytes = 0
        if waiting or writer is None:
            write()
    except OSError as error:
        raise InputError(f"the temporary folder cannot be written: {why(error)}") from error
    finally:
        if writer is not None:
            writer.close()
    return Cells((path,), n, are_files)


def write_names(path: str, files: Sequence[str], feature: str, labels: pa.Array | None) -> Cells:
    """Name files of pictures or sounds in an Arrow file, as the Hub does where it keeps the files apart.

    Parameters
    ----------
    path : str
    files : sequence of str
    feature : {"Image", "Audio"}
        As ``datasets`` calls it.
    labels : pyarrow.StringArray or None
    """
    cells = [{"bytes": None, "path": os.path.abspath(each)} for each in files]
    column = "image" if feature == "Image" else "audio"
    arrays = {column: pa.array(cells, pa.struct([("bytes", pa.binary()), ("path", pa.string())]))}
    if labels is not None:
        arrays["label"] = labels
    features = {"info": {"features": {column: {"_type": feature}}}}
    table = pa.table(arrays).replace_schema_metadata({"huggingface": json.dumps(features)})
    try:
        with pa.ipc.new_file(path, table.schema) as writer:
            writer.write_table(table)
    except OSError as error:
        raise InputError(f"the temporary folder cannot be written: {why(error)}") from error
    return Cells((path,), len(files), names=tuple(files))


def write_stack(path: str, values: np.ndarray) -> Stack:
    """An array as a file; one that is mapped from such a file is that file.

    Raises
    ------
    InputError
        The temporary folder is full.
    """
    if (mapped := _file_of(values)) is not None:
        return Stack(mapped, values.shape, values.dtype.str)
    try:
        np.save(path, values, allow_pickle=False)  # in pieces: no copy of the array
    except OSError as error:
        raise InputError(f"the temporary folder cannot be written: {why(error)}") from error
    return Stack(path, values.shape, values.dtype.str)


def _file_of(values: np.ndarray) -> str | None:
    """The ``.npy`` file that an array is mapped from as a whole."""
    name = getattr(values, "filename", None)
    if not isinstance(values, np.memmap) or name is None or isinstance(values.base, np.ndarray):
        return None
    try:
        again = np.load(name, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError):
        return None
    same = isinstance(again, np.memmap) and (again.shape, again.dtype, again.strides, again.offset) == (
        values.shape,
        values.dtype,
        values.strides,
        values.offset,
    )
    # A private or writable map may hold other numbers than its file.
    return os.path.abspath(name) if same and values.mode == "r" else None


class UnevenError(Exception):
    """Samples of an array are not all of one shape and type."""


def write_samples(path: str, samples: Iterable[np.ndarray]) -> Stack:
    """Samples of one shape as an array in a file, one at a time; there is at least one.

    Raises
    ------
    UnevenError
    InputError
        The temporary folder is full.
    """
    n = 0
    like: np.ndarray | None = None
    try:
        with open(path, "wb") as file:
            for sample in samples:
                if like is None:
                    like = sample
                    _write_header(file, 0, like)
                if (sample.shape, sample.dtype) != (like.shape, like.dtype):
                    raise UnevenError(f"{like.shape} and {sample.shape}")
                file.write(np.ascontiguousarray(sample).reshape(-1).view(np.uint8).data)
                n += 1
            assert like is not None
            file.seek(0)
            _write_header(file, n, like)  # as long as before: NumPy leaves room in it for a longer first axis
    except OSError as error:
        raise InputError(f"the temporary folder cannot be written: {why(error)}") from error
    return Stack(path, (n, *like.shape), like.dtype.str)


def _write_header(file: IO[bytes], n: int, like: np.ndarray) -> None:
    described = {"descr": like.dtype.str, "fortran_order": False, "shape": (n, *like.shape)}
    np.lib.format.write_array_header_1_0(file, described)
