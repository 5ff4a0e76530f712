"""CatBoost's ``catboost_info/catboost_training.json``: the metrics of every iteration, sets named in ``meta``.

References
----------
https://catboost.ai/docs/en/concepts/output-data_training-log
"""

from __future__ import annotations

from dataclasses import replace

from leakaudit.curves import boosting
from leakaudit.curves.numbers import number
from leakaudit.curves.options import Options
from leakaudit.curves.reader import Reader
from leakaudit.curves.source import Source
from leakaudit.history import History

ABOUT = replace(boosting.ABOUT, format="catboost-json")


def sniff(source: Source) -> bool:
    """JSON with ``meta`` and ``iterations``."""
    value = source.json
    return (
        isinstance(value, dict)
        and isinstance(value.get("meta"), dict)
        and isinstance(value.get("iterations"), list)
        and all(isinstance(row, dict) for row in value["iterations"])
    )


def read(source: Source, options: Options) -> list[History]:
    """One history an evaluation set."""
    value = source.json or {}
    meta, rows = value["meta"], value["iterations"]
    sets: boosting.Sets = {}
    for of_sets, of_metrics in (("learn_sets", "learn_metrics"), ("test_sets", "test_metrics")):
        metrics = [str(metric.get("name")) for metric in meta.get(of_metrics) or [] if isinstance(metric, dict)]
        for name in meta.get(of_sets) or []:
            values = [row.get(name) for row in rows]
            if any(isinstance(cells, list) for cells in values):
                sets[str(name)] = {
                    metric: [
                        number(cells[at]) if isinstance(cells, list) and at < len(cells) else number(None)
                        for cells in values
                    ]
                    for at, metric in enumerate(metrics)
                }
    return boosting.histories(source, ABOUT, options, sets)


READER = Reader(
    "catboost-json", "JSON with meta, iterations (catboost_training.json)", sniff, read, boosting.READER.takes
)
