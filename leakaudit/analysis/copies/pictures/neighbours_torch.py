"""The nearest pictures on a GPU: the same lists as the module `neighbours`, by the same products.

Sums are taken in another order than on the CPU, so that similarities may differ in the last bit, and with them which
of two equally good neighbours comes first; every neighbour is verified afterwards, so findings do not hang on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from leakaudit.analysis.copies.pictures.descriptors import parity_slices, transposed

if TYPE_CHECKING:
    from leakaudit.model import FloatArray, IntArray

    Tensor: TypeAlias = Any  # torch is an extra, and its stubs are not there where it is not

WORTH = 1 << 31
"""Pairs from which on importing torch and moving the data (about 3 s together) cost less than a CPU's 10 s."""

QUERY_BLOCK, REFERENCE_BLOCK = 1 << 10, 1 << 15
"""Rows of a block of similarities. Six such blocks and their sort keys take about 1.5 GiB of GPU memory."""

_FLIP = 0x7FFF_FFFF
_LOWEST = -(1 << 63)
_LAST_ROW = (1 << 32) - 1
_NONE = -0x7F80_0000 << 32
"""Below this are the keys of -inf."""

_FEW = 4
"""Times k, so many of a block may enter a query's list before the whole block is sorted."""


def gpu_for(n_pairs: int) -> str | None:
    """The device to search on, where torch sees a GPU and the work is worth it; None for the CPU."""
    if n_pairs < WORTH or find_spec("torch") is None:
        return None
    import torch

    return "cuda" if torch.cuda.is_available() else None


def eight_orientations(queries: FloatArray, references: FloatArray, device: str) -> Callable[[slice, slice], Tensor]:
    """Largest similarity over the eight orientations of slices of both sides, as `neighbours.nearest` defines it."""
    import torch

    ours = [[torch.from_numpy(q).to(device) for q in _parts(side)] for side in (queries, transposed(queries))]
    theirs = [torch.from_numpy(part).to(device) for part in _parts(references)]

    def largest(rows: slice, columns: slice) -> Tensor:
        best = None
        for parts in ours:
            products = zip(parts, theirs, strict=True)
            ee, eo, oe, oo = (query[rows] @ reference[columns].T for query, reference in products)
            version = torch.maximum((oe + oo).abs_().add_(eo), (oe - oo).abs_().sub_(eo)).add_(ee)
            best = version if best is None else torch.maximum(best, version)
        return best

    return largest


def any_turn(
    of_a: tuple[FloatArray, FloatArray], of_b: tuple[FloatArray, FloatArray], device: str
) -> Callable[[slice, slice], Tensor]:
    """Similarity over all turns and mirror images, as `near_turned.turned_matches` defines it."""
    import torch

    even_a, odd_a, even_b, odd_b = (torch.from_numpy(part).to(device) for part in (*of_a, *of_b))

    def largest(rows: slice, columns: slice) -> Tensor:
        return (even_a[rows] @ even_b[columns].T).add_((odd_a[rows] @ odd_b[columns].T).abs_())

    return largest


def nearest_on_device(
    device: str,
    similarity: Callable[[slice, slice], Tensor],
    m: int,
    n: int,
    k: int,
    *,
    itself: IntArray | None = None,
    advance: Callable[[int], None] = lambda _done: None,
) -> tuple[IntArray, FloatArray]:
    """As `leakaudit.analysis.copies.pictures.neighbours.nearest_by`, with blocks of similarities on a device.

    Similarity and row are packed into one integer, the smaller row being the larger number, so that the k largest
    are one well-defined list: `torch.topk` may take any of several equal ones. After the first block, only what beats
    the worst of a query's list is packed: sorting whole blocks takes longer than their products.

    Raises
    ------
    torch.OutOfMemoryError
        The device has no room for the descriptors and six blocks of similarities.
    """
    import torch

    index = np.full((m, k), -1, dtype=np.int64)
    best = np.full((m, k), -np.inf, dtype=np.float32)
    own = None if itself is None else torch.from_numpy(itself).to(device)
    with torch.no_grad(), _full_precision():
        for start in range(0, m, QUERY_BLOCK):
            rows = slice(start, min(start + QUERY_BLOCK, m))
            kept = torch.full((rows.stop - start, k), _LOWEST, dtype=torch.int64, device=device)
            for first in range(0, n, REFERENCE_BLOCK):
                columns = slice(first, min(first + REFERENCE_BLOCK, n))
                similar = similarity(rows, columns)
                if own is not None:
                    at = torch.nonzero((own[rows] >= first) & (own[rows] < columns.stop)).flatten()
                    similar[at, own[rows][at] - first] = -torch.inf
                kept = _merged(kept, similar, first)
            known = (kept > _LOWEST).cpu().numpy()
            kept = kept.cpu().numpy()
            index[rows][known] = _LAST_ROW - (kept[known] & _LAST_ROW)
            best[rows][known] = _floats(kept[known] >> 32)
            advance(rows.stop - start)
    return index, best


@contextmanager
def _full_precision() -> Iterator[None]:
    """Products in float32 proper, also where the process has allowed TF32."""
    import torch

    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


def _merged(kept: Tensor, similar: Tensor, first: int) -> Tensor:
    """The k largest keys of each query, in falling order, of those kept and those of one more block."""
    import torch

    m, k = kept.shape
    # A later row has to be more similar: of equal ones, the smaller row comes first.
    better = similar > _similarity(kept[:, -1:])
    counts = better.sum(dim=1)
    most = int(counts.max())
    if most > _FEW * k:
        rows = torch.arange(first, first + similar.shape[1], device=similar.device)
        found = torch.topk(_keys(similar, rows), min(k, similar.shape[1]), sorted=False).values
        found[found < _NONE] = _LOWEST
    elif most:
        q, column = torch.nonzero(better, as_tuple=True)  # in the order of the queries
        place = torch.arange(len(q), device=q.device) - (torch.cumsum(counts, 0) - counts)[q]
        found = torch.full((m, most), _LOWEST, dtype=torch.int64, device=kept.device)
        found[q, place] = _keys(similar[q, column], column + first)
    else:
        return kept
    return torch.topk(torch.cat([kept, found], dim=1), k).values


def _keys(similarity: Tensor, rows: Tensor) -> Tensor:
    """Integers that are ordered as the similarities, equal ones by falling row."""
    import torch

    bits = (similarity + 0.0).view(torch.int32)  # one zero, not two
    return (torch.where(bits < 0, bits ^ _FLIP, bits).to(torch.int64) << 32) + (_LAST_ROW - rows)


def _similarity(keys: Tensor) -> Tensor:
    """That of keys; -inf where there is none."""
    import torch

    bits = (keys >> 32).to(torch.int32)
    return torch.where(keys == _LOWEST, -torch.inf, torch.where(bits < 0, bits ^ _FLIP, bits).view(torch.float32))


def _floats(ordered: IntArray) -> FloatArray:
    bits = ordered.astype(np.int32)
    return np.where(bits < 0, bits ^ np.int32(_FLIP), bits).astype(np.int32).view(np.float32)


def _parts(descriptors: FloatArray) -> list[FloatArray]:
    return [np.ascontiguousarray(descriptors[:, columns]) for columns in parity_slices()]
