"""Contexts over made-up picture records; import as ``from pictures import records, picture_context``."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from leakaudit.analysis.context import Context
from leakaudit.config import Config
from leakaudit.fingerprints.cache.record import CHROMA, FORMATS, MODES, RECORD, THUMBNAIL
from leakaudit.fingerprints.pictures.fingerprint import ImageFingerprints
from leakaudit.model import Dataset, Layout, Samples, ordered_splits


def records(n: int, seed: int = 0, scenes: np.ndarray | None = None) -> np.ndarray:
    """Readable pictures of 64×48: smooth random scenes; those with an equal entry in `scenes` resemble each other."""
    rng = np.random.default_rng(seed)
    scenes = np.arange(n) if scenes is None else scenes
    made = np.zeros(n, dtype=RECORD)
    made["content"] = np.frombuffer(rng.bytes(16 * n), dtype="V16")
    made["width"], made["height"], made["orientation"], made["reduced"] = 64, 48, 1, 1
    made["format"], made["mode"] = FORMATS.index("JPEG"), MODES.index("RGB")
    made["size"] = rng.integers(1500, 2500, n)
    for at, scene in enumerate(scenes.tolist()):
        own = np.random.default_rng([7, scene])
        coarse = own.normal(128, 30, (8, 8)) + rng.normal(0, 12, (8, 8))
        luma = np.kron(coarse, np.ones((THUMBNAIL // 8, THUMBNAIL // 8))) + rng.normal(0, 6, (THUMBNAIL, THUMBNAIL))
        made["luma"][at] = np.clip(luma, 0, 255)
        colour = own.normal(128, 12, (2, 1, 1)) + rng.normal(0, 6, (2, CHROMA, CHROMA))
        made["chroma"][at] = np.clip(colour, 0, 255)
    made["spread"] = made["luma"].std(axis=(1, 2))
    made["entropy"] = rng.normal(7, 0.3, n)
    return made


def picture_context(
    made: np.ndarray,
    names: Sequence[str],
    splits: Sequence[str],
    labels: Sequence[str | None] | None = None,
    groups: Sequence[str | None] | None = None,
    config: Config | None = None,
    times: Sequence[str | None] | None = None,
) -> Context:
    """A context whose pictures are called ``<split>/<name>``."""
    known = ordered_splits(list(splits))
    samples = Samples(
        uri=pa.array([f"{split}/{name}" for split, name in zip(splits, names, strict=True)], pa.string()),
        path=pa.array([b""] * len(names), pa.binary()),
        split=np.array([known.index(split) for split in splits], dtype=np.int16),
        label=None if labels is None else pa.array(labels, pa.string()),
        group=None if groups is None else pa.array(groups, pa.string()),
        time=None if times is None else pa.array(times, pa.string()),
    )
    dataset = Dataset("pictures", "image", Layout("made-up", "made up"), known, samples)
    return Context(dataset, config or Config(), images=ImageFingerprints(made))
