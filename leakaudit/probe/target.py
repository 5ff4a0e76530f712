"""What the probe predicts: the class of every sample, or a quantity."""

# ruff: noqa: S608  SQL is made of names that are made elsewhere in the package

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pyarrow as pa

from leakaudit.analysis.columns.labels import CONTINUOUS_DISTINCT, is_number, label_codes, not_classes
from leakaudit.probe.outcome import NotProbed

if TYPE_CHECKING:
    import numpy.typing as npt

    from leakaudit.analysis.context import Context
    from leakaudit.model import IntArray

    Float64: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False, slots=True)
class Target:
    """Labels as a learner needs them.

    Parameters
    ----------
    classes : tuple of str
        Class names; empty for a quantity.
    codes : ndarray of int64, shape (n,)
        Index into `classes`; -1 where the label is unknown. All -1 for a quantity.
    values : ndarray of float64, shape (n,)
        The quantity; NaN where unknown, and throughout for classes.
    """

    classes: tuple[str, ...]
    codes: IntArray
    values: Float64

    @property
    def known(self) -> npt.NDArray[np.bool_]:
        """Samples with a label, shape (n,)."""
        return self.codes >= 0 if self.classes else np.isfinite(self.values)

    def take(self, at: IntArray) -> Target:
        """The target of some samples."""
        return Target(self.classes, self.codes[at], self.values[at])


def read_target(context: Context) -> Target | NotProbed:
    """The labels of all samples: classes, or numbers where the label is a quantity.

    Numbers are a quantity where there are more than 20 distinct ones, unless they number classes: whole, from 0 or 1
    upwards without a gap, and no more than half as many as there are samples.
    """
    if not context.has_labels:
        return NotProbed("skipped", "no labels are known: name their column with --label")
    codes, names = label_codes(context) if context.has_pictures else _row_labels(context)
    counts = {name: info.labels for name, info in context.splits.items()}
    if _is_quantity(names, int((codes >= 0).sum())):
        numbers = np.array([float(name) for name in names] + [np.nan])
        return Target((), np.full(len(codes), -1, dtype=np.int64), numbers[codes])
    if (reason := not_classes(counts)) is not None:
        return NotProbed("skipped", reason)
    order = np.argsort(np.array(names, dtype=object), kind="stable") if names else np.zeros(0, dtype=np.int64)
    rank = np.empty(len(names) + 1, dtype=np.int64)
    rank[order], rank[-1] = np.arange(len(names)), -1
    return Target(tuple(names[at] for at in order.tolist()), rank[codes], np.full(len(codes), np.nan))


def _is_quantity(names: list[str], n_samples: int) -> bool:
    if len(names) <= CONTINUOUS_DISTINCT or not all(map(is_number, names)):
        return False
    numbers = np.array(sorted(map(float, names)))
    numbered = bool((np.diff(numbers) == 1).all()) and numbers[0] in (0, 1)
    return not numbered or 2 * len(names) > n_samples


def _row_labels(context: Context) -> tuple[IntArray, list[str]]:
    """Canonical label of every row, as the duplicate checks compare it."""
    pool, duck = context.rows.pool, context.rows.duck
    chunks: list[pa.Array] = []
    for file in range(len(pool.tables)):
        with pool.label_cells(duck, file) as relation:
            sql = f"SELECT ({pool.label[file]})::VARCHAR AS label FROM {relation} ORDER BY row"
            chunks += duck.connection.sql(sql).to_arrow_table()["label"].cast(pa.string()).chunks
    encoded = pa.chunked_array(chunks, pa.string()).combine_chunks().dictionary_encode()
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    return codes, encoded.dictionary.to_pylist()
