"""Labels of manifests that have a column of 0 and 1 for each class."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import pyarrow as pa

from leakaudit.sources.layouts.manifest_paths import LEAST_ID
from leakaudit.sources.names import (
    ID_NAMES,
    PATH_NAMES,
    plain,
)

BITS = {"0": False, "0.0": False, "1": True, "1.0": True}
"""Cells of such a column, and what they say."""


def one_hot(tables: Sequence[pa.Table], columns: Sequence[str], known: Collection[str | None]) -> list[str]:
    """Columns of 0 and 1 of which nearly every row has one 1: a class each, as Roboflow exports them; none where there
    are other columns, too, as features of 0 and 1 have them.
    """
    found = []
    for name in columns:
        if name in known or plain(name) in (*PATH_NAMES, *ID_NAMES):
            continue
        cells = {cell.as_py() for table in tables if name in table.column_names for cell in table[name].unique()}
        if not {(cell or "").strip() for cell in cells} <= BITS.keys():
            return []
        found.append(name)
    if len(found) < 2:
        return []
    labels = list(named_classes(tables, found).values())
    return found if labels and sum(label is not None for label in labels) >= LEAST_ID * len(labels) else []


def named_classes(tables: Sequence[pa.Table], classes: Sequence[str]) -> dict[int, str | None]:
    """The one class of each row by its number; None where a row has none or several."""
    found: dict[int, str | None] = {}
    start = 0
    for table in tables:
        cells = [table[name].to_pylist() if name in table.column_names else [None] * len(table) for name in classes]
        for at, row in enumerate(zip(*cells, strict=True), start):
            there = [name.strip() for name, cell in zip(classes, row, strict=True) if cell and BITS.get(cell.strip())]
            found[at] = there[0] if len(there) == 1 else None
        start += len(table)
    return found
