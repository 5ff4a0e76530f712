"""Every peer whose job overlaps with ours, on the same files in the same run, and the floors; one command.

``python benchmarks/peers.py CACHE [--jobs JOB ...] [--repeats 3]``

Peers are installed into virtual environments below CACHE, one each (about 9 GB together); what cannot be installed is
named and skipped. Every contender runs as a process of its own, in turn with the others of its job, cold: leakaudit
without its cache. The table gives medians of whole processes: seconds on the processors (user and system, children
included), which a busy machine disturbs least, seconds by the clock, and how much longer a contender's processors work
than ours. It goes to ``results/peers.json``, and between the two markers of the README.

Jobs
----
pictures
    Near-duplicates among 1,000 JPEGs of 500×375, made-up scenes of about 60 KB, of which 200 are held out and 40 of
    these copied from training (encoded again, smaller, cropped, mirrored). imagededup: pHash within 10 bits;
    cleanvision: exact and near duplicates; difPy: its default; fastdup: its default. Floor: reading the files and
    decoding them scaled to grey (`simplejpeg`), no comparison.
rows
    Rows of a held-out CSV of 50,000 that are also in one of 200,000, twelve mixed columns. deepchecks:
    ``TrainTestSamplesMix``; splitcheck: ``check``. Floor: one null-safe DuckDB join.
drift
    Columns that are distributed differently, same files. evidently: ``DataDriftPreset``; deepchecks: ``FeatureDrift``.
second scan
    70,000 unchanged small PNGs, fingerprints and outcomes in a cache, start-up included. Floor: ``os.scandir`` and
    ``stat``.
search
    The 16 nearest of 200,000 descriptors for each of 20,000, over eight orientations. Floor: one bare matrix product.
text
    5,000 held-out sentences against 20,000, near-duplicates. datasketch: ``MinHashLSH(0.8)`` over 5-grams of 128
    permutations. text-dedup: ``minhash``, of all sentences among each other, over 5-grams of words. semhash needs a
    language model from the network, and is left out.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import resource
import shutil
import statistics
import subprocess
import sys
import time
import venv
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from decode import SIZE
from PIL import Image
from rescan import WALK
from text import corpus

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "peers.json"
START, END = "<!-- peers: start -->", "<!-- peers: end -->"
HELD_OUT = 5
N_PICTURES, N_COPIES, N_SMALL = 1_000, 40, 70_000


class Contender(NamedTuple):
    """What to install (first the package whose version is shown; nothing: this interpreter), and what to run.

    The code finds the folder of the job's files in ``sys.argv[1]`` and a folder of its own to write to in
    ``sys.argv[2]``.
    """

    name: str
    requirements: tuple[str, ...]
    code: str


OURS = """
import subprocess, sys
command = [sys.executable, "-m", "leakaudit", "scan", "--no-cache", "--select", "{codes}", sys.argv[1]]
done = subprocess.run(command, stdout=subprocess.DEVNULL)
assert done.returncode in (0, 1), done.returncode
"""
FLOOR_PICTURES = """
import sys, simplejpeg
from pathlib import Path
for path in Path(sys.argv[1]).rglob("*.jpg"):
    simplejpeg.decode_jpeg(path.read_bytes(), colorspace="GRAY", min_height=32, min_width=32)
"""
IMAGEDEDUP = """
import sys
from imagededup.methods import PHash
if __name__ == "__main__":
    method = PHash(verbose=False)
    encodings = method.encode_images(image_dir=sys.argv[1], recursive=True, num_enc_workers=2)
    assert method.find_duplicates(encoding_map=encodings, max_distance_threshold=10, num_dist_workers=2) is not None
"""
CLEANVISION = """
import sys
from cleanvision import Imagelab
if __name__ == "__main__":
    lab = Imagelab(data_path=sys.argv[1], verbose=False)
    lab.find_issues({"exact_duplicates": {}, "near_duplicates": {}}, n_jobs=2, verbose=False)
