"""From the bytes of a file to a decoded picture, once, at the smallest scale that serves."""

from __future__ import annotations

import io
import re
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, TypeAlias

import numpy as np
from PIL import Image, UnidentifiedImageError
from PIL.Image import Transpose

from leakaudit.fingerprints.cache.record import THUMBNAIL
from leakaudit.fingerprints.pictures.files import Unreadable
from leakaudit.fingerprints.pictures.formats import damage, sniff
from leakaudit.fingerprints.pictures.pixels import pixel_digest

if TYPE_CHECKING:
    from leakaudit.fingerprints.pictures.files import FileContent

NO_DIGEST = bytes(16)


class Decoded(NamedTuple):
    """A decoded picture.

    Parameters
    ----------
    image : PIL.Image.Image
        Mode ``L`` or ``RGB``, orientation applied, transparency over white, first frame.
    width, height : int
        Of the full picture, after orientation.
    format, mode : str
        Of the file, in Pillow's words.
    orientation : int
        EXIF orientation, 1 to 8.
    reduced : int
        Decoded at 1/reduced scale: 1, 2, 4 or 8.
    pixels : bytes or None
        `pixel_digest`; 16 zero bytes where the picture was reduced; None where it is that of `image` as it stands.
    in_strip : bool
        It was decoded into the strip that the caller's `Room` gave, and `image` is that strip.
    """

    image: Image.Image
    width: int
    height: int
    format: str
    mode: str
    orientation: int
    reduced: int
    pixels: bytes | None
    in_strip: bool = False


Room: TypeAlias = "Callable[[str, tuple[int, int], bool], tuple[Image.Image, int] | None]"
"""From mode, size and whether this is the full scale, to a strip of such pictures and the first row that is free in it;
None: the picture gets an image of its own. What a failed decoder leaves there is overwritten by the next."""


def own_image(_mode: str, _size: tuple[int, int], _is_full: bool) -> None:
    """The `Room` that has no strips."""


