"""Held-out files that are, byte for byte, in the reference split, too.

What it does
------------
Compares the digest of every file's bytes (BLAKE3, 128 bits) in each held-out split with all of the reference split:
val and test with train, test with val. Nothing is sampled. A picture in a cell of a table has its bytes there; a slice
of an array has none, and the check is skipped.

Why it matters
--------------
A model has seen the answer to a picture that is in its training set. Its score on the held-out split then measures
memory, and the more so the larger the model.

How it decides
--------------
Equal digests are equal files: for a million files, two different ones share a 128-bit digest with a probability of
1e-27 (birthday bound, n²/2¹²⁹). There is no threshold: one identical file is an error. `n_samples` counts distinct
pictures of the held-out split. An empty file is unreadable, and equal to nothing.

What it cannot see
------------------
The same picture in another file format, or with other metadata (LA102), or another size, crop or compression (LA103).

Fix
---
Remove the listed pictures from the reference split, or, if that is the published benchmark, from the held-out split
and say so. `--pairs FILE` writes all pairs.

References
----------
- O'Connor, Aumasson, Neves, Wilcox-O'Hearn: BLAKE3, one function, fast everywhere, 2020,
  https://github.com/BLAKE3-team/BLAKE3-specs
- Barz, Denzler: Do We Train on Test Data? Purging CIFAR of Near-Duplicates, Journal of Imaging 6(6), 2020,
  https://doi.org/10.3390/jimaging6060041
- Kapoor, Narayanan: Leakage and the reproducibility crisis in machine-learning-based science, Patterns 4(9), 2023,
  https://doi.org/10.1016/j.patter.2023.100804
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from leakaudit.analysis.copies.pictures.equal import file_codes
from leakaudit.checks.base import Check
from leakaudit.checks.identical_pictures import identical_pictures
from leakaudit.model import Outcome

if TYPE_CHECKING:
    from leakaudit.analysis.context import Context


@dataclass(frozen=True)
class Params:
    """No thresholds: identical is identical."""


def run(context: Context, params: Params) -> Outcome:
    """Compare the bytes of all files."""
    del params
    if not context.samples.are_files:
        reason = "these pictures are slices of arrays, not files: LA102 compares their pixels"
        return Outcome(CHECK.code, CHECK.slug, "skipped", reason)
    return identical_pictures(
        context, CHECK, file_codes(context), relation="is byte-identical to", found="identical files"
    )


CHECK = Check(
    code="LA101",
    slug="identical-files",
    family="copies",
    in_train=True,
    severity="error",
    kinds=("image", "file"),
    needs=("pair",),
    params=Params(),
    run=run,
)
