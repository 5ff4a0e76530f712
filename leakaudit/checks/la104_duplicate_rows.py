"""Rows of a held-out split that are in the reference split, too.

What it does
------------
Compares every row of a held-out split with every row of the split that it is held out from, and reports those that
occur there with all their cells, the label included. Each is attributed to the strictest layer in which it is the same:
cell by cell as it stands in the file (*raw*), or by value (*canonical*). A third count, rows that are the same but for
the label, stands in the metrics; those that disagree on the label are findings of LA110.

Why it matters
--------------
A model that has seen a row needs not generalise to get it right. Each such row moves the score towards the training
score, and the more so the better the model memorises.

How it decides
--------------
By equality; there is no threshold and no sampling. Canonical means: numbers by value where the column holds numbers
in all splits together (``5``, ``5.0`` and ``5e0`` are equal; integers exactly, other numbers to 9 significant digits,
which ``%.9g`` writes); booleans in any case; text after Unicode NFKC with white space trimmed and collapsed; missing
values alike however they are spelled in columns of numbers; a dot at the end of all labels of one split removed when
the other has the same labels without it, as in UCI Adult. What a column holds is decided over all files, so that
``5`` in a csv file and 5 in a parquet file are equal. The columns of the split and of the id, those of
``--ignore-column``, and those that a file lacks are left out. Rows nominated by a 64-bit hash are compared by
128-bit digests of an injective encoding.

What it cannot see
------------------
Rows that differ by jitter or rounding beyond the tolerance, and rows that a column of identifiers makes different: name
it with ``--id`` or ``--ignore-column``. In a table of few, coarse columns equal rows may be chance rather than copies;
the finding says that they are equal, not why.

Fix
---
Remove the rows listed from the reference split, or split again with equal rows kept together. Where they are distinct
samples that happen to agree, add a column that tells them apart, or accept the finding with that reason.

References
----------
- Barz, B. and Denzler, J. (2020). Do we train on test data? Purging CIFAR of near-duplicates. Journal of Imaging 6(6).
- Kapoor, S. and Narayanan, A. (2023). Leakage and the reproducibility crisis in machine-learning-based science.
  Patterns 4(9), 100804: duplicates as leakage type L1.4.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from leakaudit.checks.base import Check
from leakaudit.checks.duplicates import overlap_findings
from leakaudit.checks.row_pairs import row_pair_batches
from leakaudit.model import Finding, Outcome, Scalar
from leakaudit.search.context import Context
from leakaudit.search.equal_rows import n_shared, row_overlap, row_pairs, shared_rows
from leakaudit.search.groups import Group


@dataclass(frozen=True)
class Params:
    """None: rows are equal or they are not."""


def run(context: Context, _params: Params) -> Outcome:
    """Find held-out rows that are in the reference split."""
    rows = context.rows
    assert rows is not None
    findings: list[Finding] = []
    metrics: dict[str, Mapping[str, Scalar]] = {}
    said = []
    for held_out, reference in context.pairs_of_splits:
        overlap = row_overlap(rows, "canonical", held_out, reference)
        raw = shared_rows(rows, "raw", held_out, reference)
        n_without_label = n_shared(rows, "without_label", held_out, reference)
        n_held_out, n_reference = rows.n_rows[held_out], rows.n_rows[reference]
        metrics[f"{held_out} against {reference}"] = {
            "n_held_out": n_held_out,
            "n_reference": n_reference,
            "n_raw": len(raw),
            "n_canonical": overlap.n_samples,
            "n_without_label": n_without_label,
            "share_raw": _share(len(raw), n_held_out),
            "share_canonical": _share(overlap.n_samples, n_held_out),
            "share_without_label": _share(n_without_label, n_held_out),
        }
        beside = f", {n_without_label:,} ignoring the label" if rows.label_compared else ""
        found = f"{overlap.n_samples:,} of {n_held_out:,} {held_out} rows"
        said.append(f"{found} are among the {n_reference:,} of {reference}{beside}")

        def layer(group: Group, raw: np.ndarray = raw) -> dict[str, Scalar]:
            n_raw = int(np.isin(group.a, raw, assume_unique=True).sum())
            return {"layer": "raw" if n_raw == len(group.a) else "canonical", "n_raw": n_raw}

        findings += overlap_findings(
            context,
            overlap,
            code=CHECK.code,
            slug=CHECK.slug,
            severity=CHECK.severity,
            relation="is the same row as",
            effect=layer,
        )

    def batches() -> Iterator[pa.RecordBatch]:
        for held_out, reference in context.pairs_of_splits:
            yield from row_pair_batches(rows, CHECK.code, row_pairs(rows, "canonical", held_out, reference))

    if not findings:
        return Outcome(CHECK.code, CHECK.slug, "passed", "; ".join(said), metrics)
    return Outcome(CHECK.code, CHECK.slug, "failed", "; ".join(said), metrics, tuple(findings), batches)


def _share(n: int, of: int) -> float:
    return n / of if of else 0.0


CHECK = Check(
    code="LA104",
    slug="duplicate-rows",
    severity="error",
    kinds=("table",),
    needs=("pair",),
    params=Params(),
    run=run,
)
