"""What every split must have its share of: classes, several labels at once, or bins of a quantity."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from leakaudit.analysis.columns.label_kind import is_number, not_classes

if TYPE_CHECKING:
    from leakaudit.model import IntArray

N_BINS = 10
"""Bins of a quantity, of equally many samples each: enough to keep the shape of a distribution, few enough for small
sets (Sechidis and others, ECML PKDD 2011, stratify by discretised targets likewise)."""

LEAST_REPEATED = 0.9
"""Share of the parts of labels such as ``cat|dog`` that must occur more than once to be taken for several labels."""

_SEVERAL = re.compile(r"\s*[|;]\s*")


@dataclass(frozen=True, eq=False, slots=True)
class Strata:
    """Memberships of all samples.

    Parameters
    ----------
    names : tuple of str
        Of the strata: classes, labels, or bins ("12.5 to 18").
    sample, stratum : ndarray of int64, shape (m,)
        Which sample is in which stratum; a sample of several labels is in several, one without a label in none.
    kind : {"class", "labels", "quantity", "none"}
    """

    names: tuple[str, ...]
    sample: IntArray
    stratum: IntArray
    kind: str


def strata_of(labels: Sequence[str | None]) -> Strata:
    """Recognise what the labels are, and give every sample its strata.

    Parameters
    ----------
    labels : sequence of str or None
        One a sample; None where it has none.

    Examples
    --------
    >>> strata_of(["b", "a", None, "b"]).names
    ('a', 'b')
    >>> strata_of(["cat|dog", "dog", "cat", "dog|cat"]).kind
    'labels'
    """
    known = [at for at, label in enumerate(labels) if label is not None and label.strip()]
    texts = [str(labels[at]).strip() for at in known]
    if not texts:
        return Strata((), np.zeros(0, np.int64), np.zeros(0, np.int64), "none")
    counts = Counter(texts)
    reason = not_classes({"all": counts})
    if reason is not None and all(map(is_number, texts)):
        return _bins(np.array(known), np.array([float(text) for text in texts]))
    parts = [_SEVERAL.split(text) for text in texts]
    if any(len(each) > 1 for each in parts):
        single = Counter(part for each in parts for part in dict.fromkeys(each) if part)
        repeated = sum(n for n in single.values() if n > 1) / max(sum(single.values()), 1)
        if repeated >= LEAST_REPEATED and len(single) < len(counts) + 2:
            return _memberships(known, [list(dict.fromkeys(filter(None, each))) for each in parts], "labels")
    if reason is not None:
        return Strata((), np.zeros(0, np.int64), np.zeros(0, np.int64), "none")
    return _memberships(known, [[text] for text in texts], "class")


def _memberships(known: Sequence[int], parts: Sequence[Sequence[str]], kind: str) -> Strata:
    names = tuple(sorted({part for each in parts for part in each}))
    place = {name: at for at, name in enumerate(names)}
    pairs = [(at, place[part]) for at, each in zip(known, parts, strict=True) for part in each]
    sample, stratum = np.array(pairs, np.int64).reshape(-1, 2).T
    return Strata(names, sample, stratum, kind)


def _bins(sample: IntArray, values: np.ndarray) -> Strata:
    edges = np.unique(np.quantile(values, np.linspace(0, 1, N_BINS + 1)))
    stratum = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, max(len(edges) - 2, 0))
    names = tuple(f"{low:.6g} to {high:.6g}" for low, high in pairwise(edges)) or ("all",)
    return Strata(names, sample.astype(np.int64), stratum.astype(np.int64), "quantity")
