"""Statistics of pictures that their records already hold: no picture is opened for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from leakaudit.fingerprints.cache.record import FORMATS, MODES

if TYPE_CHECKING:
    import numpy.typing as npt

    FloatColumn = npt.NDArray[np.float64]

MEASURED = (
    "width",
    "height",
    "aspect",
    "bytes per pixel",
    "brightness",
    "contrast",
    "saturation",
    "blue",
    "red",
    "sharpness",
    "entropy",
)
"""Numeric statistics, in the order in which `measure` gives them."""

NAMED = ("size", "format", "mode", "orientation")
"""Statistics that are categories, in the order in which `name` gives them."""

_CHUNK = 1 << 14


def measure(records: np.ndarray) -> dict[str, FloatColumn]:
    """The numeric statistics of pictures.

    Parameters
    ----------
    records : ndarray of `leakaudit.fingerprints.cache.record.RECORD`, shape (n,)
        Of readable pictures.

    Returns
    -------
    dict of str to ndarray of float64, shape (n,)
        By the names in `MEASURED`: ``width`` and ``height`` in pixels; ``aspect``, width over height; ``bytes per
        pixel`` of the file; ``brightness`` and ``contrast``, mean and standard deviation of luminance (0 to 255);
        ``saturation``, mean distance of (Cb, Cr) from grey; ``blue`` and ``red``, mean Cb and Cr less 128;
        ``sharpness``, root mean square step between neighbours of the luminance thumbnail over its standard deviation,
        so a detail of one 32nd of the picture's side; ``entropy``, bits a pixel of the luminance histogram. All but
        the first four and the last come from thumbnails and do not depend on the picture's size.
    """
    parts = [_measure(records[at : at + _CHUNK]) for at in range(0, len(records), _CHUNK)] or [_measure(records)]
    return {name: np.concatenate([part[name] for part in parts]) for name in MEASURED}


def _measure(records: np.ndarray) -> dict[str, FloatColumn]:
    width, height = records["width"].astype(np.float64), records["height"].astype(np.float64)
    luma = records["luma"].astype(np.float32)
    chroma = records["chroma"].astype(np.float32) - 128
    contrast = luma.std(axis=(1, 2), dtype=np.float64)
    steps = (np.diff(luma, axis=1) ** 2).mean(axis=(1, 2)) + (np.diff(luma, axis=2) ** 2).mean(axis=(1, 2))
    columns = (
        width,
        height,
        width / np.maximum(height, 1),
        records["size"] / np.maximum(width * height, 1),
        luma.mean(axis=(1, 2), dtype=np.float64),
        contrast,
        np.hypot(chroma[:, 0], chroma[:, 1]).mean(axis=(1, 2), dtype=np.float64),
        chroma[:, 0].mean(axis=(1, 2), dtype=np.float64),
        chroma[:, 1].mean(axis=(1, 2), dtype=np.float64),
        np.sqrt(steps.astype(np.float64)) / np.maximum(contrast, 1.0),
        records["entropy"].astype(np.float64),
    )
    return dict(zip(MEASURED, columns, strict=True))


def name(records: np.ndarray) -> dict[str, npt.NDArray[np.str_]]:
    """The categories of pictures, in words: ``640×480``, ``JPEG``, ``RGB``, and the EXIF orientation ``1`` to ``8``."""
    formats, modes = np.array(FORMATS), np.array(MODES)
    sizes, at = np.unique(np.stack([records["width"], records["height"]], axis=1), axis=0, return_inverse=True)
    words = np.array([f"{width}×{height}" for width, height in sizes.tolist()] or [""])
    columns = (
        words[at.reshape(-1)],
        formats[records["format"]],
        modes[records["mode"]],
        records["orientation"].astype(np.str_),
    )
    return dict(zip(NAMED, columns, strict=True))
