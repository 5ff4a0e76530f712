"""Every mode and format comes out as a person would see it; damage and bombs come out as phrases."""

from __future__ import annotations

import io
import os
import struct
import sys
import zlib

import numpy as np
import pytest
from PIL import Image, ImageOps, features

from leakaudit.fingerprints.pictures import decode as module
from leakaudit.fingerprints.pictures.decode import as_seen, decode, quiet_decoders
from leakaudit.fingerprints.pictures.files import FileContent, Unreadable
from leakaudit.fingerprints.pictures.pixels import pixel_digest

RANDOM = np.random.default_rng(3)
PHOTO = Image.fromarray(RANDOM.integers(0, 256, (20, 27, 3), dtype=np.uint8)).resize(
    (270, 201), Image.Resampling.BICUBIC
)


def content(data: bytes) -> FileContent:
    return FileContent(memoryview(data), bytes(16), len(data), 0)


def saved(image: Image.Image, file_format: str, **options) -> bytes:
    file = io.BytesIO()
    image.save(file, file_format, **options)
    return file.getvalue()


def refused(data: bytes, name: bytes = b"x.jpg") -> Unreadable:
    with pytest.raises(Unreadable) as caught, quiet_decoders():
        decode(name, content(data))
    return caught.value


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}, {"quality": 5}, {"comment": b"hi"}])
@pytest.mark.parametrize("size", [(270, 201), (64, 64), (63, 63), (31, 200), (128, 129), (300, 256), (1, 1), (9, 700)])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_jpegs_are_decoded_as_pillow_does_with_draft(mode, size, options):
    data = saved(PHOTO.resize(size).convert(mode), "JPEG", **options)
    found = decode(b"x", content(data))
    with Image.open(io.BytesIO(data)) as expected:
        expected.draft(mode, (32, 32))
        expected.load()
        assert found.image.tobytes() == expected.tobytes()
    assert min(found.image.size) >= min(32, *size)
    assert (found.width, found.height) == size
    assert found.reduced == (8 if min(size) >= 256 else 4 if min(size) >= 128 else 2 if min(size) >= 64 else 1)
    in_full = decode(b"x", content(data), side=None)
    with Image.open(io.BytesIO(data)) as expected:
        assert in_full.image.tobytes() == expected.tobytes()


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("options", [{}, {"compress_level": 0}, {"dpi": (72, 72)}, {"icc_profile": b"x" * 100}])
def test_plain_pngs_take_the_fast_path_with_the_same_pixels(mode, options):
    image = PHOTO.convert(mode)
    data = saved(image, "PNG", **options)
    assert module._plain_png(memoryview(data), data[:64]) is not None
    found = decode(b"x", content(data))
    assert found.image.tobytes() == image.tobytes()
    assert found.image.mode == mode
    # several IDAT chunks
    body = zlib.compress(b"".join(b"\0" + row.tobytes() for row in np.asarray(image)))
    parts = [data[8:33], *(chunk(b"IDAT", body[i : i + 999]) for i in range(0, len(body), 999)), chunk(b"IEND", b"")]
    found = decode(b"x", content(data[:8] + b"".join(parts)))
    assert found.image.tobytes() == image.tobytes()


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_orientation_is_applied_in_every_format(file_format, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = saved(PHOTO, file_format, exif=exif.tobytes())
    found = decode(b"x", content(data), side=None)
    with Image.open(io.BytesIO(data)) as opened:
        expected = ImageOps.exif_transpose(opened)
    assert found.image.tobytes() == expected.convert("RGB").tobytes()
    assert (found.width, found.height) == expected.size
    assert (found.width > found.height) == (orientation < 5)
    reduced = decode(b"x", content(data))
    assert (reduced.width, reduced.height) == expected.size
    assert (reduced.image.width > reduced.image.height) == (orientation < 5)


def test_orientation_from_xmp():
    packet = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
    found = decode(b"x", content(saved(PHOTO, "JPEG", xmp=packet)))
    assert (found.orientation, found.width, found.height) == (6, 201, 270)


def test_every_mode_becomes_grey_or_colour():
    grey = np.asarray(PHOTO.convert("L"))
    alpha = np.zeros_like(grey)
    alpha[:, 100:] = 255
    rgba = np.dstack([np.asarray(PHOTO), alpha])
    shown = as_seen(Image.fromarray(rgba))
    assert shown.mode == "RGB"
    assert (np.asarray(shown)[:, :100] == 255).all()
    assert (np.asarray(shown)[:, 100:] == np.asarray(PHOTO)[:, 100:]).all()
    opaque = Image.fromarray(np.dstack([np.asarray(PHOTO), np.full_like(grey, 255)]))
    assert as_seen(opaque).tobytes() == PHOTO.tobytes()
    la = as_seen(Image.merge("LA", [Image.fromarray(grey), Image.fromarray(alpha)]))
    assert la.mode == "L"
    assert (np.asarray(la)[:, :100] == 255).all()
    assert as_seen(PHOTO.convert("1")).mode == "L"
    assert as_seen(PHOTO.convert("CMYK")).mode == "RGB"
    assert as_seen(PHOTO.convert("P")).tobytes() == PHOTO.convert("P").convert("RGB").tobytes()
    assert as_seen(Image.new("LAB", (9, 9))).mode == "L"


def test_more_than_8_bits():
    twelve = Image.fromarray((np.arange(4096, dtype=np.uint16)).reshape(64, 64))
    assert np.asarray(as_seen(twelve)).max() == 255
    sixteen = Image.fromarray((np.arange(256, dtype=np.uint16) * 257).reshape(16, 16))
    assert np.array_equal(np.asarray(as_seen(sixteen)).ravel(), np.arange(256))
    unit = Image.fromarray(np.linspace(0, 1, 256, dtype=np.float32).reshape(16, 16))
    assert np.array_equal(np.asarray(as_seen(unit)).ravel(), np.arange(256))
    odd = Image.fromarray(np.array([[np.nan, -5.0], [0.0, 5.0]], dtype=np.float32))
    assert np.asarray(as_seen(odd)).tolist() == [[128, 0], [128, 255]]
    assert np.asarray(as_seen(Image.fromarray(np.full((4, 4), -3, dtype=np.int32)))).max() == 0


@pytest.mark.parametrize("file_format", ["PNG", "BMP", "TIFF", "WEBP", "PPM", "TGA", "JPEG2000", "ICO", "GIF", "AVIF"])
def test_formats_are_told_from_the_content(file_format):
    if file_format == "AVIF" and not features.check("avif"):
        pytest.skip("this Pillow was built without AVIF")
    image = PHOTO.crop((0, 0, 64, 64))
    options = {"lossless": True} if file_format == "WEBP" else {}
    name = b"x.tga" if file_format == "TGA" else b"x.jpg"
    found = decode(name, content(saved(image, file_format, **options)))
    assert found.format == file_format
    assert found.image.size == (64, 64)


def heic(image: Image.Image, **options) -> bytes:
    pillow_heif = pytest.importorskip("pillow_heif", reason="needs the extra: pip install 'leakaudit[heic]'")
    file = io.BytesIO()
    pillow_heif.from_pillow(image).save(file, **options)
    return file.getvalue()


def test_heic_as_it_is_seen():
    turned = Image.Exif()
    turned[0x0112] = 6
    found = decode(b"IMG_0001.HEIC", content(heic(PHOTO, quality=90, exif=turned.tobytes())))
    assert (found.format, found.width, found.height) == ("HEIF", 201, 270)
    seen = np.asarray(PHOTO.transpose(Image.Transpose.ROTATE_270), dtype=float)
    assert np.abs(np.asarray(found.image, dtype=float) - seen).mean() < 8


def test_heic_without_its_decoder_and_half_of_one(monkeypatch):
    data = heic(PHOTO)
    assert refused(data[: len(data) // 2], b"x.heic").kind == "unreadable"
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    found = refused(data, b"x.heic")
    assert (found.kind, found.reason) == (
        "unsupported",
        "HEIC needs an optional dependency: pip install 'leakaudit[heic]'",
    )


def test_the_first_frame_of_an_animation():
    frames = [PHOTO.convert("P"), Image.new("P", PHOTO.size, 3)]
    data = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    still = saved(frames[0], "GIF")
    animated, alone = decode(b"x", content(data)), decode(b"x", content(still))
    assert animated.image.tobytes() == alone.image.tobytes()
    assert animated.pixels != alone.pixels


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP"])
def test_half_a_picture_is_unreadable(file_format):
    whole = saved(PHOTO, file_format)
    found = refused(whole[: len(whole) // 2])
    assert found.kind == "unreadable"
    assert file_format in found.reason
    assert "0x" not in found.reason


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "PPM"])
def test_random_damage_never_escapes(file_format):
    whole = saved(PHOTO.resize((90, 70)), file_format)
    random = np.random.default_rng(5)
    for _ in range(60):
        data = bytearray(whole)
        for at in random.integers(0, len(data), 8):
            data[at] = random.integers(0, 256)
        with quiet_decoders():
            try:
                picture = decode(b"x.jpg", content(bytes(data)))
            except Unreadable as problem:
                assert problem.reason  # noqa: PT017  either outcome is right
            else:
                assert picture.image.mode in {"L", "RGB"}


def test_what_is_no_picture_is_said():
    assert refused(b"hello world").reason == "not a picture: no known signature"
    assert refused(b"\x89PNG\r\n\x1a\n" + bytes(range(100))).kind == "unreadable"
    assert refused(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n").kind == "unsupported"
    assert refused(b"<svg xmlns='http://www.w3.org/2000/svg'/>").kind == "unsupported"
    assert refused(b"\0\0\0\x18ftypmp42....").kind == "unsupported"
    assert refused(bytes(2000), b"x.tga").kind == "unreadable"


@pytest.mark.parametrize("side", [15_000, 60_000])
def test_bombs_are_not_decoded(side):
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0))
    data = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    assert "pixels" in refused(data).reason


def test_files_beyond_memory_are_decoded_from_disk(tmp_path):
    path = tmp_path / "a.png"
    PHOTO.save(path)
    found = decode(os.fsencode(path), FileContent(None, bytes(16), path.stat().st_size, 0))
    assert found.image.tobytes() == PHOTO.tobytes()
    assert found.pixels == pixel_digest(PHOTO)
