"""What to do next: the practitioner's checklist with its numbers, cut to what a history shows."""

from __future__ import annotations

from collections.abc import Sequence

from leakaudit.history import History, RuleOutcome, VerdictWord

DROPOUT = (
    "dropout by layer: input 0.1–0.2, dense 0.3–0.5, convolution 0.2–0.3, recurrent 0.2–0.5, output never; "
    "0.2–0.3 beside batch normalisation; off at inference"
)
PLATEAU = "lower the learning rate on a plateau: ReduceLROnPlateau(factor=0.5, patience=3, min_lr=1e-6)"
HOLD_OUT = "cross-validation, and a hold-out that nothing is chosen by"
SCAN = "look at the data: `leakaudit scan DATA`"


def steps(history: History, verdict: VerdictWord, outcomes: Sequence[RuleOutcome]) -> tuple[str, ...]:
    """Steps for a verdict, most useful first; never more than a screen."""
    of = {outcome.rule: outcome for outcome in outcomes}
    boosted = history.unit == "iteration"
    found: list[str] = []
    if verdict == "diverged":
        found += [
            "lower the learning rate by ten, warm it up, clip gradients (norm 1)",
            "look for NaN in the inputs and log(0) in the loss",
        ]
    if verdict == "overfitting":
        found += _against_overfitting(of["early-stopping"], boosted)
    if verdict == "unstable":
        found += ["lower the learning rate by three to ten", PLATEAU, "a larger batch, gradient clipping (norm 1)"]
        found += ["a validation set large enough for the differences that matter"]
    if verdict == "perhaps underfit":
        found += [
            "train longer or with a higher learning rate",
            "a larger model, less dropout and L2",
            "better features or labels",
        ]
    if of["selection-on-test"].status == "failed":
        found.append(HOLD_OUT)
    if of["low-validation-loss"].message.endswith("`leakaudit scan` on the data"):
        found.append(f"to tell regularisation, an easy split and leakage apart, {SCAN}")
    return tuple(dict.fromkeys(found))


def _against_overfitting(stopping: RuleOutcome, boosted: bool) -> list[str]:
    keep = stopping.metrics.get("best_at")
    patience = stopping.metrics.get("patience")
    if boosted:
        return [
            f"stop early: early_stopping_rounds={patience}"
            + (f", keep iteration {keep:g}" if isinstance(keep, float) else ""),
            "a smaller learning rate with more iterations",
            "smaller trees (max_depth, num_leaves), more samples a leaf, L2",
            "row and column subsampling 0.5–0.9",
            f"more data; {HOLD_OUT}",
        ]
    found = []
    if isinstance(keep, float):
        kept = f"keep the weights of epoch {keep:g}: " if stopping.metrics.get("stop_at") is not None else ""
        found.append(f"{kept}EarlyStopping(patience={patience}, restore_best_weights=True)")
    return [
        *found,
        "augmentation (pictures: rotation 15°, shift 0.1, flip where it keeps the label)",
        DROPOUT,
        f"L2 (weight decay); {PLATEAU}",
        "a smaller model, or more data",
        HOLD_OUT,
    ]
