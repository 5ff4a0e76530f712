"""Lines of boosting libraries: ``[0]\\ttrain-rmse:0.5``, ``[1]\\ttraining's l2: 0.3``, ``0:\\tlearn: 0.6\\ttest: 0.7``.

References
----------
https://xgboost.readthedocs.io/en/stable/python/python_api.html (``verbose_eval``) ·
https://lightgbm.readthedocs.io/en/stable/pythonapi/lightgbm.log_evaluation.html ·
https://catboost.ai/docs/en/concepts/output-data_stdout
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from leakaudit.curves.boosting import Sets
from leakaudit.curves.numbers import number

_ROUND = re.compile(r"^\s*\[(\d+)\]\s+(?=\S+(?:\s\S+)?\s*:)(.*)$")
_CATBOOST = re.compile(r"^\s*(\d+):\s+((?:learn|test\d*):\s.*)$")
_OF_SET = re.compile(r"(?P<set>[^\s:]+?)(?:'s |-)(?P<metric>[^\s:]+(?::[^\s:]+)?)\s*:\s*(?P<value>[^\s:+]+)")
_OF_CATBOOST = re.compile(r"(?P<set>learn|test\d*):\s*(?P<value>\S+)")
_CHOSEN = re.compile(r"best iteration", re.IGNORECASE)
LEAST_ROUNDS = 2


@dataclass(frozen=True, slots=True)
class Boosted:
    """Rounds, and for each set and metric one value a round."""

    rounds: tuple[float, ...]
    sets: Sets


def boosted(lines: Sequence[str]) -> Boosted | None:
    """The rounds in some lines; None where there are fewer than two."""
    rows: list[tuple[float, dict[tuple[str, str], float]]] = []
    chosen = False
    for line in lines:
        if _CHOSEN.search(line):
            chosen = True
            continue
        values = _values(line)
        if values is not None and not (chosen and rows and values[0] <= rows[-1][0]):
            rows.append(values)
        chosen = chosen and values is None
    if len(rows) < LEAST_ROUNDS:
        return None
    keys = list(dict.fromkeys(key for _, values in rows for key in values))
    sets: Sets = {}
    for name, metric in keys:
        sets.setdefault(name, {})[metric] = [values.get((name, metric), math.nan) for _, values in rows]
    return Boosted(tuple(at for at, _ in rows), _called(sets))


def _values(line: str) -> tuple[float, dict[tuple[str, str], float]] | None:
    if match := _ROUND.match(line):
        found = {(pair["set"], pair["metric"]): number(pair["value"]) for pair in _OF_SET.finditer(match[2])}
        return (float(match[1]), found) if found else None
    if match := _CATBOOST.match(line):
        return float(match[1]), {(pair["set"], ""): number(pair["value"]) for pair in _OF_CATBOOST.finditer(match[2])}
    return None


def _called(sets: Sets) -> Sets:
    """CatBoost prints no name of its metric: a loss where it falls in training, else a score."""
    unnamed = [metrics[""] for metrics in sets.values() if "" in metrics]
    if not unnamed:
        return sets
    values = [value for value in unnamed[0] if math.isfinite(value)]
    name = "loss" if not values or values[-1] <= values[0] else "accuracy"
    return {of_set: {name if metric == "" else metric: v for metric, v in m.items()} for of_set, m in sets.items()}
