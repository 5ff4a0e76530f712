"""What to do next: the practitioner's checklist with its numbers, cut to what a history shows.

Fixes are named as the framework names them that wrote the history, and fit what the samples are, where that is known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from leakaudit.curves.replay import EarlyStopping
from leakaudit.history import History, Modality, RuleOutcome, VerdictWord

Framework = Literal["keras", "lightning", "hf", "ultralytics", "fastai", "timm", "skorch", "boosting"]

FRAMEWORKS: Mapping[str, Framework] = {
    "keras-csv": "keras",
    "keras-json": "keras",
    "keras-console": "keras",
    "lightning-csv": "lightning",
    "hf-trainer": "hf",
    "hf-console": "hf",
    "ultralytics-csv": "ultralytics",
    "fastai-csv": "fastai",
    "fastai-table": "fastai",
    "timm-csv": "timm",
    "skorch-json": "skorch",
    "boosting-json": "boosting",
    "boosting-console": "boosting",
    "catboost-json": "boosting",
}
"""Which framework a format comes from; of the others it is not known."""

MODALITIES: Mapping[Framework, Modality] = {"ultralytics": "picture", "timm": "picture", "boosting": "table"}

STOPPING: Mapping[Framework, str] = {
    "keras": 'EarlyStopping(monitor="val_loss", patience={n}, restore_best_weights=True)',
    "lightning": 'EarlyStopping("val_loss", patience={n}) and ModelCheckpoint(monitor="val_loss")',
    "hf": 'EarlyStoppingCallback({n}), load_best_model_at_end=True, metric_for_best_model="eval_loss"',
    "ultralytics": "`patience={n}` (Ultralytics stops by mAP and keeps best.pt)",
    "fastai": 'EarlyStoppingCallback(monitor="valid_loss", patience={n}) and SaveModelCallback()',
    "timm": "keep the checkpoint of the lowest eval_loss (--eval-metric loss)",
    "skorch": "EarlyStopping(patience={n}, load_best=True)",
    "boosting": "early_stopping_rounds={n} (LightGBM: the callback early_stopping({n}))",
}
ANY_STOPPING = "save the weights at each new low of validation loss, and stop after {n} epochs without one"

PLATEAU_OF: Mapping[Framework, str] = {
    "hf": 'lr_scheduler_type="reduce_lr_on_plateau"',
    "ultralytics": "a lower `lr0`, or `cos_lr=True`",
    "fastai": 'ReduceLROnPlateau(monitor="valid_loss", factor=2, patience=3)',
    "timm": "--sched plateau",
    "skorch": 'LRScheduler(policy="ReduceLROnPlateau", factor=0.5, patience=3)',
}
PLATEAU = "ReduceLROnPlateau(factor=0.5, patience=3, min_lr=1e-6)"

AUGMENTATION: Mapping[Modality, str] = {
    "picture": "augmentation: rotation 15°, shift 0.1, flip where it keeps the label",
    "sound": "augmentation: time shift, noise, masks over time and frequency",
    "text": "fewer epochs and a smaller learning rate, dropout 0.1–0.3; augmentation helps text little",
    "series": "augmentation with care: noise and shifts smaller than those between samples",
    "table": "fewer columns, and none that names its row; no augmentation",
}
ANY_AUGMENTATION = (
    "augmentation, where the samples are pictures (rotation 15°, shift 0.1, flip where it keeps the label)"
)

DROPOUT = (
    "dropout by layer: input 0.1–0.2, dense 0.3–0.5, convolution 0.2–0.3, recurrent 0.2–0.5, output never; "
    "0.2–0.3 beside batch normalisation; off at inference"
)
DROPOUT_OF: Mapping[Modality, str] = {
    "table": (
        "dropout: input 0.1–0.2, dense 0.3–0.5, output never; 0.2–0.3 beside batch normalisation; off at inference"
    ),
    "text": "dropout: embeddings 0.1–0.2, recurrent 0.2–0.5, dense 0.3–0.5, output never; off at inference",
}
HOLD_OUT = "cross-validation, and a hold-out that nothing is chosen by"
REPORT_HOLD_OUT = "choose by cross-validation, and report the score of the third set, not that of validation"
SCAN = "look at the data: `leakaudit scan DATA`"


def steps(
    history: History, verdict: VerdictWord, outcomes: Sequence[RuleOutcome], modality: Modality | None = None
) -> tuple[str, ...]:
    """Steps for a verdict, most useful first; never more than a screen.

    Parameters
    ----------
    modality : Modality, optional
        What the samples are, where the user says so.
    """
    of = {outcome.rule: outcome for outcome in outcomes}
    framework = "boosting" if history.unit == "iteration" else FRAMEWORKS.get(history.format)
    if modality is None and framework is not None:
        modality = MODALITIES.get(framework)
    plateau = f"lower the learning rate on a plateau: {PLATEAU_OF.get(framework, PLATEAU) if framework else PLATEAU}"
    found: list[str] = []
    if verdict == "diverged":
        found += [
            "lower the learning rate by ten, warm it up, clip gradients (norm 1)",
            "look for NaN in the inputs and log(0) in the loss",
        ]
    fitted = any(of[rule].status == "failed" for rule in ("overfitting", "rising-validation-loss"))
    dropped = of["holdout-drop"].status == "failed"
    if verdict == "overfitting" and fitted:
        found.append(_keep(history, of["early-stopping"], framework))
        found += _for_trees() if framework == "boosting" else _against_overfitting(modality, plateau)
        found += [] if dropped else [HOLD_OUT]
    if dropped:
        found += [f"see whether validation and the third set differ: {SCAN}", REPORT_HOLD_OUT]
    if verdict == "watch":
        found += _while_watching(history, of, framework)
    if verdict == "unstable":
        found += ["lower the learning rate by three to ten", plateau, "a larger batch, gradient clipping (norm 1)"]
        found += ["a validation set large enough for the differences that matter"]
    if verdict == "perhaps underfit":
        found += [
            "train longer or with a higher learning rate",
            "a larger model, less dropout and L2",
            "better features or labels",
        ]
    if of["selection-on-test"].status == "failed":
        found.append(HOLD_OUT)
    if of["low-validation-loss"].metrics.get("unexplained"):
        found.append(f"to tell regularisation, an easy split and leakage apart, {SCAN}")
    return tuple(dict.fromkeys(found))


def _keep(history: History, stopping: RuleOutcome, framework: Framework | None) -> str:
    """Stop early, and keep the row that the loss says is best, whatever the replayed patience would have kept."""
    lowest, patience = stopping.metrics.get("lowest_at"), stopping.metrics.get("patience", EarlyStopping().patience)
    how = (STOPPING[framework] if framework else ANY_STOPPING).format(n=patience)
    if not isinstance(lowest, float):
        return f"stop early, by a validation loss: {how}"
    last = float(history.epoch[-1])
    if framework == "boosting":
        return f"stop early: {how}" + (f", keep the first {lowest:g} rounds" if lowest < last else "")
    kept = (
        f"keep the weights of {'step' if history.unit == 'step' else 'epoch'} {lowest:g}, the lowest validation loss: "
    )
    return (kept if lowest < last else "stop early: ") + how


def _for_trees() -> list[str]:
    return [
        "a smaller learning rate with more rounds",
        "smaller trees (max_depth, num_leaves), more samples a leaf, L2",
        "row and column subsampling 0.5–0.9",
        "more data",
    ]


def _against_overfitting(modality: Modality | None, plateau: str) -> list[str]:
    return [
        AUGMENTATION[modality] if modality else ANY_AUGMENTATION,
        DROPOUT_OF.get(modality, DROPOUT) if modality else DROPOUT,
        f"L2 (weight decay 1e-4 to 1e-2); {plateau}",
        "a smaller model, or more data",
    ]


def _while_watching(history: History, of: Mapping[str, RuleOutcome], framework: Framework | None) -> list[str]:
    found = []
    if of["validation-loss-turning"].status == "failed":
        found.append(_keep(history, of["early-stopping"], framework))
    if of["near-perfect-training"].status == "failed":
        found.append("more regularisation before more training: the training set has nothing left to teach")
    return [*found, "repeat with 3 to 10 seeds: one run may turn by chance"]
