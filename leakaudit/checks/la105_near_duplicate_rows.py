"""Rows of a held-out split that are nearly rows of the reference split.

What it does
------------
Finds held-out rows that differ from a row of the reference split in one of five ways: every number changed by noise of
up to four in a thousand (*jitter*) or four in 100,000 (*fine-jitter*) and everything else equal; numbers with fewer
digits, where the others round to them (*rounded*); one column changed and all others equal (*one-column*); or numbers
with noise of any size, as long as the row of the reference split is far nearer than its own neighbours are to it
(*noise*). Rows that LA104 finds, and columns that only number, weigh or mark rows, do not count. Every way comes with
the number of held-out rows that would have such a twin if the splits were one population.

Why it matters
--------------
Copies with noise are made by augmentation or anonymisation before the split, by export with other digits, and by
records that were entered twice. A comparison for equality misses every one of them, a model does not.

How it decides
--------------
Numbers are compared on the scale asinh(x / s), s the standard deviation of the column: a change by a share of x or of s
is at most that much. Noise of one in a thousand (one in 100,000) is within the tolerance with four standard deviations.
Rows are nominated by equal keys, the hash of a few quantised columns: up to three disjoint groups of columns on two
grids each, so that one changed column or an edge of a grid hides no pair; every nominated pair is verified, no row is
sampled, and time and memory are linear in rows. A key that would nominate more than 4 pairs a row is left out; where
all are, the table is too dense for its near-duplicates to mean anything, and the outcome is *inconclusive*.

For *noise* no distance is small by itself: a held-out row is asked how far its nearest row of the reference split is,
by how far that one is from its own nearest inside the reference split (columns standardised after asinh(x / s), other
categories √2 apart). It counts where that is below a half, or below what 1 in 200 rows of the reference split show when
they are asked the same of each other. Three columns of numbers and 50 rows are needed, and no more rows than a few
seconds allow (about 10,000 against 20,000); beyond, the outcome says that such rows were not looked for.

Near-twins are ordinary in dense tables, and in data that hold one thing twice. The null is therefore the data
themselves: a permutation test of how many held-out rows have a near-twin on the other side, against random assignment
of the same rows to the two splits; for *noise* the same from ranks, exactly. A finding, a *warning*, needs the p-value,
adjusted over all ways and pairs of splits by Benjamini-Hochberg, below 0.01 (``alpha``), and held-out rows beyond the
rate inside the reference split that are at least 0.5 % of the held-out split (``smallest``) and three rows (``least``).
Its samples are that excess. A row that is a finding in one way does not count in the next.

What it cannot see
------------------
Near-duplicates that were in the data before a random split: they are as common inside the reference split as across
(their counts are in the metrics). Noise so large that a row's own neighbours are as near (LA403 meets the same limit,
by a model), and changes of several columns to other values altogether. Copies in tables so dense that chance neighbours
are as near.

Fix
---
Split before augmenting, rounding or anonymising, and keep records of the same thing in one split. Remove the listed
rows from the reference split.

References
----------
- Barz, B. and Denzler, J. (2020). Do we train on test data? Purging CIFAR of near-duplicates. Journal of Imaging 6(6).
- Fellegi, I. and Sunter, A. (1969). A theory for record linkage. Journal of the American Statistical Association
  64(328): blocking by keys, comparison of pairs.
- Friedman, J. and Rafsky, L. (1979). Multivariate generalizations of the Wald-Wolfowitz and Smirnov two-sample tests.
  Annals of Statistics 7(4): permutation of labels over neighbours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import pyarrow as pa

from leakaudit.analysis.context import Context
from leakaudit.analysis.copies.groups import linked_overlap
from leakaudit.analysis.copies.rows.equal import shared_rows
from leakaudit.analysis.copies.rows.near import WAYS, NearRows, Way, near_rows
from leakaudit.analysis.copies.rows.near_excess import NearExcess, near_excess
from leakaudit.analysis.copies.rows.noisy import TOO_MANY, noisy_rows
from leakaudit.analysis.shift.homogeneity import benjamini_hochberg
from leakaudit.checks.base import Check
from leakaudit.checks.duplicates import overlap_sum
from leakaudit.checks.row_pairs import row_pair_batches
from leakaudit.model import Finding, Outcome, Pairs, Scalar


@dataclass(frozen=True)
class Params:
    """See *How it decides*."""

    alpha: float = 0.01
    smallest: float = 0.005
    least: int = 3


Kind: TypeAlias = Way | Literal["noise"]

SAID: Mapping[Kind, str] = {
    "fine-jitter": "but for noise of up to four in 100,000",
    "jitter": "but for noise of up to four in a thousand",
    "rounded": "but for rounding",
    "one-column": "but for one column",
    "noise": "but for noise: far nearer to them than their own neighbours are",
}


def run(context: Context, params: Params) -> Outcome:
    """Find held-out rows with a near-twin in the reference split, beyond what one population gives."""
    rows = context.rows
    near = near_rows(rows)
    split = context.row_splits
    tested: list[tuple[str, str, Kind, NearExcess]] = []
    too_many: list[str] = []
    for held_out, reference in context.pairs_of_splits:
        a, b = rows.splits.index(held_out), rows.splits.index(reference)
        known = shared_rows(rows, "reduced", held_out, reference)
        for way in WAYS:
            inside = near.way == WAYS.index(way)
            tested.append((held_out, reference, way, near_excess(near.a[inside], near.b[inside], split, a, b, known)))
        noisy = noisy_rows(rows, split, a, b, known)
        found_so = len(noisy.held_out), noisy.n_usual, noisy.n_usual, noisy.p_value
        tested.append((held_out, reference, "noise", NearExcess(noisy.held_out, noisy.reference, *found_so)))
        too_many += [noisy.reason] if noisy.reason is not None and noisy.reason.startswith(TOO_MANY) else []
    adjusted = benjamini_hochberg([excess.p_value for *_, excess in tested])
    metrics: dict[str, Scalar | Mapping[str, Scalar]] = {}
    findings: list[Finding] = []
    found: list[Pairs] = []
    said = []
    for held_out, reference in context.pairs_of_splits:
        n = rows.n_rows[held_out]
        measured: dict[str, Scalar] = {"n_held_out": n, "n_reference": rows.n_rows[reference]}
        known = np.zeros(0, dtype=np.int64)
        total = 0
        for (a_name, b_name, kind, excess), p_value in zip(tested, adjusted, strict=True):
            if (a_name, b_name) != (held_out, reference):
                continue
            measured[f"n_{kind}"] = excess.n_found
            measured[f"n_{kind}_usual"] = round(excess.n_usual, 1)
            measured[f"p_{kind}"] = round(p_value, 6)
            new = ~np.isin(excess.held_out, known)
            count = round(max(excess.n_excess - len(np.intersect1d(excess.held_out, known)), 0.0))
            if p_value >= params.alpha or count < max(params.least, params.smallest * n):
                continue
            pairs = Pairs(excess.held_out[new], excess.reference[new], np.ones(int(new.sum()), dtype=np.float32))
            findings.append(_finding(context, near, pairs, held_out, reference, kind, count, excess, p_value))
            found.append(pairs)
            known = np.union1d(known, excess.held_out)
            total += count
        metrics[f"{held_out} against {reference}"] = measured
        said.append(f"{total:,} of {n:,} {held_out} rows are nearly rows of {reference} beyond what is usual inside it")
    if too_many:
        said.append(f"copies with much noise were not looked for, {'; '.join(too_many)}")
    if near.dense:
        said.append(f"too dense to look for {', '.join(near.dense)}: most rows are alike anyway")

    def batches() -> Iterator[pa.RecordBatch]:
        yield from row_pair_batches(rows, CHECK.code, found)

    if findings:
        return Outcome(CHECK.code, CHECK.slug, "failed", "; ".join(said), metrics, tuple(findings), batches)
    all_dense = set(near.dense) == set(near.sought)
    return Outcome(CHECK.code, CHECK.slug, "inconclusive" if all_dense else "passed", "; ".join(said), metrics)


def _finding(
    context: Context,
    near: NearRows,
    pairs: Pairs,
    held_out: str,
    reference: str,
    way: Kind,
    count: int,
    excess: NearExcess,
    p_value: float,
) -> Finding:
    overlap = linked_overlap(pairs, held_out, reference)
    effect: dict[str, Scalar] = {
        "way": way,
        "n_found": excess.n_found,
        "n_usual": round(excess.n_usual, 1),
        "expected_at_random": round(excess.expected, 1),
        "p_adjusted": round(p_value, 6),
    }
    also = f" ({excess.n_usual:,.0f} would be usual)" if excess.n_usual >= 0.5 else ""
    changed = _changed(near, pairs) if way == "one-column" else None
    effect |= {"column": changed} if changed else {}
    how = f"but for {changed!r}" if changed else SAID[way]
    n = overlap.n_samples
    said = f"{n:,} rows of {held_out} are rows" if n > 1 else f"1 row of {held_out} is a row"
    return overlap_sum(
        context,
        overlap,
        code=CHECK.code,
        slug=CHECK.slug,
        severity=CHECK.severity,
        n_samples=count,
        message=f"{said} of {reference} {how}{also}",
        effect=effect,
    )


def _changed(near: NearRows, pairs: Pairs) -> str | None:
    """The column in which nine of ten pairs differ, if it is one."""
    inside = near.way == WAYS.index("one-column")
    n = int(max(near.a.max(initial=0), near.b.max(initial=0))) + 1
    listed = np.minimum(pairs.a, pairs.b) * n + np.maximum(pairs.a, pairs.b)
    columns = near.column[inside][np.isin(near.a[inside] * n + near.b[inside], listed)]
    counts = np.bincount(columns, minlength=1)
    return near.columns[int(counts.argmax())] if counts.max() >= 0.9 * max(len(columns), 1) else None


CHECK = Check(
    code="LA105",
    slug="near-duplicate-rows",
    family="copies",
    in_train=True,
    severity="warning",
    kinds=("table",),
    needs=(
        "pair",
        "whole-row",
    ),
    params=Params(),
    run=run,
)
