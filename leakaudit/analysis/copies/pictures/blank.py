"""Which pictures show hardly anything: nobody's near-duplicates, and a finding of their own (LA004)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from leakaudit.analysis.copies.pictures.align import detail_area
from leakaudit.analysis.copies.pictures.cluster import over_pictures
from leakaudit.engines.arrays import pack, unpack

if TYPE_CHECKING:
    import numpy.typing as npt
    import pyarrow as pa

    from leakaudit.engines.base import Engine


@dataclass(frozen=True, slots=True)
class BlankParams:
    """When a picture counts as blank.

    Parameters
    ----------
    nothing : float, default 4
        Pixels of 1,024 with detail above noise (`leakaudit.analysis.copies.pictures.align.detail_area`) below which a
        picture is blank whatever its brightness does: blank pages, noise of 3 grey levels and gradients have 0 to 2.
    faint : float, default 48
        The same for pictures whose brightness hardly varies: noise of 10 grey levels makes 18, dust on an empty
        microscope slide 5 to 30. The emptiest MNIST digit has 347, the emptiest Omniglot letter 242, the emptiest
        picture of CIFAR-10 77, a dot of 5 pixels on a page of 100 98.
    spread : float, default 6
        Standard deviation of luminance, of 255 grey levels, below which brightness hardly varies. Blurred cells fill a
        picture with little detail and a spread of 8 and more; the least of CIFAR-10 is 5.9, of MNIST 32.
    """

    nothing: float = 4.0
    faint: float = 48.0
    spread: float = 6.0


def blank(
    records: np.ndarray, params: BlankParams | None = None, *, jobs: int = 1, engine: Engine | None = None
) -> npt.NDArray[np.bool_]:
    """Which pictures are blank, shape (n,).

    Parameters
    ----------
    records : ndarray of `leakaudit.fingerprints.cache.record.RECORD`, shape (n,)
    params : BlankParams, optional
    jobs : int, default 1
        Threads.
    engine : Engine, optional
        The workers that do it; None: threads of this process.
    """
    params = params or BlankParams()
    detail = np.empty(len(records), dtype=np.float32)
    every = np.arange(len(records))
    for rows, found in over_pictures(_detail, detail_part, records, every, jobs=jobs, engine=engine):
        detail[rows] = found["detail"]
    return np.asarray((detail < params.nothing) | ((detail < params.faint) & (records["spread"] < params.spread)))


def _detail(pictures: np.ndarray) -> dict[str, np.ndarray]:
    return {"detail": detail_area(pictures["luma"])}


def detail_part(part: pa.Table) -> pa.Table:
    """Kernel of `blank`."""
    return pack(**_detail(unpack(part)["pictures"]))
