"""Near-duplicate pictures (LA103): how many are found, how many are annotated, and what they look like.

``python benchmarks/near_images.py FOLDER [--set NAME ...] [--pairs CSV] [--sheet FOLDER] [--drawn 100] [--jobs 2]``

FOLDER holds unpacked data sets by name: cifar10-half, mnist-png, bccd, imagededup-tests, sign-digits, omniglot-small
(the last two are split at random, one in five held out). ``--pairs`` is the table of CIFAR-10 near-duplicates that
people annotated (columns test_path, train_path, judgment). ``--sheet`` writes contact sheets of flagged pairs, drawn
at random, 50 a sheet: one pair for every flagged held-out picture. A person has to look at them.
"""

from __future__ import annotations

import argparse
import csv
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter

import numpy as np
import pyarrow as pa
from PIL import Image, ImageDraw

from leakaudit.analysis.context import Context
from leakaudit.analysis.copies.pictures.near import NearPairs, find_near_images
from leakaudit.config import Config
from leakaudit.engines.progress import silent
from leakaudit.fingerprints.pictures.scan import fingerprint_images
from leakaudit.model import Dataset, Layout, Samples

Split = dict[str, list[Path]]
PER_SHEET, COLUMNS, SIDE = 50, 5, 128


def folders(root: Path) -> Split:
    """One folder a split."""
    return {name: sorted(p for p in (root / name).rglob("*.*") if p.is_file()) for name in ("train", "test")}


def voc(root: Path) -> Split:
    """BCCD: lists of picture names."""
    base = next(root.rglob("ImageSets")).parent
    lists = {name: base / "ImageSets" / "Main" / f"{name}.txt" for name in ("train", "val", "test")}
    return {name: [base / "JPEGImages" / f"{i}.jpg" for i in path.read_text().split()] for name, path in lists.items()}


def variants(root: Path) -> Split:
    """A peer's test pictures: originals to train on, resized, mirrored, turned and grey versions held out."""
    data = next(root.rglob("base_images")).parent
    changed = [p for p in (data / "mixed_images").iterdir() if p.stem.count("_")]
    return {"train": sorted((data / "base_images").iterdir()), "val": sorted([*changed, *data.glob("*gray*")])}


