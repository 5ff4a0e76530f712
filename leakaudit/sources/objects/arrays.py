"""Arrays, tensors and sparse matrices: rows of numbers, or slices that are pictures, as in files of arrays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from leakaudit.errors import InputError
from leakaudit.sources.inventory import why
from leakaudit.sources.layouts.arrays import MOST_COLUMNS
from leakaudit.sources.objects.frames import array_of
from leakaudit.sources.objects.labels import texts_of
from leakaudit.sources.objects.parts import Rows, Stack
from leakaudit.sources.objects.pictures import place, write_stack
from leakaudit.sources.readers.svmlight import MOST_FEATURES
from leakaudit.sources.storage.copies import LocalCopy

SPOOLED = 1 << 28
"""An array of more bytes (256 MiB) goes to a temporary parquet file, block by block, instead of being copied in memory
column by column."""

BLOCK_CELLS = 1 << 22
"""Cells of a block: 32 MiB of floats."""

LABEL = "y"


def array_part(name: str, values: np.ndarray, label: tuple[str | None, pa.Array | None], folder: str) -> Rows | Stack:
    """What an array is: one axis is a column, two are rows, more are slices.

    Parameters
    ----------
    name : str
        Of the split.
    values : ndarray
        The samples along the first axis.
    label : (name or None, labels or None)
        From `leakaudit.sources.objects.labels.labels_of`.
    folder : str
        Temporary folder.

    Raises
    ------
    InputError
        No axis or no sample, numbers of a kind that is not read, or too many columns.
    """
    if values.dtype.names is not None:
        columns = {each: array_of(f"{name}: column {each!r}", values[each]) for each in values.dtype.names}
        named = {key: each for key, each in columns.items() if isinstance(each, pa.Array)}
        return with_label(pa.table(named), label, what="array")
    if values.ndim == 0:
        raise InputError(f"{name}: a single value is no data set")
    if not values.size:
        raise InputError(f"the split {name} is empty: an array of shape {values.shape}")
    if values.dtype.kind == "c":
        raise InputError(f"{name}: complex numbers are not read: give their real and imaginary parts")
    if values.ndim == 1:
        return _one_column(name, values, label)
    if values.ndim > 2:
        if values.dtype.kind not in "biuf":
            raise InputError(f"{name}: an array of shape {values.shape} holds {values.dtype}, no numbers")
        return _stack(name, values, label, folder)
    if values.shape[1] > MOST_COLUMNS:
        raise InputError(f"{name}: {values.shape[1]:,} numbers a sample are neither picture nor row")
    if values.nbytes > SPOOLED and values.dtype.kind in "biuf":
        return _spooled(name, _blocks(values), label, values.shape, folder)
    table = pa.table({f"x{at}": _column(name, values[:, at]) for at in range(values.shape[1])})
    return with_label(table, label, what="array")


def sparse_part(name: str, matrix: Any, label: tuple[str | None, pa.Array | None], folder: str) -> Rows:  # noqa: ANN401
    """Rows of a sparse matrix, made dense a block at a time into a temporary parquet file.

    Raises
    ------
    InputError
        Too many columns, as of svmlight files, or no row.
    """
    if len(matrix.shape) != 2 or not matrix.shape[0] or not matrix.shape[1]:
        raise InputError(f"the split {name} is empty: a sparse matrix of shape {matrix.shape}")
    if matrix.shape[1] > MOST_FEATURES:
        raise InputError(
            f"{name}: a sparse matrix of {matrix.shape[1]:,} columns, at most {MOST_FEATURES:,} are read: reduce them "
            "(hashing, truncated SVD), or give the texts that they were made from"
        )
    rows = matrix.tocsr()
    step = max(1, BLOCK_CELLS // rows.shape[1])
    blocks = (rows[at : at + step].toarray() for at in range(0, rows.shape[0], step))
    return replace(_spooled(name, blocks, label, rows.shape, folder), what="sparse matrix")


def _one_column(name: str, values: np.ndarray, label: tuple[str | None, pa.Array | None]) -> Rows:
    made = array_of(name, values.tolist() if values.dtype.kind in "OSUT" else np.ascontiguousarray(values))
    if not isinstance(made, pa.Array):
        raise InputError(f"{name}: an array of Python objects is no data set: give a list of them, or a data frame")
    if pa.types.is_string(made.type):
        return replace(with_label(pa.table({"text": made}), label), texts=("text",), what="list of texts")
    return with_label(pa.table({"x0": made}), label, what="array")


def _column(name: str, values: np.ndarray) -> pa.Array:
    if values.dtype.kind in "OSUT":
        made = array_of(name, values.tolist())
        if not isinstance(made, pa.Array):
            raise InputError(f"{name}: cells of an array that are objects are not read: give a data frame")
        return made
    if values.dtype == np.float16:
        values = values.astype(np.float32)
    return pa.array(values if values.flags.contiguous else values.copy())


def with_label(table: pa.Table, label: tuple[str | None, pa.Array | None], *, what: str = "data frame") -> Rows:
    """Rows with the labels that were given apart from them, in a column of a name that is free."""
    title, labels = label
    if labels is None:
        return Rows.of(table, what=what)
    called = free_name(title or ("label" if "text" in table.column_names else LABEL), table.column_names)
    return Rows.of(table.append_column(called, labels), label=called, what=what)


def free_name(wanted: str, taken: list[str]) -> str:
    """The name, or with a number where a column is called so already."""
    name, number = wanted, 1
    while name in taken:
        number += 1
        name = f"{wanted}_{number}"
    return name


def _blocks(values: np.ndarray) -> Iterator[np.ndarray]:
    step = max(1, BLOCK_CELLS // values.shape[1])
    return (values[at : at + step] for at in range(0, len(values), step))


def _spooled(
    name: str,
    blocks: Iterator[np.ndarray],
    label: tuple[str | None, pa.Array | None],
    shape: tuple[int, ...],
    folder: str,
) -> Rows:
    """Rows in a temporary parquet file: no more than a block of them is copied at a time."""
    import pyarrow.parquet as pq

    title, labels = label
    columns = [f"x{at}" for at in range(shape[1])]
    called = None if labels is None else free_name(title or LABEL, columns)
    path = LocalCopy(place(folder, name, ".parquet"))  # which no other machine has
    writer = None
    at = 0
    try:
        for block in blocks:
            arrays = [_column(name, block[:, column]) for column in range(shape[1])]
            if labels is not None:
                arrays.append(labels.slice(at, len(block)))
            batch = pa.RecordBatch.from_arrays(arrays, names=[*columns, *([called] if called else [])])
            if writer is None:
                texts = [each.name for each in batch.schema if pa.types.is_string(each.type)]
                writer = pq.ParquetWriter(
                    path, batch.schema, compression="lz4", use_dictionary=texts, write_statistics=False
                )
            writer.write_batch(batch)
            at += len(block)
    except OSError as error:
        raise InputError(f"{name}: the temporary folder cannot be written: {why(error)}") from error
    finally:
        if writer is not None:
            writer.close()
    return Rows((*columns, *([called] if called else [])), shape[0], path=path, label=called, what="array")


def _stack(name: str, values: np.ndarray, label: tuple[str | None, pa.Array | None], folder: str) -> Stack:
    return labelled(write_stack(place(folder, name, ".npy"), values), label[1], place(folder, name, "-y.npy"))


def labelled(stack: Stack, labels: pa.Array | None, path: str) -> Stack:
    """Slices with their labels, which are written to a file as arrays have them.

    Raises
    ------
    InputError
        The temporary folder is full.
    """
    texts = texts_of(labels)
    if texts is None:
        return stack
    try:
        np.save(path, np.array([each or "" for each in texts.to_pylist()]), allow_pickle=False)
    except OSError as error:
        raise InputError(f"the temporary folder cannot be written: {why(error)}") from error
    return replace(stack, labels=texts, label_file=path)
