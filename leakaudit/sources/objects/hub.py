"""Data sets of Hugging Face ``datasets``: the Arrow files that they are, or their rows in a temporary one.

Format and transform of the object are not asked: pictures stay the bytes that they are, and nothing is decoded here.
"""

from __future__ import annotations

import os
from typing import Any

import pyarrow as pa

from leakaudit.errors import InputError
from leakaudit.sources.inventory import why
from leakaudit.sources.objects.parts import Cells
from leakaudit.sources.objects.pictures import place

BATCH = 256
"""Rows taken at a time: of photographs of 100 kB, 25 MB."""


def hub_part(name: str, dataset: Any, folder: str) -> Cells:  # noqa: ANN401 - datasets is not always there
    """The rows of a ``datasets.Dataset``, its selection and order heeded, in Arrow files.

    Raises
    ------
    InputError
        No row or no column; a full temporary folder; a file of the data set that is gone.
    """
    if not len(dataset) or not dataset.column_names:
        raise InputError(f"the split {name} is empty: {len(dataset):,} rows, {len(dataset.column_names or ())} columns")
    if files := _files_of(dataset):
        return Cells(files, len(dataset))
    path = place(folder, name, ".arrow")
    schema = dataset.features.arrow_schema  # with what the features are: names of classes, pictures
    stored = dataset.with_format("arrow")
    try:
        with pa.ipc.new_file(path, schema) as writer:
            for table in stored.iter(BATCH):
                writer.write_table(table.cast(schema) if table.schema != schema else table)
    except (OSError, pa.ArrowException) as error:
        reason = why(error) if isinstance(error, OSError) and error.errno else str(error).partition("\n")[0]
        raise InputError(f"{name}: the rows of the data set cannot be had: {reason}") from error
    return Cells((path,), len(dataset))


def _files_of(dataset: Any) -> tuple[str, ...]:  # noqa: ANN401
    """The files whose rows, all of them and in their order, are the data set; none where it is not as they are.

    A table of ``datasets`` that is mapped from a file remembers what was done to it since (``replays``).
    """
    table = dataset.data
    rows = getattr(table, "blocks", [[table]])
    if getattr(dataset, "_indices", table) is not None or any(len(row) != 1 for row in rows):
        return ()
    files = tuple(getattr(row[0], "path", None) for row in rows)
    told = tuple(each.get("filename") for each in dataset.cache_files)
    if files != told or any(getattr(row[0], "replays", True) for row in rows):
        return ()
    return files if all(isinstance(each, str) and os.path.isfile(each) for each in files) else ()
