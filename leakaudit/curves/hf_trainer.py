"""``trainer_state.json`` of Hugging Face ``Trainer``: ``log_history``, a list of what was logged by step.

``loss`` is the mean since the last log, in training mode. The final ``train_loss`` is the mean over the whole run and
says nothing about its end: left out. With a dictionary of evaluation sets the keys are ``eval_<name>_loss``; each set
gives a history of its own over the same training loss.

References
----------
https://huggingface.co/docs/transformers/main_classes/trainer
"""

from __future__ import annotations

import math
from typing import Any

from leakaudit.curves.build import About
from leakaudit.curves.log import Log, histories
from leakaudit.curves.numbers import number
from leakaudit.curves.options import Options
from leakaudit.curves.reader import Reader
from leakaudit.curves.source import Source
from leakaudit.errors import InputError
from leakaudit.history import History

ABOUT = About("hf-trainer", "window_mean")


def sniff(source: Source) -> bool:
    """JSON with ``log_history``."""
    return isinstance(source.json, dict) and isinstance(source.json.get("log_history"), list)


def read(source: Source, options: Options) -> list[History]:
    """One history an evaluation set."""
    logged = (source.json or {})["log_history"]
    entries: list[dict[str, Any]] = [entry for entry in logged if isinstance(entry, dict)]
    series: dict[str, dict[float, float]] = {}
    epochs: dict[float, float] = {}
    for entry in entries:
        step = number(entry.get("step", entry.get("epoch")))
        epoch = number(entry.get("epoch"))
        if not math.isfinite(step):
            continue
        if math.isfinite(epoch):
            epochs[step] = epoch
        for name, value in entry.items():
            if name not in ("step", "epoch", "train_loss") and not math.isnan(parsed := number(value)):
                series.setdefault(name, {})[step] = parsed
    if "loss" not in series and not any(name.startswith("eval_") and name.endswith("loss") for name in series):
        raise InputError(
            f"{source.shown}: log_history holds neither loss nor eval_loss: nothing was logged in training"
        )
    return histories(source, ABOUT, options, Log(series, epochs))


READER = Reader("hf-trainer", "JSON with log_history (Hugging Face trainer_state.json)", sniff, read, ("columns",))
