"""The probe's own training curves, judged by the rules of ``leakaudit curves``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import numpy as np

from leakaudit.analysis.context import Context
from leakaudit.curves.rules import Rule
from leakaudit.curves.settings import Settings
from leakaudit.curves.speech import UNITS
from leakaudit.history import History, RuleOutcome, TrainLossKind, Unit
from leakaudit.model import Breakdown
from leakaudit.probe.canary import canary
from leakaudit.probe.features import choose_columns, number_features
from leakaudit.probe.run import Probed

POINTS = 20
"""Rows that a curve of many boosting rounds is cut to: the rules count rows, and were set for epochs."""


def histories(found: Probed) -> list[History]:
    """One history a full model."""
    made = []
    for seed, curve in enumerate(found.curves):
        n = len(curve.epoch)
        at = np.unique(np.linspace(0, n - 1, min(POINTS, n)).astype(np.int64))
        unknown = np.full(len(at), np.nan)
        made.append(
            History(
                source="probe",
                run=f"seed {seed}",
                val_set=found.held_out,
                format="probe",
                epoch=curve.epoch[at],
                train_loss=curve.train_loss[at],
                val_loss=curve.val_loss[at],
                train_accuracy=curve.train_accuracy[at],
                val_accuracy=curve.val_accuracy[at],
                lr=unknown,
                train_loss_kind=cast(TrainLossKind, found.train_loss_kind),
                unit=unit_of(found),
            )
        )
    return made


def unit_of(found: Probed) -> Unit:
    """What a row of its curves is: a round where it is boosted, whose loss is that of the weights at its end."""
    return "iteration" if found.train_loss_kind == "eval_end" else "epoch"


def by_gradient_descent(context: Context, found: Probed) -> Probed:
    """The same with the curves of plain gradient descent on the numbers of a table; as it is where there are none."""
    if context.has_pictures:
        return found
    chosen = choose_columns(context)
    if not chosen.numbers or chosen.is_text:
        return found
    measured = found.measured
    features = number_features(context, chosen, found.pool.indices)
    train, val = np.flatnonzero(~measured.held_out), np.flatnonzero(measured.held_out)
    truth = measured.truth if measured.truth is not None else np.full(len(features), -1)
    curves = tuple(
        canary(features, truth, len(measured.classes), found.values, train, val, seed)
        for seed in range(len(measured.loss))
    )
    model = f"linear on {features.shape[1]:,} standardised numbers, gradient descent"
    return replace(found, curves=curves, model=model, train_loss_kind="epoch_mean")


def outcomes(found: Probed, rules: Sequence[Rule]) -> dict[str, list[RuleOutcome]]:
    """What each rule says of each full model, by the slug of the rule."""
    said: dict[str, list[RuleOutcome]] = {}
    for history in histories(found):
        for rule in rules:
            outcome = rule(history, Settings())
            said.setdefault(outcome.rule, []).append(outcome)
    return said


def failing(of_rule: Sequence[RuleOutcome]) -> list[RuleOutcome]:
    """Outcomes that failed, where more than half of the models did; else none: one run proves little."""
    failed = [outcome for outcome in of_rule if outcome.status == "failed"]
    return failed if 2 * len(failed) > len(of_rule) else []


def last_epochs(found: Probed) -> Breakdown:
    """Where each full model ended."""
    rows = []
    for seed, curve in enumerate(found.curves):
        ends = (curve.train_loss, curve.val_loss, curve.train_accuracy, curve.val_accuracy)
        shown = [round(float(column[-1]), 4) if np.isfinite(column[-1]) else None for column in ends]
        best = int(np.nanargmin(curve.val_loss)) if np.isfinite(curve.val_loss).any() else len(curve.epoch) - 1
        rows.append((seed, *shown, float(curve.epoch[best])))
    names = ("seed", "training loss", "validation loss", "training accuracy", "validation accuracy")
    return Breakdown((*names, f"best {UNITS[unit_of(found)]}"), tuple(rows))
