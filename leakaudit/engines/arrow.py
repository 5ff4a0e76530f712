"""Whole numbers between Arrow and NumPy, without a copy.

pyarrow's own ways (``to_numpy``, ``pa.array``) import pandas when they are first called, which takes longer than to
compare a million rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from leakaudit.model import IntArray


def integers(cells: pa.Array | pa.ChunkedArray) -> np.ndarray:
    """Arrow integers without missing values, of any width, as an array.

    >>> integers(pa.chunked_array([[1, 2], [3]])).tolist()
    [1, 2, 3]
    """
    array = cells.combine_chunks() if isinstance(cells, pa.ChunkedArray) else cells
    return np.from_dlpack(array)


def column_of(rows: IntArray) -> pa.Array:
    """An array of int64 as Arrow.

    >>> column_of(np.array([4, 2]))[0].as_py()
    4
    """
    whole = np.ascontiguousarray(rows, dtype=np.int64)
    return pa.Array.from_buffers(pa.int64(), len(whole), [None, pa.py_buffer(whole)])
