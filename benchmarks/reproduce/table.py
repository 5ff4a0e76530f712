"""The stored results of the worked experiments as markdown: ``python benchmarks/reproduce/table.py [small|full]``."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

RESULTS = Path(__file__).parent / "results"
SPLITS = ("d-0", "d-5", "d-20", "e", "f")


def runs(experiment: str, size: str) -> list[dict[str, Any]]:
    """Results of all seeds."""
    path = RESULTS / f"{experiment}.json"
    stored = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return [result for _, result in sorted(stored.get(size, {}).items())]


def spread(values: Iterable[float], digits: int = 3) -> str:
    """Mean and standard deviation over seeds."""
    found = np.array(list(values), dtype=float)
    if not len(found):
        return "–"
    deviation = f" ± {found.std(ddof=1):.{digits}f}" if len(found) > 1 else ""
    return f"{found.mean() + 0.0:.{digits}f}{deviation}"


def row(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def networks(size: str) -> list[str]:
    """(a) to (c): one row a network."""
    head = ("experiment", "seeds", "training accuracy", "validation accuracy", "G", "a", "b", "what is left")
    lines = [row(*head), "|---" * len(head) + "|"]
    found = {f"(a) MLP, {name}": [run[name] for run in runs("a", size)] for name in ("plain", "dropout")}
    found |= {"(b) CNN, plain": runs("b", size), "(c) CNN, regularised": runs("c", size)}
    for name, of in found.items():
        keys = ("accuracy", "val_accuracy", "gap", "a", "b", "remainder")
        lines.append(row(name, len(of), *(spread(run[key] for run in of) for key in keys)))
    return lines


def histories(size: str) -> list[str]:
    """(b) and (c): what the history alone says."""
    head = ("experiment", "verdicts of `curves`", "epochs", "of them with validation loss below", "leakage claimed")
    lines = [row(*head), "|---" * len(head) + "|"]
    for name in ("b", "c"):
        of = runs(name, size)
        verdicts = ", ".join(f"{n} × {verdict}" for verdict, n in Counter(run["verdict"] for run in of).most_common())
        epochs, below = (", ".join(str(run[key]) for run in of) for key in ("epochs", "epochs_below"))
        lines.append(row(f"({name})", verdicts, epochs, below, sum(run["leakage_claimed"] for run in of)))
    return lines


def splits(size: str) -> list[str]:
    """(d) to (f): one row a scenario."""
    head = ("split", "seeds", "known of planted", "G", "c", "d", "true d", "d holds it", "r", "LA206", "LA401", "LA402")
    lines = [row(*head), "|---" * len(head) + "|"]
    for name in SPLITS:
        of = runs(name, size)
        if not of:
            continue
        leaky = [run for run in of if "true d" in run]
        intervals = [(run["terms"]["d"], run["true d"]) for run in leaky]  # too few known pictures have none
        held = [low <= true <= high for (_, low, high), true in intervals if low is not None]
        terms = {letter: spread(run["terms"][letter][0] for run in of) for letter in "cdr"}
        fired = [sum(code in run["failed"] for run in of) for code in ("LA206", "LA401", "LA402")]
        known = f"{sum(run['known'] for run in of)} of {sum(run['planted'] for run in of)}"
        true = spread(run["true d"] for run in leaky)
        holds = f"{sum(held)} of {len(held)}" if held else "–"
        gap = spread(run["gap"] for run in of)
        lines.append(row(name, len(of), known, gap, terms["c"], terms["d"], true, holds, terms["r"], *fired))
    return lines


def own_networks(size: str) -> list[str]:
    """(d) to (f): the user's CNN."""
    head = ("split", "G", "a", "b", "what is left", "copies add to its accuracy", "LA402 says of the quick model")
    lines = [row(*head), "|---" * len(head) + "|"]
    for name in SPLITS:
        own = [run["own network"] for run in runs(name, size)]
        if not own:
            continue
        terms = [spread(each[key] for each in own) for key in ("gap", "a", "b", "remainder")]
        said = [run["inflation"][0] for run in runs(name, size) if run.get("inflation", [None])[0] is not None]
        lines.append(row(name, *terms, spread(each["inflation"] for each in own if "inflation" in each), spread(said)))
    return lines


def main() -> None:
    size = sys.argv[1] if len(sys.argv) > 1 else "small"
    for table in (networks, histories, splits, own_networks):
        print(*table(size), sep="\n", end="\n\n")


if __name__ == "__main__":
    main()
