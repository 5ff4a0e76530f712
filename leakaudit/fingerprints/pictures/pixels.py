"""The digest of what a picture shows, whatever its file format, colour type or metadata.

Two files have the same pixel digest when a viewer would draw the same pixels at the same places: orientation applied,
palette resolved, grey stored as RGB equal to grey, colour under full transparency ignored. The shape is part of the
digest, because 100×200 and 200×100 pixels of one colour are the same bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from blake3 import blake3

if TYPE_CHECKING:
    from PIL import Image

_VERSION = b"leakaudit pixels 1"
_SIXTEEN_BITS = 65_535


def pixel_digest(image: Image.Image, n_frames: int = 1) -> bytes:
    """Digest of the canonical pixels of a picture.

    Parameters
    ----------
    image : PIL.Image.Image
        Decoded at full size, orientation already applied.
    n_frames : int, default 1
        Frames or pages in the file. Only the first is looked at, but a picture with more of them never equals a still
        one.

    Returns
    -------
    bytes
        BLAKE3, 128 bits.

    Notes
    -----
    Colour with 16 bits a channel arrives from Pillow with 8, and is compared as such.
    """
    return _digest(*canonical_pixels(image), n_frames)


def plain_pixel_digests(stack: np.ndarray) -> list[bytes]:
    """`pixel_digest` of many pictures of one shape.

    Parameters
    ----------
    stack : ndarray of uint8, shape (k, height, width) or (k, height, width, 3)
        Grey, or red, green and blue, as decoded.
    """
    if stack.ndim == 3:
        header, size = _header("grey8", stack[0], 1), stack[0].size
        data = stack.tobytes()
        return [blake3(header + data[at : at + size]).digest(16) for at in range(0, len(data), size)]
    first_row = stack[:, 0]
    perhaps_grey = (first_row == first_row[..., :1]).all(axis=(1, 2)).tolist()
    digests = []
    for pixels, grey in zip(stack, perhaps_grey, strict=True):
        kind, plain = _grey_or_colour(pixels) if grey else ("rgb8", pixels)
        digests.append(_digest(kind, plain, 1))
    return digests


def _digest(kind: str, pixels: np.ndarray, n_frames: int) -> bytes:
    digest = blake3(_header(kind, pixels, n_frames))
    digest.update(np.ascontiguousarray(pixels).reshape(-1).view(np.uint8).data)
    return digest.digest(16)


def _header(kind: str, pixels: np.ndarray, n_frames: int) -> bytes:
    return _VERSION + f"{kind} {pixels.shape[1]}x{pixels.shape[0]} {n_frames}".encode() + b"\0"


def canonical_pixels(image: Image.Image) -> tuple[str, np.ndarray]:  # noqa: PLR0911  a table of modes
    """Pixels in the one form that all equal pictures share.

    Returns
    -------
    kind : {"grey8", "rgb8", "rgba8", "lab8", "grey16", "int32", "float32"}
    pixels : ndarray, shape (height, width) or (height, width, channels)
    """
    mode = image.mode
    if mode == "F":
        values = np.asarray(image).astype("<f4") + np.float32(0)  # -0.0 becomes 0.0
        values[np.isnan(values)] = np.nan
        return "float32", values
    if mode == "I" or mode.startswith("I;"):
        integers = np.asarray(image)
        fits = mode != "I" or (integers.min() >= 0 and integers.max() <= _SIXTEEN_BITS)
        return ("grey16", integers.astype("<u2")) if fits else ("int32", integers.astype("<i4"))
    if mode == "LAB":
        return "lab8", np.asarray(image)
    if mode in {"RGBA", "LA", "RGBa", "La", "PA"} or image.has_transparency_data:
        pixels = np.asarray(_through_straight_alpha(image).convert("RGBA"))
        alpha = pixels[..., 3]
        if alpha.min() < 255:
            pixels = pixels.copy()
            pixels[alpha == 0] = 0
            return "rgba8", pixels
        return _grey_or_colour(pixels[..., :3])
    if mode in {"L", "1"}:
        return "grey8", np.asarray(image if mode == "L" else image.convert("L"))
    return _grey_or_colour(np.asarray(image if mode == "RGB" else image.convert("RGB")))


def _grey_or_colour(pixels: np.ndarray) -> tuple[str, np.ndarray]:
    first = pixels[..., 0]
    for rows in (slice(0, 1), slice(None)):  # most colour pictures show it in the first row
        if (pixels[rows, :, 1] != first[rows]).any() or (pixels[rows, :, 2] != first[rows]).any():
            return "rgb8", pixels
    return "grey8", first


def _through_straight_alpha(image: Image.Image) -> Image.Image:
    return image.convert({"RGBa": "RGBA", "La": "LA"}.get(image.mode, image.mode))
