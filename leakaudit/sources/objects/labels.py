"""What was given as y: one label a sample."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from leakaudit.errors import InputError
from leakaudit.sources.objects.frames import array_of, arrow_of
from leakaudit.sources.objects.kinds import as_array, call_of, is_array, is_frame, is_series, is_sparse, length_of


def labels_of(name: str, y: Any, n: int) -> tuple[str | None, pa.Array | None]:  # noqa: ANN401
    """The name of the label, where it has one, and the labels; None where several numbers say them.

    Parameters
    ----------
    name : str
        Of the argument, for messages.
    y : list, array, tensor, series, or data frame of one column
        One-hot rows are the class whose number is 1.
    n : int
        Samples that there must be labels for.

    Raises
    ------
    InputError
        Not as many as there are samples, or no labels.
    """
    if y is None:
        return None, None
    if isinstance(y, str | bytes) or not (hasattr(y, "__len__") or hasattr(y, "shape") or is_frame(y)):
        raise InputError(f"{name}: y must be one label a sample, not {call_of(y)}")
    title = None
    if is_frame(y):
        table = arrow_of(f"{name}: y", y)
        title, y = table.column_names[0] if table.num_columns else None, table
        if table.num_columns == 1:
            y = table.column(0).combine_chunks()
    elif is_series(y):
        title = str(y.name) if getattr(y, "name", None) is not None else None
        if hasattr(y, "to_arrow"):
            y = y.to_arrow()
    if is_sparse(y):
        y = y.toarray()
    n_labels = length_of(f"{name}: y", y)
    if n_labels != n:
        raise InputError(f"{name}: X has {n:,} samples and y {n_labels:,} labels: they must be as many")
    if isinstance(y, pa.Table):
        one_hot = np.column_stack([column.to_numpy() for column in y.columns]) if y.num_columns else np.zeros((n, 0))
        return None, _of_rows(one_hot)
    if is_array(y) and not is_series(y):
        return title, _of_array(name, as_array(f"{name}: y", y))
    made = array_of(f"{name}: y", y)
    if not isinstance(made, pa.Array) or pa.types.is_nested(made.type):
        return title, _of_rows(_rows_of(made))
    return title, made


def _of_array(name: str, values: np.ndarray) -> pa.Array | None:
    if values.ndim == 0 or values.dtype.kind == "c" or values.ndim > 2:
        raise InputError(f"{name}: y must be one label a sample, not an array of shape {values.shape}")
    if values.ndim == 2 and values.shape[1] != 1:
        return _of_rows(values)
    values = values.reshape(len(values))
    if values.dtype.kind == "f" and bool((values == values.round()).all()):
        values = values.astype(np.int64)  # 0.0 and 1.0 are classes
    if values.dtype.kind in "OSUT":
        return pa.array([_text(each) for each in values.tolist()], pa.string())
    made = array_of(f"{name}: y", np.ascontiguousarray(values))
    return made if isinstance(made, pa.Array) else None


def _rows_of(values: Any) -> np.ndarray:  # noqa: ANN401
    cells = values.to_pylist() if isinstance(values, pa.Array) else list(values)
    try:
        return np.asarray(cells)
    except ValueError:
        return np.zeros((len(cells), 0))


def _of_rows(values: np.ndarray) -> pa.Array | None:
    """One-hot rows as the number of their class; others say no single label."""
    if values.ndim != 2 or values.shape[1] < 2 or values.dtype.kind not in "biuf":
        return None
    ones = values == 1
    if not bool((ones | (values == 0)).all() and (ones.sum(axis=1) == 1).all()):
        return None
    return pa.array(values.argmax(axis=1))


def _text(value: Any) -> str | None:  # noqa: ANN401
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return None if value is None or value != value else str(value)  # noqa: PLR0124 - NaN


def texts_of(labels: pa.Array | None) -> pa.Array | None:
    """Labels as people read them: whole numbers without a point."""
    if labels is None or pa.types.is_string(labels.type):
        return labels
    return pa.array([None if each is None else str(each) for each in labels.to_pylist()], pa.string())