"""
DIFPY = """
import sys, difPy
if __name__ == "__main__":
    difPy.search(difPy.build(sys.argv[1], show_progress=False, processes=2), show_progress=False, processes=2)
"""
FASTDUP = """
import sys, fastdup
found = fastdup.create(work_dir=sys.argv[2], input_dir=sys.argv[1])
found.run(num_threads=2, verbose=False, overwrite=True)
assert found.similarity() is not None
"""
AGAIN = """
import subprocess, sys
command = [sys.executable, "-m", "leakaudit", "scan", "--cache-dir", sys.argv[1] + "-cache", sys.argv[1]]
done = subprocess.run(command, stdout=subprocess.DEVNULL)
assert done.returncode in (0, 1), done.returncode
"""
SEARCH = """
import os, sys, numpy as np
from leakaudit.analysis.copies.pictures.neighbours import nearest
queries, references = (np.load(f"{sys.argv[1]}/{name}.npy") for name in ("queries", "references"))
nearest(queries, references, 16, jobs=len(os.sched_getaffinity(0)))
"""
FLOOR_SEARCH = """
import sys, numpy as np
queries, references = (np.load(f"{sys.argv[1]}/{name}.npy") for name in ("queries", "references"))
for start in range(0, len(queries), 256):
    for first in range(0, len(references), 4096):
        queries[start : start + 256] @ references[first : first + 4096].T
"""
FLOOR_ROWS = """
import sys, duckdb
db = duckdb.connect()
for name in ("train", "val"):
    db.execute(f"CREATE TABLE {name} AS FROM read_csv('{sys.argv[1]}/{name}.csv')")
names = [row[0] for row in db.execute("DESCRIBE train").fetchall()]
same = " AND ".join(f't."{name}" IS NOT DISTINCT FROM v."{name}"' for name in names)
print(db.execute(f"SELECT count(*) FROM val v WHERE EXISTS (FROM train t WHERE {same})").fetchone())
"""
READ = """
import sys, pandas as pd
train, val = (pd.read_csv(f"{sys.argv[1]}/{name}.csv") for name in ("train", "val"))
"""
DEEPCHECKS_ROWS = (
    READ
    + """
from deepchecks.tabular import Dataset
from deepchecks.tabular.checks import TrainTestSamplesMix
sides = [Dataset(side, label="y", cat_features=[c for c in side if c.startswith("c")]) for side in (train, val)]
TrainTestSamplesMix().run(*sides)
"""
)
SPLITCHECK = """
import subprocess, sys
from pathlib import Path
tool = Path(sys.executable).with_name("splitcheck")
done = subprocess.run([tool, "check", f"{sys.argv[1]}/train.csv", f"{sys.argv[1]}/val.csv"], stdout=subprocess.DEVNULL)
assert done.returncode in (0, 1), done.returncode
"""
EVIDENTLY = (
    READ
    + """
from evidently import Report
from evidently.presets import DataDriftPreset
Report([DataDriftPreset()]).run(val, train)
"""
)
DEEPCHECKS_DRIFT = (
    READ
    + """
from deepchecks.tabular import Dataset
from deepchecks.tabular.checks import FeatureDrift
sides = [Dataset(side, label="y", cat_features=[c for c in side if c.startswith("c")]) for side in (train, val)]
FeatureDrift().run(*sides)
"""
)
DATASKETCH = """
import re, sys
from pathlib import Path
from datasketch import MinHash, MinHashLSH
def grams(text):
    text = re.sub(r"[^a-z0-9]+", " ", text.lower()).strip()
    return {text[i:i + 5] for i in range(max(len(text) - 4, 1))}
def signature(text):
    made = MinHash(128)
    made.update_batch([gram.encode() for gram in grams(text)])
    return made
train, val = (sorted(Path(sys.argv[1], name).rglob("*.txt")) for name in ("train", "val"))
index = MinHashLSH(0.8, 128)
texts = {}
for path in train:
    texts[path] = path.read_text()
    index.insert(path, signature(texts[path]))
for path in val:
    mine = path.read_text()
    for other in index.query(signature(mine)):
        a, b = grams(mine), grams(texts[other])
        len(a & b) / len(a | b) >= 0.8
