"""Spark ``local[2]`` and Ray against this machine alone: overhead where there is no cluster to win it back.

``python benchmarks/engines.py rows [--rows 1000000] [--parts 8]``: an audit of the twelve mixed columns of `rows.py` in
parquet parts, one held-out row in a hundred copied from train, by LA104, LA110 and LA111.
``python benchmarks/engines.py pictures --images DIR``: fingerprints of a folder of pictures with splits, such as MNIST
as PNG files, by LA101 and LA102; ``near`` instead of ``pictures``: their near-duplicates, too, by LA103.

Every measurement is a process of its own, engines in turn. The session's start is timed apart: a cluster has one, a
scan on this machine pays for it. Reports must be byte-identical. ``--store`` keeps the figures.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ENGINES = ("local", "spark", "ray")
CODES = {"rows": ("LA104", "LA110", "LA111"), "pictures": ("LA101", "LA102"), "near": ("LA103",)}
RESULTS = Path(__file__).parent / "results" / "engines.json"


def make_rows(folder: Path, n: int, n_parts: int) -> Path:
    """Train in parts and val in one, as folders of parquet files."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq
    from rows import COPIED, mixed

    train = pa.table(mixed(n * 9 // 10, seed=0))
    val = pa.table(mixed(n // 10, seed=1))
    rng = np.random.default_rng(2)
    copied = train.take(pa.array(rng.integers(0, len(train), int(len(val) * COPIED))))
    val = pa.concat_tables([copied, val.slice(len(copied))])
    for split, table, parts in (("train", train, n_parts), ("val", val, 1)):
        (folder / split).mkdir(parents=True)
        step = -(-len(table) // parts)
        for part in range(parts):
            pq.write_table(table.slice(part * step, step), folder / split / f"part-{part:03d}.parquet")
    return folder


def measure(engine: str, folder: str, what: str) -> None:
    """One audit in this process; prints JSON."""
    from leakaudit import Config, audit
    from leakaudit.engines.choose import engine_of
    from leakaudit.render.data import report_json as as_json

    address = "local[2]" if engine == "spark" else None
    config = Config(engine=engine, engine_address=address, jobs=2, use_cache=False, select=CODES[what])
    start = time.perf_counter()
    engine_of(config)
    started = time.perf_counter()
    report = audit(folder, config=config)
    done = time.perf_counter()
    text = io.StringIO()
    as_json.write(report, text)
    found = {
        "engine": engine,
        "start_seconds": round(started - start, 1),
        "audit_seconds": round(done - started, 1),
        "n_samples": sum(split.n for split in report.splits.values()),
        "findings": len(report.findings),
        "report": hashlib.sha256(text.getvalue().encode()).hexdigest()[:16],
    }
    print(json.dumps(found))


def compare(folder: Path, what: str) -> list[dict[str, object]]:
    found = []
    for engine in ENGINES:
        command = [sys.executable, __file__, "measure", "--engine", engine, "--folder", str(folder), "--what", what]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True)
        found.append(json.loads(done.stdout.splitlines()[-1]))
        found[-1]["ratio"] = round(found[-1]["audit_seconds"] / found[0]["audit_seconds"], 2)
        found[-1]["load"] = round(os.getloadavg()[0], 1)
        print(*(f"{name}={value}" for name, value in found[-1].items()), flush=True)
    assert len({each["report"] for each in found}) == 1, "the reports differ"
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("task", choices=(*CODES, "measure"))
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--parts", type=int, default=8)
    parser.add_argument("--images", type=Path)
    parser.add_argument("--engine", choices=ENGINES)
    parser.add_argument("--folder")
    parser.add_argument("--what", choices=tuple(CODES))
    parser.add_argument("--store", action="store_true")
    given = parser.parse_args()
    if given.task == "measure":
        return measure(given.engine, given.folder, given.what)
    if given.task == "rows":
        with tempfile.TemporaryDirectory() as folder:
            found = compare(make_rows(Path(folder), given.rows, given.parts), "rows")
    else:
        found = compare(given.images, given.task)
    if given.store:
        stored = json.loads(RESULTS.read_text()) if RESULTS.is_file() else {}
        stored[given.task] = {"date": time.strftime("%Y-%m-%d"), "cores": os.cpu_count(), "engines": found}
        RESULTS.write_text(json.dumps(stored, indent=2, sort_keys=True) + "\n")
    return None


if __name__ == "__main__":
    main()
