"""Rows of a held-out split that are in the reference split, too.

What it does
------------
Compares every row of a held-out split with every row of the split that it is held out from, in layers: cell by cell as
it stands in the file (*raw*); by value (*canonical*); by value without the columns that only number, weigh or mark rows
(*reduced*); and the last two again without the label. Every layer's count and rate is in the metrics. A held-out row is
a finding once, in the strictest layer in which it occurs in the reference split with its label. Rows that agree but for
the label are counted, and are findings of LA110 where the labels contradict each other.

Why it matters
--------------
A model that has seen a row needs not generalise to get it right. Each such row moves the score towards the training
score, and the more so the better the model memorises. One column of row numbers or sampling weights hides such rows
from a plain comparison.

How it decides
--------------
Equality has no threshold and is never sampled. Canonical means: numbers by value where the column holds numbers in all
splits together (``5``, ``5.0`` and ``5e0`` are equal; integers exactly, other numbers to 9 significant digits, which
``%.9g`` writes); booleans in any case; text after Unicode NFKC with white space trimmed and collapsed; missing values
alike however they are spelled in columns of numbers; a dot at the end of all labels of one split removed when the other
has the same labels without it, as in UCI Adult. What a column holds is decided over all files, so that ``5`` in a csv
file and 5 in a parquet file are equal. The columns of the split and of the id, those of ``--ignore-column``, and those
that a file lacks are left out of every layer.

The reduced layer leaves out columns by what they hold, and says why: *identifiers* (whole numbers or short texts, 95 %
of the values distinct inside each split, and the numbers so close together that measurements would have repeated some,
or unrelated to every other column); *constants* (one value throughout each split); *weights* (positive numbers, at
least five times as many distinct values as any other column, 30 % of the rows at least, and no other column explains 5
% of the variance of their ranks). ``--keep-column`` keeps one. A copy often has a new row number and the old customer:
where several columns are left out, the one in which most rows of two splits agree that are equal without all of them is
put back, and that layer (*identified*) is judged first.

In a table of few, coarse columns distinct samples are equal by chance. The number of pairs that chance gives comes from
how often pairs of rows agree in each column and in each two (a tree of the columns, Chow and Liu 1968). Rows are a
finding, an *error*, when their pairs are significantly (Poisson, 1 %) more than 4 times that, or 20 times in a table so
coarse that chance alone gives one pair for every hundred held-out rows; or when that is so of the rows that are equal
without their labels. One column of numbers has no other to be judged by: there chance is what rounded numbers a step
apart show, or the share of the rows of the reference split that meet another one of it, and rows are a finding beyond
one and a half times that; two columns likewise, where a quarter of the rows that meet others meet three and more. What
is left after columns were left out describes nothing where the reference split has ten rows for each distinct one, and
is then chance, too. Where chance explains them, they are a finding only if the splits share more rows than the same
rows assigned to the splits at random would: permutation test, adjusted over pairs of splits and layers by
Benjamini-Hochberg, below 0.01 (``alpha``), with at least 1 % of the held-out rows (``smallest``) beyond the rate inside
the reference split. That is one *warning*, whose samples are the excess. Where a share of copies of 4 % (``blind``)
could not have shown, the outcome is *inconclusive*.

What it cannot see
------------------
Rows that differ by jitter or rounding beyond the ninth digit, or in a single describing column (LA105). Which of the
rows that agree by chance are copies. Two columns of weights that are related to each other.

Fix
---
Remove the rows listed from the reference split, or split again with equal rows kept together. Where they are distinct
samples that happen to agree, add a column that tells them apart, or accept the finding with that reason.

References
----------
- Barz, B. and Denzler, J. (2020). Do we train on test data? Purging CIFAR of near-duplicates. Journal of Imaging 6(6).
- Chow, C. and Liu, C. (1968). Approximating discrete probability distributions with dependence trees. IEEE Transactions
  on Information Theory 14(3).
- Kapoor, S. and Narayanan, A. (2023). Leakage and the reproducibility crisis in machine-learning-based science.
  Patterns 4(9), 100804: duplicates as leakage type L1.4.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import pyarrow as pa

from leakaudit.analysis.context import Context
from leakaudit.analysis.copies.groups import Group, Overlap
from leakaudit.analysis.copies.rows.chance import Chance, chance_of_pairs
from leakaudit.analysis.copies.rows.equal import n_equal_pairs, n_shared, row_overlap, row_pairs, shared_rows
from leakaudit.analysis.copies.rows.excess import Excess, excess_of_rows
from leakaudit.analysis.shift.homogeneity import benjamini_hochberg
from leakaudit.checks.base import Check
from leakaudit.checks.duplicates import overlap_findings, overlap_sum
from leakaudit.checks.row_pairs import row_pair_batches
from leakaudit.fingerprints.rows.fingerprint import LAYERS, Layer, RowFingerprints
from leakaudit.model import Finding, Outcome, Scalar
from leakaudit.sources.parts import say_names


@dataclass(frozen=True)
class Params:
    """See *How it decides*."""

    alpha: float = 0.01
    smallest: float = 0.01
    blind: float = 0.04


@dataclass(frozen=True)
class _Compared:
    """Two splits in one layer, without what a stricter layer found."""

    layer: Layer
    stricter: Layer | None
    overlap: Overlap
    chance: Chance
    excess: Excess | None


def run(context: Context, params: Params) -> Outcome:
    """Find held-out rows that are in the reference split."""
    rows = context.rows
    compared = [each for a, b in context.pairs_of_splits for each in _compare(rows, a, b)]
    adjusted = iter(benjamini_hochberg([each.excess.p_value for each in compared if each.excess is not None]))
    findings: list[Finding] = []
    found: list[_Compared] = []
    blind: list[str] = []
    for each in compared:
        overlap, excess = each.overlap, each.excess
        p_value = 1.0 if excess is None else next(adjusted)
        n_held_out = rows.n_rows[overlap.held_out]
        if not each.chance.explains:
            findings += _copies(context, each)
            found.append(each)
        elif excess is not None and p_value < params.alpha and excess.n_rows >= params.smallest * n_held_out:
            findings.append(_beyond_chance(context, each, excess, p_value))
            found.append(each)
        elif excess is not None and excess.detectable > params.blind:
            blind.append(_say_blind(each, excess))
    metrics: dict[str, Scalar | Mapping[str, Scalar]] = {}
    if rows.beside:
        metrics["left out of the reduced layers"] = dict(rows.beside)
    for held_out, reference in context.pairs_of_splits:
        mine = [each for each in compared if (each.overlap.held_out, each.overlap.reference) == (held_out, reference)]
        metrics[f"{held_out} against {reference}"] = _metrics(rows, held_out, reference, mine)
    said = "; ".join([*(_say(rows, a, b, compared) for a, b in context.pairs_of_splits), *blind])

    def batches() -> Iterator[pa.RecordBatch]:
        for each in found:
            a, b = each.overlap.held_out, each.overlap.reference
            yield from row_pair_batches(rows, CHECK.code, row_pairs(rows, each.layer, a, b, each.stricter))

    if findings:
        return Outcome(CHECK.code, CHECK.slug, "failed", said, metrics, tuple(findings), batches)
    return Outcome(CHECK.code, CHECK.slug, "inconclusive" if blind else "passed", said, metrics)


def _compare(rows: RowFingerprints, held_out: str, reference: str) -> list[_Compared]:
    """The layers with the label, the strictest first."""
    layers: list[Layer] = ["canonical"]
    layers += ["identified"] if rows.identified is not None else []
    layers += ["reduced"] if rows.beside else []
    compared: list[_Compared] = []
    before = 0.0
    for layer in layers:
        stricter = compared[-1].layer if compared else None
        overlap = row_overlap(rows, layer, held_out, reference, stricter)
        chance = chance_of_pairs(rows, layer, held_out, reference, overlap.n_pairs)
        if layer == "identified" and chance.explains:
            continue  # the reduced layer has these rows, too
        if (
            overlap.n_pairs
            and chance.explains
            and not before
            and _features_are_copied(rows, layer, held_out, reference)
        ):
            chance = replace(chance, explains=False, coarse=False)
        excess = None
        if chance.explains and overlap.n_samples:
            excess = excess_of_rows(rows, layer, held_out, reference, before)
        before += overlap.n_samples
        compared.append(_Compared(layer, stricter, overlap, chance, excess))
    return compared


def _features_are_copied(rows: RowFingerprints, layer: Layer, held_out: str, reference: str) -> bool:
    """Whether more rows agree in all but the label than chance gives: those with the same label are copies, too."""
    features: Layer = "reduced_without_label" if layer == "reduced" else "without_label"
    n_pairs = n_equal_pairs(rows, features, held_out, reference)
    return rows.label_compared and not chance_of_pairs(rows, features, held_out, reference, n_pairs).explains


def _copies(context: Context, each: _Compared) -> list[Finding]:
    """One finding a group of equal rows, with the strictest layer in which they are equal."""
    rows = context.rows
    overlap, beside = each.overlap, ", ".join(map(repr, _left_out(rows, each.layer)))
    raw = frozenset(shared_rows(rows, "raw", overlap.held_out, overlap.reference).tolist())

    def layer(group: Group) -> dict[str, Scalar]:
        if each.layer != "canonical":
            by_chance = round(each.chance.expected, 2)
            return {"layer": each.layer, "but_for": _but_for(rows, each.layer), "expected_by_chance": by_chance}
        n_raw = sum(index in raw for index in group.a.tolist())
        return {"layer": "raw" if n_raw == len(group.a) else "canonical", "n_raw": n_raw}

    return overlap_findings(
        context,
        overlap,
        code=CHECK.code,
        slug=CHECK.slug,
        severity=CHECK.severity,
        relation="is the same row as" if each.layer == "canonical" else f"is, but for {beside}, the same row as",
        effect=layer,
    )


def _left_out(rows: RowFingerprints, layer: Layer) -> list[str]:
    return [name for name in rows.beside if layer == "reduced" or name != rows.identified]


def _but_for(rows: RowFingerprints, layer: Layer) -> str | None:
    return None if layer == "canonical" else say_names([*map(repr, _left_out(rows, layer))], 3)


def _beyond_chance(context: Context, each: _Compared, excess: Excess, p_value: float) -> Finding:
    """One finding for all rows: which of them chance gave cannot be told."""
    overlap = each.overlap
    rows = context.rows
    left_out = f", {', '.join(map(repr, rows.beside))} left out" if each.layer == "reduced" else ""
    return overlap_sum(
        context,
        overlap,
        code=CHECK.code,
        slug=CHECK.slug,
        severity="warning",
        n_samples=round(excess.n_rows),
        message=(
            f"{overlap.n_samples:,} rows of {overlap.held_out} are among those of {overlap.reference}{left_out}, where "
            f"about {overlap.n_samples - excess.n_rows:,.0f} would be by chance: some are copies"
        ),
        effect={
            "layer": each.layer,
            "but_for": _but_for(rows, each.layer),
            "n_equal": overlap.n_samples,
            "n_beyond_chance": round(excess.n_rows, 1),
            "expected_at_random": round(excess.expected, 1),
            "p_adjusted": round(p_value, 6),
        },
    )


def _metrics(rows: RowFingerprints, held_out: str, reference: str, compared: list[_Compared]) -> dict[str, Scalar]:
    n_held_out = rows.n_rows[held_out]
    measured: dict[str, Scalar] = {"n_held_out": n_held_out, "n_reference": rows.n_rows[reference]}
    for layer in LAYERS:
        n = n_shared(rows, layer, held_out, reference)
        measured[f"n_{layer}"] = n
        measured[f"share_{layer}"] = n / n_held_out if n_held_out else 0.0
    for each in compared:
        if each.layer == "identified":
            measured["n_identified"] = n_shared(rows, each.layer, held_out, reference)
        measured[f"pairs_{each.layer}"] = each.overlap.n_pairs
        measured[f"pairs_{each.layer}_by_chance"] = round(each.chance.expected, 2)
        if each.excess is not None:
            measured[f"n_{each.layer}_at_random"] = round(each.excess.expected, 1)
            measured[f"detectable_{each.layer}"] = round(min(each.excess.detectable, 1.0), 4)
    return measured


def _say(rows: RowFingerprints, held_out: str, reference: str, compared: list[_Compared]) -> str:
    mine = [each for each in compared if (each.overlap.held_out, each.overlap.reference) == (held_out, reference)]
    n_held_out, n_reference = rows.n_rows[held_out], rows.n_rows[reference]
    parts = []
    for each in mine:
        n = n_shared(rows, each.layer, held_out, reference)
        by_chance = ", as chance gives" if each.chance.explains and each.overlap.n_samples else ""
        if each.layer == "canonical":
            parts.append(
                f"{n:,} of {n_held_out:,} {held_out} rows are among the {n_reference:,} of {reference}{by_chance}"
            )
        else:
            parts.append(f"{n:,} leaving out {', '.join(map(repr, _left_out(rows, each.layer)))}{by_chance}")
    if rows.label_compared:
        parts.append(f"{n_shared(rows, 'without_label', held_out, reference):,} ignoring the label")
    return ", ".join(parts)


def _say_blind(each: _Compared, excess: Excess) -> str:
    held_out = each.overlap.held_out
    if excess.detectable >= 1:
        return f"so many rows are equal by chance that no share of copies in {held_out} would show"
    return f"so many rows are equal by chance that copies below {excess.detectable:.0%} of {held_out} would not show"


CHECK = Check(
    code="LA104",
    slug="duplicate-rows",
    family="copies",
    in_train=True,
    severity="error",
    kinds=("table",),
    needs=(
        "pair",
        "whole-row",
    ),
    params=Params(),
    run=run,
)
