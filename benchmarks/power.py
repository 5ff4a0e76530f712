"""What the checks can see: detection rate by planted effect and sample size, for each check that decides by statistics.

``python benchmarks/power.py [--codes LA203,LA301] [--trials 40] [--jobs 2] [--json benchmarks/results/power.json]``

Every trial makes a table with an effect of known size in its validation split (or against its label), audits it
through `leakaudit.audit`, and asks whether the check reports it. Effect 0 is a clean twin: its rate is that of false
alarms. A curve is one entry of `CURVES`: a function ``make(effect, n, random)`` that gives the train and the validation
frame, the effects and sizes to try, and in what unit the effect is measured; another check takes one entry more.
With ``--json``, the curves of the checks that were run are replaced and the others kept.
"""

from __future__ import annotations

import argparse
import json
import zlib
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

Frames = tuple[pd.DataFrame, pd.DataFrame]
RATIO = 4
"""Rows of train for one of validation."""


@dataclass(frozen=True)
class Curve:
    """One way to plant what a check should find.

    Parameters
    ----------
    code, what : str
        The check, and what is planted, in words.
    unit : str
        Of the effect.
    make : callable
        ``make(effect, n, random)``: train and validation frames, n rows of validation.
    effects, sizes : tuple
    options : dict
        Of `leakaudit.audit`.
    """

    code: str
    what: str
    unit: str
    make: Callable[[float, int, np.random.Generator], Frames]
    effects: tuple[float, ...]
    sizes: tuple[int, ...] = (50, 200, 1000)
    options: dict[str, Any] = field(default_factory=lambda: {"label": "label"})


def plain(n: int, random: np.random.Generator) -> pd.DataFrame:
    """Rows of three numbers, a category and a label that hangs on two of the numbers."""
    a, b, c = random.normal(size=(3, n))
    label = np.where(a + b + random.normal(size=n) > 0, "yes", "no")
    kind = random.choice(["oak", "ash", "elm", "fir"], n, p=[0.4, 0.3, 0.2, 0.1])
    return pd.DataFrame({"a": a, "b": b, "c": c, "kind": kind, "label": label})


def both(n: int, random: np.random.Generator) -> Frames:
    return plain(RATIO * n, random), plain(n, random)


def class_shift(effect: float, n: int, random: np.random.Generator) -> Frames:
    train, val = both(n, random)
    train["label"] = random.choice(["no", "yes"], len(train))
    val["label"] = random.choice(["no", "yes"], n, p=[0.5 - effect, 0.5 + effect])
    return train, val


def mean_shift(effect: float, n: int, random: np.random.Generator) -> Frames:
    train, val = both(n, random)
    val["c"] += effect
    return train, val


def wider(effect: float, n: int, random: np.random.Generator) -> Frames:
    train, val = both(n, random)
    val["c"] *= 1 + effect
    return train, val


def other_shares(effect: float, n: int, random: np.random.Generator) -> Frames:
    train, val = both(n, random)
    val.loc[random.random(n) < effect, "kind"] = "oak"
    return train, val


def gaps(effect: float, n: int, random: np.random.Generator) -> Frames:
    train, val = both(n, random)
    val.loc[random.random(n) < effect, "c"] = np.nan
    train.loc[random.random(len(train)) < 0.02, "c"] = np.nan
    return train, val


def new_category(effect: float, n: int, random: np.random.Generator) -> Frames:
    train, val = both(n, random)
    val.loc[random.random(n) < effect, "kind"] = "yew"
    return train, val


def tied_columns(effect: float, n: int, random: np.random.Generator) -> Frames:
    """Two columns with correlation `effect` in validation and none in train."""
    train, val = both(n, random)
    train["d"] = random.normal(size=len(train))
    val["d"] = effect * val["c"] + np.sqrt(1 - effect**2) * random.normal(size=n)
    return train, val


def leaky_feature(effect: float, n: int, random: np.random.Generator) -> Frames:
    """A column that equals the label in this share of the rows, and is a coin in the others."""
    frames = both(n, random)
    for each in frames:
        coin = random.choice(["no", "yes"], len(each))
        each["outcome"] = np.where(random.random(len(each)) < effect, each["label"], coin)
    return frames