"""

TEXT_DEDUP = """
import json, shutil, subprocess, sys
from pathlib import Path
if __name__ == "__main__":
    own = Path(sys.argv[2], "text-dedup")
    shutil.rmtree(own, ignore_errors=True)
    own.mkdir(parents=True)
    with (own / "texts.jsonl").open("w") as file:
        for path in sorted(Path(sys.argv[1]).rglob("*.txt")):
            file.write(json.dumps({"text": path.read_text()}) + "\\n")
    told = {"path": "json", "data_files": own / "texts.jsonl", "split": "train", "cache_dir": own / "cache",
            "output": own / "kept", "column": "text", "batch_size": 1000, "ngram": 5, "min_length": 1,
            "threshold": 0.8, "num_perm": 128, "num_proc": 2}
    words = [word for name, value in told.items() for word in (f"--{name}", str(value))]
    subprocess.run([sys.executable, "-m", "text_dedup.minhash", *words], check=True)
"""

DEEPCHECKS = ("deepchecks", "scikit-learn<1.6", "pandas<3", "numpy<2", "category-encoders<2.7")
JOBS: dict[str, tuple[Contender, ...]] = {
    "pictures": (
        Contender("leakaudit LA101 LA103", (), OURS.format(codes="LA101,LA103")),
        Contender("floor: scaled grey decode", ("simplejpeg",), FLOOR_PICTURES),
        Contender("imagededup", ("imagededup", "torch==2.14.1", "torchvision==0.29.1"), IMAGEDEDUP),
        Contender("cleanvision", ("cleanvision", "torch==2.13.0"), CLEANVISION),
        Contender("difPy", ("difPy",), DIFPY),
        Contender("fastdup", ("fastdup",), FASTDUP),
    ),
    "rows": (
        Contender("leakaudit LA104", (), OURS.format(codes="LA104")),
        Contender("floor: DuckDB join", ("duckdb",), FLOOR_ROWS),
        Contender("deepchecks", DEEPCHECKS, DEEPCHECKS_ROWS),
        Contender("splitcheck", ("splitcheck",), SPLITCHECK),
    ),
    "drift": (
        Contender("leakaudit LA203", (), OURS.format(codes="LA203")),
        Contender("deepchecks", DEEPCHECKS, DEEPCHECKS_DRIFT),
        Contender("evidently", ("evidently", "pandas<3"), EVIDENTLY),
    ),
    "second scan": (
        Contender("leakaudit, all checks", (), AGAIN),
        Contender("floor: scandir and stat", (), WALK),
    ),
    "search": (
        Contender("leakaudit, 8 orientations", (), SEARCH),
        Contender("floor: matrix product", (), FLOOR_SEARCH),
    ),
    "text": (
        Contender("leakaudit LA106 LA107", (), OURS.format(codes="LA106,LA107")),
        Contender("datasketch", ("datasketch",), DATASKETCH),
        Contender("text-dedup", ("text-dedup",), TEXT_DEDUP),
    ),
}


# --- the files ---------------------------------------------------------------------------------------------------


def make_pictures(folder: Path) -> None:
    rng = np.random.default_rng(0)
    scenes = [scene(rng) for _ in range(N_PICTURES - N_COPIES)]
    copies = [copied(scenes[-1 - i], i % 4) for i in range(N_COPIES)]
    for i, picture in enumerate([*copies, *scenes]):
        target = folder / ("val" if i < N_PICTURES // HELD_OUT else "train") / f"{i:04d}.jpg"
        target.parent.mkdir(parents=True, exist_ok=True)
        picture.save(target, quality=75 if i < N_COPIES else 88)


def scene(rng: np.random.Generator) -> Image.Image:
    """Noise with the 1/f amplitude spectrum of photographs, each colour mixed with a common brightness."""
    width, height = SIZE
    fy, fx = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None, :]
    amplitude = 1 / np.maximum(np.hypot(fy, fx), 1 / width) ** 1.2
    phases = np.exp(2j * np.pi * rng.random((4, height, amplitude.shape[1])))
    planes = np.fft.irfft2(amplitude * phases, s=(height, width))
    planes /= planes.std(axis=(1, 2), keepdims=True)
    colour = np.moveaxis(planes[0] + 0.3 * planes[1:], 0, -1)
    return Image.fromarray(np.clip(128 + 45 * colour, 0, 255).astype(np.uint8))


def copied(picture: Image.Image, how: int) -> Image.Image:
    """As it is, smaller, cropped, or mirrored."""
    width, height = picture.size
    if how == 1:
        return picture.resize((width * 3 // 5, height * 3 // 5))
    if how == 2:
        return picture.crop((width // 20, height // 20, width, height))
    return picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if how == 3 else picture


def make_rows(folder: Path) -> None:
    """Six numbers, five categories and a label; one held-out row in a hundred is a training row."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)

    def some(n: int) -> pd.DataFrame:
        made = pd.DataFrame({f"x{i}": np.round(rng.normal(size=n), 4) for i in range(6)})
        for i in range(5):
            made[f"c{i}"] = rng.integers(0, 10 * (i + 1), n)
        return made.assign(y=rng.integers(0, 2, n))

    train, val = some(200_000), some(50_000)
    val.iloc[::100] = train.iloc[: len(val) // 100].to_numpy()
    train.to_csv(folder / "train.csv", index=False)
    val.to_csv(folder / "val.csv", index=False)


def make_texts(folder: Path) -> None:
    texts, held_out = corpus(25_000)
    for i, (text, is_held_out) in enumerate(zip(texts, held_out.tolist(), strict=True)):
        target = folder / ("val" if is_held_out or i % HELD_OUT == 1 else "train") / "a"
        target.mkdir(parents=True, exist_ok=True)
        (target / f"{i}.txt").write_text(text)


def make_small(folder: Path) -> None:
    """Blurred noise of 28×28 pixels in ten classes, scanned once."""
    rng = np.random.default_rng(0)
    for i in range(N_SMALL):
        target = folder / ("val" if i % HELD_OUT == 0 else "train") / str(i % 10) / f"{i}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        rough = Image.fromarray(rng.integers(0, 256, (7, 7), dtype=np.uint8))
        rough.resize((28, 28), Image.Resampling.BICUBIC).save(target)
    old = time.time() - 60  # what was written just now is read again, in case it is still being written
    for path in folder.rglob("*.png"):
        os.utime(path, (old, old))
    subprocess.run([sys.executable, "-c", AGAIN, folder], check=True)


def make_descriptors(folder: Path) -> None:
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for name, n in (("queries", 20_000), ("references", 200_000)):
        made = rng.standard_normal((n, 93), dtype=np.float32) / np.sqrt(np.arange(1, 94, dtype=np.float32))
        np.save(folder / f"{name}.npy", made / np.linalg.norm(made, axis=1, keepdims=True))


MAKERS: dict[str, tuple[str, Callable[[Path], None]]] = {
    "pictures": ("pictures", make_pictures),
    "rows": ("rows", make_rows),
    "drift": ("rows", make_rows),
    "second scan": ("small", make_small),
    "search": ("descriptors", make_descriptors),
    "text": ("texts", make_texts),
}


# --- running -----------------------------------------------------------------------------------------------------


def environment(cache: Path, contender: Contender) -> tuple[Path, str]:
    """Interpreter that has what a contender needs, made at the first time, and the version of its package.

    Raises
    ------
    RuntimeError
        It cannot be installed here; with pip's last line.
    """
    if not contender.requirements:
        return Path(sys.executable), "this checkout"
    name = contender.requirements[0]
    folder = cache / "environments" / name
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not (folder / "complete").exists():
        venv.create(folder, with_pip=True, clear=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--no-cache-dir", "--disable-pip-version-check"]
        done = subprocess.run([*pip, *contender.requirements], capture_output=True, text=True, check=False)
        if done.returncode:
            shutil.rmtree(folder)
            raise RuntimeError((done.stderr.strip().splitlines() or ["unknown"])[-1])
        (folder / "complete").touch()
    ask = f"from importlib.metadata import version; print(version({name!r}))"
    return python, subprocess.run([python, "-c", ask], capture_output=True, text=True, check=True).stdout.strip()


def take(python: Path, code: str, files: Path, scratch: Path) -> tuple[float, float]:
    """Seconds on the processors and by the clock of one whole process.

    Raises
    ------
    RuntimeError
        It failed; with its last line.
    """
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    script = scratch.with_suffix(".py")
    script.write_text(code)
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run([str(python), script, files, scratch], capture_output=True, text=True, check=False)
    seconds, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        why = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        raise RuntimeError(re.sub(r" ?\(?/\S+", "", why))  # no paths of this machine in the table
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, seconds


def measure(job: str, cache: Path, repeats: int) -> dict[str, object]:
    folder_name, make = MAKERS[job]
    files = cache / "files" / folder_name
    if not files.is_dir():
        make(files)
    runnable: dict[str, tuple[Path, str, str]] = {}
    failed: dict[str, str] = {}
    for contender in JOBS[job]:
        try:
            runnable[contender.name] = *environment(cache, contender), contender.code
        except RuntimeError as error:
            failed[contender.name] = str(error)
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in runnable}
    for _ in range(repeats):
        for name, (python, _, code) in runnable.items():
            if name not in failed:
                try:
                    times[name].append(take(python, code, files, cache / "scratch" / job))
                except RuntimeError as error:
                    failed[name] = str(error)
    for name, why in failed.items():
        times.pop(name, None)
        print(f"{job}: {name} does not run here: {why}", flush=True)
    ours = times[JOBS[job][0].name]
    rows = []
    for name, taken in times.items():
        processors, clock = (statistics.median(column) for column in zip(*taken, strict=True))
        ratio = statistics.median(other[0] / own[0] for other, own in zip(taken, ours, strict=True))
        rows.append(
            {
                "contender": name,
                "version": runnable[name][1],
                "processor_s": processors,
                "clock_s": clock,
                "ratio": ratio,
            }
        )
        print(job, rows[-1], flush=True)
    return {"rows": rows, "failed": failed}


def table(results: dict[str, dict[str, object]], machine: str) -> str:
    lines = [
        f"{machine}. Whole processes; × is processor time against leakaudit's.",
        "",
        "| job | contender | version | processor s | × |",
        "|---|---|---|---|---|",
    ]
    for job, found in results.items():
        rows = found["rows"]
        assert isinstance(rows, list)
        for row in rows:
            times = f"{row['processor_s']:.1f} | {row['ratio']:.2f}"
            lines.append(f"| {job} | {row['contender']} | {row['version']} | {times} |")
        failed = found["failed"]
        assert isinstance(failed, dict)
        lines += [f"| {job} | {name} | | did not run: {why} | |" for name, why in failed.items()]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cache", type=Path, help="folder for environments and files; about 10 GB")
    parser.add_argument("--jobs", nargs="+", choices=list(JOBS), default=list(JOBS))
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    os.environ["PYTHONPATH"] = str(ROOT)  # this checkout, wherever its environment points
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    machine = (
        f"{len(os.sched_getaffinity(0))} cores, {memory:.0f} GiB, {platform.system()}, Python "
        f"{platform.python_version()}, {datetime.now(UTC):%Y-%m-%d}; medians of {given.repeats} run(s)"
    )
    results = json.loads(RESULTS.read_text())["jobs"] if RESULTS.exists() else {}
    readme = ROOT / "README.md"
    for job in given.jobs:
        results[job] = measure(job, given.cache.absolute(), given.repeats)
        RESULTS.write_text(json.dumps({"machine": machine, "jobs": results}, indent=2) + "\n")
        before, rest = readme.read_text().split(START, 1)
        shown = table({name: results[name] for name in JOBS if name in results}, machine)
        readme.write_text(f"{before}{START}\n{shown}\n{END}{rest.split(END, 1)[1]}")


if __name__ == "__main__":
    main()
