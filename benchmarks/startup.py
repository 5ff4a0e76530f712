"""What starting costs: ``leakaudit --version`` and ``--help`` against ``python -c "import click"``, whole processes.

``python benchmarks/startup.py [--runs 41] [--json FILE]``

The commands run in turn, so that a busy machine slows all of them alike; bytecode is compiled beforehand, as an
installed package has it. Printed: medians of the clock and of processor time (user + system), and their ratios.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

SCRIPT = "import sys; from leakaudit.cli import main; sys.argv = ['leakaudit', *sys.argv[1:]]; main()"
"""What the console script does."""

COMMANDS = {
    "python": [sys.executable, "-c", "pass"],
    "click": [sys.executable, "-c", "import click"],
    "version": [sys.executable, "-c", SCRIPT, "--version"],
    "help": [sys.executable, "-c", SCRIPT, "--help"],
}


def timed(command: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """Seconds of the clock and of the processor."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
    clock = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return clock, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=41)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    seen: dict[str, list[tuple[float, float]]] = {name: [] for name in COMMANDS}
    with tempfile.TemporaryDirectory() as bytecode:
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": bytecode, "PYTHONDONTWRITEBYTECODE": ""}
        for command in COMMANDS.values():
            timed(command, environment)
        for _ in range(arguments.runs):
            for name, command in COMMANDS.items():
                seen[name].append(timed(command, environment))
    clock = {name: median(run[0] for run in runs) for name, runs in seen.items()}
    processor = {name: median(run[1] for run in runs) for name, runs in seen.items()}
    result = {
        "runs": arguments.runs,
        "milliseconds": {name: round(1000 * value, 1) for name, value in clock.items()},
        "processor_milliseconds": {name: round(1000 * value, 1) for name, value in processor.items()},
        "version_to_click": round(clock["version"] / clock["click"], 2),
        "version_to_click_processor": round(processor["version"] / processor["click"], 2),
        "help_to_click": round(clock["help"] / clock["click"], 2),
        "help_to_click_processor": round(processor["help"] / processor["click"], 2),
    }
    print(json.dumps(result, indent=2))
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
