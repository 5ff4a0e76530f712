"""Made tables with nothing wrong in them, of the kinds that mislead statistics: for A/A runs of the checks.

Each entry of `FAMILIES` draws n independent rows from one population; the column ``label`` is the target. Random splits
of them differ by chance alone, so that every finding of a check that decides by statistics is a false alarm.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.random import Generator


def _label(score: np.ndarray, random: Generator) -> np.ndarray:
    """Two classes that hang on a score, with noise of its size."""
    return np.where(score - np.median(score) + random.normal(0, np.std(score) + 1e-9, len(score)) > 0, "yes", "no")


def heavy_tails(n: int, random: Generator) -> pd.DataFrame:
    """Cauchy, Pareto, log-normal and Student numbers: means that do not settle."""
    frame = pd.DataFrame(
        {
            "cauchy": random.standard_cauchy(n),
            "pareto": random.pareto(1.1, n),
            "lognormal": np.exp(2 * random.normal(size=n)),
            "student": random.standard_t(2, n),
        }
    )
    return frame.assign(label=_label(np.log(frame["lognormal"].to_numpy()), random))


def rare_categories(n: int, random: Generator) -> pd.DataFrame:
    """Categories by Zipf's law: most occur once or twice, and a split always has some that the other lacks."""
    frame = pd.DataFrame(
        {
            "city": np.char.add("city ", (random.zipf(1.3, n) % 5000).astype(str)),
            "maker": np.char.add("maker ", (random.zipf(1.8, n) % 500).astype(str)),
            "colour": random.choice(["red", "green", "blue"], n, p=[0.9, 0.09, 0.01]),
            "x": random.normal(size=n),
        }
    )
    return frame.assign(label=_label(frame["x"].to_numpy(), random))


def ties(n: int, random: Generator) -> pd.DataFrame:
    """Numbers written with one digit or two: few distinct values."""
    frame = pd.DataFrame({f"t{i}": np.round(random.normal(0, 3, n), i % 2) for i in range(5)})
    return frame.assign(label=_label(frame["t1"].to_numpy(), random))


def zero_inflated(n: int, random: Generator) -> pd.DataFrame:
    """Amounts that are zero nearly always."""
    frame = pd.DataFrame(
        {
            f"z{i}": np.where(random.random(n) < share, 0, random.gamma(2, 100, n))
            for i, share in enumerate((0.5, 0.9, 0.98))
        }
    )
    frame["x"] = random.normal(size=n)
    return frame.assign(label=_label(frame["x"].to_numpy(), random))


def many_missing(n: int, random: Generator) -> pd.DataFrame:
    """Columns empty in 20 to 97 % of the rows, together and apart; missingness hangs on another column."""
    x = random.normal(size=n)
    frame = pd.DataFrame({"x": x})
    for i, share in enumerate((0.2, 0.5, 0.8, 0.97)):
        frame[f"m{i}"] = np.where(random.random(n) < share, np.nan, random.normal(size=n))
    frame["tied"] = np.where(x > 0.5, np.nan, x**2 + random.normal(size=n))
    frame["kind"] = pd.Series(random.choice(["a", "b", "c"], n)).where(random.random(n) < 0.4)
    return frame.assign(label=_label(x, random))


def correlated(n: int, random: Generator) -> pd.DataFrame:
    """Twenty columns of two factors: what one shows by chance, all show."""
    factors = random.normal(size=(n, 2))
    columns = factors @ random.normal(size=(2, 20)) + 0.1 * random.normal(size=(n, 20))
    frame = pd.DataFrame(columns, columns=[f"c{i}" for i in range(20)])
    return frame.assign(label=_label(factors[:, 0], random))


def wide(n: int, random: Generator) -> pd.DataFrame:
    """200 columns, numbers and categories by turns."""
    frame = {f"w{i}": random.normal(size=n) if i % 4 else random.choice(["a", "b", "c", "d"], n) for i in range(200)}
    return pd.DataFrame(frame).assign(label=_label(frame["w1"], random))