def at_random(root: Path) -> Split:
    """One in five held out."""
    paths = sorted(p for p in root.rglob("*") if p.suffix.lower() in (".jpg", ".png"))
    order = np.random.default_rng(0).permutation(len(paths))
    held_out = set(order[: len(paths) // 5].tolist())
    return {
        "train": [p for i, p in enumerate(paths) if i not in held_out],
        "val": [p for i, p in enumerate(paths) if i in held_out],
    }


SETS: dict[str, Callable[[Path], Split]] = {
    "cifar10-half": folders,
    "mnist-png": folders,
    "bccd": voc,
    "imagededup-tests": variants,
    "sign-digits": at_random,
    "omniglot-small": at_random,
}


def read(split: Split, jobs: int) -> Context:
    names = tuple(split)
    paths = [path for name in names for path in split[name]]
    samples = Samples(
        uri=pa.array([path.as_posix() for path in paths]),
        path=pa.array([os.fsencode(path) for path in paths], pa.binary()),
        split=np.repeat(np.arange(len(names), dtype=np.int16), [len(split[name]) for name in names]),
    )
    config = Config(use_cache=False, jobs=jobs)
    images = fingerprint_images(samples, config, silent)
    return Context(Dataset("", "image", Layout("", ""), names, samples), config, images=images)


def best(found: NearPairs) -> np.ndarray:
    """The strongest pair of every flagged held-out picture."""
    order = np.lexsort((-found.evidence, found.pairs.a))
    return order[np.unique(found.pairs.a[order], return_index=True)[1]]


def sheets(found: NearPairs, uris: Sequence[str], target: Path, stem: str, drawn: int) -> None:
    """Contact sheets of pairs drawn at random, held out on the left."""
    chosen = np.random.default_rng(1).permutation(best(found))[:drawn]
    for number, start in enumerate(range(0, len(chosen), PER_SHEET)):
        part = chosen[start : start + PER_SHEET]
        rows = -(-len(part) // COLUMNS)
        page = Image.new("RGB", (COLUMNS * (2 * SIDE + 14), rows * (SIDE + 18)), "white")
        draw = ImageDraw.Draw(page)
        for place, at in enumerate(part.tolist()):
            x, y = place % COLUMNS * (2 * SIDE + 14), place // COLUMNS * (SIDE + 18)
            for side, index in enumerate((found.pairs.a[at], found.pairs.b[at])):
                with Image.open(uris[index]) as picture:
                    shown = picture.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BICUBIC)
                page.paste(shown, (x + side * (SIDE + 2), y))
            tier = "verified" if found.is_verified[at] else "suspected"
            draw.text(
                (x, y + SIDE + 2),
                f"{start + place} {tier} {found.evidence[at]:.1f} {found.pairs.score[at]:.2f}",
                fill="black",
            )
        page.save(target / f"{stem}-{number}.png")


def annotated(pairs: Path, uris: Sequence[str], found: NearPairs) -> str:
    """How many of the test pictures whose pair people called near are flagged, and how many verified."""
    place = {"/".join(uri.split("/")[-3:]): index for index, uri in enumerate(uris)}
    with pairs.open(newline="") as file:
        near = {place[row["test_path"]] for row in csv.DictReader(file) if row["judgment"] == "near"}
    flagged = near & set(found.pairs.a.tolist())
    verified = near & set(found.pairs.a[found.is_verified].tolist())
    return f"annotated near: {len(flagged)} of {len(near)} flagged, {len(verified)} verified"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--set", action="append", choices=SETS, dest="sets")
    parser.add_argument("--pairs", type=Path)
    parser.add_argument("--sheet", type=Path)
    parser.add_argument("--drawn", type=int, default=100)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    given = parser.parse_args()
    for name in given.sets or [name for name in SETS if (given.folder / name).is_dir()]:
        start = perf_counter()
        context = read(SETS[name](given.folder / name), given.jobs)
        uris = context.samples.uri.to_pylist()
        read_in, start = perf_counter() - start, perf_counter()
        near = find_near_images(context)
        print(f"{name}: read in {read_in:.1f} s, searched in {perf_counter() - start:.1f} s")
        for (held_out, reference), found in near.found.items():
            flagged = len(np.unique(found.pairs.a))
            verified = len(np.unique(found.pairs.a[found.is_verified]))
            print(
                f"  {held_out} against {reference}, {found.n_a:,} × {found.n_b:,}: {flagged:,} flagged"
                f" ({100 * flagged / max(found.n_a, 1):.2f} %), {verified:,} verified, {len(found.pairs):,} pairs,"
                f" {found.n_blank_a + found.n_blank_b} without detail; null {found.null.centre:.2f} ±"
                f" {found.null.spread:.2f} of {found.null.n:,}, evidence asked for {found.limit:.2f}"
            )
            if flagged <= 12:
                for at in best(found).tolist():
                    a, b = (Path(uris[i]).name for i in (found.pairs.a[at], found.pairs.b[at]))
                    tier = "verified" if found.is_verified[at] else "suspected"
                    print(f"    {a} {b} {tier}, evidence {found.evidence[at]:.1f}, score {found.pairs.score[at]:.2f}")
            if name == "cifar10-half" and given.pairs:
                print(f"    {annotated(given.pairs, uris, found)}")
            if given.sheet:
                given.sheet.mkdir(parents=True, exist_ok=True)
                sheets(found, uris, given.sheet, f"{name}-{held_out}-{reference}", given.drawn)


if __name__ == "__main__":
    main()