@contextmanager
def quiet_decoders() -> Iterator[None]:
    """Keep warnings of the decoders away from the user: what matters of them is in the counted problems.

    Warning filters belong to the whole process: enter it once around the work, not in every thread.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def decode(path: bytes, content: FileContent, *, side: int | None = THUMBNAIL, room: Room = own_image) -> Decoded:
    """Decode the first frame of a picture.

    Parameters
    ----------
    path : bytes
        Opened only where the content is not in memory; its ending tells apart the formats that have no signature.
    content : FileContent
    side : int or None, default `THUMBNAIL`
        JPEGs are decoded at the smallest scale of 1, 1/2, 1/4 and 1/8 that leaves so many pixels on the short side.
        None: in full.
    room : Room
        Where ordinary pictures are decoded to, so that small ones of one shape need no image each.

    Raises
    ------
    Unreadable
        Not a picture, damaged, too large, or of a format that is not read.
    """
    data = content.data
    if content.pixels is not None:
        return _plain_pixels(content.pixels, content.pixel_digest, room)
    if data is None:
        with open(path, "rb") as file:  # noqa: PTH123  a bytes path
            head = file.read(64)
            file.seek(0)
            return _decode_with_pillow(file, head, path, side)
    head = bytes(data[:64])
    plain = _plain_jpeg(data, side, room) if head.startswith(b"\xff\xd8\xff") else _plain_png(data, head, room)
    return plain or _decode_with_pillow(io.BytesIO(data), head, path, side)


def _decode_with_pillow(file: BinaryIO, head: bytes, path: bytes, side: int | None) -> Decoded:
    formats = sniff(head, path)
    try:
        with Image.open(file, formats=formats) as opened:
            return _load(opened, side)
    except UnidentifiedImageError:
        raise Unreadable("unreadable", f"damaged {formats[0]}: the header cannot be read") from None
    except Image.DecompressionBombError:
        limit = 2 * (Image.MAX_IMAGE_PIXELS or 0)
        raise Unreadable("unreadable", f"more than {limit:,} pixels: not decoded (decompression bomb guard)") from None
    except MemoryError:
        raise Unreadable("unreadable", "does not fit in memory") from None
    except Exception as error:  # noqa: BLE001  decoders raise anything on hostile bytes
        raise Unreadable("unreadable", damage(formats[0], error)) from None


def _load(opened: Any, side: int | None) -> Decoded:  # noqa: ANN401  Pillow's types know no decoderconfig
    width, height = opened.size
    file_format, mode, reduced = opened.format, opened.mode, 1
    if file_format in {"JPEG", "MPO"} and side is not None:
        opened.draft("RGB", (side, side))
        reduced = opened.decoderconfig[0]
    n_frames = getattr(opened, "n_frames", 1) if file_format in {"GIF", "TIFF", "WEBP", "PNG", "AVIF"} else 1
    opened.load()
    orientation = _orientation(opened)
    image = turned(opened, orientation)
    if orientation >= 5:
        width, height = height, width
    pixels = pixel_digest(image, n_frames) if reduced == 1 else NO_DIGEST
    return Decoded(as_seen(image), width, height, file_format, mode, orientation, reduced, pixels)


_TRANSPOSE = {
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_270,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_90,
}


def turned(image: Image.Image, orientation: int, *, back: bool = False) -> Image.Image:
    """Apply an EXIF orientation, as ``PIL.ImageOps.exif_transpose`` does; `back` undoes it."""
    if orientation == 1:
        return image
    if back:
        orientation = {6: 8, 8: 6}.get(orientation, orientation)
    upright = image.transpose(_TRANSPOSE[orientation])
    if "transparency" in image.info:
        upright.info["transparency"] = image.info["transparency"]
    return upright


def _orientation(image: Image.Image) -> int:
    if image.format == "TIFF":
        return 1  # Pillow turns TIFF itself while loading
    if not image.info.keys() & {"exif", "xmp", "XML:com.adobe.xmp", "Raw profile type exif"}:
        return 1
    try:
        value = image.getexif().get(0x0112, 1)
    except Exception:  # noqa: BLE001  broken metadata is no reason to lose the picture
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def as_seen(image: Image.Image) -> Image.Image:
    """Bring any mode to 8-bit ``L`` or ``RGB``, as a person would see it on white.

    More than 8 bits are shifted down by as many bits as the brightest pixel needs, so that a 12-bit radiograph stored
    in 16 bits does not turn black. Floats from 0 to 1 or 0 to 255 keep their scale; others are stretched between
    their extremes.
    """
    mode = image.mode
    if mode in {"F", "I"} or mode.startswith("I;"):
        return Image.fromarray(_to_8_bits(np.asarray(image)))
    if mode == "LAB":
        return image.getchannel(0)
    if mode in {"RGBA", "LA", "RGBa", "La", "PA"} or image.has_transparency_data:
        straight = image.convert({"RGBa": "RGBA", "La": "LA"}.get(mode, mode))
        layered = straight.convert("RGBA")
        plain = "L" if mode in {"L", "1", "LA", "La"} else "RGB"
        if layered.getchannel("A").getextrema() == (255, 255):
            return layered.convert(plain)
        white = Image.new("RGBA", layered.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, layered).convert(plain)
    if mode in {"L", "RGB"}:
        return image
    return image.convert("L" if mode == "1" else "RGB")


def _to_8_bits(values: np.ndarray) -> np.ndarray:
    if values.dtype.kind == "f":
        values = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
        low, high = float(values.min()), float(values.max())
        if low < 0 or high > 255:
            values = (values - low) * (255 / (high - low))
        elif high <= 1:
            values = values * 255
        return np.rint(values).astype(np.uint8)
    values = np.maximum(values, 0).astype(np.int64)
    return (values >> max(int(values.max()).bit_length() - 8, 0)).astype(np.uint8)


# --- ordinary pictures, straight through Pillow's decoders ------------------------------------------------------
# Image.open parses every segment in Python and copies the data twice. For small pictures that takes as long as the
# decoding. Whatever is not quite ordinary, or fails, goes the usual way, which also says what is wrong.

_TURNED = re.compile(rb"\x01\x12\x00\x03|\x12\x01\x03\x00|tiff:Orientation")  # EXIF in both byte orders, XMP
_FRAMES = {0xC0, 0xC1, 0xC2}
_HARMLESS_SEGMENTS = {*range(0xE0, 0xF0), 0xDB, 0xC4, 0xDD, 0xFE}
_HARMLESS_CHUNKS = {b"gAMA", b"cHRM", b"sRGB", b"sBIT", b"pHYs", b"tIME", b"bKGD", b"iCCP", b"hIST"}


def _plain_jpeg(data: memoryview, side: int | None, room: Room = own_image) -> Decoded | None:
    """Decode an upright JPEG of 8 bits with one or three components."""
    width, height, n_components = _jpeg_header(data)
    if not width * height or n_components not in (1, 3):
        return None
    reduced = 1
    if side is not None:
        reduced = next((scale for scale in (8, 4, 2) if min(width, height) // side >= scale), 1)
    mode = "L" if n_components == 1 else "RGB"
    found = _run_decoder("jpeg", mode, (width, height), reduced, data, (reduced, 0), room)
    if found is None:
        return None
    pixels = None if reduced == 1 else NO_DIGEST
    return Decoded(found[0], width, height, "JPEG", mode, 1, reduced, pixels, found[1])


def _jpeg_header(data: memoryview) -> tuple[int, int, int]:
    """Width, height and number of components; zeros where anything needs Pillow's own parser."""
    at, end = 2, len(data) - 11
    while at < end and data[at] == 0xFF:
        marker, stop = data[at + 1], at + 2 + (data[at + 2] << 8 | data[at + 3])
        if marker in _FRAMES and data[at + 4] == 8:
            return data[at + 7] << 8 | data[at + 8], data[at + 5] << 8 | data[at + 6], data[at + 9]
        is_turned = marker == 0xE1 and _TURNED.search(data, at, stop)
        has_more_pictures = marker == 0xE2 and bytes(data[at + 4 : at + 8]) == b"MPF\0"
        if marker not in _HARMLESS_SEGMENTS or is_turned or has_more_pictures or stop < at + 4:
            break
        at = stop
    return 0, 0, 0


