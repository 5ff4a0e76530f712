"""The same table under many random splits: false alarms of errors and warnings, and whether the verdict stays.

``python benchmarks/stability.py [DATA] [--sets "iris;contracts"] [--splits 20] [--seconds 3000] [--codes LA104,LA110]
[--json benchmarks/results/stability.json]``

A table is drawn or read once, and then split at random so many times, a quarter held out; each split is scanned whole
through `leakaudit.audit` on data frames. Nothing is wrong with any of them, so that each error and each warning is a
false alarm; and since it is one table, every split should get the same exit code. Counted are, for each set, the exit
codes, and the splits with an error or a warning of each check (LA003 and LA111 report facts of a random split, and are
left out). Of the verdicts, the share of the most frequent exit code is the stability.

Made tables have one to four category columns, by Zipf's law or even, that hang together loosely or tightly, and a label
that hangs on the first; contracts are a table of services whose columns hang together by threes and fours, as those of
telephone companies do; messages are texts with set phrases among them, and pairs two sentences a row; groups are latent
classes. The others come with scikit-learn, or lie in DATA/tabular. True
duplicates of public tables are a leak when they are split at random, and no false alarm: rows that agree in all columns
but the target and the sampling weight are taken out first; in iris, where two flowers measure the same, they stay.

One split of each set is scanned in turn; after every round the counts are stored, and a later run goes on from there.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from calibration_tables import NO_ALARM, interval, pool
from numpy.random import Generator

HELD_OUT = 0.25
MOST_ROWS = 6_000


def categories(n: int, columns: int, n_values: int, zipf: float, tied: float, random: Generator) -> pd.DataFrame:
    """Categories of which the first gives the others away in a share `tied` of the rows; a label that hangs on it."""
    share = 1 / np.arange(1, n_values + 1) ** zipf
    first = random.choice(n_values, n, p=share / share.sum())
    frame = {"product": first}
    for at in range(1, columns):
        maker = random.integers(0, 5 * at + 1, n_values)[first]
        frame[f"maker{at}"] = np.where(random.random(n) < tied, maker, random.integers(0, 5 * at + 1, n))
    label = np.where(random.random(n) < random.random(n_values)[first], "yes", "no")
    return pd.DataFrame({name: np.char.add("v", cells.astype(str)) for name, cells in frame.items()}).assign(
        label=label
    )


def contracts(n: int, random: Generator) -> pd.DataFrame:
    """Services by the plan, a bill by the services, a total that is the bill in the first month."""
    plan = random.choice(["none", "slow", "fast"], n, p=[0.22, 0.34, 0.44])
    months = np.where(random.random(n) < 0.09, 1, np.clip(random.exponential(32, n).astype(int), 2, 72))
    bill = np.select([plan == "slow", plan == "fast"], [45.0, 70.0], 20.0)
    frame: dict[str, Any] = {"plan": plan, "months": months}
    for i in range(6):
        taken = (random.random(n) < 0.15 + months / 120) & (plan != "none")
        frame[f"service{i}"] = np.where(plan == "none", "no plan", np.where(taken, "yes", "no"))
        bill = bill + 5 * taken
    bill = (np.round((bill + random.normal(0, 0.45, n)) * 20) / 20).round(2)
    frame |= {"bill": bill, "total": np.where(months == 1, bill, (bill * months * random.normal(1, 0.02, n)).round(2))}
    for name, values in {"sex": ["F", "M"], "partner": ["yes", "no"], "pay": ["card", "bank", "mail", "check"]}.items():
        frame[name] = random.choice(values, n)
    frame["term"] = np.where(random.random(n) < np.clip(1.1 - months / 60, 0.1, 0.95), "month", "year")
    frame["label"] = np.where(random.random(n) < np.clip(0.5 - months / 150, 0.05, 1), "left", "stayed")
    return pd.DataFrame(frame)


def latent_classes(n: int, random: Generator) -> pd.DataFrame:
    """Seven columns of five values by six classes that are not in the table."""
    hidden = random.integers(0, 6, n)
    chances = random.dirichlet(np.full(5, 0.5), (6, 7)).cumsum(axis=2)
    cells = (random.random((n, 7))[:, :, None] > chances[hidden]).sum(axis=2)
    label = np.where(random.random(n) < hidden / 6, "yes", "no")
    return pd.DataFrame({f"x{i}": np.char.add("v", column.astype(str)) for i, column in enumerate(cells.T)}).assign(
        label=label
    )


def vocabulary(random: Generator) -> np.ndarray:
    """Three thousand words of three to nine letters, by Zipf's law."""
    return np.array(["".join(random.choice(list("abcdefghiklmnoprstu"), random.integers(3, 10))) for _ in range(3_000)])


