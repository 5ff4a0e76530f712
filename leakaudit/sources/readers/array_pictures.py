"""Slices of arrays as pictures: which axis is what, and which numbers are black and white.

A slice of 8-bit grey or colour is a picture as it stands. Other numbers are brought to 8 bits to be looked at, and
compared by themselves: two slices are equal only where all their numbers are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from blake3 import blake3

from leakaudit.sources.readers.arrays import Opened, open_array

Channels = Literal["grey", "last", "first", "stacked"]
"""Where colour is: there is none; in the last axis; in the first; or there are other than 1, 3 or 4 channels (or slices
of a volume), which then are shown one below the other."""

LOOKED_AT = 64
"""Slices of an array whose numbers say what its black and white are, spread over all of it."""

BLOCK_BYTES = 1 << 23
"""Bytes of an array that are read together (8 MiB)."""


@dataclass(frozen=True, slots=True)
class Form:
    """How a slice is a picture.

    Parameters
    ----------
    axis : int
        Along which the samples lie.
    channels : Channels
    low, high : float
        The numbers that are black and white.
    is_exact : bool
        8 bits hold all that the numbers say: integers from 0 to 255, or these divided by 255.
    """

    axis: int
    channels: Channels
    low: float
    high: float
    is_exact: bool

    def __str__(self) -> str:
        return f"{self.axis} {self.channels} {self.low!r} {self.high!r} {int(self.is_exact)}"

    @classmethod
    def parse(cls, text: str) -> Form:
        """From what `str` gave."""
        axis, channels, low, high, is_exact = text.split(" ")
        names: dict[str, Channels] = {"grey": "grey", "last": "last", "first": "first", "stacked": "stacked"}
        return cls(int(axis), names[channels], float(low), float(high), is_exact == "1")


class Picture(NamedTuple):
    """One slice.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (height, width) or (height, width, 3)
    content : bytes
        Digest of its numbers, 128 bits.
    numbers : bytes or None
        The same, where `pixels` do not say all; else None.
    n_bytes : int
        Of the numbers as they are stored.
    """

    pixels: np.ndarray
    content: bytes
    numbers: bytes | None
    n_bytes: int


def channels_of(shape: Sequence[int]) -> Channels | None:
    """What the axes of one slice are; None where it is no picture.

    >>> channels_of((28, 28)), channels_of((32, 32, 3)), channels_of((3, 32, 32)), channels_of((5, 64, 64))
    ('grey', 'last', 'first', 'stacked')
    >>> channels_of((784,)), channels_of((1, 28, 28))
    (None, 'first')
    """
    if len(shape) == 2:
        return "grey"
    if len(shape) != 3:
        return None
    if shape[-1] in (1, 3, 4) and min(shape[:-1]) >= shape[-1]:
        return "last"
    return "first" if shape[0] in (1, 3, 4) else "stacked"


def scale_of(some: np.ndarray) -> tuple[float, float, bool]:
    """Black, white, and whether 8 bits are enough, from some slices."""
    if some.dtype == np.uint8:
        return 0.0, 255.0, True
    if some.dtype == np.bool_:
        return 0.0, 1.0, True
    values = np.asarray(some, dtype=np.float64)
    values = values[np.isfinite(values)]
    if not len(values):
        return 0.0, 1.0, False
    low, high = float(values.min()), float(values.max())
    if low >= 0 and high <= 1 + 1e-6:
        levels = values * 255
        return 0.0, 1.0, bool((np.abs(levels - np.rint(levels)) < 1e-3).all())
    if low >= 0 and high <= 255:
        return 0.0, 255.0, bool((values == np.rint(values)).all())
    return low, high, False


def look_at(array: Opened, axis: int) -> np.ndarray:
    """`LOOKED_AT` slices, spread over the array.

    Raises
    ------
    OSError, ValueError, EOFError
    """
    n = array.shape[axis]
    rows = np.unique(np.linspace(0, max(n - 1, 0), min(n, LOOKED_AT)).astype(int))
    return np.concatenate([array.take(int(row), int(row) + 1, axis) for row in rows])


def pictures_of(path: str, name: str, form: Form, rows: Sequence[int]) -> Iterator[Picture]:
    """Slices as pictures, in the order of `rows`; rows that follow each other are read together.

    Raises
    ------
    OSError, ValueError, EOFError
    """
    array = open_array(path, name)
    n = array.shape[form.axis]
    each = max(1, array.dtype.itemsize * int(np.prod(array.shape)) // max(n, 1))
    most = max(1, BLOCK_BYTES // each)
    at = 0
    while at < len(rows):
        stop = at + 1
        while stop < len(rows) and stop - at < most and rows[stop] == rows[stop - 1] + 1:
            stop += 1
        if rows[stop - 1] >= n:
            raise OSError("the array has fewer samples than when it was listed")
        block = array.take(rows[at], rows[stop - 1] + 1, form.axis)
        pixels = _to_pixels(block, form)
        for numbers, picture in zip(block, pixels, strict=True):
            is_whole = _says_all(numbers, picture, form)
            digest = _digest(picture) if is_whole else _digest(_plain_numbers(numbers))
            yield Picture(picture, digest, None if is_whole else digest, numbers.nbytes)
        at = stop


def _says_all(numbers: np.ndarray, picture: np.ndarray, form: Form) -> bool:
    """Whether the pixels say all that the numbers say; the slices that `scale_of` saw are not all there are."""
    if not form.is_exact or (picture.ndim == 3 and picture.shape[2] != 3):
        return False
    return numbers.dtype == np.uint8 or scale_of(numbers) == (form.low, form.high, True)


def _to_pixels(block: np.ndarray, form: Form) -> np.ndarray:
    """Shape (k, height, width) or (k, height, width, 3), uint8."""
    if form.channels == "first":
        block = np.moveaxis(block, 1, -1)
    elif form.channels == "stacked":
        # The last axis is the one of channels where it is the shortest, as in (height, width, 10).
        block = np.moveaxis(block, -1, 1) if block.shape[-1] < min(block.shape[1:-1]) else block
        block = block.reshape(len(block), -1, block.shape[-1])
    if block.ndim == 4 and block.shape[-1] == 1:
        block = block[..., 0]
    return _to_8_bits(block, form)


def _to_8_bits(block: np.ndarray, form: Form) -> np.ndarray:
    if block.dtype == np.uint8 and form.low == 0 and form.high == 255:
        return block
    values = np.nan_to_num(block.astype(np.float64), nan=form.low, posinf=form.high, neginf=form.low)
    scaled = (values - form.low) * (255 / ((form.high - form.low) or 1.0))
    return np.asarray(np.clip(np.rint(scaled), 0, 255).astype(np.uint8))


def _plain_numbers(numbers: np.ndarray) -> np.ndarray:
    """In one type for all floats and one for all integers, so that equal numbers are equal bytes."""
    if numbers.dtype.kind == "f":
        values = numbers.astype("<f4") + np.float32(0)  # -0.0 becomes 0.0
        values[np.isnan(values)] = np.nan
        return values
    return numbers.astype("<i8")


def _digest(numbers: np.ndarray) -> bytes:
    header = f"leakaudit slice 1 {numbers.dtype.str} {numbers.shape}\0".encode()
    return blake3(header).update(np.ascontiguousarray(numbers).reshape(-1).view(np.uint8).data).digest(16)
