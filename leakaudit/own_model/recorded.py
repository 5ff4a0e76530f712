"""The csv that the callbacks write: one row an epoch, which `leakaudit curves` reads, too."""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from leakaudit.errors import InputError
from leakaudit.own_model.levels import OwnAttribution, advice
from leakaudit.probe.attribution import MEANINGS, NAMES, Term

COLUMNS = (
    "epoch",
    "train_loss",
    "val_loss",
    "sample_train_mode",
    "sample_train_mode_error",
    "sample_eval_mode",
    "sample_difference_error",
    "val_sample_eval_mode",
    "val_sample_error",
)
"""Reported losses, then those on the fixed samples with the standard errors of the means; without "loss" in their
names, so that no reader takes them for losses of the run."""


def row(epoch: int, reported: Mapping[str, float], levels: Sequence[np.ndarray]) -> dict[str, float]:
    """One row from losses per sample: training sample in training and in evaluation mode, validation sample.

    Parameters
    ----------
    epoch : int
    reported : mapping
        ``train_loss`` and ``val_loss`` where they are known.
    levels : three arrays of float64, shapes (n,), (n,), (n_val,)
    """
    train_mode, eval_mode, val = (np.asarray(level, dtype=np.float64) for level in levels)
    values = (
        epoch,
        reported.get("train_loss", math.nan),
        reported.get("val_loss", math.nan),
        train_mode.mean(),
        _error(train_mode),
        eval_mode.mean(),
        _error(train_mode - eval_mode),
        val.mean(),
        _error(val),
    )
    return dict(zip(COLUMNS, (float(value) for value in values), strict=True))


def write(path: str | os.PathLike[str], rows: Sequence[Mapping[str, float]]) -> None:
    """Write all rows; what was there is replaced."""
    with Path(path).open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        for values in rows:
            cells = ["" if math.isnan(values[name]) else repr(values[name]) for name in COLUMNS[1:]]
            writer.writerow([int(values["epoch"]), *cells])


def read(path: str | os.PathLike[str], epoch: int | None = None) -> OwnAttribution:
    """The attribution of one epoch.

    Parameters
    ----------
    path : path-like
        Written by a callback.
    epoch : int, optional
        The last by default.

    Raises
    ------
    InputError
        The file cannot be read, is another, or has no such epoch, or its losses are not finite.
    """
    try:
        with Path(path).open(newline="", encoding="utf-8") as stream:
            reader = csv.DictReader(stream)
            if reader.fieldnames is None or not set(COLUMNS) <= set(reader.fieldnames):
                raise InputError(
                    f"{path}: was not written by a leakaudit callback (columns {', '.join(COLUMNS[:4])}, …)"
                )
            rows = [{name: _number(cells[name]) for name in COLUMNS} for cells in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: cannot be read: {error}") from error
    chosen = [values for values in rows if epoch is None or values["epoch"] == epoch]
    if not chosen:
        raise InputError(f"{path}: there is no epoch {epoch}" if epoch is not None else f"{path}: has no rows")
    return _attribution(path, chosen[-1])


def _attribution(path: str | os.PathLike[str], values: Mapping[str, float]) -> OwnAttribution:
    train_mode, eval_mode, val = (values[n] for n in ("sample_train_mode", "sample_eval_mode", "val_sample_eval_mode"))
    if not all(map(math.isfinite, (train_mode, eval_mode, val))):
        raise InputError(f"{path}: epoch {int(values['epoch'])} has a loss that is not finite")
    reported_train, reported_val = values["train_loss"], values["val_loss"]
    terms, limits = (
        [],
        ["Losses were recorded on fixed samples; intervals are over these samples, for this one network."],
    )
    for letter, value, error in (
        ("a", reported_train - train_mode, values["sample_train_mode_error"]),
        ("b", train_mode - eval_mode, values["sample_difference_error"]),
        ("o", val - reported_val, values["val_sample_error"]),
    ):
        if math.isfinite(value):
            terms.append(_term(letter, NAMES[letter], value, error, MEANINGS[letter]))
        else:
            limits.append(
                f"{'Training' if letter == 'a' else 'Validation'} loss was not logged: {letter} is not measured."
            )
    error = math.hypot(values["sample_train_mode_error"], values["val_sample_error"])
    meaning = "loss on training samples less that on validation samples, by the same weights in evaluation mode"
    from leakaudit.own_model.levels import REMAINDER

    remainder = _term("", REMAINDER, eval_mode - val, error, meaning)
    gap = math.fsum([*(term.value for term in terms), remainder.value])
    return OwnAttribution(gap, tuple(terms), (), remainder, 0, 0, advice(gap, terms, remainder), tuple(limits))


def _term(letter: str, name: str, value: float, error: float, meaning: str) -> Term:
    low, high = (value - 1.96 * error, value + 1.96 * error) if math.isfinite(error) else (None, None)
    return Term(letter, name, value, low, high, meaning)


def _error(values: np.ndarray) -> float:
    return float(values.std(ddof=1)) / math.sqrt(len(values)) if len(values) > 1 else math.nan


def _number(cell: str | None) -> float:
    try:
        return float(cell) if cell else math.nan
    except ValueError:
        return math.nan
