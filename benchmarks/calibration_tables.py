"""False alarms of whole scans of tables and texts: random splits in which nothing is wrong.

``python benchmarks/calibration_tables.py DATA [--sets adult,heavy-tails] [--sizes 2000/50,1001/200] [--splits 50]
[--seconds 3000] [--codes LA203] [--json FILE]``

DATA is the folder of the public data sets; sets of `synthetic_tables.FAMILIES` are drawn anew for every split. Every
split is drawn at random (parkinsons: by subject, declared with ``--group``) and scanned whole through
`leakaudit.audit` on data frames. Counted are the splits with a warning or an error of each check, and those with an
*error* of any, beside Clopper-Pearson intervals at 95 %.

The public sets have true duplicates, and a random split shares them: that is a leak, and no false alarm. They are taken
out first, without the search that is on trial: rows that agree in all columns but the target and the sampling weight
(what LA104 counts), and texts whose normalised forms share 80 % of their character 5-grams with an earlier one (LA106,
LA107). Duplicates inside a split (LA111) are information about the set, and not counted; nor is LA003, which says of a
small validation split that it is small. Sizes are rows of train / rows of validation.

One split of each cell is scanned in turn, so that the time that there is (``--seconds``) serves all alike; after every
round the counts are stored, and a later run goes on from there. With ``--codes`` only these checks run, from the first
split on, and their rows are replaced.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from synthetic_tables import FAMILIES

NO_ALARM = ("LA003", "LA111")
"""Checks that report facts of a random split."""

SIZES = ("3000/1000", "2000/50", "2000/200", "1001/200")
SYNTHETIC_SIZES = ("1001/200", "2000/50")
WIDE_SIZES = ("150/50", "50/50")
ANY_ERROR = "any error of a whole scan"

ADULT = (
    "age workclass fnlwgt education education_num marital_status occupation relationship race sex capital_gain "
    "capital_loss hours_per_week native_country income"
)


@dataclass(frozen=True)
class Source:
    """How to read a set, its columns of meaning, and those that equal rows may differ in."""

    read: Callable[[Path], pd.DataFrame]
    label: str
    group: str | None = None
    weights: tuple[str, ...] = ()
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


def _diamonds(data: Path) -> pd.DataFrame:
    return pd.read_csv(data / "tabular/diamonds.csv")


def _banking(data: Path) -> pd.DataFrame:
    return pd.read_csv(data / "text/banking77/train.csv")


SOURCES = {
    "adult": Source(_adult, "income", weights=("fnlwgt",)),
    "winequality-red": Source(_wine("red"), "quality"),
    "winequality-white": Source(_wine("white"), "quality"),
    "diamonds": Source(_diamonds, "cut"),
    "diamonds-price": Source(_diamonds, "price"),
    "parkinsons-by-subject": Source(_parkinsons, "total_UPDRS", "subject#"),
    "banking77": Source(_banking, "category", text="text"),
}


@cache
def pool(name: str, data: Path) -> pd.DataFrame:
    """All rows of a set, true duplicates taken out."""
    source = SOURCES[name]
    rows = source.read(data)
    if source.text is not None:
        return rows[~_near_an_earlier(rows[source.text])].reset_index(drop=True)
    if source.group is None:
        rows = rows.drop_duplicates(rows.columns.drop([source.label, *source.weights]).tolist())
    return rows.reset_index(drop=True)


def _near_an_earlier(texts: pd.Series) -> np.ndarray:
    """Whether a text shares 80 % of its character 5-grams with one before it: every pair, by a matrix product."""
    import pyarrow as pa
    from scipy.sparse import triu
    from sklearn.feature_extraction.text import CountVectorizer

    from leakaudit.fingerprints.texts.documents import normalised

    plain = normalised(pa.array(texts, pa.large_string())).to_pylist()
    has = CountVectorizer(analyzer="char", ngram_range=(5, 5), binary=True, lowercase=False).fit_transform(plain)
    has = has.astype(np.float32).tocsr()
    sizes = np.asarray(has.sum(axis=1)).ravel()
    near = np.zeros(len(plain), dtype=bool)
    for start in range(0, len(plain), 500):
        block = triu((has[: start + 500] @ has[start : start + 500].T), k=-start - 499).tocoo()
        earlier = block.row < block.col + start
        i, j, shared = block.row[earlier], block.col[earlier] + start, block.data[earlier]
        near[j[shared >= 0.8 * (sizes[i] + sizes[j] - shared)]] = True
    return near


def draw(name: str, data: Path, size: str, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Train and validation rows of one random split; of a public set, at most three quarters and a quarter of it."""
    n_train, n_val = (int(each) for each in size.split("/"))
    random = np.random.default_rng([seed, n_train, n_val])
    if name in FAMILIES:
        rows = FAMILIES[name](n_train + n_val, random)
        return rows.iloc[:n_train].reset_index(drop=True), rows.iloc[n_train:].reset_index(drop=True)
    rows, group = pool(name, data), SOURCES[name].group
    if group is None:
        order = random.permutation(len(rows))
        n_val = min(n_val, len(rows) // 4)
        val, train = order[:n_val], order[n_val : n_val + n_train]
    else:
        codes = pd.factorize(rows[group])[0]
        groups = random.permutation(codes.max() + 1)
        held_out = np.isin(codes, groups[: len(groups) // 4])
        val, train = (random.permutation(np.flatnonzero(side)) for side in (held_out, ~held_out))
        val, train = val[:n_val], train[:n_train]
    return rows.iloc[train].reset_index(drop=True), rows.iloc[val].reset_index(drop=True)


def look(name: str, data: Path, size: str, seed: int, codes: tuple[str, ...] | None) -> dict[str, str]:
    """Worst severity that each check reports on one split; "" where it reports nothing."""
    from leakaudit import audit

    train, val = draw(name, data, size, seed)
    source = SOURCES.get(name)
    told: dict[str, Any] = {"label": "label" if source is None else source.label}
    if source is not None and source.group is not None:
        told["group"] = source.group
    if codes is not None:
        told["select"] = codes
    report = audit(train=train, val=val, use_cache=False, jobs=1, **told)
    crashed = [f"{outcome.code}: {outcome.reason}" for outcome in report.outcomes if outcome.status == "errored"]
    if crashed:
        raise RuntimeError(f"{name} {size} seed {seed}: {crashed}")
    worst = {
        outcome.code: "" for outcome in report.outcomes if outcome.status != "skipped" and outcome.code not in NO_ALARM
    }
    for finding in report.findings:
        if finding.code in worst and finding.severity != "info" and worst[finding.code] != "error":
            if not worst[finding.code]:
                print(
                    f"{name} {size} seed {seed}: {finding.code} {finding.severity}: {finding.message}", file=sys.stderr
                )
            worst[finding.code] = finding.severity
    return worst


def interval(hits: int, n: int) -> tuple[float, float]:
    """Clopper-Pearson, 95 %."""
    from scipy.stats import binomtest

    found = binomtest(hits, n).proportion_ci(method="exact")
    return round(float(found.low), 4), round(float(found.high), 4)


@dataclass
class Cell:
    """Counts of one set at one size: splits in which a check ran, and in which it reported something."""

    name: str
    size: str
    ran: Counter[str]
    hits: Counter[str]
    next_seed: int = 0

    def add(self, worst: dict[str, str], *, whole: bool) -> None:
        self.next_seed += 1
        self.ran.update(worst.keys())
        self.hits.update(code for code, severity in worst.items() if severity)
        if whole:
            self.ran[ANY_ERROR] += 1
            self.hits[ANY_ERROR] += "error" in worst.values()

    def rows(self) -> list[dict[str, Any]]:
        return [
            {
                "set": self.name,
                "size": self.size,
                "check": code,
                "splits": n,
                "findings": self.hits[code],
                "share": round(self.hits[code] / n, 4),
                "interval": interval(self.hits[code], n),
            }
            for code, n in sorted(self.ran.items())
        ]


def cells(sets: list[str], sizes: list[str] | None, stored: list[dict[str, Any]]) -> list[Cell]:
    """What to count, with the counts that are stored already."""
    wanted = []
    for name in sets:
        usual = WIDE_SIZES if name == "wide" else SYNTHETIC_SIZES if name in FAMILIES else SIZES
        for size in sizes or usual:
            old = [row for row in stored if (row["set"], row["size"]) == (name, size)]
            ran = Counter({row["check"]: row["splits"] for row in old})
            hits = Counter({row["check"]: row["findings"] for row in old})
            wanted.append(Cell(name, size, ran, hits, ran[ANY_ERROR]))
    return wanted


def store(path: Path, counted: list[Cell]) -> None:
    """Rows of the same set, size and check are replaced; all others are kept."""
    old = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    rows = [*old, *(row for cell in counted for row in cell.rows())]
    merged = {(row["set"], row["size"], row["check"]): row for row in rows}
    text = ",\n".join(json.dumps(merged[each]) for each in sorted(merged))
    path.write_text(f"[\n{text}\n]\n", encoding="utf-8", newline="\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--sets", default=",".join([*SOURCES, *FAMILIES]))
    parser.add_argument("--sizes")
    parser.add_argument("--splits", type=int, default=50, help="of each cell; with four sizes, 200 of each set")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after the round that passes these")
    parser.add_argument("--codes")
    parser.add_argument("--json", type=Path)
    told = parser.parse_args()
    start = time.monotonic()
    codes = tuple(told.codes.split(",")) if told.codes else None
    whole = codes is None
    stored = json.loads(told.json.read_text(encoding="utf-8")) if whole and told.json and told.json.exists() else []
    counted = cells(told.sets.split(","), told.sizes.split(",") if told.sizes else None, stored)
    while time.monotonic() - start < told.seconds:
        waiting = [cell for cell in counted if cell.next_seed < told.splits]
        if not waiting:
            break
        seed = min(cell.next_seed for cell in waiting)
        for cell in (each for each in waiting if each.next_seed == seed):
            cell.add(look(cell.name, told.data, cell.size, seed, codes), whole=whole)
        if told.json:
            store(told.json, [cell for cell in counted if cell.ran])
    for cell in counted:
        for row in cell.rows():
            print(*row.values(), sep="\t")


if __name__ == "__main__":
    main()
