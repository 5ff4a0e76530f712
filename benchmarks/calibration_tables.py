"""False alarms of the checks that judge tables and texts by statistics: random splits in which nothing is wrong.

``python benchmarks/calibration_tables.py DATA [--codes LA203,LA204] [--splits 200] [--sets adult,diamonds]
[--sizes 3000/1000,2000/50] [--whole] [--jobs 2] [--json FILE]``

DATA is the folder of the public data sets. Every split is drawn at random (parkinsons: by subject, declared with
``--group``), audited through `leakaudit.audit` on data frames, and counted: the share of splits with a finding of each
check, and with an *error* of any of them, beside its Clopper-Pearson interval. Checks for duplicates are left out: the
duplicates of these sets are real. ``--whole`` runs every check instead, the probe's excepted, on rows that were made
distinct first: without the label and the weights for tables, and below a Jaccard similarity of 0.7 for texts (counted
here, by one sparse matrix product), so that whatever is found is a false alarm; its cells are named "whole scan".
Sizes are rows of train / rows of validation; larger sets are sampled down to them.
With ``--json``, rows of the same set, size and check are replaced and all others kept, so that checks can be added one
by one.
"""

from __future__ import annotations

import argparse
import json
import os
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import product
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

CODES = (
    "LA108",
    "LA109",
    "LA201",
    "LA202",
    "LA203",
    "LA204",
    "LA205",
    "LA206",
    "LA301",
    "LA302",
    "LA304",
    "LA305",
    "LA306",
    "LA307",
)
"""Checks that decide by statistics; those that this version lacks are passed over."""

SIZES = ("3000/1000", "2000/50", "2000/200", "1001/200")

ADULT = (
    "age workclass fnlwgt education education_num marital_status occupation relationship race sex capital_gain "
    "capital_loss hours_per_week native_country income"
)


@dataclass(frozen=True)
class Source:
    """How to read a set, and its columns of meaning."""

    read: Callable[[Path], pd.DataFrame]
    label: str
    group: str | None = None
    weight: str | None = None
    text: str | None = None


def _adult(data: Path) -> pd.DataFrame:
    return pd.read_csv(data / "tabular/adult-train.csv", header=None, names=ADULT.split(), skipinitialspace=True)


def _wine(colour: str) -> Callable[[Path], pd.DataFrame]:
    names = (
        "fixed_acidity volatile_acidity citric_acid residual_sugar chlorides free_sulfur total_sulfur density pH "
        "sulphates alcohol quality"
    )
    return lambda data: pd.read_csv(data / f"tabular/winequality-{colour}.csv", header=None, names=names.split())


def _parkinsons(data: Path) -> pd.DataFrame:
    return pd.read_csv(data / "tabular/parkinsons-with-split.csv").drop(columns="published_split")


SOURCES = {
    "adult": Source(_adult, "income", weight="fnlwgt"),
    "winequality-red": Source(_wine("red"), "quality"),
    "winequality-white": Source(_wine("white"), "quality"),
    "diamonds": Source(lambda data: pd.read_csv(data / "tabular/diamonds.csv"), "cut"),
    "diamonds-price": Source(lambda data: pd.read_csv(data / "tabular/diamonds.csv"), "price"),
    "parkinsons-by-subject": Source(_parkinsons, "total_UPDRS", "subject#"),
    "banking77": Source(lambda data: pd.read_csv(data / "text/banking77/train.csv"), "category", text="text"),
}


SIMILAR = 0.7
"""Jaccard similarity of character 5-grams from which two texts count as one: below what LA107 reports."""


@cache
def frame(name: str, data: Path, distinct: bool) -> pd.DataFrame:
    source = SOURCES[name]
    rows = source.read(data)
    if not distinct:
        return rows
    if source.text is not None:
        return rows[_first_of_kind(rows[source.text])]
    beside = [column for column in (source.label, source.group, source.weight) if column is not None]
    return rows[~rows.drop(columns=beside).duplicated()]


def _first_of_kind(texts: pd.Series[str]) -> npt.NDArray[np.bool_]:
    """The first text of every chain of similar ones."""
    from scipy.sparse import triu
    from scipy.sparse.csgraph import connected_components
    from sklearn.feature_extraction.text import CountVectorizer

    plain = texts.str.normalize("NFKC").str.casefold().str.replace(r"[\W_]+", " ", regex=True).str.strip()
    grams = CountVectorizer(analyzer="char", ngram_range=(5, 5), binary=True, dtype=np.int32).fit_transform(plain)
    common = triu(grams @ grams.T, 1, format="coo")
    n_grams = np.asarray(grams.sum(axis=1)).ravel()
    common.data = common.data >= SIMILAR * (n_grams[common.row] + n_grams[common.col] - common.data)
    common.eliminate_zeros()
    chains = connected_components(common, directed=False)[1]
    return ~pd.Series(chains).duplicated().to_numpy()


