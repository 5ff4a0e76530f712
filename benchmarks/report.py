"""How long a report of 100,000 findings takes to write, in each format, and how much memory.

``python benchmarks/report.py`` writes every format in a process of its own and prints a table; ``--limit`` exits 1
where a format takes more than 10 seconds or 500 MB, what is asked of it on two cores.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from leakaudit.model import (
    CheckInfo,
    Coverage,
    Evidence,
    Finding,
    Layout,
    Outcome,
    Report,
    Sample,
    SamplePair,
    SplitInfo,
    Verdict,
    finding_id,
)
from leakaudit.render import FORMATS

MOST_SECONDS, MOST_MB = 10.0, 500.0


def report(n: int, *, rows: bool) -> Report:
    """`n` findings of one pair each: pictures, or rows of twelve cells."""
    findings = []
    for i in range(n):
        cells = {f"column_{k}": float(i * k) for k in range(12)} if rows else None
        a, b = (
            Sample(f"{split}/class{i % 50}/{i:06}.jpg", split, f"class{i % 50}", cells) for split in ("val", "train")
        )
        findings.append(
            Finding(
                finding_id("LA101", str(i)),
                "LA101",
                "identical-files",
                "error",
                f"{a.uri} is byte-identical to {b.uri}",
                ("val", "train"),
                1,
                {"n_pairs": 1},
                Evidence(pairs=(SamplePair(a, b, 1.0),), n_pairs=1),
            )
        )
    outcome = Outcome("LA101", "identical-files", "failed", f"{n:,} identical files", {}, tuple(findings))
    labels = {f"class{k}": n // 50 for k in range(50)}
    return Report(
        version="0",
        root="data",
        kind="table" if rows else "image",
        layout=Layout("folders", "made for this benchmark"),
        splits={"train": SplitInfo(10 * n, labels), "val": SplitInfo(2 * n, labels)},
        coverage=Coverage(n_read=12 * n),
        outcomes=(outcome,),
        checks={"LA101": CheckInfo("LA101", "identical-files", "Identical files", "error", {})},
        verdict=Verdict("findings", 1, f"{n:,} findings", frozenset(finding.id for finding in findings)),
    )


def measure(form: str, n: int, *, rows: bool) -> None:
    """Write one format, and print seconds, megabytes of the file, of memory in all and of the report alone."""
    made = report(n, rows=rows)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report"
        start = time.perf_counter()
        with path.open("w", encoding="utf-8", newline="\n") as stream:
            FORMATS[form](made, stream)
        seconds = time.perf_counter() - start
        size = path.stat().st_size
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"{seconds:.3f} {size / 1e6:.2f} {peak / unit:.0f} {before / unit:.0f}")


def main() -> int:
    """Measure all formats, each in a fresh process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--findings", type=int, default=100_000)
    parser.add_argument("--format", choices=FORMATS, help="only this one, in this process")
    parser.add_argument("--rows", action="store_true", help="rows of a table instead of pictures")
    parser.add_argument("--limit", action="store_true", help="exit 1 where a format takes too much")
    given = parser.parse_args()
    if given.format:
        measure(given.format, given.findings, rows=given.rows)
        return 0
    over = False
    print(f"{given.findings:,} findings\n\n| format | seconds | file, MB | peak memory, MB | of which the report |")
    print("|---|---:|---:|---:|---:|")
    for form in FORMATS:
        command = [sys.executable, __file__, "--format", form, "--findings", str(given.findings)]
        done = subprocess.run(
            [*command, *(["--rows"] if given.rows else [])], capture_output=True, text=True, check=True
        )
        seconds, size, peak, before = map(float, done.stdout.split())
        over |= seconds > MOST_SECONDS or peak > MOST_MB
        print(f"| {form} | {seconds:.2f} | {size:.1f} | {peak:.0f} | {before:.0f} |")
    return int(given.limit and over)


if __name__ == "__main__":
    sys.exit(main())
