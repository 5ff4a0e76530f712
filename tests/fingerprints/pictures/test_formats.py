"""What the first bytes of a file say, and what a decoder's error means."""

from __future__ import annotations

import io
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from leakaudit.fingerprints.pictures.files import Unreadable
from leakaudit.fingerprints.pictures.formats import damage, sniff


def head_of(name: str, **options: object) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (40, 30), (9, 99, 199)).save(stream, name, **options)
    return stream.getvalue()[:64]


@pytest.mark.parametrize("name", ["JPEG", "PNG", "GIF", "BMP", "TIFF", "ICO", "JPEG2000", "WEBP", "PPM", "AVIF"])
def test_formats_are_told_by_their_first_bytes_whatever_the_name(name):
    assert sniff(head_of(name), b"x.jpg")[0] == name


def test_some_are_told_by_their_name():
    assert sniff(head_of("TGA"), b"x.TGA") == ("TGA",)
    assert sniff(head_of("PCX"), b"x.pcx") == ("PCX",)
    with pytest.raises(Unreadable, match="no known signature"):
        sniff(head_of("TGA"), b"x.jpg")


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        (b"%!PS-Adobe-3.0", "PostScript is not read"),
        (b"%PDF-1.7", "PDF is not read"),
        (b"<svg xmlns=", "SVG is not read"),
        (b"<?xml version=", "XML (perhaps SVG) is not read"),
        (b"\xff\x0a\xfa\x7f", "JPEG XL is not read"),
        (b"\0\0\0\x18ftypmp42", "a video or another ISO media file"),
    ],
)
def test_what_is_known_and_not_read_is_unsupported(head, reason):
    with pytest.raises(Unreadable) as caught:
        sniff(head, b"x.png")
    assert (caught.value.kind, caught.value.reason) == ("unsupported", reason)


@given(st.binary(max_size=64), st.sampled_from([b"x.jpg", b"x.tga", b"x.pcx", b"x"]))
def test_any_bytes_are_a_format_or_unreadable(head, path):
    with suppress(Unreadable):
        assert sniff(head, path)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError("image file is truncated (3 bytes not processed)"), "PNG ends early"),
        (EOFError(), "PNG ends early"),
        (OSError("broken data stream when reading image file"), "damaged PNG: the data are corrupt"),
        (SyntaxError("broken PNG file (bad header checksum in b'IHDR')"), "damaged PNG: the data are corrupt"),
        (ValueError("tile cannot extend outside image"), "damaged PNG: cannot be decoded (ValueError)"),
    ],
)
def test_an_error_in_words(error, said):
    assert damage("PNG", error) == said
