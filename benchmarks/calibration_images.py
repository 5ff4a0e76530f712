"""False alarms and power of the checks that judge pictures by statistics: LA108, LA207 and LA303.

``python benchmarks/calibration_images.py FOLDER... [--splits 200] [--jobs 2] [--json FILE]``

Every FOLDER is a set of pictures; the innermost folder of a picture is its class (one class: no labels). *A/A*: splits
drawn at random, in which nothing is wrong: the share of splits with a finding, with its Clopper-Pearson interval; it
should stay below 5 %. *Power*: the same with a planted effect. Groups that file names hold are real in some sets, so
the names are replaced by running numbers, except where a planted group is what is measured.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pyarrow as pa

from leakaudit.analysis.context import Context
from leakaudit.checks import la108_group_overlap as la108
from leakaudit.checks import la207_image_statistics_shift as la207
from leakaudit.checks import la303_metadata_reveals_target as la303
from leakaudit.config import Config
from leakaudit.engines.progress import silent
from leakaudit.fingerprints.pictures.fingerprint import ImageFingerprints
from leakaudit.fingerprints.pictures.scan import fingerprint_images
from leakaudit.model import Dataset, Layout, Samples

HELD_OUT = (20, 50, 200)
REFERENCE = 2_000
EFFECTS = (0.2, 0.3, 0.4, 0.5, 0.7, 1.0)
ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".bmp")


def read(folder: Path, jobs: int) -> tuple[np.ndarray, list[str], list[str]]:
    """Records, paths below the folder, and labels of all pictures."""
    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in ENDINGS)
    samples = Samples(
        uri=pa.array([p.relative_to(folder).as_posix() for p in paths]),
        path=pa.array([os.fsencode(p) for p in paths], pa.binary()),
        split=np.zeros(len(paths), dtype=np.int16),
    )
    images = fingerprint_images(samples, Config(use_cache=False, jobs=jobs), silent)
    at = np.flatnonzero(images.ok)
    return images.records[at], samples.uri.take(at).to_pylist(), [paths[i].parent.name for i in at]


def context(records: np.ndarray, names: list[str], labels: list[str] | None, held_out: np.ndarray) -> Context:
    samples = Samples(
        uri=pa.array([f"{'val' if h else 'train'}/{name}" for name, h in zip(names, held_out, strict=True)]),
        path=pa.array([b""] * len(names), pa.binary()),
        split=held_out.astype(np.int16),
        label=None if labels is None else pa.array(labels),
    )
    dataset = Dataset("", "image", Layout("", ""), ("train", "val"), samples)
    return Context(dataset, Config(), images=ImageFingerprints(records))


def fires(check: ModuleType, where: Context) -> bool:
    return check.run(where, check.CHECK.params).status == "failed"


def draws(n: int, n_held_out: int, splits: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Random pictures, and which of them are held out."""
    rng = np.random.default_rng(0)
    for _ in range(splits):
        at = rng.permutation(n)[: n_held_out + REFERENCE]
        yield at, np.arange(len(at)) < n_held_out


def interval(hits: int, n: int) -> tuple[float, float]:
    from scipy.stats import binomtest

    found = binomtest(hits, n).proportion_ci(method="exact")
    return round(float(found.low), 4), round(float(found.high), 4)


def numbered(at: np.ndarray, labels: list[str] | None) -> list[str]:
    return [f"{labels[i] if labels else 'all'}/{k:05d}.jpg" for k, i in enumerate(at)]


def brighter(records: np.ndarray, held_out: np.ndarray, d: float) -> np.ndarray:
    """Held-out thumbnails brighter by d standard deviations of the brightness of pictures."""
    planted = records.copy()
    step = d * float(records["luma"].mean(axis=(1, 2)).std())
    planted["luma"][held_out] = np.clip(records["luma"][held_out] + step, 0, 255).astype(np.uint8)
    return planted


def resized(records: np.ndarray, labels: list[str], share: float) -> np.ndarray:
    """One class (the last) in another size, in this share of its pictures."""
    planted = records.copy()
    chosen = np.array(labels) == max(labels)
    chosen &= np.random.default_rng(1).random(len(records)) < share
    planted["width"][chosen] += 11
    return planted


def look(folder: Path, splits: int, jobs: int) -> list[dict[str, object]]:
    records, names, labels = read(folder, jobs)
    classes = labels if 1 < len(set(labels)) < len(labels) / 5 else None
    rows: list[dict[str, object]] = []

    def count(what: str, check: ModuleType, n_held_out: int, make: Callable[[np.ndarray, np.ndarray], Context]) -> None:
        hits = sum(fires(check, make(at, held_out)) for at, held_out in draws(len(records), n_held_out, splits))
        low, high = interval(hits, splits)
        row = {
            "set": f"{folder.parent.name}/{folder.name}",
            "what": what,
            "check": check.CHECK.code,
            "held_out": n_held_out,
        }
        rows.append({**row, "splits": splits, "share": hits / splits, "low": low, "high": high})
        print(*(f"{value}" for value in rows[-1].values()), sep="\t", flush=True)

    def plain(at: np.ndarray, held_out: np.ndarray) -> Context:
        its = [classes[i] for i in at] if classes else None
        return context(records[at], numbered(at, classes), its, held_out)

    def as_named(at: np.ndarray, held_out: np.ndarray) -> Context:
        its = [classes[i] for i in at] if classes else None
        return context(records[at], [names[i] for i in at], its, held_out)

    for n_held_out in (n for n in HELD_OUT if 2 * n < len(records)):
        for check in (la108, la207, la303):
            count("A/A", check, n_held_out, plain)
        if n_held_out == max(HELD_OUT):
            count("random split, names as they are", la108, n_held_out, as_named)
        for d in EFFECTS if n_held_out > min(HELD_OUT) else ():

            def shifted(at: np.ndarray, held_out: np.ndarray, d: float = d) -> Context:
                where = plain(at, held_out)
                assert where.images is not None
                return replace(where, images=ImageFingerprints(brighter(where.images.records, held_out, d)))

            count(f"brightness d={d}", la207, n_held_out, shifted)
    if classes is not None:
        for share in (0.1, 0.3, 0.5, 0.7, 1.0):

            def metadata(at: np.ndarray, held_out: np.ndarray, share: float = share) -> Context:
                where = plain(at, held_out)
                assert where.images is not None
                planted = resized(where.images.records, [classes[i] for i in at], share)
                return replace(where, images=ImageFingerprints(planted))

            count(f"width of one class, share={share}", la303, HELD_OUT[1], metadata)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--splits", type=int, default=200)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--json", type=Path)
    told = parser.parse_args()
    print("set", "what", "check", "held_out", "splits", "share", "low", "high", sep="\t")
    rows = [row for folder in told.folders for row in look(folder, told.splits, told.jobs)]
    if told.json:
        told.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
