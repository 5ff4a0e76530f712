"""timm's ``summary.csv``: ``epoch,train_loss,eval_loss,eval_top1,eval_top5[,lr]``.

The training loss is a mean over the epoch of the training objective (label smoothing, mixup: not the evaluated
cross-entropy). Where ``args.yaml`` beside it says ``model_ema: true``, the evaluated weights are the moving average.

References
----------
https://github.com/huggingface/pytorch-image-models/blob/main/train.py
"""

from __future__ import annotations

import re
from dataclasses import replace

from leakaudit.curves.any_csv import columns, warnings
from leakaudit.curves.build import About
from leakaudit.curves.options import Options
from leakaudit.curves.reader import Reader
from leakaudit.curves.source import Source
from leakaudit.curves.table import histories
from leakaudit.history import History

ABOUT = About("timm-csv", "epoch_mean")
_MOST_YAML = 2**20


def sniff(source: Source) -> bool:
    """A csv with ``epoch``, ``eval_loss`` and ``eval_top1``."""
    table = source.table
    return table is not None and {"epoch", "eval_loss", "eval_top1"} <= set(table.names)


def read(source: Source, options: Options) -> list[History]:
    """One history a file."""
    table = source.table
    assert table is not None
    values = columns(table)
    for name in values:
        if "top1" in name or "top5" in name:
            values[name] = [value / 100 for value in values[name]]  # always in per cent
    about = replace(ABOUT, val_weights="ema") if _uses_average(source) else ABOUT
    return histories(source, about, options, values, notes=warnings(table, options))


def _uses_average(source: Source) -> bool:
    arguments = source.path.with_name("args.yaml")
    if not arguments.is_file() or arguments.stat().st_size > _MOST_YAML:
        return False
    text = arguments.read_text(encoding="utf-8", errors="replace")
    return re.search(r"^model_ema: *true *$", text, re.MULTILINE) is not None


READER = Reader("timm-csv", "summary.csv with columns epoch, eval_loss, eval_top1 (timm)", sniff, read, ("columns",))