def numbered_by_class(effect: float, n: int, random: np.random.Generator) -> Frames:
    """Identifiers given class by class in this share of the rows, in any order to the others."""
    train, val = both(n, random)
    every = pd.concat([train, val])
    place = (every["label"] == "yes").to_numpy() + random.random(len(every))
    place = np.where(random.random(len(every)) < effect, place, 2 * random.random(len(every)))
    every["record"] = np.argsort(np.argsort(place, kind="stable"), kind="stable") + 100_000
    return every.iloc[: len(train)], every.iloc[len(train) :]


def noisy_copies(noise: float) -> Callable[[float, int, np.random.Generator], Frames]:
    """This share of validation are rows of train whose numbers changed by noise of this relative size."""

    def make(effect: float, n: int, random: np.random.Generator) -> Frames:
        train, val = both(n, random)
        copied = np.flatnonzero(random.random(n) < effect)
        source = train.iloc[random.choice(len(train), len(copied), replace=False)].reset_index(drop=True)
        for name in ("a", "b", "c"):
            val.loc[copied, name] = (source[name] * (1 + noise * random.normal(size=len(copied)))).to_numpy()
        val.loc[copied, ["kind", "label"]] = source[["kind", "label"]].to_numpy()
        return train, val

    return make


def _sentences(n: int, random: np.random.Generator) -> np.ndarray:
    """n texts of twenty of 5,000 made-up words, by Zipf's law."""
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    vocabulary = np.array(["".join(random.choice(letters, size)) for size in random.integers(3, 9, 5_000)])
    chance = 1 / np.arange(10, 5_010)
    return vocabulary[random.choice(5_000, (n, 20), p=chance / chance.sum())]


def edited_copies(exchanged: float) -> Callable[[float, int, np.random.Generator], Frames]:
    """This share of validation are texts of train, this share of whose words were exchanged."""

    def make(effect: float, n: int, random: np.random.Generator) -> Frames:
        words = _sentences((RATIO + 1) * n, random)
        train, val = words[n:], words[:n]
        copied = np.flatnonzero(random.random(n) < effect)
        copies = train[random.choice(len(train), len(copied), replace=False)]
        edited = random.random(copies.shape) < exchanged
        copies[edited] = random.choice(words.ravel(), int(edited.sum()))
        val[copied] = copies
        labels = random.choice(["no", "yes"], len(words))
        rows = [" ".join(row) for row in words.tolist()]
        return (
            pd.DataFrame({"text": rows[n:], "label": labels[n:]}),
            pd.DataFrame({"text": rows[:n], "label": labels[:n]}),
        )

    return make


def shared_groups(effect: float, n: int, random: np.random.Generator) -> Frames:
    """Records of groups of five that are alike; in this share of the groups the rows are split apart, else kept."""
    n_groups = (RATIO + 1) * n // 5
    of = np.repeat(np.arange(n_groups), 5)
    rows = plain(len(of), random)
    rows[["a", "b", "c"]] += 1.5 * random.normal(size=(n_groups, 3))[of]
    name = random.choice(90_000, n_groups, replace=False) + 10_000
    rows["record"] = np.char.add("sess-", name[of].astype(str))
    apart = (random.random(n_groups) < effect)[of]
    held_out = np.where(
        apart, random.random(len(of)) < 1 / (RATIO + 1), (random.random(n_groups) < 1 / (RATIO + 1))[of]
    )
    return rows[~held_out].reset_index(drop=True), rows[held_out].reset_index(drop=True)


def interleaved(effect: float, n: int, random: np.random.Generator) -> Frames:
    """A series by the minute, split at a point in time; this share of its rows is assigned at random instead."""
    rows = plain((RATIO + 1) * n, random)
    rows["a"] += np.cumsum(random.normal(size=len(rows)))
    rows["time"] = pd.Timestamp("2024-03-01") + pd.to_timedelta(np.arange(len(rows)), unit="min")
    held_out = np.arange(len(rows)) >= RATIO * n
    mixed = random.random(len(rows)) < effect
    held_out[mixed] = random.permutation(held_out[mixed])
    return rows[~held_out].reset_index(drop=True), rows[held_out].reset_index(drop=True)


def copied_rows(effect: float, n: int, random: np.random.Generator) -> Frames:
    """This share of validation are rows of train."""
    train, val = both(n, random)
    copied = np.flatnonzero(random.random(n) < effect)
    val.loc[copied] = train.iloc[random.choice(len(train), len(copied), replace=False)].to_numpy()
    return train, val.infer_objects()


