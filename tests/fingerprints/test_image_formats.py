"""What the first bytes of a file say: its size, and whether its decoder may take the process with it."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from leakaudit.fingerprints.image_formats import is_risky, jpeg_size


def saved(size: tuple[int, int], name: str, **options: object) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", size, (9, 99, 199)).save(stream, name, **options)
    return stream.getvalue()


def jpeg_of(width: int, height: int) -> memoryview:
    """A progressive JPEG that says that it is so large."""
    data = bytearray(saved((8, 8), "JPEG", progressive=True))
    at = data.index(b"\xff\xc2")
    data[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return memoryview(bytes(data))


def png_of(width: int, height: int) -> memoryview:
    data = bytearray(saved((8, 8), "PNG"))
    data[16:24] = struct.pack(">II", width, height)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    return memoryview(bytes(data))


@settings(max_examples=60, deadline=None)
@given(
    width=st.integers(1, 300),
    height=st.integers(1, 300),
    progressive=st.booleans(),
    comment=st.binary(max_size=80),
    fill=st.integers(0, 3),
)
def test_the_size_of_a_jpeg(width, height, progressive, comment, fill):
    data = saved((width, height), "JPEG", progressive=progressive, comment=comment, exif=b"Exif\0\0II*\0")
    at = data.index(b"\xff\xdb")
    padded = data[:at] + b"\xff" * fill + data[at:]  # a marker may follow any number of fill bytes
    assert jpeg_size(memoryview(padded)) == (width, height)


@given(st.binary(max_size=200))
def test_a_damaged_jpeg_has_no_size_and_no_error(rest):
    width, height = jpeg_size(memoryview(b"\xff\xd8\xff" + rest))
    assert 0 <= width < 1 << 16
    assert 0 <= height < 1 << 16


@pytest.mark.parametrize(
    ("data", "risky"),
    [
        (memoryview(saved((60, 40), "JPEG")), False),
        (memoryview(saved((60, 40), "PNG")), False),
        (memoryview(saved((60, 40), "WEBP")), True),
        (jpeg_of(8_000, 8_000), False),
        (jpeg_of(9_000, 8_000), True),
        (png_of(8_000, 8_000), False),
        (png_of(9_000, 8_000), True),
        (None, True),
    ],
)
def test_large_pictures_and_other_formats_are_decoded_elsewhere(data, risky):
    assert is_risky(data, b"x.jpg") is risky