def sentences(n: int, least: int, most: int, random: Generator) -> list[str]:
    words = vocabulary(random)
    share = 1 / np.arange(1, len(words) + 1)
    said = random.choice(words, (n, most), p=share / share.sum())
    lengths = random.integers(least, most + 1, n)
    return [f"the {' '.join(line[:length])} is it" for line, length in zip(said, lengths, strict=True)]


def messages(n: int, random: Generator) -> pd.DataFrame:
    """Texts of which one in twelve is said all the time, and one in fifty is short and said now and then."""
    texts = np.array(sentences(n, 4, 18, random), dtype=object)
    at = random.random(n)
    often = np.array(["Ok", "Yes, I am at home", "Sorry, I will call you later", "what is it?"])
    rare = np.array([f"is it the {word}?" for word in vocabulary(random)[: max(n // 25, 1)]])
    texts = np.where(at < 1 / 12, random.choice(often, n), texts)
    texts = np.where(at > 0.98, random.choice(rare, n), texts)
    return pd.DataFrame({"text": texts, "label": random.choice(["ham", "spam"], n, p=[0.85, 0.15])})


def pairs_of_texts(n: int, random: Generator) -> pd.DataFrame:
    """Two sentences a row, and whether they mean the same."""
    made = {name: sentences(n, 5, 15, random) for name in ("sentence1", "sentence2")}
    return pd.DataFrame(made | {"label": random.choice(["same", "other"], n)})


def from_sklearn(name: str, _data: Path) -> pd.DataFrame:
    import sklearn.datasets

    frame: pd.DataFrame = getattr(sklearn.datasets, f"load_{name}")(as_frame=True).frame
    return frame


def from_seaborn(name: str, label: str, data: Path) -> pd.DataFrame:
    rows = pd.read_csv(data / "tabular" / f"{name}.csv")
    return rows.drop_duplicates(rows.columns.drop(label).tolist())


@dataclass(frozen=True)
class Table:
    """How to get a table, and its label."""

    make: Callable[[Path], pd.DataFrame]
    label: str = "label"


def drawn(make: Callable[[Generator], pd.DataFrame], seed: int) -> Table:
    return Table(lambda _data: make(np.random.default_rng(seed)))


TABLES: dict[str, Table] = {
    **{
        f"{columns} categories, {n_values} values {shape}, {how}, {n} rows": drawn(
            partial(categories, n, columns, n_values, zipf, tied), n + n_values + columns
        )
        for columns in (1, 2, 3, 4)
        for n_values, zipf, shape in ((40, 1.1, "by Zipf"), (2_000, 1.1, "by Zipf"), (300, 0.0, "alike"))
        for tied, how in ((0.5, "loose"), (0.95, "tight"))
        for n in (400, 3_000)
    },
    **{f"contracts, {n} rows": drawn(partial(contracts, n), n) for n in (1_500, 6_000)},
    "messages, 1200 rows": drawn(partial(messages, 1_200), 0),
    "pairs of sentences, 600 rows": drawn(partial(pairs_of_texts, 600), 0),
    "latent classes, 3000 rows": drawn(partial(latent_classes, 3_000), 0),
    **{name: Table(partial(from_sklearn, name), "target") for name in ("iris", "wine", "breast_cancer", "diabetes")},
    "digits": Table(partial(from_sklearn, "digits"), "target"),
    "titanic": Table(partial(from_seaborn, "titanic", "survived"), "survived"),
    "taxis": Table(partial(from_seaborn, "taxis", "payment"), "payment"),
    "fmri": Table(partial(from_seaborn, "fmri", "signal"), "signal"),
    **{
        name: Table(partial(pool, name), label)
        for name, label in {
            "adult": "income",
            "winequality-red": "quality",
            "winequality-white": "quality",
            "diamonds": "cut",
            "diamonds-price": "price",
        }.items()
    },
}


@dataclass
class Counted:
    """What many splits of one table gave."""

    name: str
    splits: int = 0
    exits: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    warnings: Counter[str] = field(default_factory=Counter)

    def row(self) -> dict[str, Any]:
        n = max(self.splits, 1)
        with_error = sum(n for code, n in self.errors.items() if code == "any")
        return {
            "set": self.name,
            "splits": self.splits,
            "exits": dict(sorted(self.exits.items())),
            "stability": round(max(self.exits.values(), default=0) / n, 4),
            "errors": dict(sorted(self.errors.items())),
            "error_interval": interval(with_error, n),
            "warnings": dict(sorted(self.warnings.items())),
        }


@cache
def table(name: str, data: Path) -> pd.DataFrame:
    """At most `MOST_ROWS` rows of a set, the same at every call."""
    rows = TABLES[name].make(data)
    return rows.sample(min(len(rows), MOST_ROWS), random_state=0).reset_index(drop=True)


def look(counted: Counted, data: Path, codes: tuple[str, ...] | None) -> None:
    """Scan one more split."""
    from leakaudit import audit

    rows = table(counted.name, data)
    order = np.random.default_rng([counted.splits, len(rows)]).permutation(len(rows))
    n_val = round(HELD_OUT * len(rows))
    val, train = (rows.iloc[at].reset_index(drop=True) for at in (order[:n_val], order[n_val:]))
    told: dict[str, Any] = {} if codes is None else {"select": codes}
    report = audit(train=train, val=val, label=TABLES[counted.name].label, use_cache=False, jobs=1, **told)
    crashed = [f"{outcome.code}: {outcome.reason}" for outcome in report.outcomes if outcome.status == "errored"]
    if crashed:
        raise RuntimeError(f"{counted.name}: {crashed}")
    counted.splits += 1
    counted.exits[str(report.verdict.exit_code)] += 1
    found = {(each.code, each.severity) for each in report.findings if each.code not in NO_ALARM}
    errors = {code for code, severity in found if severity == "error"}
    counted.errors.update(errors)
    counted.errors["any"] += bool(errors)
    counted.warnings.update(code for code, severity in found if severity == "warning" and code not in errors)


def summary(rows: list[dict[str, Any]]) -> None:
    """What is asked of A/A runs: errors in 0.5 % of the scans at most, warnings of a check in 5 %, one verdict."""
    n = sum(row["splits"] for row in rows)
    errors, warnings = Counter[str](), Counter[str]()
    for row in rows:
        errors.update(row["errors"])
        warnings.update(row["warnings"])
    print(f"{n:,} scans of {len(rows)} tables; with an error: {errors['any']} {interval(errors['any'], n)}")
    for what, counts in (("errors", errors), ("warnings", warnings)):
        for code, hits in sorted(counts.items()):
            if code != "any" and hits:
                print(f"  {what} of {code}: {hits} ({hits / n:.2%})")
    unstable = [f"{row['set']} {row['exits']}" for row in rows if row["stability"] < 0.95]
    print(
        f"one exit code in 95 % of the splits: {len(rows) - len(unstable)} of {len(rows)} tables", *unstable, sep="\n  "
    )


def stored(path: Path | None) -> dict[str, dict[str, Any]]:
    if path is None or not path.exists():
        return {}
    return {row["set"]: row for row in json.loads(path.read_text(encoding="utf-8"))}


def store(path: Path, counted: list[Counted], codes: str | None) -> None:
    """Sets that were not asked for keep their rows."""
    said = {} if codes is None else {"codes": codes}
    merged = stored(path) | {each.name: each.row() | said for each in counted if each.splits}
    text = ",\n".join(json.dumps(merged[name]) for name in sorted(merged))
    path.write_text(f"[\n{text}\n]\n", encoding="utf-8", newline="\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "data", type=Path, nargs="?", help="folder of the public data sets; without it, made ones alone"
    )
    parser.add_argument("--sets", help="beginnings of names, divided by semicolons")
    parser.add_argument("--splits", type=int, default=20, help="of each table")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after the round that passes these")
    parser.add_argument("--codes", help="these checks only; what is stored says which")
    parser.add_argument("--json", type=Path)
    told = parser.parse_args()
    start = time.monotonic()
    data = told.data or Path()
    codes = tuple(told.codes.split(",")) if told.codes else None
    made = [
        name for name in TABLES if "rows" in name or name in ("iris", "wine", "breast_cancer", "diabetes", "digits")
    ]
    names = list(TABLES) if told.data else made
    if told.sets:
        names = [name for name in names if name.startswith(tuple(told.sets.split(";")))]
    old = {name: row for name, row in stored(told.json).items() if row.get("codes") == told.codes}
    counted = [
        Counted(name, row["splits"], Counter(row["exits"]), Counter(row["errors"]), Counter(row["warnings"]))
        if (row := old.get(name))
        else Counted(name)
        for name in names
    ]
    while time.monotonic() - start < told.seconds:
        waiting = [each for each in counted if each.splits < told.splits]
        if not waiting:
            break
        fewest = min(each.splits for each in waiting)
        for each in (each for each in waiting if each.splits == fewest):
            look(each, data, codes)
        if told.json:
            store(told.json, counted, told.codes)
    summary([each.row() for each in counted if each.splits])


if __name__ == "__main__":
    main()
