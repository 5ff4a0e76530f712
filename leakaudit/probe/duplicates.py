"""Which samples belong together: copies that the duplicate checks know, and groups that the user declared.

Without them a copy in another fold would teach the fold model its own test sample, and leakage would be told as an easy
validation split.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from leakaudit.analysis.copies.pictures.equal import file_codes, pixel_codes
from leakaudit.analysis.copies.pictures.store import near_images
from leakaudit.catalogue import code_of

if TYPE_CHECKING:
    import numpy.typing as npt

    from leakaudit.analysis.context import Context
    from leakaudit.model import IntArray


@dataclass(frozen=True, eq=False, slots=True)
class Relations:
    """Arrays over all n samples of the data set.

    Parameters
    ----------
    copies : ndarray of int64, shape (n,)
        Connected components of known duplicates; a sample without any is a component of its own.
    declared : ndarray of int64, shape (n,), or None
        Code of the declared group; -1 where a sample has none.
    leaked : ndarray of bool, shape (n,)
        Held-out samples that have a duplicate in the reference split, or share a declared group with it.
    by_check : mapping of str to int
        Held-out samples with a partner in the reference split, by the check that lists them; a sample counts once,
        under the first.
    """

    copies: IntArray
    declared: IntArray | None
    leaked: npt.NDArray[np.bool_]
    by_check: Mapping[str, int]


def relations(context: Context, held_out: str, reference: str) -> Relations:
    """Gather what the searches found between (and inside) two splits."""
    find = _of_pictures if context.has_pictures else _of_rows
    return find(context, held_out, reference)


def components(n: int, keys: Sequence[IntArray], pairs: Sequence[tuple[IntArray, IntArray]] = ()) -> IntArray:
    """Connected components of samples that share a key or are a pair.

    Parameters
    ----------
    n : int
        Samples.
    keys : sequence of ndarray of int64, shape (n,)
        Samples of equal key belong together; negative: no key.
    pairs : sequence of (ndarray of int64, ndarray of int64)
        Sample indices that belong together.

    Returns
    -------
    ndarray of int64, shape (n,)
        Numbered by first appearance.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    starts, ends, size = [], [], n
    for key in keys:
        known = np.flatnonzero(key >= 0)
        values, at = np.unique(key[known], return_inverse=True)
        starts.append(known)
        ends.append(size + at.reshape(-1))
        size += len(values)
    for a, b in pairs:
        starts.append(a)
        ends.append(b)
    if not starts:
        return np.arange(n, dtype=np.int64)
    start, end = np.concatenate(starts), np.concatenate(ends)
    links = coo_array((np.ones(len(start), dtype=np.int8), (start, end)), shape=(size, size))
    found = connected_components(links, directed=False)[1][:n]
    _, first, back = np.unique(found, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[back.reshape(-1)].astype(np.int64)


def _of_pictures(context: Context, held_out: str, reference: str) -> Relations:
    samples = context.samples
    a, b = context.in_split(held_out), context.in_split(reference)
    near = near_images(context).found[held_out, reference]
    sure = near.is_verified
    pair = near.pairs.a[sure], near.pairs.b[sure]
    nearly = np.zeros(len(a), dtype=bool)
    nearly[pair[0]] = True
    found = {
        code_of("identical-files"): _on_both_sides(file_codes(context), a, b),
        code_of("identical-pixels"): _on_both_sides(pixel_codes(context), a, b),
        code_of("near-duplicate-images"): nearly,
    }
    declared = None
    if samples.group is not None:
        from leakaudit.analysis.belonging.keys import key_of

        declared = key_of("group column", samples.group).codes
        found[code_of("group-overlap")] = _on_both_sides(declared, a, b)
    copies = components(len(a), [file_codes(context), pixel_codes(context)], [pair])
    return Relations(copies, declared, *_counted(found))


def _of_rows(context: Context, held_out: str, reference: str) -> Relations:
    rows = context.rows
    from leakaudit.analysis.copies.rows.equal import shared_rows
    from leakaudit.fingerprints.rows.columns import read_columns

    n = len(rows)
    split = context.row_splits
    a, b = split == rows.splits.index(held_out), split == rows.splits.index(reference)
    index, code = rows.duck.arrays("SELECT idx, dense_rank() OVER (ORDER BY without_label) - 1 AS code FROM twins")
    twins = np.full(n, -1, dtype=np.int64)
    twins[index.astype(np.int64)] = code.astype(np.int64)
    equal = np.zeros(n, dtype=bool)
    equal[shared_rows(rows, "canonical", held_out, reference)] = True
    found = {code_of("duplicate-rows"): equal}
    declared, name = None, context.dataset.columns.group
    if name is not None:
        (column,) = read_columns(rows, [name])
        if column.codes is not None:
            declared = column.codes
        else:
            assert column.numbers is not None
            values, back = np.unique(column.numbers, return_inverse=True)
            declared = np.where(np.isnan(values), -1, np.arange(len(values)))[back.reshape(-1)].astype(np.int64)
        found[code_of("group-overlap")] = _on_both_sides(declared, a, b)
    keys = [twins, *_of_texts(context, held_out, reference, found)]
    return Relations(components(n, keys), declared, *_counted(found))


def _of_texts(
    context: Context, held_out: str, reference: str, found: dict[str, npt.NDArray[np.bool_]]
) -> list[IntArray]:
    """Equal keys for rows with the same text or nearly the same; what is leaked of them is added to `found`."""
    from leakaudit.analysis.copies.texts.corpus import texts_of
    from leakaudit.analysis.copies.texts.equal import equal_texts
    from leakaudit.analysis.copies.texts.near_rows import NearTextParams, near_texts

    texts = texts_of(context)
    if texts is None:
        return []
    params = NearTextParams()
    equal = equal_texts(context, texts, params.telling, held_out, reference)
    near = near_texts(context, texts, params, held_out, reference)
    pairs = []
    for code, matches in (
        (code_of("duplicate-text"), equal.columns),
        (code_of("near-duplicate-text"), (*near.near, *near.within)),
    ):
        found[code] = np.zeros(len(texts.document), dtype=bool)
        for match in matches:
            pairs.append((match.pairs.a, match.pairs.b))
            found[code][match.a.having(match.pairs.a).rows] = True
    alike = np.append(components(len(texts.documents), [], pairs), -1)
    return [alike[texts.document[:, column]] for column in range(len(texts.columns))]


def _on_both_sides(codes: IntArray, held_out: np.ndarray, reference: np.ndarray) -> npt.NDArray[np.bool_]:
    shared = np.intersect1d(codes[held_out & (codes >= 0)], codes[reference & (codes >= 0)])
    return np.asarray(held_out & np.isin(codes, shared) & (codes >= 0))


def _counted(found: Mapping[str, npt.NDArray[np.bool_]]) -> tuple[npt.NDArray[np.bool_], dict[str, int]]:
    leaked = np.zeros(len(next(iter(found.values()))), dtype=bool)
    counts = {}
    for code, inside in found.items():
        counts[code] = int((inside & ~leaked).sum())
        leaked |= inside
    return leaked, {code: count for code, count in counts.items() if count}