def _plain_png(data: memoryview, head: bytes, room: Room = own_image) -> Decoded | None:
    """Decode a PNG of 8-bit grey or colour without transparency, interlacing or text."""
    if head[:16] != b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" or head[24:29] not in (b"\x08\0\0\0\0", b"\x08\x02\0\0\0"):
        return None
    if zlib.crc32(head[12:29]) != int.from_bytes(head[29:33]):
        return None
    parts = []
    at, end = 33, len(data) - 12
    while at < end:
        start = at + 8
        length, kind = int.from_bytes(data[at : at + 4]), bytes(data[at + 4 : start])
        if kind == b"IDAT":
            parts.append(data[start : start + length])
        elif kind not in _HARMLESS_CHUNKS:
            return None
        at = start + length + 4
    if at != end or bytes(data[at + 4 : at + 8]) != b"IEND":
        return None
    width, height = int.from_bytes(head[16:20]), int.from_bytes(head[20:24])
    mode = "RGB" if head[25] else "L"
    found = _run_decoder("zip", mode, (width, height), 1, parts[0] if len(parts) == 1 else b"".join(parts), (), room)
    return None if found is None else Decoded(found[0], width, height, "PNG", mode, 1, 1, None, found[1])


def _plain_pixels(pixels: np.ndarray, digest: bytes | None, room: Room) -> Decoded:
    """Pixels that are there already, as a picture."""
    height, width = pixels.shape[:2]
    if not 0 < height * width <= 2 * (Image.MAX_IMAGE_PIXELS or height * width):
        raise Unreadable("unreadable", f"{width:,} × {height:,} pixels: not looked at (decompression bomb guard)")
    mode = "L" if pixels.ndim == 2 else "RGB"
    data = np.ascontiguousarray(pixels).data
    found = _run_decoder("raw", mode, (width, height), 1, data.cast("B"), (), room) if digest is None else None
    if found is not None:
        return Decoded(found[0], width, height, "array", mode, 1, 1, None, found[1])
    return Decoded(Image.fromarray(pixels), width, height, "array", mode, 1, 1, digest)


def _run_decoder(
    name: str,
    mode: str,
    full_size: tuple[int, int],
    reduced: int,
    data: memoryview | bytes,
    settings: tuple[int, ...],
    room: Room,
) -> tuple[Image.Image, bool] | None:
    """The picture, or the strip that it is in, and which of the two it is."""
    pixels = full_size[0] * full_size[1]
    if not 0 < pixels <= (Image.MAX_IMAGE_PIXELS or pixels):
        return None
    width, height = size = (-(-full_size[0] // reduced), -(-full_size[1] // reduced))
    try:
        given = room(mode, size, reduced == 1)
        image, top = given or (Image.new(mode, size, None), 0)
        decoder = Image._getdecoder(mode, name, (mode, "") if name == "jpeg" else (mode,), settings)
        try:
            decoder.setimage(image.im, (0, top, width, top + height))
            n_left, error = decoder.decode(data)
        finally:
            decoder.cleanup()
    except Exception:  # noqa: BLE001  the usual way says what is wrong
        return None
    return (image, given is not None) if n_left < 0 and error >= 0 else None
