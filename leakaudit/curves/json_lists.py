"""JSON with one list a name: ``History.history`` of Keras, the lists that training loops collect, records by epoch.

Accepted shapes, under any usual names: a mapping of names to lists (or to ``{"0": …}``, as a data frame writes it; or
to pairs or objects of step and value), split by a level more (``{"train": {"loss": […]}, "val": {…}}``,
``{"loss": {"train": …}}``), a list of records, records by epoch number, any of them below other keys; a mapping of run
names to any of these gives one history a run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from leakaudit.curves import records
from leakaudit.curves.build import About
from leakaudit.curves.names import SPLIT_WORDS, choose, role, split_of
from leakaudit.curves.numbers import number
from leakaudit.curves.options import Options
from leakaudit.curves.reader import Reader
from leakaudit.curves.source import Source
from leakaudit.curves.table import Columns, histories
from leakaudit.history import History

KERAS = About("keras-json", "epoch_mean")
ABOUT = About("json", "epoch_mean")
DEEPEST = 4
LARGEST_POINT = 3
"""Keys of an object that is one point of a curve: step, value, time."""

PLAIN_KEYS = ("history", "params", "log", "logs", "metrics", "results", "data", "epochs", "log_history")
"""Keys that name no run."""

Found: TypeAlias = "Columns | list[records.Record]"


def sniff(source: Source) -> bool:
    """JSON in one of the shapes, with a loss or an accuracy in it."""
    return any(True for _ in _runs(source.json))


def read(source: Source, options: Options) -> list[History]:
    """One history a run."""
    found: list[History] = []
    for name, of_run in _runs(source.json):
        if isinstance(of_run, list):
            found += records.histories(source, ABOUT, options, of_run, name)
        else:
            plain = any(key in of_run for key in ("loss", "accuracy", "acc"))
            found += histories(source, KERAS if plain else ABOUT, options, of_run, name)
    return found


def _runs(value: Any, name: str = "", depth: int = DEEPEST) -> Iterator[tuple[str, Found]]:  # noqa: ANN401
    """Named tables of numbers in a JSON value in which a loss or an accuracy is recognised."""
    rows = _records(value)
    if rows is not None:
        if choose(dict.fromkeys(key for row in rows for key in row.values), {}) is not None:
            yield name, rows
        return
    if not isinstance(value, dict):
        return
    columns = dict(_columns(value))
    if columns and choose(columns, {}) is not None:
        yield name, columns
        return
    if depth:
        for key, inner in value.items():
            label = name if str(key).lower() in PLAIN_KEYS else f"{name} {key}".strip()
            yield from _runs(inner, label, depth - 1)


def _records(value: Any) -> list[records.Record] | None:  # noqa: ANN401
    """Records: a list of objects, objects by epoch number, or lists of objects by split."""
    if isinstance(value, list) and value and all(isinstance(row, dict) for row in value):
        return [records.of_object(row) for row in value]
    if not isinstance(value, dict) or not value:
        return None
    if all(str(key).isdigit() and isinstance(row, dict) for key, row in value.items()):
        return [records.of_object({"epoch": int(key), **row}) for key, row in value.items()]
    by_split = {split_of(str(key)): rows for key, rows in value.items()}
    if None not in by_split and all(isinstance(rows, list) and rows for rows in value.values()):
        made = {split: _records(rows) for split, rows in by_split.items()}
        if all(rows is not None for rows in made.values()):
            return _in_turn({split: rows for split, rows in made.items() if rows is not None})
    return None


def _in_turn(made: Mapping[Any, list[records.Record]]) -> list[records.Record]:
    """Records of several splits, the first of each, then the second of each."""
    longest = max(map(len, made.values()))
    return [
        records.Record(rows[at].values, split)
        for at in range(longest)
        for split, rows in made.items()
        if at < len(rows)
    ]


def _columns(value: Mapping[Any, Any]) -> Iterator[tuple[str, list[float]]]:
    """The lists of a mapping; those one level down where the key above says a split or a quantity."""
    for key, inner in value.items():
        name = str(key)
        if _is_series(inner):
            yield name, _series(inner)
        elif isinstance(inner, dict) and (split_of(name) or role(name) or name.lower() in SPLIT_WORDS):
            for below, series in inner.items():
                if _is_series(series):
                    yield f"{name}/{below}", _series(series)


def _is_series(value: Any) -> bool:  # noqa: ANN401
    if isinstance(value, dict):
        return bool(value) and all(str(key).isdigit() for key in value) and _is_series(list(value.values()))
    if not isinstance(value, list):
        return False
    if value and all(isinstance(item, dict) and "value" in item and len(item) <= LARGEST_POINT for item in value):
        return all(isinstance(item["value"], int | float) for item in value)
    if value and all(isinstance(item, list) and len(item) in (2, 3) for item in value):
        return all(isinstance(part, int | float) for item in value for part in item)
    return all(item is None or isinstance(item, int | float | str) for item in value)


def _series(value: Any) -> list[float]:  # noqa: ANN401
    items = value if isinstance(value, list) else list(value.values())
    return [number(_point(item)) for item in items]


def _point(item: Any) -> object:  # noqa: ANN401
    """The value of a point: itself, the last of a pair, or what is called so."""
    if isinstance(item, dict):
        return item.get("value")
    return item[-1] if isinstance(item, list) else item


READER = Reader(
    "json",
    "JSON with lists such as loss, val_loss (Keras History.history) or train_losses, val_losses",
    sniff,
    read,
    ("columns",),
)
