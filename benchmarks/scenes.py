"""Fixed cameras, films and tiles of known truth, and sets in which nothing is wrong: what LA103 and LA108 say of them.

``python benchmarks/scenes.py [--out results/scenes.json] [--seed 0]``

Everything is made from noise with the spectrum of photographs and from drawn shapes, so that the truth is known:

* *camera*: one view, or twelve, in which things stand elsewhere each time; some held-out pictures are another exposure
  of a reference picture (errors are right), all others show only the same scene (one note is right);
* *film*: a camera that moves, split at random, or cut into stretches;
* *tiles*: of one picture, overlapping or not, split at random, or in blocks;
* controls: unrelated pictures, and the same films and tiles, with numbers that mean nothing.
"""

from __future__ import annotations

import argparse
import io
import json
from pathlib import Path
from time import process_time

import numpy as np
import pyarrow as pa
from PIL import Image, ImageDraw

from leakaudit.analysis.copies.pictures.blank import blank
from leakaudit.analysis.copies.pictures.near import match_splits
from leakaudit.analysis.series.frames import frames
from leakaudit.analysis.series.numbers import numbered
from leakaudit.analysis.series.tiles import tiles
from leakaudit.checks.numbered_pictures import NumberParams, is_cut, is_torn
from leakaudit.fingerprints.cache.record import CHROMA, RECORD, THUMBNAIL

Picture = Image.Image


def records_of(pictures: list[Picture]) -> np.ndarray:
    records = np.zeros(len(pictures), dtype=RECORD)
    for record, picture in zip(records, pictures, strict=True):
        record["width"], record["height"] = picture.size
        record["spread"] = np.asarray(picture.convert("L")).std()
        record["luma"] = np.asarray(picture.convert("L").resize((THUMBNAIL, THUMBNAIL), Image.Resampling.LANCZOS))
        colour = picture.convert("YCbCr").resize((CHROMA, CHROMA), Image.Resampling.BOX)
        record["chroma"] = np.moveaxis(np.asarray(colour)[..., 1:], -1, 0)
    return records


def view(rng: np.random.Generator, width: int, height: int) -> Picture:
    """Noise with the 1/f amplitude spectrum of natural scenes."""
    fy, fx = np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width)[None, :]
    amplitude = 1 / np.maximum(np.hypot(fy, fx), 1 / max(width, height))
    planes = [np.fft.ifft2(amplitude * np.exp(2j * np.pi * rng.random((height, width)))).real for _ in range(2)]
    luma, tint = (plane / plane.std() for plane in planes)
    colour = np.stack([luma, luma + 0.3 * tint, luma - 0.3 * tint], axis=-1)
    return Image.fromarray(np.clip(128 + 45 * colour, 0, 255).astype(np.uint8))


def exposed(rng: np.random.Generator, scene: Picture, things: list[tuple[int, ...]]) -> Picture:
    """The scene with things in it, in other light, with noise, as JPEG."""
    picture = scene.copy()
    draw = ImageDraw.Draw(picture)
    for x, y, w, h, tone in things:
        draw.rectangle((x, y, x + w, y + h), fill=(tone, 255 - tone, (2 * tone) % 256))
    seen = np.asarray(picture, dtype=float) * rng.uniform(0.9, 1.1) + rng.normal(0, 3, (*picture.size[::-1], 3))
    buffer = io.BytesIO()
    Image.fromarray(np.clip(seen, 0, 255).astype(np.uint8)).save(buffer, "JPEG", quality=int(rng.integers(70, 95)))
    with Image.open(buffer) as again:
        return again.convert("RGB")


def things(rng: np.random.Generator, n: int) -> list[tuple[int, ...]]:
    return [
        (*rng.integers(0, 160, 2).tolist(), *rng.integers(14, 40, 2).tolist(), int(rng.integers(0, 256)))
        for _ in range(n)
    ]