def integer_codes(n: int, random: Generator) -> pd.DataFrame:
    """Categories written as integers, few and many, beside years and grades."""
    frame = pd.DataFrame(
        {
            "region": random.integers(1, 9, n),
            "branch": random.integers(100, 400, n),
            "grade": random.choice([1, 2, 3, 4, 5], n, p=[0.05, 0.1, 0.5, 0.3, 0.05]),
            "flag": random.choice([0, 1], n, p=[0.97, 0.03]),
            "built": random.integers(1900, 2024, n),
            "amount": random.gamma(2, 50, n).round(2),
        }
    )
    return frame.assign(label=_label(frame["amount"].to_numpy(), random))


def skewed_classes(n: int, random: Generator) -> pd.DataFrame:
    """Eight classes of which the last has one row in 300."""
    chance = 0.45 ** np.arange(8)
    label = random.choice(8, n, p=chance / chance.sum())
    frame = pd.DataFrame({f"x{i}": random.normal(size=n) + 0.4 * label * (i == 0) for i in range(4)})
    return frame.assign(label=np.char.add("class ", label.astype(str)))


def repeated_keys(n: int, random: Generator) -> pd.DataFrame:
    """Rows of customers and stores, drawn at random: names of keys, shared by the splits as chance has it."""
    frame = pd.DataFrame(
        {
            "customer_id": random.integers(10_000, 10_000 + max(n // 3, 2), n),
            "store": np.char.add("S", random.integers(1, 30, n).astype(str)),
            "spent": random.gamma(2, 30, n).round(2),
            "visits": random.poisson(3, n),
        }
    )
    return frame.assign(label=_label(frame["spent"].to_numpy(), random))


def regression(n: int, random: Generator) -> pd.DataFrame:
    """A target that is a number with a heavy tail, well predicted by two columns."""
    a, b, c = random.normal(size=(3, n))
    return pd.DataFrame({"a": a, "b": b, "c": c, "label": np.exp(a + b / 2 + 0.3 * random.normal(size=n)).round(3)})


def coarse_skewed(n: int, random: Generator) -> pd.DataFrame:
    """Five categories with few, unequal levels: most rows are equal to others by chance."""
    chance = np.array([0.7, 0.2, 0.07, 0.03])
    frame = pd.DataFrame({f"q{i}": random.choice(["never", "rarely", "often", "daily"], n, p=chance) for i in range(5)})
    return frame.assign(label=_label((frame["q0"] == "often").to_numpy().astype(float), random))


def coarse_dependent(n: int, random: Generator) -> pd.DataFrame:
    """A questionnaire answered alike by six kinds of people: columns that hang together by more than twos."""
    kind = random.integers(0, 6, n)
    favourite = random.integers(0, 5, (6, 7))
    answers = np.where(random.random((n, 7)) < 0.75, favourite[kind], random.integers(0, 5, (n, 7)))
    frame = pd.DataFrame(answers, columns=[f"answer{i}" for i in range(7)])
    return frame.assign(label=_label((kind > 2).astype(float), random))


def coarse_many(n: int, random: Generator) -> pd.DataFrame:
    """Twelve yes-or-no columns with a chain of dependence, as in a medical checklist."""
    columns = [random.random(n) < 0.3]
    for _ in range(11):
        columns.append(np.where(random.random(n) < 0.7, columns[-1], random.random(n) < 0.2))
    frame = pd.DataFrame(np.array(columns).T.astype(int), columns=[f"sign{i}" for i in range(12)])
    return frame.assign(label=_label(frame["sign0"].to_numpy().astype(float), random))


FAMILIES: dict[str, Callable[[int, Generator], pd.DataFrame]] = {
    "heavy-tails": heavy_tails,
    "rare-categories": rare_categories,
    "ties": ties,
    "zero-inflated": zero_inflated,
    "many-missing": many_missing,
    "correlated": correlated,
    "wide": wide,
    "integer-codes": integer_codes,
    "skewed-classes": skewed_classes,
    "repeated-keys": repeated_keys,
    "regression": regression,
    "coarse-skewed": coarse_skewed,
    "coarse-dependent": coarse_dependent,
    "coarse-many": coarse_many,
}
