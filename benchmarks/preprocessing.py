"""False alarms and power of the checks that find preprocessing fitted on both splits: LA304 to LA307.

``python benchmarks/preprocessing.py [--clean 200] [--leaky 100] [--only KIND] [--json FILE]``

*Clean* tables hold columns that are near a scaler's statistics by nature, have spikes, few values, rates, cycles and
counts. *Leaky* tables were preprocessed over train and val together; their *twins* in the same way over train only.
Four ways of writing (double, float32, six and four decimals) take turns. Val has 50, 200 or 1,000 rows, train four
times as many. Shown is the share of tables with a finding, with its 95 % interval (Clopper-Pearson). With
``--json``, rows of the same name are replaced and all others kept.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.random import Generator
from scipy.stats import beta

from leakaudit.analysis.context import Context
from leakaudit.checks import la304_pooled_scaling as la304
from leakaudit.checks import la305_pooled_imputation as la305
from leakaudit.checks import la306_synthetic_oversampling_before_split as la306
from leakaudit.checks import la307_pooled_target_encoding as la307
from leakaudit.config import Config
from leakaudit.fingerprints.rows.fingerprint import fingerprint_rows
from leakaudit.model import Columns, Dataset, Layout, TableFile

HELD_OUT = (50, 200, 1_000)
FORMATS = ("double", "float32", "6 decimals", "4 decimals")
Table = dict[str, np.ndarray]
Rate = dict[str, float | int]
Maker = Callable[[Generator, int, bool], tuple[Table, np.ndarray, np.ndarray]]
"""``maker(rng, n_val, pooled)`` gives columns, label, and which rows are val."""


# --- tables ----------------------------------------------------------------------------------------------------


def features(rng: Generator, n: int) -> Table:
    """Six columns as they are measured."""
    return {
        "normal": rng.normal(50, 9, n),
        "gamma": rng.gamma(2, 3, n),
        "lognormal": rng.lognormal(1, 0.7, n),
        "heavy": rng.standard_t(4, n),
        "uniform": rng.uniform(-3, 8, n),
        "cents": np.round(rng.gamma(3, 20, n), 2),
    }


def base(rng: Generator, n_val: int) -> tuple[Table, np.ndarray, np.ndarray]:
    n = 5 * n_val
    columns = features(rng, n)
    label = (columns["normal"] / 9 + rng.normal(0, 1, n) > 6).astype(np.int64)
    return columns, label, rng.permutation(n) < n_val


def clean(rng: Generator, n_val: int, _pooled: bool) -> tuple[Table, np.ndarray, np.ndarray]:
    """Nothing was fitted; many columns look as if."""
    columns, label, held_out = base(rng, n_val)
    n = len(label)
    day = rng.integers(0, 1440, n)
    city = rng.integers(0, 12, n)
    return (
        {
            **columns,
            "standard normal": rng.normal(0, 1, n),
            "plus or minus one": rng.permutation(np.resize([-1.0, 1.0], n)),
            "share": rng.beta(0.5, 0.5, n),
            "rounded share": np.round(rng.random(n), 2),
            "rate": rng.binomial(7, 0.4, n) / 7,
            "cycle": np.sin(2 * np.pi * day / 1440),
            "other cycle": np.cos(2 * np.pi * day / 1440),
            "correlation": np.tanh(rng.normal(0, 1, n)),
            "count": rng.poisson(2, n).astype(np.float64),
            "zero-inflated": np.where(rng.random(n) < 0.3, 0.0, rng.gamma(2, 3, n)),
            "returns": np.where(rng.random(n) < 0.05, 0.0, rng.normal(0, 1, n)),
            "centred": rng.normal(0, 1, n) * 3,
            "sentinel": np.where(rng.random(n) < 0.1, 99.0, rng.normal(50, 9, n)),
            "by city": rng.normal(0.4, 0.1, 12)[city],
            "price level": np.round(rng.normal(0.4, 0.1, 12), 2)[city],
        },
        label,
        held_out,
    )


def scaled(how: str) -> Maker:
    def make(rng: Generator, n_val: int, pooled: bool) -> tuple[Table, np.ndarray, np.ndarray]:
        columns, label, held_out = base(rng, n_val)
        seen = np.full(len(label), True) if pooled else ~held_out
        return {name: scale(how, x, x[seen]) for name, x in columns.items()}, label, held_out

    return make


def scale(how: str, x: np.ndarray, fitted: np.ndarray) -> np.ndarray:
    low, middle, high = np.quantile(fitted, [0.25, 0.5, 0.75])
    width = fitted.max() - fitted.min()
    return {
        "standard": lambda: (x - fitted.mean()) / fitted.std(),
        "standard, ddof 1": lambda: (x - fitted.mean()) / fitted.std(ddof=1),
        "min-max": lambda: (x - fitted.min()) / width,
        "min-max to [-1, 1]": lambda: 2 * (x - fitted.min()) / width - 1,
        "max-abs": lambda: x / np.abs(fitted).max(),
        "robust": lambda: (x - middle) / (high - low),
    }[how]()


def filled(how: str) -> Maker:
    def make(rng: Generator, n_val: int, pooled: bool) -> tuple[Table, np.ndarray, np.ndarray]:
        columns, label, held_out = base(rng, n_val)
        seen = np.full(len(label), True) if pooled else ~held_out
        for name, x in columns.items():
            gap = rng.random(len(x)) < 0.08
            if how == "mean by class":
                x = x + 5 * label  # noqa: PLW2901  the classes differ
                values = np.array([x[seen & ~gap & (label == each)].mean() for each in (0, 1)])
                columns[name] = np.where(gap, values[label], x)
            else:
                columns[name] = np.where(gap, getattr(np, how)(x[seen & ~gap]), x)
        return columns, label, held_out

    return make


def oversampled(how: str) -> Maker:
    def make(rng: Generator, n_val: int, pooled: bool) -> tuple[Table, np.ndarray, np.ndarray]:
        columns, _, held_out = base(rng, n_val)
        points = np.column_stack([*columns.values()])
        label = (rng.random(len(points)) < 0.2).astype(np.int64)
        points[label == 1] += points.std(axis=0) / 2
        seen = np.full(len(label), True) if pooled else ~held_out
        known = points[seen & (label == 1)]
        n = int((label[seen] == 0).sum()) - len(known)
        first = rng.integers(len(known), size=n)
        new = known[first]
        if how == "SMOTE":
            z = known / known.std(axis=0)
            near = np.argsort(((z[:, None] - z[None]) ** 2).sum(axis=2), axis=1)[:, 1:6]
            second = known[near[first, rng.integers(5, size=n)]]
            new = new + rng.random((n, 1)) * (second - new)
        whole, labels = np.concatenate([points, new]), np.concatenate([label, np.ones(n, dtype=np.int64)])
        split = np.concatenate([held_out, np.zeros(n, dtype=np.bool_)])
        split = rng.permutation(len(whole)) < len(whole) // 5 if pooled else split
        return dict(zip(columns, whole.T, strict=True)), labels, split

    return make


def encoded(how: str) -> Maker:
    def make(rng: Generator, n_val: int, pooled: bool) -> tuple[Table, np.ndarray, np.ndarray]:
        columns, _, held_out = base(rng, n_val)
        n = len(held_out)
        city = rng.choice(20, n, p=rng.dirichlet(np.full(20, 3.0)))
        label = (rng.random(n) < rng.beta(2, 3, 20)[city]).astype(np.int64)
        seen = np.full(n, True) if pooled else ~held_out
        columns["encoded"] = encode(how, city, label.astype(np.float64), seen)
        return columns, label, held_out

    return make


def encode(how: str, city: np.ndarray, y: np.ndarray, seen: np.ndarray) -> np.ndarray:
    n, s = (np.bincount(city[seen], weights=w, minlength=20) for w in (np.ones(int(seen.sum())), y[seen]))
    mean, overall = s / np.maximum(n, 1), float(y[seen].mean())
    if how == "leave-one-out":
        out = mean[city]
        inside = seen & (n[city] > 1)
        out[inside] = (s[city[inside]] - y[inside]) / (n[city[inside]] - 1)
        return out
    weight = {
        "plain": np.ones(20),
        "m-estimate": n / (n + 10),
        "empirical Bayes": y[seen].var() * n / np.maximum(y[seen].var() * n + mean * (1 - mean), 1e-12),
        "sigmoid": 1 / (1 + np.exp(-(n - 20) / 10)),
    }[how]
    values = weight * mean + (1 - weight) * overall
    return np.where(n > 0, values, overall)[city]


KINDS: dict[str, tuple[ModuleType, Maker]] = {
    **{how: (la304, scaled(how)) for how in ("standard", "standard, ddof 1", "min-max", "min-max to [-1, 1]")},
    **{how: (la304, scaled(how)) for how in ("max-abs", "robust")},
    **{f"{how} imputed": (la305, filled(how)) for how in ("mean", "median", "mean by class")},
    **{how: (la306, oversampled(how)) for how in ("SMOTE", "copies")},
    **{
        f"{how} target mean": (la307, encoded(how))
        for how in ("plain", "m-estimate", "empirical Bayes", "sigmoid", "leave-one-out")
    },
}


# --- runs ------------------------------------------------------------------------------------------------------


def written(x: np.ndarray, how: str) -> np.ndarray:
    if how == "double":
        return x
    if how == "float32":
        return x.astype(np.float32)
    return np.round(x, int(how[0]))


def context(columns: Table, label: np.ndarray, held_out: np.ndarray, how: str) -> Context:
    files = []
    for name, rows in (("train", ~held_out), ("val", held_out)):
        table = pa.table({**{key: written(x[rows], how) for key, x in columns.items()}, "label": label[rows]})
        files.append(TableFile(name, name, "arrow", tuple(table.column_names), table=table))
    roles = Columns(label="label")
    dataset = Dataset("", "table", Layout("", ""), ("train", "val"), tables=tuple(files), columns=roles)
    config = Config(jobs=1)
    return Context(dataset, config, rows=fingerprint_rows(dataset, config))


def rate(n: int, of: int) -> Rate:
    low = float(beta.ppf(0.025, n, of - n + 1)) if n else 0.0
    high = float(beta.ppf(0.975, n + 1, of - n)) if n < of else 1.0
    return {"n": n, "of": of, "share": round(n / of, 4), "low": round(low, 4), "high": round(high, 4)}


def said(rates: Mapping[str, Rate]) -> str:
    return ", ".join(f"{code} {each['n']}/{each['of']}" for code, each in rates.items())


def measure(maker: Maker, checks: list[ModuleType], n_val: int, tables: int, pooled: bool) -> dict[str, Rate]:
    found = dict.fromkeys((check.CHECK.code for check in checks), 0)
    for seed in range(tables):
        made = maker(np.random.default_rng((seed, n_val)), n_val, pooled)
        data = context(*made, FORMATS[seed % len(FORMATS)])
        for check in checks:
            outcome = check.run(data, check.CHECK.params)
            found[check.CHECK.code] += bool(outcome.findings)
        assert data.rows is not None
        data.rows.duck.close()
    return {code: rate(n, tables) for code, n in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clean", type=int, default=200, help="tables of each number of rows")
    parser.add_argument(
        "--leaky", type=int, default=100, help="of each kind and number of rows; a quarter as many twins"
    )
    parser.add_argument("--only", default="", help='kinds (or "clean") whose names begin so')
    parser.add_argument("--json", type=Path)
    told = parser.parse_args()
    result: dict[str, Any] = json.loads(told.json.read_text()) if told.json and told.json.exists() else {}

    def keep(name: str, rates: object, words: str) -> None:
        print(f"{name}: {words}", flush=True)
        result[name] = rates
        if told.json:
            told.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8", newline="\n")

    everything = [la304, la305, la306, la307]
    for n_val in HELD_OUT if "clean".startswith(told.only) else ():
        rates = measure(clean, everything, n_val, told.clean, False)
        keep(f"clean, {n_val} val rows", rates, said(rates))
    for kind, (check, maker) in ((k, v) for k, v in KINDS.items() if k.startswith(told.only)):
        for n_val in HELD_OUT:
            both = measure(maker, [check], n_val, told.leaky, True)
            train = measure(maker, everything, n_val, max(told.leaky // 4, 1), False)
            rates_of = {"on both": both, "on train only": train}
            keep(f"{kind}, {n_val} val rows", rates_of, f"on both {said(both)}; on train only {said(train)}")


if __name__ == "__main__":
    main()