def camera(rng: np.random.Generator, n_views: int, n: int, n_held_out: int, n_copies: int) -> dict[str, object]:
    """Held-out pictures of fixed cameras, of which the first are exposures of what a reference picture shows."""
    scenes = [view(rng, 200, 150) for _ in range(n_views)]
    there = [things(rng, 3) for _ in range(n)]
    reference = [exposed(rng, scenes[i % n_views], there[i]) for i in range(n)]
    copies = [exposed(rng, scenes[i % n_views], there[i]) for i in range(n_copies)]
    others = [exposed(rng, scenes[i % n_views], things(rng, 3)) for i in range(n_copies, n_held_out)]
    pictures = [*reference, *copies, *others]
    side = np.arange(len(pictures)) < n

    def look(at: np.ndarray) -> np.ndarray:
        small = (pictures[i].convert("L").resize((64, 64), Image.Resampling.LANCZOS) for i in at.tolist())
        return np.stack([np.asarray(one) for one in small])

    start = process_time()
    near = match_splits(records_of(pictures), ~side, side, look=look)
    flagged, verified = set((near.pairs.a - n).tolist()), set((near.pairs.a[near.is_verified] - n).tolist())
    truth = set(range(n_copies))
    return {
        "held_out": n_held_out,
        "copies": n_copies,
        "copies_found": len(flagged & truth),
        "errors_on_others": len(verified - truth),
        "warnings_on_others": len(flagged - verified - truth),
        "same_scene_noted": len(near.scene),
        "share_of_strangers_alike": round(near.null.share, 4),
        "cpu_seconds": round(process_time() - start, 1),
    }


def by_number(pictures: list[Picture], names: list[str], held_out: np.ndarray) -> dict[str, object]:
    records, uris = records_of(pictures), pa.array(names)
    judged, side = ~blank(records), held_out.astype(np.int64)
    params = NumberParams()
    torn = frames(records, numbered(uris, ()), side, judged)
    cut = tiles(records, numbered(uris, (), two=True), side, judged)
    said = "tiles" if is_cut(cut, params) else "frames" if is_torn(torn, params) else "nothing"
    return {
        "held_out": int(held_out.sum()),
        "said": said,
        "frames": {"compared": torn.n_tested, "more": torn.n_more, "less": torn.n_less, "direct": torn.n_direct},
        "tiles": {"compared": cut.n_tested, "fits": round(cut.fits, 3), "others_fit": round(cut.far_fits, 3)},
    }


def film(rng: np.random.Generator, n: int) -> list[Picture]:
    scene = view(rng, 120 + 2 * n, 120)
    return [exposed(rng, scene.crop((2 * i, 0, 2 * i + 120, 120)), []) for i in range(n)]


def mosaic(rng: np.random.Generator, step: int, side: int = 96, n: int = 10) -> tuple[list[Picture], list[str]]:
    whole = view(rng, step * (n - 1) + side, step * (n - 1) + side)
    places = [(y * step, x * step) for y in range(n) for x in range(n)]
    crops = [whole.crop((x, y, x + side, y + side)) for y, x in places]
    return [exposed(rng, crop, []) for crop in crops], [f"slide_{y:04d}_{x:04d}.png" for y, x in places]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    rng = np.random.default_rng(given.seed)
    found: dict[str, object] = {
        "one camera, copies": camera(rng, 1, 80, 40, 12),
        "one camera, no copies": camera(rng, 1, 80, 40, 0),
        "twelve cameras, copies": camera(rng, 12, 144, 48, 12),
        "twelve cameras, no copies": camera(rng, 12, 144, 48, 0),
    }
    n = 120
    at_random, names = rng.random(n) < 0.2, [f"road_{i:05d}.jpg" for i in range(n)]
    pictures = film(rng, n)
    found["film, split at random"] = by_number(pictures, names, at_random)
    found["film, cut into stretches"] = by_number(pictures, names, np.arange(n) >= 0.8 * n)
    found["film, numbered at random"] = by_number([pictures[i] for i in rng.permutation(n)], names, at_random)
    found["unrelated pictures, numbered"] = by_number([view(rng, 120, 120) for _ in range(n)], names, at_random)
    for step, what in ((48, "half in common"), (72, "a quarter in common"), (96, "nothing in common")):
        pictures, names = mosaic(rng, step)
        split, block = rng.random(100) < 0.2, np.arange(100) >= 80
        found[f"tiles, {what}, split at random"] = by_number(pictures, names, split)
        found[f"tiles, {what}, in blocks"] = by_number(pictures, names, block)
        found[f"tiles, {what}, numbered at random"] = by_number(
            [pictures[i] for i in rng.permutation(100)], names, split
        )
    for name, result in found.items():
        print(f"{name}: {result}")
    if given.out:
        given.out.write_text(json.dumps({"seed": given.seed, "sets": found}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
