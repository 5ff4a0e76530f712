"""The probe on synthetic tables: false alarms on clean splits, power on planted leaks, and time.

``python benchmarks/probe.py alarms [RUNS]`` · ``power [RUNS]`` · ``speed`` · ``pictures FOLDER [N [PERCENT]]``

``alarms`` draws random splits of tables with label noise, of unbalanced and small sizes; ``power`` copies a share of
validation from training; ``speed`` times the largest tables; ``pictures`` copies a share of a picture set into
validation (a folder ``{train,test}/<class>/*``). Results are appended to ``results/probe.jsonl``.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd

from leakaudit import audit
from leakaudit.probe import run as probe_run

CODES = ("LA206", "LA401", "LA402", "LA403", "LA404", "LA405", "LA406")
SIZES = ((400, 100), (1001, 200), (800, 200), (500, 50), (600, 600))
RESULTS = Path(__file__).parent / "results" / "probe.jsonl"
PHASES = {
    "relations": "duplicates",
    "fixed_features": "fixed features",
    "recognise": "forests of LA403",
    "slowness": "speed of the machine",
    "_fit_all": "models",
    "attribute_gap": "attribution",
}
"""Functions of the probe that take time, and what they do."""


def table(n_train: int, n_val: int, leak: float, seed: int, classes: int = 2) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Eight numbers, three of which tell the label, with noise; the first rows of validation are copies."""
    rng = np.random.default_rng(seed)
    n = n_train + n_val
    x = rng.normal(size=(n, 8))
    z = x[:, :3].sum(axis=1) + 1.5 * rng.normal(size=n)
    frame = pd.DataFrame(x, columns=[f"x{i}" for i in range(8)])
    if classes:
        edges = np.quantile(z, np.arange(1, classes) / classes)
        frame["label"] = [f"class{code}" for code in np.digitize(z, edges)]
    else:
        frame["label"] = z
    train, val = frame[:n_train].copy(), frame[n_train:].copy()
    n_leaked = round(leak * n_val)
    val.iloc[:n_leaked] = train.iloc[:n_leaked].to_numpy()
    return train, val


def findings(train: pd.DataFrame, val: pd.DataFrame, mode: str) -> Counter[str]:
    report = audit(train=train, val=val, label="label", select=CODES, probe=mode, use_cache=False)
    said = Counter(finding.code for finding in report.findings)
    said.update(f"{o.code} {o.status}" for o in report.outcomes if o.status in ("inconclusive", "errored", "skipped"))
    return said


def rates(name: str, leak: float, runs: int, mode: str) -> None:
    """Share of splits in which each check has a finding."""
    for n_train, n_val in SIZES:
        start = time.perf_counter()
        total: Counter[str] = Counter()
        for run in range(runs):
            total.update(
                set(findings(*table(n_train, n_val, leak, seed=1_000 + run, classes=(2, 3, 0)[run % 3]), mode))
            )
        keep(
            name,
            n_train=n_train,
            n_val=n_val,
            leak=leak,
            mode=mode,
            runs=runs,
            found=dict(sorted(total.items())),
            seconds=round(time.perf_counter() - start, 1),
        )


@contextmanager
def timed() -> Iterator[dict[str, float]]:
    """Clock seconds by phase, and processor seconds and memory of all, where the body is an audit."""
    found: dict[str, float] = {}
    originals = {name: getattr(probe_run, name) for name in PHASES}

    def watched(name: str) -> Callable[..., object]:
        def call(*args: object, **kwargs: object) -> object:
            start = time.perf_counter()
            try:
                return originals[name](*args, **kwargs)
            finally:
                found[PHASES[name]] = round(time.perf_counter() - start, 1)

        return call

    for name in PHASES:
        setattr(probe_run, name, watched(name))
    start, before = time.perf_counter(), processor_seconds()
    try:
        yield found
    finally:
        for name, original in originals.items():
            setattr(probe_run, name, original)
        found["all"] = round(time.perf_counter() - start, 1)
        found["processor"] = round(processor_seconds() - before, 1)
        found["gib_self_and_largest_child"] = round(
            sum(resource.getrusage(of).ru_maxrss / 2**20 for of in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)),
            2,
        )


def processor_seconds() -> float:
    """Of this process and the children that have ended."""
    used = [resource.getrusage(of) for of in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def speed(mode: str) -> None:
    for n, columns, classes in ((20_000, 40, 2), (20_000, 40, 5), (100_000, 40, 2)):
        rng = np.random.default_rng(0)
        frame = pd.DataFrame(rng.normal(size=(n, columns)), columns=[f"x{i}" for i in range(columns)])
        z = frame["x0"] + frame["x1"] + rng.normal(size=n)
        frame["label"] = [f"c{code}" for code in np.digitize(z, np.quantile(z, np.arange(1, classes) / classes))]
        at = int(0.8 * n)
        with timed() as seconds:
            findings(frame[:at], frame[at:], mode)
        keep("speed", rows=n, columns=columns, classes=classes, mode=mode, seconds=seconds, load=os.getloadavg()[0])


def pictures(folder: Path, n: int, leak: float, mode: str, seed: int = 0) -> None:
    """A random split of `n` pictures of a set, a share of validation copied from training."""
    rng = np.random.default_rng(seed)
    files = sorted((folder / "train").glob("*/*"))
    chosen = [files[i] for i in rng.permutation(len(files))[:n]]
    n_val = n // 5
    with tempfile.TemporaryDirectory() as made:
        for number, path in enumerate(chosen):
            source = chosen[n_val + number] if number < leak * n_val else path
            split = "val" if number < n_val else "train"
            target = Path(made) / split / source.parent.name / f"{number}{source.suffix}"
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
        with timed() as seconds:
            report = audit(made, select=CODES, probe=mode, use_cache=False)
        keep(
            "pictures",
            n=n,
            leak=leak,
            mode=mode,
            seconds=seconds,
            load=os.getloadavg()[0],
            sampled=report.probe.sampled if report.probe else (),
            found=dict(sorted(Counter(f.code for f in report.findings).items())),
            terms={t.letter: round(t.value, 3) for t in report.probe.terms} if report.probe else {},
            outcomes={o.code: f"{o.status}: {o.reason}" for o in report.outcomes},
        )


def keep(name: str, **figures: object) -> None:
    line = json.dumps({"benchmark": name, **figures})
    print(line, flush=True)
    RESULTS.parent.mkdir(exist_ok=True)
    with RESULTS.open("a", encoding="utf-8") as file:
        file.write(line + "\n")


def main(arguments: list[str]) -> None:
    what, *rest = arguments or ["speed"]
    numbers = [int(each) for each in rest if each.isdigit()]
    mode = next((each for each in rest if each in ("auto", "cpu", "gpu", "fast")), "cpu")
    if what == "alarms":
        rates("alarms", 0.0, (numbers or [30])[0], mode)
    elif what == "power":
        for leak in (0.05, 0.2):
            rates("power", leak, (numbers or [30])[0], mode)
    elif what == "pictures":
        n, *percent = numbers or [5_000]
        for leak in percent or (0, 5, 20):
            pictures(Path(rest[0]), n, leak / 100, mode)
    else:
        speed(mode)


if __name__ == "__main__":
    main(sys.argv[1:])
