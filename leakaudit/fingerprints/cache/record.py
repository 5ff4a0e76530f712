"""What is kept of every picture: one fixed-width record each, in one array that can be memory-mapped.

A record holds all fingerprints that the checks use, so that a picture is read once and decoded once, and a second scan
decodes nothing. Derived arrays (descriptors, oriented variants) are computed from it in bulk and never stored.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

import numpy as np

RECORD_VERSION = 1
"""Part of every cache key; raise it whenever the meaning of a field changes."""

THUMBNAIL = 32
"""Side in pixels of the luminance thumbnail; the size from which `imagehash.phash` computes."""

CHROMA = 8
"""Side in pixels of the two colour-difference thumbnails."""

RECORD = np.dtype(
    [
        ("content", "V16"),  # BLAKE3 of the file's bytes, 128 bits
        ("pixels", "V16"),  # digest of the canonical pixels; zero where the picture was decoded at a reduced scale
        ("phash", "<u8"),  # imagehash.phash of the decoded picture, first bit highest
        ("dhash", "<u8"),  # imagehash.dhash, likewise
        ("size", "<u8"),  # bytes of the file
        ("width", "<u4"),  # pixels, after EXIF orientation
        ("height", "<u4"),
        ("format", "u1"),  # index into FORMATS
        ("mode", "u1"),  # index into MODES: Pillow's mode in the file
        ("orientation", "u1"),  # EXIF orientation, 1 to 8
        ("reduced", "u1"),  # decoded at 1/reduced scale
        ("spread", "<f4"),  # standard deviation of luminance, 0 to 127.5, of the decoded picture
        ("entropy", "<f4"),  # bits a pixel of the luminance histogram of the decoded picture, 0 to 8
        ("luma", "u1", (THUMBNAIL, THUMBNAIL)),  # luminance, Lanczos from the decoded picture, aspect not kept
        ("chroma", "u1", (2, CHROMA, CHROMA)),  # Cb and Cr, box mean of the decoded picture
        ("problem", "u1"),  # index into PROBLEM_KINDS; 0: fine
    ]
)

IN_FILE_FROM = 1 << 18
"""From so many records on (0.3 GiB), they lie in a file, so that a million of them need not fit in memory."""


def blank_records(n: int, folder: Path | None = None) -> np.ndarray:
    """Zeroed records to fill in, shape (n,).

    Parameters
    ----------
    n : int
        From `IN_FILE_FROM` on they are mapped from a temporary file without a name, whose pages the system writes out
        and reads again as it needs the memory. Where there is no disk for it, they are in memory after all.
    folder : Path or None
        Of that file; None: the system's folder for temporary files.
    """
    if n >= IN_FILE_FROM:
        with suppress(OSError), tempfile.TemporaryFile(dir=folder) as file:
            if hasattr(os, "posix_fallocate"):  # else a full disk would show when a page is written, as a crash
                os.posix_fallocate(file.fileno(), 0, n * RECORD.itemsize)
            return np.memmap(file, dtype=RECORD, mode="w+", shape=(n,)).view(np.ndarray)
    return np.zeros(n, dtype=RECORD)


FORMATS = (
    "",
    "JPEG",
    "PNG",
    "GIF",
    "BMP",
    "TIFF",
    "WEBP",
    "PPM",
    "AVIF",
    "HEIF",
    "ICO",
    "TGA",
    "JPEG2000",
    "MPO",
    "PCX",
    "other",
)
MODES = (
    "",
    "1",
    "L",
    "LA",
    "La",
    "P",
    "PA",
    "RGB",
    "RGBA",
    "RGBa",
    "RGBX",
    "CMYK",
    "YCbCr",
    "LAB",
    "HSV",
    "I",
    "I;16",
    "F",
    "other",
)


PROBLEM_KINDS = ("", "unreadable", "missing", "pointer", "unsupported")
