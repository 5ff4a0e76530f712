"""Evaluation results of XGBoost, LightGBM and CatBoost as JSON: ``{set: {metric: [one value an iteration]}}``.

All losses are those of the model at the end of the iteration, so no timing correction is due. LightGBM calls the
training set ``training``, CatBoost ``learn``; XGBoost's scikit-learn interface numbers the sets (``validation_0`` …)
and does not say which of them is the training set: then the user must.

References
----------
https://xgboost.readthedocs.io/en/stable/python/python_api.html (``evals_result``) ·
https://lightgbm.readthedocs.io/en/stable/pythonapi/lightgbm.record_evaluation.html ·
https://catboost.ai/docs/en/concepts/python-reference_catboost_get_evals_result
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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

Sets = dict[str, dict[str, list[float]]]


def sniff(source: Source) -> bool:
    """JSON objects two deep with lists of numbers inside."""
    value = source.json
    return (
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


def read(source: Source, options: Options) -> list[History]:
    """One history a set that is not the training set."""
    sets: Sets = {
        str(name): {str(metric): [number(value) for value in series] for metric, series in metrics.items()}
        for name, metrics in (source.json or {}).items()
    }
    return histories(source, ABOUT, options, sets)


def histories(source: Source, about: About, options: Options, sets: Sets) -> list[History]:
    """One history a set that is not the training set.

    Raises
    ------
    ConfigError
        No set is known to be the training set, or the user named one that is not there.
    InputError
        No metric is a loss or an accuracy.
    """
    train = _train_set(source, options, list(sets))
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
        notes = [f"the loss is {loss}"] if loss else []
        found += build(source, about, options, None, columns, "", name if len(held_out) > 1 else "", notes)
    return found


def _train_set(source: Source, options: Options, names: Sequence[str]) -> str | None:
    if options.train_set is not None:
        if options.train_set not in names:
            told = f"--train-set {options.train_set}: there is no such set; there are {', '.join(names)}"
            raise ConfigError(f"{source.shown}: {told}")
        return options.train_set
    known = [name for name in names if name.lower() in TRAIN_SETS]
    if known:
        return known[0]
    if set(options.val_sets) == set(names):
        return None
    numbered = all(name.startswith("validation_") for name in names)
    if not numbered and all(name.lower().startswith(("valid", "val", "eval", "test")) for name in names):
        return None  # LightGBM without its training set among the evaluated ones
    raise ConfigError(
        f"{source.shown}: does not say which of its sets is the training set: {', '.join(names)}. "
        "Say so with --train-set NAME, or name all with --val-set if there is none"
    )


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


def _accuracy(values: Mapping[str, list[float]]) -> list[float] | None:
    for metric, series in values.items():
        if metric.lower() in ("accuracy", "acc"):
            return series
    for metric, series in values.items():
        if metric.lower() in ERROR_RATES:
            return [1 - value for value in series]
    return None


READER = Reader(
    "boosting-json",
    "JSON {set: {metric: [values]}} (XGBoost, LightGBM, CatBoost evaluation results)",
    sniff,
    read,
    ("columns", "train_set", "val_sets"),
)
