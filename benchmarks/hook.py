"""How long a commit waits: ``leakaudit hook`` with ten changed pictures of a large data set under git.

``python benchmarks/hook.py FOLDER [--changed 10] [--repeats 5] [--json FILE]``

FOLDER (such as MNIST as PNG files, 70,000 of them) is copied into a new git repository; the first run fingerprints all
of it, then ten pictures are added at a time. Printed: medians of the hook and of ``git status`` on the same tree in the
same run, and their ratio.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np
from PIL import Image


def timed(command: list[str], folder: Path, environment: dict[str, str]) -> float:
    start = time.perf_counter()
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise SystemExit(done.stdout + done.stderr)
    return time.perf_counter() - start


def add_pictures(split: Path, n: int, seed: int) -> list[str]:
    """New pictures like the ones that are there: noise on one of each class, so that nothing is a copy."""
    random = np.random.default_rng(seed)
    files = sorted(split.rglob("*.png"))
    made = []
    for number in range(n):
        source = files[int(random.integers(len(files)))]
        with Image.open(source) as image:
            values = np.asarray(image.convert("L"), dtype=np.int16)
        values = values[random.permutation(len(values))] + random.integers(-20, 20, values.shape)
        path = source.with_name(f"new-{seed}-{number}.png")
        Image.fromarray(np.clip(values, 0, 255).astype(np.uint8)).save(path)
        made.append(str(path))
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--changed", type=int, default=10)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        data = root / "work" / "data"
        shutil.copytree(arguments.folder, data)
        told = {
            "LEAKAUDIT_CACHE_DIR": str(root / "cache"),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "PYTHONPYCACHEPREFIX": str(root / "bytecode"),  # compiled once, as an installed package is
            "PYTHONDONTWRITEBYTECODE": "",
        }
        environment = {**os.environ, **told}
        hook = [sys.executable, "-m", "leakaudit", "hook", "--data", "data"]
        for command in (["git", "init", "-q"], ["git", "add", "-A"]):
            subprocess.run(command, cwd=data.parent, env=environment, check=True)
        held_out = next(path for name in ("val", "test", "validation") if (path := data / name).is_dir())
        time.sleep(3)  # files younger than the time stamps' resolution are read again
        first = timed([*hook, *add_pictures(held_out, 1, 0)], data.parent, environment)
        hooks, statuses = [], []
        for repeat in range(1, arguments.repeats + 1):
            added = add_pictures(held_out, arguments.changed, repeat)
            statuses.append(timed(["git", "status", "--porcelain"], data.parent, environment))
            hooks.append(timed([*hook, *added], data.parent, environment))
        n = sum(1 for _ in data.rglob("*.png"))
    result = {
        "pictures": n,
        "changed": arguments.changed,
        "first_run_seconds": round(first, 2),
        "hook_seconds": round(median(hooks), 2),
        "git_status_seconds": round(median(statuses), 3),
        "ratio": round(median(hooks) / median(statuses), 1),
    }
    print(json.dumps(result, indent=2))
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
