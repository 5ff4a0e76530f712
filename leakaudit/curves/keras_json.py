"""``History.history`` of Keras as JSON: ``{"loss": [...], "val_loss": [...]}``; also one record an epoch.

Accepted shapes: a mapping of names to lists (or to ``{"0": …}``, as a data frame writes it), a list of records, either
of them under ``history``, and a mapping of run names to any of these, which gives one history a run.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from leakaudit.curves.build import About, build
from leakaudit.curves.keras_csv import train_and_val_accuracy
from leakaudit.curves.numbers import number
from leakaudit.curves.options import Options
from leakaudit.curves.reader import Reader
from leakaudit.curves.source import Source
from leakaudit.history import History

ABOUT = About("keras-json", "epoch_mean")

Columns = dict[str, list[float]]


def sniff(source: Source) -> bool:
    """JSON in one of the shapes, with ``loss``, ``val_loss`` or an accuracy in it."""
    return any(True for _ in _runs(source.json))


def read(source: Source, options: Options) -> list[History]:
    """One history a run."""
    found: list[History] = []
    for name, columns in _runs(source.json):
        train_accuracy, val_accuracy = train_and_val_accuracy(list(columns))
        wanted = {
            "train_loss": "loss",
            "val_loss": "val_loss",
            "train_accuracy": train_accuracy,
            "val_accuracy": val_accuracy,
            "lr": "learning_rate" if "learning_rate" in columns else "lr",
        }
        chosen = {key: columns[column] for key, column in wanted.items() if column in columns}
        found += build(source, ABOUT, options, columns.get("epoch"), chosen, name)
    return found


def _runs(value: Any, name: str = "", depth: int = 2) -> Iterator[tuple[str, Columns]]:  # noqa: ANN401
    """Named tables of numbers in a JSON value, with at least one Keras name among their columns."""
    columns = _columns(value)
    if columns is not None:
        if {"loss", "val_loss", "accuracy", "val_accuracy", "acc", "val_acc"} & set(columns):
            yield name, columns
        return
    if isinstance(value, dict) and depth:
        for key, inner in value.items():
            label = name if key in ("history", "params") else f"{name} {key}".strip()
            yield from _runs(inner, label, depth - 1)


def _columns(value: Any) -> Columns | None:  # noqa: ANN401
    if isinstance(value, list) and value and all(isinstance(row, dict) for row in value):
        names = dict.fromkeys(key for row in value for key in row)
        columns = {str(name): [number(row.get(name)) for row in value] for name in names}
    elif isinstance(value, dict) and value and all(_is_series(inner) for inner in value.values()):
        columns = {str(name): _series(inner) for name, inner in value.items()}
    else:
        return None
    return columns


def _is_series(value: Any) -> bool:  # noqa: ANN401
    items = value if isinstance(value, list) else list(value.values()) if isinstance(value, dict) else None
    return items is not None and all(item is None or isinstance(item, int | float | str) for item in items)


def _series(value: Any) -> list[float]:  # noqa: ANN401
    return [number(item) for item in (value if isinstance(value, list) else value.values())]


READER = Reader("keras-json", "JSON with lists loss, val_loss (Keras History.history)", sniff, read)