def relabelled_rows(effect: float, n: int, random: np.random.Generator) -> Frames:
    """This share of validation are rows of train with the other label."""
    train, val = both(n, random)
    copied = np.flatnonzero(random.random(n) < effect)
    source = train.iloc[random.choice(len(train), len(copied), replace=False)].copy()
    source["label"] = np.where(source["label"] == "yes", "no", "yes")
    val.loc[copied] = source.to_numpy()
    return train, val.infer_objects()


def repeated_rows(effect: float, n: int, random: np.random.Generator) -> Frames:
    """This share of train are copies of other rows of train."""
    train, val = both(n, random)
    again = np.flatnonzero(random.random(len(train)) < effect)
    train.loc[again] = train.iloc[random.choice(len(train), len(again), replace=False)].to_numpy()
    return train.infer_objects(), val


def rare_class(effect: float, n: int, random: np.random.Generator) -> Frames:
    """A class of this share in train that validation lacks."""
    train, val = both(n, random)
    train.loc[random.random(len(train)) < effect, "label"] = "rare"
    return train, val


def scaled_on_both(effect: float, n: int, random: np.random.Generator) -> Frames:
    """Standardised over both splits and written with so many decimals; 0: over train alone, with six."""
    train, val = both(n, random)
    seen = pd.concat([train, val]) if effect else train
    for name in ("a", "b", "c"):
        for each in (train, val):
            each[name] = ((each[name] - seen[name].mean()) / seen[name].std(ddof=0)).round(int(effect) or 6)
    return train, val


def imputed_on_both(effect: float, n: int, random: np.random.Generator) -> Frames:
    """This share of a column was missing, and is filled with the mean of both splits."""
    train, val = both(n, random)
    gaps_of = [random.random(len(each)) < effect for each in (train, val)]
    known = np.concatenate([each.loc[~gap, "c"] for each, gap in zip((train, val), gaps_of, strict=True)])
    for each, gap in zip((train, val), gaps_of, strict=True):
        each.loc[gap, "c"] = known.mean()
    return train, val


def mixed_on_both(effect: float, n: int, random: np.random.Generator) -> Frames:
    """This share of the rows lie between two rows of the rarer class (SMOTE), made before the split."""
    rows = plain((RATIO + 1) * n, random)
    numbers = ["a", "b", "c"]
    rows["label"] = np.where(random.random(len(rows)) < 0.2, "rare", "common")
    rare = rows.loc[rows["label"] == "rare", numbers].to_numpy()
    new = np.flatnonzero(random.random(len(rows)) < effect)
    first = random.integers(len(rare), size=len(new))
    near = np.argsort(((rare[first][:, None] - rare[None]) ** 2).sum(axis=2), axis=1)[:, 1:6]
    second = near[np.arange(len(new)), random.integers(5, size=len(new))]
    rows.loc[new, numbers] = rare[first] + random.random((len(new), 1)) * (rare[second] - rare[first])
    rows.loc[new, "label"] = "rare"
    return rows.iloc[n:].reset_index(drop=True), rows.iloc[:n].reset_index(drop=True)


def encoded_on_both(effect: float, n: int, random: np.random.Generator) -> Frames:
    """A category replaced by its mean label over both splits, with so many decimals; 0: over train alone, with six."""
    train, val = both(n, random)
    chance = random.beta(2, 3, 20)
    for each in (train, val):
        city = random.integers(0, 20, len(each))
        each["city"] = city
        each["label"] = np.where(random.random(len(each)) < chance[city], "yes", "no")
    seen = pd.concat([train, val]) if effect else train
    means = (seen["label"] == "yes").groupby(seen["city"]).mean()
    for each in (train, val):
        each["city"] = each["city"].map(means).round(int(effect) or 6)
    return train, val


SHIFTS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7)
SHARES = (0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4)

COPIES = (0.0, 0.005, 0.01, 0.02, 0.05, 0.1)

DECIMALS = (0.0, 1.0, 2.0, 3.0, 4.0, 6.0)

