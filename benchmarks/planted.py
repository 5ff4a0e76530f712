"""Planted leaks and clean splits: what LA401, LA402 and LA403 find, leave open, and find where nothing is.

``python benchmarks/planted.py [--kinds tables,texts,pictures] [--seeds 5] [--picture-probe cpu] [--table]``: a share of
validation is replaced by copies of training samples, exact or changed (noise on the numbers of a table, a tenth of the
words exchanged, pixel noise and JPEG), 2, 5 and 20 % of it, or all of it (*within training*); clean splits are drawn in
the same way. Sizes go with the seed, from 200 training and 60 validation samples to 1,200 and 300. Every run is one
`leakaudit.audit` with the probe. Runs that are stored already are not done again.

Tables are drawn by scikit-learn's `make_classification` (10 columns of which 5 tell, two or three classes, 10 % of the
labels exchanged), by turns with its breast-cancer and wine tables; texts are words of four topics, 12 % of the labels
exchanged; pictures are scikit-learn's digits, enlarged to 32 pixels.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.random import Generator

RESULT = Path(__file__).parent / "results" / "planted.jsonl"
CODES = ("LA401", "LA402", "LA403")
SHARES = (0.02, 0.05, 0.2)
SIZES = ((200, 60), (400, 120), (400, 100), (800, 200), (1_200, 300))
KINDS = ("tables", "texts", "pictures")
CLEAN_SEEDS = 12
"""A kind; three kinds make more than 30 clean splits."""


@dataclass(frozen=True)
class Run:
    """One split.

    Parameters
    ----------
    share : float
        Of validation that is copied from training; 0 for a clean split.
    copies : {"exact", "changed", ""}
    """

    kind: str
    share: float
    copies: str
    seed: int

    @property
    def sizes(self) -> tuple[int, int]:
        """Training and validation samples."""
        return SIZES[self.seed % len(SIZES)]


def runs(kinds: tuple[str, ...], seeds: int, clean: int) -> Iterator[Run]:
    """All of them: what is cheap and what tells most first."""
    for kind in kinds:
        for seed in range(max(seeds, clean)):
            if seed < clean:
                yield Run(kind, 0.0, "", seed)
            if seed < seeds:
                yield from (Run(kind, share, copies, seed) for share in SHARES for copies in ("exact", "changed"))
            if seed < 3:
                yield from (Run(kind, 1.0, copies, seed) for copies in ("exact", "changed"))


def _leaked(run: Run, n_train: int, n_val: int, rng: Generator) -> tuple[np.ndarray, np.ndarray]:
    """Which of validation is replaced, and by which training samples."""
    n = round(run.share * n_val)
    return rng.choice(n_val, n, replace=False), rng.choice(n_train, n, replace=False)


def table(run: Run, rng: Generator) -> dict[str, Any]:
    """Two frames."""
    from sklearn.datasets import load_breast_cancer, load_wine, make_classification

    n_train, n_val = run.sizes
    if run.seed % 5 == 2:
        found = load_wine(return_X_y=True) if run.seed % 2 else load_breast_cancer(return_X_y=True)
        n_train, n_val = (120, 50) if run.seed % 2 else (400, 100)
    else:
        found = make_classification(
            n_train + n_val,
            10,
            n_informative=5,
            n_redundant=0,
            n_classes=2 + run.seed % 2,
            flip_y=0.1,
            random_state=run.seed,
        )
    order = rng.permutation(len(found[0]))[: n_train + n_val]
    frame = pd.DataFrame(found[0][order]).add_prefix("x")
    frame["label"] = [f"c{code}" for code in found[1][order]]
    train, val = frame[:n_train].copy(), frame[n_train:].reset_index(drop=True)
    to, source = _leaked(run, n_train, n_val, rng)
    val.iloc[to] = train.iloc[source].to_numpy()
    if run.copies == "changed":
        numbers = frame.columns[:-1]
        noise = 0.03 * train[numbers].std().to_numpy() * rng.standard_normal((len(to), len(numbers)))
        val.loc[to, numbers] = val.loc[to, numbers].to_numpy(float) + noise
    return {"train": train, "val": val, "label": "label"}


def texts(run: Run, rng: Generator) -> dict[str, Any]:
    """Two frames of a text and its topic."""
    n_train, n_val = run.sizes
    words = np.array([a + b + c for a in "bdfgklmnprst" for b in "aeiou" for c in ("n", "st", "r", "lo", "mi")])
    rng_words = np.random.default_rng(run.seed)
    topics = [rng_words.permutation(words)[:120] for _ in range(4)]

    def text(topic: int) -> str:
        own, common = rng.choice(topics[topic], 12), rng.choice(words, 18)
        return " ".join(rng.permutation(np.concatenate([own, common])))

    codes = rng.integers(0, 4, n_train + n_val)
    wrong = np.where(rng.random(len(codes)) < 0.12, rng.integers(0, 4, len(codes)), codes)
    frame = pd.DataFrame({"text": [text(code) for code in codes], "label": [f"topic{code}" for code in wrong]})
    train, val = frame[:n_train].copy(), frame[n_train:].reset_index(drop=True)
    to, source = _leaked(run, n_train, n_val, rng)
    val.iloc[to] = train.iloc[source].to_numpy()
    if run.copies == "changed":
        for at in to:
            parts = val.loc[at, "text"].split()
            for place in rng.choice(len(parts), 3, replace=False):
                parts[place] = str(rng.choice(words))
            val.loc[at, "text"] = " ".join(parts)
    return {"train": train, "val": val, "label": "label"}


def pictures(run: Run, rng: Generator, folder: Path) -> dict[str, Any]:
    """Folders of png files by class."""
    from PIL import Image
    from sklearn.datasets import load_digits

    n_train, n_val = run.sizes
    digits, codes = load_digits(return_X_y=True)
    order = rng.permutation(len(digits))[: n_train + n_val]
    pixels, codes = digits[order].reshape(-1, 8, 8) * 15.9, codes[order]
    to, source = _leaked(run, n_train, n_val, rng)
    pixels[n_train + to], codes[n_train + to] = pixels[source], codes[source]
    changed = set((n_train + to).tolist()) if run.copies == "changed" else set()
    for at, (picture, code) in enumerate(zip(pixels, codes, strict=True)):
        place = folder / ("train" if at < n_train else "val") / str(code)
        place.mkdir(parents=True, exist_ok=True)
        image = Image.fromarray(picture.astype(np.uint8)).resize((32, 32), Image.Resampling.BICUBIC)
        if at in changed:
            noisy = np.asarray(image, float) * 0.94 + 6 + 4 * rng.standard_normal((32, 32))
            Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8)).save(place / f"{at}.jpg", quality=85)
        else:
            image.save(place / f"{at}.png")
    return {"folder": folder}


def audited(run: Run, probe: str) -> dict[str, Any]:
    """What the checks say of a run."""
    import leakaudit

    rng = np.random.default_rng([run.seed, round(1000 * run.share), run.copies == "changed"])
    settings: dict[str, Any] = {"select": (*CODES, "LA206"), "probe": probe, "use_cache": False, "jobs": 1}
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as name:
        if run.kind == "pictures":
            report = leakaudit.audit(pictures(run, rng, Path(name))["folder"], **settings)
        else:
            made = table(run, rng) if run.kind == "tables" else texts(run, rng)
            report = leakaudit.audit(**settings, **made)
    seconds = time.perf_counter() - start
    statuses = {outcome.code: outcome.status for outcome in report.outcomes}
    said = {outcome.code: outcome.reason for outcome in report.outcomes if outcome.code in CODES}
    summary = "" if report.probe is None else report.probe.summary or report.probe.reason
    return {**asdict(run), "probe": probe, "statuses": statuses, "said": said, "summary": summary, "seconds": seconds}


def main() -> None:
    """Do the runs that are not stored yet, or print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--clean", type=int, default=CLEAN_SEEDS)
    parser.add_argument("--picture-probe", default="fast")
    parser.add_argument("--result", type=Path, default=RESULT)
    parser.add_argument("--table", action="store_true")
    options = parser.parse_args()
    stored = [json.loads(line) for line in options.result.read_text().splitlines()] if options.result.exists() else []
    if options.table:
        print(markdown(stored))
        return
    done = {tuple(row[name] for name in ("kind", "share", "copies", "seed", "probe")) for row in stored}
    for run in runs(tuple(options.kinds.split(",")), options.seeds, options.clean):
        probe = options.picture_probe if run.kind == "pictures" else "cpu"
        if (*asdict(run).values(), probe) in done:
            continue
        row = audited(run, probe)
        with options.result.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(row, ensure_ascii=False) + "\n")
        print(*asdict(run).values(), probe, row["statuses"], f"{row['seconds']:.1f} s", flush=True)


def markdown(rows: list[dict[str, Any]]) -> str:
    """Found / not decided / passed of each check, and of the three together."""
    lines = [
        "| samples | probe | planted | copies | runs | LA401 | LA402 | LA403 | one of them |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    keys = sorted(
        {(KINDS.index(r["kind"]), r["probe"], r["share"], r["copies"] == "changed", r["copies"]) for r in rows}
    )
    for kind, probe, share, _, copies in keys:
        of = [
            r
            for r in rows
            if (KINDS.index(r["kind"]), r["probe"], r["share"], r["copies"]) == (kind, probe, share, copies)
        ]
        cells = [_cell([r["statuses"][code] for r in of]) for code in CODES]
        together = sum(any(r["statuses"][code] == "failed" for code in CODES) for r in of)
        planted = "nothing" if not share else "all of it" if share == 1 else f"{share:.0%}"
        lines.append(
            f"| {KINDS[kind]} | {probe} | {planted} | {copies or '–'} | {len(of)} | {' | '.join(cells)} | {together} |"
        )
    return "\n".join(lines)


def _cell(statuses: list[str]) -> str:
    return " / ".join(str(sum(s == status for s in statuses)) for status in ("failed", "inconclusive", "passed"))


if __name__ == "__main__":
    main()
