"""Exact rows against the bare DuckDB null-safe join of the same parquet files: seconds and peak memory in one run.

``python benchmarks/rows.py [--sizes 500000 1500000 4500000] [--folder DIR]``: twelve mixed columns, the held-out split
a ninth of train, one held-out row in a hundred copied from train. Every measurement is a process of its own, in turn.
Processor seconds stand beside the clock, which other work on the machine disturbs. ``--store`` writes
``results/rows.json``.

``python benchmarks/rows.py --large 36000000 --memory-limit 500MB --cap 1000`` runs the largest table alone, in
processes that get no more memory than the cap: a memory cgroup (v2 or v1) kills them beyond it where one may be made,
which takes root; ``RLIMIT_DATA`` elsewhere.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

COPIED = 0.01
ROW_GROUP = 122_880
RESULTS = Path(__file__).parent / "results" / "rows.json"
TASKS = ("bare", "fingerprint", "audit", "exact")
WHAT = {
    "bare": "bare null-safe join",
    "fingerprint": "fingerprint_rows",
    "audit": "audit, LA104 alone",
    "exact": "audit, LA104 LA110 LA111",
}


# --- data -------------------------------------------------------------------------------------------------------


def mixed(n: int, seed: int) -> dict[str, object]:
    """Twelve columns of n rows: keys, amounts, categories, dates, missing values."""
    import pyarrow as pa

    rng = np.random.default_rng(seed)
    cities = pa.array([f"city {i:03d}" for i in range(300)])
    words = pa.array([f"{a}{b}" for a in ("north", "south", "old", "new") for b in ("ton", "ville", "burgh", "field")])
    days = np.datetime64("2015-01-01") + rng.integers(0, 3000, n)
    return {
        "customer": pa.array(rng.integers(0, 10**7, n)),
        "age": pa.array(rng.integers(18, 90, n).astype(np.int16)),
        "amount": pa.array(np.round(rng.lognormal(3, 1, n), 2), mask=rng.random(n) < 0.02),
        "ratio": pa.array(rng.normal(size=n)),
        "score": pa.array(rng.random(n).astype(np.float32)),
        "n_items": pa.array(rng.poisson(3, n).astype(np.int32)),
        "city": cities.take(pa.array(rng.integers(0, 300, n))),
        "kind": words.take(pa.array(rng.integers(0, 16, n))),
        "member": pa.array(rng.random(n) < 0.4),
        "day": pa.array(days.astype("datetime64[D]")),
        "level": pa.array(rng.integers(0, 5, n).astype(np.int8), mask=rng.random(n) < 0.05),
        "label": pa.array(np.array(["no", "yes"])[rng.integers(0, 2, n)]),
    }


def make(folder: Path, n: int) -> tuple[Path, Path]:
    """Write train (n rows) and val (n / 9 rows), in pieces of two million rows; kept if they are there."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    train, val = folder / f"{n}-train.parquet", folder / f"{n}-val.parquet"
    if val.exists():
        return train, val
    n_val = n // 9
    first = None
    with pq.ParquetWriter(train, pa.table(mixed(1, 0)).schema) as writer:
        for number, at in enumerate(range(0, n, 2_000_000)):
            table = pa.table(mixed(min(2_000_000, n - at), number))
            first = table if first is None else first
            writer.write_table(table, row_group_size=ROW_GROUP)
    assert first is not None
    copied = first.slice(0, int(n_val * COPIED))
    own = pa.table(mixed(n_val - copied.num_rows, 10**6))
    pq.write_table(pa.concat_tables([own, copied]), val, row_group_size=ROW_GROUP)
    return train, val


# --- one measurement, in a process of its own -------------------------------------------------------------------


def bare(train: str, val: str) -> int:
    """Held-out rows that are in train, cell by cell, null equal to null; as anyone would write it."""
    import duckdb

    connection = duckdb.connect(config={"threads": str(cores())})
    names = connection.execute(f"SELECT * FROM '{val}' LIMIT 0").description
    on = " AND ".join(f'a."{name[0]}" IS NOT DISTINCT FROM b."{name[0]}"' for name in names)
    row = connection.execute(f"SELECT count(*) FROM '{val}' a SEMI JOIN '{train}' b ON {on}").fetchone()
    assert row is not None
    return int(row[0])


def ours(task: str, train: str, val: str, memory_limit: str) -> int:
    from leakaudit import audit
    from leakaudit.analysis.copies.rows.equal import n_shared
    from leakaudit.config import Config
    from leakaudit.fingerprints.rows.fingerprint import fingerprint_rows
    from leakaudit.sources.layouts import load

    codes = ("LA104",) if task == "audit" else ("LA104", "LA110", "LA111")
    config = Config(use_cache=False, memory_limit=memory_limit, label="label", select=codes)
    if task == "fingerprint":
        rows = fingerprint_rows(load([f"train={train}", f"val={val}"], config), config)
        return n_shared(rows, "canonical", "val", "train")
    report = audit(f"train={train}", f"val={val}", config=config)
    return sum(f.n_samples for f in report.findings if f.code == "LA104")


