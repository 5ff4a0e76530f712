"""Evaluation results of XGBoost, LightGBM and CatBoost as JSON: ``{set: {metric: [one value an iteration]}}``.

All losses are those of the model at the end of the round, so no timing correction is due. LightGBM calls the training
set ``training``, CatBoost ``learn``; XGBoost's scikit-learn interface numbers the sets (``validation_0`` …) and does
not say which of them is the training set. It is the one whose loss keeps falling and ends well below the others', where
there is one; else the user must say. Nested JSON counts as boosting only where the names of its sets or metrics say so.

References
----------
https://xgboost.readthedocs.io/en/stable/python/python_api.html (``evals_result``) ·
https://lightgbm.readthedocs.io/en/stable/pythonapi/lightgbm.record_evaluation.html ·
https://catboost.ai/docs/en/concepts/python-reference_catboost_get_evals_result
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise

from leakaudit.curves.build import About, build
from leakaudit.curves.numbers import number
from leakaudit.curves.options import Options
from leakaudit.curves.reader import Reader
from leakaudit.curves.source import Source
from leakaudit.errors import ConfigError, InputError
from leakaudit.history import History

ABOUT = About("boosting-json", "eval_end", unit="iteration")
TRAIN_SETS = ("train", "training", "learn", "dtrain", "train_set")
HIGHER_IS_BETTER = (
    "auc",
    "map",
    "ndcg",
    "accuracy",
    "acc",
    "f1",
    "precision",
    "recall",
    "r2",
    "kappa",
    "mcc",
    "average",
)
ERROR_RATES = ("error", "merror", "binary_error", "multi_error", "zerooneloss")

SET_NAMES = re.compile(r"(validation|valid|eval|test|dtest|dvalid)_\d+|learn|dtrain|dtest|dvalid|dval|training")
"""Names of sets that only boosting libraries give."""

METRICS = re.compile(
    r"m?logloss|logloss:.*|merror|error(@.*)?|aucpr|rmsle|mphe|ndcg(@\d+)?|map@\d+|(binary|multi)_(logloss|error)|auc_mu"
    r"|cross_entropy|l1|l2|gamma-.*|poisson-.*|tweedie-.*|cox-.*|RMSE|MAE|MultiClass|CrossEntropy|Logloss|ZeroOneLoss"
)
"""Metrics that only they name so."""

KEEPS_FALLING = 0.9
WELL_BELOW, FAR_BELOW = 0.95, 0.5
"""A set is the training set where its loss falls in nine of ten rounds and ends at most at 95 % of every other set's,
or at most at half of them: boosting lowers the training loss by construction, and no other's. This project's choice."""

Sets = dict[str, dict[str, list[float]]]


def sniff(source: Source) -> bool:
    """JSON objects two deep with lists of numbers inside, whose sets or metrics are called as boosting libraries do."""
    value = source.json
    nested = (
        isinstance(value, dict)
        and bool(value)
        and all(
            isinstance(metrics, dict)
            and bool(metrics)
            and all(
                isinstance(series, list) and all(isinstance(v, int | float) for v in series)
                for series in metrics.values()
            )
            for metrics in value.values()
        )
    )
    if not nested or value is None:
        return False
    metrics = {str(metric) for of_set in value.values() for metric in of_set}
    known = sum(METRICS.fullmatch(metric) is not None for metric in metrics)
    evaluated = "eval" in value and not {"loss", "accuracy", "acc"} & {metric.lower() for metric in metrics}
    return bool(known) or any(SET_NAMES.fullmatch(str(name)) for name in value) or evaluated


def read(source: Source, options: Options) -> list[History]:
    """One history a set that is not the training set."""
    sets: Sets = {
        str(name): {str(metric): [number(value) for value in series] for metric, series in metrics.items()}
        for name, metrics in (source.json or {}).items()
    }
    return histories(source, ABOUT, options, sets)


def histories(
    source: Source,
    about: About,
    options: Options,
    sets: Sets,
    rounds: Sequence[float] | None = None,
    notes: Sequence[str] = (),
) -> list[History]:
    """One history a set that is not the training set.

    Parameters
    ----------
    rounds : sequence of float, optional
        Numbers of the rounds; counted from 1 by default.

    Raises
    ------
    ConfigError
        No set is known to be the training set, or the user named one that is not there.
    InputError
        No metric is a loss or an accuracy.
    """
    train, told = _train_set(source, options, sets)
    for name in options.val_sets:
        if name not in sets:
            raise ConfigError(f"{source.shown}: --val-set {name}: there is no such set; there are {', '.join(sets)}")
    held_out = list(options.val_sets) or [name for name in sets if name != train]
    found: list[History] = []
    for name in held_out or [""]:
        of = {"train": sets.get(train or "", {}), "val": sets.get(name, {})}
        metrics = list(dict.fromkeys([*of["val"], *of["train"]]))
        loss = _loss(metrics, options)
        columns = {f"{split}_loss": values[loss] for split, values in of.items() if loss in values}
        for split, values in of.items():
            if accuracy := _accuracy(values):
                columns[f"{split}_accuracy"] = accuracy
        if not columns:
            raise InputError(f"{source.shown}: none of its metrics is a loss or an accuracy: {', '.join(metrics)}")
        said = [
            *([f"the loss is {loss}"] if loss and loss != "loss" else []),
            *told,
            *_not_used(of["val"] or of["train"], loss),
            *notes,
        ]
        found += build(source, about, options, rounds, columns, "", name if len(held_out) > 1 else "", said)
    return found


def _not_used(metrics: Mapping[str, list[float]], loss: str | None) -> list[str]:
    names = [metric for metric in metrics if metric != loss and metric != _accuracy_name(metrics)]
    return [f"not used: {', '.join(names)}"] if names else []


def _train_set(source: Source, options: Options, sets: Sets) -> tuple[str | None, list[str]]:
    """The training set, or None where there is none, and what to say about it."""
    names = list(sets)
    if options.train_set is not None:
        if options.train_set not in names:
            told = f"--train-set {options.train_set}: there is no such set; there are {', '.join(names)}"
            raise ConfigError(f"{source.shown}: {told}")
        return options.train_set, []
    known = [name for name in names if name.lower() in TRAIN_SETS]
    if known:
        return known[0], []
    if set(options.val_sets) == set(names):
        return None, []
    if len(names) == 1:
        return None, [f"the only set, {names[0]}, is read as the validation set (--train-set says otherwise)"]
    numbered = all(name.startswith("validation_") for name in names)
    if not numbered and all(name.lower().startswith(("valid", "val", "eval", "test")) for name in names):
        return None, []  # LightGBM without its training set among the evaluated ones
    fitted = _fitted(sets, _loss(list(dict.fromkeys(m for of_set in sets.values() for m in of_set)), options))
    if fitted is not None:
        why = "its loss ends well below the others'"
        return fitted, [f"{fitted} is taken for the training set, because {why} (--train-set says otherwise)"]
    raise ConfigError(
        f"{source.shown}: does not say which of its sets is the training set: {', '.join(names)}. "
        "Say so with --train-set NAME, or name all with --val-set if there is none"
    )


def _fitted(sets: Sets, loss: str | None) -> str | None:
    """The set that was trained on, where its loss shows it."""
    losses = {
        name: metrics[loss] for name, metrics in sets.items() if loss is not None and len(metrics.get(loss, [])) > 1
    }
    if len(losses) < len(sets):
        return None
    name = min(losses, key=lambda name: losses[name][-1])
    values = losses[name]
    falls = sum(after <= before for before, after in pairwise(values)) / (len(values) - 1)
    others = [series[-1] for other, series in losses.items() if other != name]
    share = WELL_BELOW if falls >= KEEPS_FALLING else FAR_BELOW
    return name if 0 <= values[-1] <= share * min(others) else None


def _loss(metrics: Sequence[str], options: Options) -> str | None:
    """The metric that the user names (``--columns val_loss=rmse``), else the first for which less is better."""
    told = options.columns.get("val_loss") or options.columns.get("train_loss")
    if told is not None:
        if told not in metrics:
            raise ConfigError(f"--columns val_loss={told}: there is no such metric; there are {', '.join(metrics)}")
        return told
    words = {metric: metric.lower().replace(":", "").replace("@", "_") for metric in metrics}
    losses = [metric for metric, word in words.items() if not word.startswith(HIGHER_IS_BETTER)]
    graded = [metric for metric in losses if words[metric] not in ERROR_RATES]
    return next(iter(graded), None)


def _accuracy_name(values: Mapping[str, list[float]]) -> str | None:
    for wanted in (("accuracy", "acc"), ERROR_RATES):
        for metric in values:
            if metric.lower() in wanted:
                return metric
    return None


def _accuracy(values: Mapping[str, list[float]]) -> list[float] | None:
    name = _accuracy_name(values)
    if name is None:
        return None
    return [1 - value for value in values[name]] if name.lower() in ERROR_RATES else values[name]


READER = Reader(
    "boosting-json",
    "JSON {set: {metric: [values]}} (XGBoost, LightGBM, CatBoost evaluation results)",
    sniff,
    read,
    ("columns", "train_set", "val_sets"),
)