CURVES = (
    Curve("LA104", "rows of train in validation", "share of rows", copied_rows, COPIES),
    Curve("LA106", "texts of train in validation", "share of rows", edited_copies(0.0), COPIES),
    Curve("LA110", "rows of train with another label", "share of rows", relabelled_rows, COPIES),
    Curve("LA111", "rows repeated in train", "share of rows", repeated_rows, COPIES),
    Curve("LA202", "a class that validation lacks", "share in train", rare_class, COPIES),
    Curve("LA304", "standardised over both splits", "decimals (0: over train alone)", scaled_on_both, DECIMALS),
    Curve(
        "LA305", "gaps filled with the mean of both splits", "share of a column", imputed_on_both, (*COPIES[:5], 0.2)
    ),
    Curve("LA306", "mixtures made before the split", "share of rows", mixed_on_both, (*COPIES[:5], 0.2)),
    Curve("LA307", "a target mean over both splits", "decimals (0: over train alone)", encoded_on_both, DECIMALS),
    *(
        Curve("LA105", f"copies with noise of {noise:g}", "share of rows", noisy_copies(noise), COPIES)
        for noise in (0.00001, 0.001, 0.01)
    ),
    *(
        Curve(
            "LA107", f"texts with {exchanged:.0%} of words exchanged", "share of rows", edited_copies(exchanged), COPIES
        )
        for exchanged in (0.02, 0.05, 0.1, 0.2)
    ),
    Curve("LA108", "groups split apart", "share of groups", shared_groups, (0.0, 0.05, 0.1, 0.2, 0.5, 1.0)),
    Curve("LA109", "a series assigned at random", "share of rows", interleaved, (0.0, 0.25, 0.5, 0.75, 0.9, 1.0)),
    Curve("LA201", "other class shares", "difference in share", class_shift, SHARES),
    Curve("LA203", "a number shifted", "d (standard deviations)", mean_shift, SHIFTS),
    Curve("LA203", "a number spread wider", "relative increase of the standard deviation", wider, SHIFTS),
    Curve("LA203", "other shares of categories", "share of rows moved", other_shares, SHARES),
    Curve("LA203", "missing values", "share of rows", gaps, SHARES),
    Curve("LA204", "a category that train lacks", "share of rows", new_category, (0.0, 0.005, 0.01, 0.02, 0.05, 0.1)),
    Curve(
        "LA205",
        "two columns correlated in validation only",
        "correlation",
        tied_columns,
        (0.0, 0.3, 0.5, 0.7, 0.8, 0.9, 0.99),
    ),
    Curve("LA301", "a column made from the label", "share of rows", leaky_feature, (0.0, 0.8, 0.9, 0.95, 0.98, 1.0)),
    Curve(
        "LA302", "numbers given class by class", "share of rows", numbered_by_class, (0.0, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8)
    ),
)


def detected(task: tuple[int, float, int, int]) -> bool:
    """Whether the check reports what one trial planted."""
    from leakaudit import audit

    number, effect, n, trial = task
    curve = CURVES[number]
    train, val = curve.make(
        effect, n, np.random.default_rng([zlib.crc32(curve.what.encode()), round(effect * 1e6), n, trial])
    )
    report = audit(train=train, val=val, select=(curve.code,), use_cache=False, jobs=1, **curve.options)
    (outcome,) = report.outcomes
    if outcome.status == "errored":
        raise RuntimeError(f"{curve.code} {effect} {n}: {outcome.reason}")
    return any(finding.severity != "info" for finding in outcome.findings)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--codes", default=",".join(dict.fromkeys(curve.code for curve in CURVES)))
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--json", type=Path)
    told = parser.parse_args()
    chosen = [number for number, curve in enumerate(CURVES) if curve.code in told.codes.split(",")]
    rows = []
    with ProcessPoolExecutor(told.jobs, mp_context=get_context("spawn")) as pool:
        for number in chosen:
            curve = CURVES[number]
            for n in curve.sizes:
                rates = []
                for effect in curve.effects:
                    tasks = [(number, effect, n, trial) for trial in range(told.trials)]
                    rates.append(sum(pool.map(detected, tasks, chunksize=4)) / told.trials)
                rows.append(
                    {
                        "code": curve.code,
                        "what": curve.what,
                        "unit": curve.unit,
                        "n": n,
                        "n_train": RATIO * n,
                        "trials": told.trials,
                        "effects": list(curve.effects),
                        "rates": rates,
                    }
                )
                print(curve.code, curve.what, n, *rates, sep="\t", flush=True)
            if told.json:
                store(told.json, rows)


def store(path: Path, rows: list[dict[str, Any]]) -> None:
    """Curves of the same check, kind and size are replaced."""
    old = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    merged = {(row["code"], row["what"], row["n"]): row for row in [*old, *rows]}
    text = ",\n".join(json.dumps(merged[each]) for each in sorted(merged))
    path.write_text(f"[\n{text}\n]\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
