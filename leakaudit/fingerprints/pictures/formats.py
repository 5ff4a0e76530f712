"""Which decoder a file needs, told from its first bytes; and what is wrong with it, in words for people."""

from __future__ import annotations

import os

from leakaudit.fingerprints.pictures.files import Unreadable

_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"BM", "BMP"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),
    (b"MM\0+", "TIFF"),
    (b"\0\0\1\0", "ICO"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG2000"),
    (b"\xff\x4f\xff\x51", "JPEG2000"),
)

_UNSUPPORTED: tuple[tuple[bytes, str], ...] = (
    (b"%!PS", "PostScript is not read"),
    (b"%PDF", "PDF is not read"),
    (b"8BPS", "Photoshop files are not read"),
    (b"<svg", "SVG is not read"),
    (b"\xff\x0a", "JPEG XL is not read"),
    (b"\0\0\0\x0cJXL ", "JPEG XL is not read"),
)


def sniff(head: bytes, path: bytes) -> tuple[str, ...]:
    """Pillow's name of the format that these first bytes belong to.

    Formats whose decoder starts another program (EPS) or that have no pixels (SVG) are never tried.

    Raises
    ------
    Unreadable
        Recognised, and not read.
    """
    for signature, name in _SIGNATURES:
        if head.startswith(signature):
            return (name, "MPO") if name == "JPEG" else (name,)
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return ("WEBP",)
    if head[:1] == b"P" and head[1:2] in b"123456fFyU":
        return ("PPM",)
    if head[4:8] == b"ftyp":
        return _iso_media(head)
    for signature, reason in _UNSUPPORTED:
        if head.startswith(signature):
            raise Unreadable("unsupported", reason)
    if head.startswith(b"<?xml"):
        raise Unreadable("unsupported", "XML (perhaps SVG) is not read")
    ending = os.path.splitext(path)[1].lower()  # noqa: PTH122  a bytes path
    if ending in {b".tga", b".icb", b".vda", b".vst"}:
        return ("TGA",)
    if head[:1] == b"\x0a" and ending == b".pcx":
        return ("PCX",)
    raise Unreadable("unreadable", "not a picture: no known signature")


def _iso_media(head: bytes) -> tuple[str, ...]:
    from PIL import features

    brand = head[8:12]
    if brand in {b"avif", b"avis"}:
        if not features.check("avif"):
            raise Unreadable("unsupported", "AVIF needs a Pillow built with it")
        return ("AVIF",)
    if brand in {b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1"}:
        try:
            import pillow_heif
        except ImportError:
            needs = "HEIC needs an optional dependency: pip install 'leakaudit[heic]'"
            raise Unreadable("unsupported", needs) from None
        pillow_heif.register_heif_opener()
        return ("HEIF", "AVIF") if features.check("avif") else ("HEIF",)
    raise Unreadable("unsupported", "a video or another ISO media file")


def damage(name: str, error: Exception) -> str:
    """Say in one phrase what a decoder's error means."""
    text = str(error).lower()
    if "truncated" in text or isinstance(error, EOFError):
        return f"{name} ends early"
    if any(word in text for word in ("broken data stream", "broken png", "crc", "checksum", "corrupt")):
        return f"damaged {name}: the data are corrupt"
    return f"damaged {name}: cannot be decoded ({type(error).__name__})"