def draw(name: str, data: Path, size: str, seed: int, distinct: bool = False) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Train and validation rows of one random split, no more than three quarters and a quarter of all."""
    rows, source = frame(name, data, distinct), SOURCES[name]
    n_train, n_val = (int(each) for each in size.split("/"))
    random = np.random.default_rng([seed, n_train, n_val])
    if source.group is None:
        order = random.permutation(len(rows))
        n_val = min(n_val, len(rows) // 4)
        val, train = order[:n_val], order[n_val : n_val + n_train]
    else:
        codes = pd.factorize(rows[source.group])[0]
        groups = random.permutation(codes.max() + 1)
        held_out = np.isin(codes, groups[: len(groups) // 4])
        val, train = (random.permutation(np.flatnonzero(side)) for side in (held_out, ~held_out))
        val, train = val[:n_val], train[:n_train]
    return rows.iloc[train].reset_index(drop=True), rows.iloc[val].reset_index(drop=True)


def look(task: tuple[str, Path, str, int, tuple[str, ...], bool]) -> dict[str, str]:
    """Worst severity that each check reports on one split; "" where it reports nothing."""
    from leakaudit import audit

    name, data, size, seed, codes, whole = task
    train, val = draw(name, data, size, seed, whole)
    source = SOURCES[name]
    options = {} if source.group is None else {"group": source.group}
    report = audit(train=train, val=val, label=source.label, select=codes, use_cache=False, jobs=1, **options)
    crashed = [outcome.reason for outcome in report.outcomes if outcome.status == "errored"]
    if crashed:
        raise RuntimeError(f"{name} {size} seed {seed}: {crashed}")
    worst = {outcome.code: "" for outcome in report.outcomes if outcome.status != "skipped"}
    for finding in reversed(report.findings):
        worst[finding.code] = finding.severity
    return worst


def interval(hits: int, n: int) -> tuple[float, float]:
    from scipy.stats import binomtest

    found = binomtest(hits, n).proportion_ci(method="exact")
    return round(float(found.low), 4), round(float(found.high), 4)


def count(worst: list[dict[str, str]], whole: bool) -> list[dict[str, object]]:
    """Share of splits with a finding that is no mere information, by check; and with an error of any."""
    hits: dict[str, int] = defaultdict(int)
    ran = ", ".join(sorted({code for found in worst for code in found}))
    any_error = "whole scan: any error" if whole else f"any error of {ran}"
    for found in worst:
        for code, severity in found.items():
            hits[f"whole scan: {code}" if whole else code] += severity in ("warning", "error")
        hits[any_error] += "error" in found.values()
    n = len(worst)
    return [
        {"check": code, "splits": n, "findings": k, "share": k / n, "interval": interval(k, n)}
        for code, k in sorted(hits.items())
    ]


def main() -> None:
    from leakaudit.checks import CHECKS

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--codes", default=",".join(CODES))
    parser.add_argument("--sets", default=",".join(SOURCES))
    parser.add_argument("--sizes", default=",".join(SIZES))
    parser.add_argument("--splits", type=int, default=200)
    parser.add_argument("--whole", action="store_true")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--json", type=Path)
    told = parser.parse_args()
    known = [check.code for check in CHECKS if "table" in check.kinds and "probe" not in check.needs]
    codes = tuple(code for code in known if told.whole or code in told.codes.split(","))
    print("set", "train/val", "check", "splits", "findings", "share", "95 % interval", sep="\t")
    rows: list[dict[str, object]] = []
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with ProcessPoolExecutor(told.jobs, mp_context=get_context("spawn")) as pool:
        for name, size in product(told.sets.split(","), told.sizes.split(",")):
            tasks = [(name, told.data, size, seed, codes, told.whole) for seed in range(told.splits)]
            for row in count(list(pool.map(look, tasks, chunksize=4)), told.whole):
                rows.append({"set": name, "size": size, **row})
                print(
                    name,
                    size,
                    *(row[key] for key in ("check", "splits", "findings", "share", "interval")),
                    sep="\t",
                    flush=True,
                )
            if told.json:
                store(told.json, rows)


def store(path: Path, rows: list[dict[str, object]]) -> None:
    """Rows of the same set, size and check are replaced; those of other checks are kept."""
    old = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    key = lambda row: (row["set"], row["size"], row["check"])  # noqa: E731
    merged = {key(row): row for row in [*old, *rows]}
    text = ",\n".join(json.dumps(merged[each]) for each in sorted(merged))
    path.write_text(f"[\n{text}\n]\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
