"""JSON lines: one object a line.

As detectron2 (``metrics.json``), mmengine (``scalars.json``, ``*.log.json``), DETR and its kin (``log.txt``),
LLaMA-Factory (``trainer_log.jsonl``) and W&B histories write them.

A key such as ``mode`` says the split of its line; a line without an epoch belongs to the one named before it.

References
----------
https://detectron2.readthedocs.io/en/latest/modules/utils.html#detectron2.utils.events.JSONWriter ·
https://mmengine.readthedocs.io/en/latest/advanced_tutorials/logging.html
"""

from __future__ import annotations

import json
from dataclasses import replace

from leakaudit.curves import records
from leakaudit.curves.build import About
from leakaudit.curves.names import choose
from leakaudit.curves.options import Options
from leakaudit.curves.reader import Reader
from leakaudit.curves.source import Source, conflict_note
from leakaudit.history import History

ABOUT = About("json-lines", "epoch_mean")


def sniff(source: Source) -> bool:
    """Lines that are JSON objects, with a loss or an accuracy in them."""
    text = source.text
    if text is None or text.lstrip()[:1] not in ("{", "<") or (source.json is not None and "\n" in text.strip()):
        return False
    rows, _ = _records(source)
    return choose(dict.fromkeys(name for row in rows for name in row.values), {}) is not None


def read(source: Source, options: Options) -> list[History]:
    """One history a validation set."""
    rows, n_broken = _records(source)
    notes = conflict_note(source.lines[1])
    if n_broken:
        notes.append(f"{n_broken:,} line{'s' if n_broken > 1 else ''} no valid JSON, left out")
    return records.histories(source, ABOUT, options, rows, notes=notes)


def _records(source: Source) -> tuple[list[records.Record], int]:
    rows, n_broken = [], 0
    for line in source.lines[0]:
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            value = None
        if isinstance(value, dict):
            rows.append(records.of_object(value))
        else:
            n_broken += 1
    return _evaluations(rows), n_broken


def _evaluations(rows: list[records.Record]) -> list[records.Record]:
    """Lines of mmengine that hold scores and a step, beside lines of training with a learning rate: validation's."""
    trained = any({"lr", "iter"} <= set(row.values) for row in rows)
    if not trained:
        return rows
    return [
        replace(row, split="val")
        if row.split is None and "step" in row.values and not {"lr", "iter", "epoch"} & set(row.values)
        else row
        for row in rows
    ]


READER = Reader(
    "json-lines", "one JSON object a line (detectron2, mmengine, DETR, LLaMA-Factory, W&B)", sniff, read, ("columns",)
)
"""Asked after the readers of whole JSON files."""
