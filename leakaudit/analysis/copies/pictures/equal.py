"""Pictures that are the same, byte by byte or pixel by pixel, as one code."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from leakaudit.analysis.context import Context, once
from leakaudit.analysis.copies.conflicts import Labelled
from leakaudit.analysis.copies.groups import equal_codes
from leakaudit.analysis.copies.pictures.pixels import PixelCodes, find_equal_pixels

if TYPE_CHECKING:
    from leakaudit.model import IntArray


@once
def file_codes(context: Context) -> IntArray:
    """Equal numbers for byte-identical pictures, shape (n,); -1 for unreadable ones."""
    return equal_codes(context.images.records["content"], context.images.ok)


@once
def equal_pixels(context: Context) -> PixelCodes:
    """Which pictures have the same pixels."""
    return find_equal_pixels(context.images, file_codes(context), context.config)


def pixel_codes(context: Context) -> IntArray:
    """Equal numbers for pixel-identical (and byte-identical) pictures, shape (n,); -1 for unreadable ones.

    Of sounds, for those with equal samples.
    """
    return equal_pixels(context).codes if context.dataset.kind == "image" else sound_codes(context)


@once
def sound_codes(context: Context) -> IntArray:
    """Equal numbers for sounds with equal samples or equal bytes, shape (n,); -1 for unreadable ones."""
    records = context.images.records
    samples = equal_codes(records["pixels"], context.images.ok & (records["pixels"] != np.void(bytes(16))))
    files = file_codes(context)
    return np.where(samples >= 0, samples, np.where(files >= 0, files + samples.max(initial=-1) + 1, -1))


def image_codes(context: Context) -> IntArray:
    """Equal numbers for pictures with equal pixels or equal bytes, shape (n,); -1 for unreadable ones.

    Of sounds, for those with equal samples or bytes.
    """
    if context.dataset.kind == "file":
        return sound_codes(context)
    files, pixels = file_codes(context), pixel_codes(context)
    return np.where(pixels >= 0, pixels, np.where(files >= 0, files + pixels.max(initial=-1) + 1, -1))


def image_labels(context: Context) -> tuple[IntArray, list[str]]:
    """Label numbers of all pictures, -1 where unknown, and what they stand for, sorted."""
    import pyarrow.compute as pc

    samples = context.samples
    if samples.label is None:
        return np.full(len(samples), -1, dtype=np.int64), []
    names = sorted(samples.label.unique().drop_null().to_pylist())
    numbers = pc.index_in(samples.label, samples.label.unique().drop_null().sort())
    return pc.fill_null(numbers, -1).to_numpy(zero_copy_only=False).astype(np.int64), names


def labelled_images(context: Context, codes: IntArray, labels: IntArray, split: str) -> Labelled:
    """Readable pictures of a split with their codes and labels."""
    index = np.flatnonzero(context.in_split(split) & (codes >= 0))
    return Labelled(index, codes[index], labels[index])
