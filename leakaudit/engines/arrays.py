"""NumPy arrays as a table of one row, and back, without a copy: kernels over arrays are then kernels over tables."""

from __future__ import annotations

import ast

import numpy as np
import pyarrow as pa


def pack(**arrays: np.ndarray) -> pa.Table:
    """A table of one row with a column for each array; type and shape stand in the schema.

    >>> found = unpack(pack(a=np.arange(6).reshape(2, 3), b=np.zeros(0, "f4")))
    >>> found["a"].tolist(), found["b"].dtype.name
    ([[0, 1, 2], [3, 4, 5]], 'float32')
    """
    columns, fields = [], []
    for name, array in arrays.items():
        held = np.ascontiguousarray(array)
        offsets = pa.py_buffer(np.array([0, held.nbytes], dtype=np.int64))
        data = pa.py_buffer(held.reshape(-1).view(np.uint8)) if held.size else pa.py_buffer(b"")
        columns.append(pa.Array.from_buffers(pa.large_binary(), 1, [None, offsets, data]))
        kind = repr(np.lib.format.dtype_to_descr(held.dtype))
        fields.append(pa.field(name, pa.large_binary(), metadata={"dtype": kind, "shape": repr(array.shape)}))
    return pa.Table.from_arrays(columns, schema=pa.schema(fields))


def unpack(table: pa.Table) -> dict[str, np.ndarray]:
    """The arrays of `pack`, read-only."""
    arrays = {}
    for field, column in zip(table.schema, table.columns, strict=True):
        kind = np.lib.format.descr_to_dtype(ast.literal_eval(field.metadata[b"dtype"].decode()))
        data = column[0].as_buffer()
        shape = ast.literal_eval(field.metadata[b"shape"].decode())
        arrays[field.name] = np.frombuffer(data, dtype=np.uint8).view(kind).reshape(shape)
        arrays[field.name].flags.writeable = False
    return arrays
