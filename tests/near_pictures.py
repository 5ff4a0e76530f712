"""Made-up photographs, narrow domains and copies of them, as fingerprint records."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageEnhance, ImageFilter

from leakaudit.fingerprints.cache.record import CHROMA, RECORD, THUMBNAIL

Picture = Image.Image


def records_of(pictures: Sequence[Picture]) -> np.ndarray:
    """What fingerprinting would say of these pictures, as far as near-duplicates are concerned."""
    records = np.zeros(len(pictures), dtype=RECORD)
    for record, picture in zip(records, pictures, strict=True):
        grey = np.asarray(picture.convert("L"))
        record["width"], record["height"] = picture.size
        record["spread"] = grey.std()
        thumbnail = picture.convert("L").resize((THUMBNAIL, THUMBNAIL), Image.Resampling.LANCZOS)
        record["luma"] = np.asarray(thumbnail)
        colour = picture.convert("RGB").convert("YCbCr").resize((CHROMA, CHROMA), Image.Resampling.BOX)
        record["chroma"] = np.moveaxis(np.asarray(colour)[..., 1:], -1, 0)
    return records


def look_of(pictures: Sequence[Picture]) -> Callable[[np.ndarray], np.ndarray]:
    """Larger views of them, as the search asks for in fixed scenes."""

    def look(at: np.ndarray) -> np.ndarray:
        small = (pictures[i].convert("L").resize((64, 64), Image.Resampling.LANCZOS) for i in at.tolist())
        return np.stack([np.asarray(one) for one in small])

    return look


def photograph(rng: np.random.Generator, width: int = 96, height: int = 96) -> Picture:
    """Noise with the 1/f amplitude spectrum of natural scenes, each colour mixed with a common brightness."""
    fy, fx = np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width)[None, :]
    amplitude = 1 / np.maximum(np.hypot(fy, fx), 1 / max(width, height))
    planes = []
    for _ in range(4):
        phase = np.exp(2j * np.pi * rng.random((height, width)))
        plane = np.fft.ifft2(amplitude * phase).real
        planes.append(plane / plane.std())
    colour = np.stack([planes[0] + 0.3 * plane for plane in planes[1:]], axis=-1)
    return Image.fromarray(np.clip(128 + 45 * colour, 0, 255).astype(np.uint8))


def photographs(rng: np.random.Generator, n: int, width: int = 96, height: int = 96) -> list[Picture]:
    return [photograph(rng, width, height) for _ in range(n)]


def film(rng: np.random.Generator, n_scenes: int, n_frames: int, step: int = 1, side: int = 96) -> list[Picture]:
    """Scenes, one after the other, over which a camera moves by some pixels from frame to frame, with noise."""
    frames = []
    for _ in range(n_scenes):
        scene = np.asarray(photograph(rng, side + step * n_frames, side), dtype=float)
        for i in range(n_frames):
            seen = scene[:, step * i : step * i + side] + rng.normal(0, 4, (side, side, 3))
            frames.append(Image.fromarray(np.clip(seen, 0, 255).astype(np.uint8)))
    return frames


def form(rng: np.random.Generator) -> Picture:
    """A template of lines and boxes, filled in by another hand each time."""
    y, x = np.mgrid[:96, :96]
    paper = np.full((96, 96), 245.0)
    paper[(y % 16 == 15) & (x > 30)] = 90
    paper[(y < 12) & (x < 60)] = 60
    paper[(x > 70) & (y > 70)] = 150
    for line in range(5):
        for _ in range(int(rng.integers(3, 9))):
            at = 32 + int(rng.integers(0, 58))
            paper[18 + 16 * line : 28 + 16 * line, at : at + 3] -= rng.uniform(60, 180)
    return Image.fromarray(np.clip(paper + rng.normal(0, 3, paper.shape), 0, 255).astype(np.uint8))


def board(rng: np.random.Generator, pieces: Sequence[tuple[int, int, int]] | None = None) -> Picture:
    """A game board under a camera that never moves: square, size and colour of every piece, drawn at random if None.

    Pieces lie a fifth of a pixel off their squares' middles, light varies, the sensor makes noise.
    """
    if pieces is None:
        pieces = list(zip(*(rng.permutation(64)[:12], rng.integers(0, 3, 12), rng.integers(0, 2, 12)), strict=True))
    picture = Image.new("RGB", (160, 160), (90, 60, 40))
    draw = ImageDraw.Draw(picture)
    for y, x in np.ndindex(8, 8):
        tone = (225, 205, 170) if (x + y) % 2 else (120, 80, 50)
        draw.rectangle((16 + 16 * x, 16 + 16 * y, 31 + 16 * x, 31 + 16 * y), fill=tone)
    for square, size, colour in pieces:
        x, y = 24 + 16 * (square % 8) + rng.normal(0, 0.2), 24 + 16 * (square // 8) + rng.normal(0, 0.2)
        r = (4.5, 5.8, 6.7)[size]
        draw.ellipse((x - r, y - r, x + r, y + r), fill=(240, 235, 220) if colour else (25, 22, 20))
    seen = np.asarray(picture.filter(ImageFilter.GaussianBlur(0.7)), dtype=float) * rng.uniform(0.9, 1.05)
    return Image.fromarray(np.clip(seen + rng.normal(0, 3, seen.shape), 0, 255).astype(np.uint8))


def page(rng: np.random.Generator) -> Picture:
    """A page of one layout, with other words each time: at 64 pixels a grey pattern."""
    picture = Image.new("L", (300, 400), 250)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((20, 15, 120, 55), fill=60)
    draw.rectangle((200, 20, 280, 30), fill=120)
    for line in range(22):
        x = 25
        while x < 260:
            width = int(rng.integers(8, 40))
            draw.rectangle((x, 80 + 13 * line, min(x + width, 275), 85 + 13 * line), fill=110)
            x += width + 6
    return picture.convert("RGB")


def digit(rng: np.random.Generator) -> Picture:
    """One of a narrow domain: a ring or a bar of varying size and place, black on white, a bit out of focus."""
    y, x = np.mgrid[:64, :64] + rng.normal(0, 1.5, (2, 1, 1))
    if rng.random() < 0.5:
        distance = np.abs(np.hypot((x - 32) * rng.uniform(0.9, 1.1), y - 32) - rng.uniform(14, 20))
    else:
        lean = rng.normal(0, 0.1)
        distance = np.hypot(x - 32 - lean * (y - 32), np.maximum(np.abs(y - 32) - rng.uniform(16, 22), 0))
    return Image.fromarray((255 / (1 + np.exp(distance - rng.uniform(3, 5)))).astype(np.uint8))


def jpeg(picture: Picture, quality: int) -> Picture:
    buffer = io.BytesIO()
    picture.convert("RGB").save(buffer, "JPEG", quality=quality)
    with Image.open(buffer) as again:
        return again.convert("RGB")


def cropped(picture: Picture, share: float) -> Picture:
    dx, dy = (round(side * (1 - share) / 2) for side in picture.size)
    return picture.crop((dx, dy, picture.width - dx, picture.height - dy))


CHANGES: dict[str, Callable[[Picture], Picture]] = {
    "jpeg": lambda p: jpeg(p, 30),
    "smaller": lambda p: p.resize((p.width // 2, p.height // 2), Image.Resampling.BILINEAR),
    "squeezed": lambda p: p.resize((80, 60), Image.Resampling.BICUBIC),
    "lighter": lambda p: ImageEnhance.Brightness(p).enhance(1.25),
    "contrast": lambda p: ImageEnhance.Contrast(p).enhance(0.6),
    "grey": lambda p: p.convert("L"),
    "shifted": lambda p: ImageChops.offset(p, 3, -3),
    "cropped": lambda p: cropped(p, 0.9),
    "mirrored": lambda p: p.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    "upside down": lambda p: p.transpose(Image.Transpose.FLIP_TOP_BOTTOM),
    "turned by 90": lambda p: p.transpose(Image.Transpose.ROTATE_90),
    "turned by 180": lambda p: p.transpose(Image.Transpose.ROTATE_180),
    "turned by 270": lambda p: p.transpose(Image.Transpose.ROTATE_270),
    "transposed": lambda p: p.transpose(Image.Transpose.TRANSPOSE),
    "turned by 33": lambda p: p.rotate(33, Image.Resampling.BICUBIC),
    "turned by -7": lambda p: p.rotate(-7, Image.Resampling.BICUBIC),
    "mirrored, cropped, lighter": lambda p: ImageEnhance.Brightness(
        cropped(p.transpose(Image.Transpose.FLIP_LEFT_RIGHT), 0.92)
    ).enhance(1.15),
}