def cores() -> int:
    from leakaudit.engines.local import usable_cores

    return usable_cores()


def measure(task: str, train: str, val: str, memory_limit: str) -> None:
    import duckdb  # noqa: F401  what both need is no part of either

    start, before = time.perf_counter(), time.process_time()
    found = bare(train, val) if task == "bare" else ours(task, train, val, memory_limit)
    seconds, cpu = time.perf_counter() - start, time.process_time() - before
    print(json.dumps({"seconds": seconds, "cpu": cpu, "found": found, "peak": peak()}))


def peak() -> float:
    """Most memory that this process ever held, in MB; where the system does not say it, NaN."""
    status = Path("/proc/self/status")
    if status.exists():  # ru_maxrss is inherited from the process that started this one
        (most,) = (line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(most) * 1024 / 1e6
    try:
        import resource
    except ImportError:
        return float("nan")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


# --- the table --------------------------------------------------------------------------------------------------


@contextmanager
def capped(megabytes: int | None) -> Iterator[list[str]]:
    """Options for a measuring process, so that it gets no more memory than this."""
    if megabytes is None:
        yield []
        return
    for root, name in (("/sys/fs/cgroup", "memory.max"), ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")):
        group = Path(root, f"leakaudit-rows-{os.getpid()}")
        try:
            group.mkdir()
        except OSError:
            continue
        try:
            if (group / name).exists():
                (group / name).write_text(str(megabytes * 10**6))
                yield ["--join", str(group)]
                return
        finally:
            group.rmdir()
    yield ["--data", str(megabytes * 10**6)]


def obey(join: str | None, data: int | None) -> None:
    """In the measuring process: come under the cap."""
    if join:
        Path(join, "cgroup.procs").write_text(str(os.getpid()))
    if data:
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (data, data))


def run(task: str, paths: tuple[Path, Path], memory_limit: str, cap: int | None) -> dict[str, float]:
    command = [sys.executable, __file__, "--measure", task, *map(str, paths), "--memory-limit", memory_limit]
    with capped(cap) as options:
        done = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr or f"{task}: ended by signal {-done.returncode}")
    measured: dict[str, float] = json.loads(done.stdout)
    return measured


def store(rows: list[dict[str, object]]) -> None:
    """Replace what was stored for the same sizes and cap."""
    known = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
    fresh = {(row["rows"], row["cap_mb"]) for row in rows}
    kept = [row for row in known if (row["rows"], row["cap_mb"]) not in fresh]
    RESULTS.write_text(json.dumps([*kept, *rows], indent=1) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[500_000, 1_500_000, 4_500_000])
    parser.add_argument("--large", type=int, help="one size, ours alone")
    parser.add_argument("--memory-limit", default="auto")
    parser.add_argument("--tasks", nargs="+", choices=TASKS, help="default: all; ratios are to the first")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where the tables are kept; default: a temporary folder")
    parser.add_argument("--cap", type=int, metavar="MB", help="memory that the system gives each process at most")
    parser.add_argument("--store", action="store_true")
    parser.add_argument("--join", help=argparse.SUPPRESS)
    parser.add_argument("--data", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--measure", nargs=3, metavar=("TASK", "TRAIN", "VAL"), help=argparse.SUPPRESS)
    told = parser.parse_args()
    if told.measure:
        obey(told.join, told.data)
        measure(*told.measure, told.memory_limit)
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = told.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        tasks = told.tasks or (TASKS[1:] if told.large else TASKS)
        heads = f"{'seconds':>8} {'ratio':>6} {'cpu':>7} {'ratio':>6} {'peak MB':>8}  found"
        print(f"{'rows of train':>14}  {'what':26} {heads}")
        stored = []
        for n in [told.large] if told.large else told.sizes:
            paths = make(folder, n)
            repeats = [
                {task: run(task, paths, told.memory_limit, told.cap) for task in tasks} for _ in range(told.repeats)
            ]
            for task in tasks:
                row = {"rows": n, "what": WHAT[task], "cap_mb": told.cap, "memory_limit": told.memory_limit}
                for key in ("seconds", "cpu"):
                    row[key] = round(float(np.median([each[task][key] for each in repeats])), 3)
                    ratios = [each[task][key] / each[tasks[0]][key] for each in repeats]
                    row[f"{key}_ratio"] = round(float(np.median(ratios)), 3)
                row |= {
                    "peak_mb": round(max(each[task]["peak"] for each in repeats)),
                    "found": repeats[0][task]["found"],
                }
                stored.append(row)
                print(
                    f"{n:>14,}  {WHAT[task]:26} {row['seconds']:8.2f} {row['seconds_ratio']:6.2f} {row['cpu']:7.2f} "
                    f"{row['cpu_ratio']:6.2f} {row['peak_mb']:8.0f}  {row['found']:,}",
                    flush=True,
                )
        if told.store:
            store(stored)


if __name__ == "__main__":
    main()
