"""The seeds and repeats that can be used: those whose losses are finite."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from leakaudit.probe.measured import Measured


def finite_part(measured: Measured) -> tuple[Measured, list[str], str]:
    """What was measured without the models that diverged.

    Returns
    -------
    kept : Measured
        Without the seeds and repeats that hold a NaN or an infinite loss.
    said : list of str
        A sentence for each kind that was left out.
    reason : str
        Why nothing can be attributed; "" where something can.
    """
    scalars = np.stack([measured.reported_train, measured.train_mode, measured.reported_val])
    seeds = np.asarray(np.isfinite(scalars).all(axis=0) & np.isfinite(measured.loss).all(axis=1))
    repeats = np.asarray(np.isfinite(measured.out_of_fold).all(axis=1))
    said = [
        f"{int((~kept).sum())} of {len(kept)} {what} gave a loss that is not finite: left out."
        for kept, what in ((seeds, "full models"), (repeats, "repeats of the folds"))
        if kept.any() and not kept.all()
    ]
    reason = ""
    if not measured.held_out.any():
        reason = "there are no validation samples"
    elif measured.held_out.all():
        reason = "there are no training samples"
    elif not seeds.any():
        reason = "no model was trained to a finite loss" if len(seeds) else "no model was trained"
    elif not repeats.any():
        reason = "no fold model was trained to a finite loss" if len(repeats) else "no fold model was trained"
    kept = replace(
        measured,
        reported_train=measured.reported_train[seeds],
        train_mode=measured.train_mode[seeds],
        reported_val=measured.reported_val[seeds],
        loss=measured.loss[seeds],
        out_of_fold=measured.out_of_fold[repeats],
        fold=measured.fold[repeats],
        leaked=measured.leaked & measured.held_out,
        regularisers={name: part[seeds] for name, part in measured.regularisers.items()},
        score=None if measured.score is None else measured.score[seeds],
        out_of_fold_score=None if measured.out_of_fold_score is None else measured.out_of_fold_score[repeats],
        predicted=None if measured.predicted is None else measured.predicted[seeds],
        out_of_fold_predicted=(
            None if measured.out_of_fold_predicted is None else measured.out_of_fold_predicted[repeats]
        ),
    )
    return kept, said, reason
