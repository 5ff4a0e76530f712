"""The attribution on data whose truth is known: digits with wrong labels, a small network, planted causes.

``python benchmarks/attribution.py [--runs NAME=N ...] [--write] [--table]``: every run draws its own pool of 1,500
digits, split and seeds; 3 full models and 3 × 5 fold models are trained at once as one batched network. The same run
is judged with all 18 models and with 11 (1 + 2 × 5). Where samples were leaked, 12 further models are trained: 6
without the rows that were leaked, 6 without as many other rows; the difference of their validation losses is what d
claims to be. Clean splits are also judged with 5 % of validation wrongly taken for duplicates, so that all three tests
can fail.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from leakaudit.probe.attribution import NAMES, Attribution, attribute_gap
from leakaudit.probe.measured import Measured
from leakaudit.probe.wording import explain

RESULT = Path(__file__).parent / "results" / "attribution.json"
POOL, VAL, FOLDS, REPEATS, SEEDS, CLASSES = 1500, 300, 5, 3, 3, 10
WRONG_LABELS, PIXEL_NOISE, HIDDEN, BATCH, LEARNING_RATE = 0.05, 0.2, 64, 50, 3e-3


@dataclass(frozen=True)
class Scenario:
    """What is planted; `known` says whether the duplicate checks have found the copies."""

    runs: int
    leak: float = 0.0
    known: bool = True
    easy: bool = False
    epochs: int = 30
    dropout: float = 0.0
    smoothing: float = 0.0
    penalty: float = 0.0
    noise: float = 0.0


SCENARIOS = {
    "clean": Scenario(100),
    "leak 5 %": Scenario(30, leak=0.05),
    "leak 20 %": Scenario(30, leak=0.2),
    "leak 20 %, not known": Scenario(20, leak=0.2, known=False),
    "easy validation": Scenario(8, easy=True),
    "dropout 0.5": Scenario(8, dropout=0.5),
    "2 epochs": Scenario(8, epochs=2),
    "smoothing, L2, augmentation": Scenario(8, smoothing=0.1, penalty=3e-4, noise=0.3),
    "leak 20 %, easy, dropout 0.5": Scenario(30, leak=0.2, easy=True, dropout=0.5),
}


class Networks:
    """M networks 64-64-10 trained side by side, each on rows of its own."""

    def __init__(self, count: int, scenario: Scenario, generator: torch.Generator) -> None:
        self.scenario, self.generator, self.count = scenario, generator, count
        shapes = ((64, HIDDEN), (HIDDEN, HIDDEN), (HIDDEN, CLASSES))
        self.weights = [
            (torch.randn(count, *shape, generator=generator) * math.sqrt(2 / shape[0])).requires_grad_()
            for shape in shapes
        ]
        self.biases = [torch.zeros(count, 1, shape[1], requires_grad=True) for shape in shapes]

    def losses(self, x: torch.Tensor, y: torch.Tensor, on: Scenario) -> torch.Tensor:
        """Loss of every sample for every network with the regularisers of `on`; x (M, n, 64), y (M, n) -> (M, n)."""
        if on.noise:
            x = x + on.noise * torch.randn(x.shape, generator=self.generator)
        for i, (w, b) in enumerate(zip(self.weights, self.biases, strict=True)):
            x = torch.baddbmm(b, x, w)
            if i < len(self.weights) - 1:
                x = torch.relu(x)
                if on.dropout:
                    x = x * (torch.rand(x.shape, generator=self.generator) > on.dropout) / (1 - on.dropout)
        flat = cross_entropy(
            x.reshape(-1, CLASSES), y.reshape(-1), reduction="none", label_smoothing=on.smoothing
        ).reshape(y.shape)
        if on.penalty:
            flat = flat + on.penalty * sum((w**2).sum((1, 2)) for w in self.weights)[:, None]
        return flat

    def fit(self, x: torch.Tensor, y: torch.Tensor, rows: list[np.ndarray]) -> torch.Tensor:
        """Train each network on its rows; the mean objective over the last epoch, shape (M,)."""
        optimiser = torch.optim.Adam([*self.weights, *self.biases], lr=LEARNING_RATE)
        n = min(map(len, rows)) // BATCH * BATCH
        own = [torch.from_numpy(r) for r in rows]
        for _ in range(self.scenario.epochs):
            order = torch.stack([r[torch.randperm(len(r), generator=self.generator)[:n]] for r in own])
            sums = torch.zeros(self.count)
            for start in range(0, n, BATCH):
                at = order[:, start : start + BATCH]
                losses = self.losses(x[at], y[at], self.scenario).mean(1)
                optimiser.zero_grad()
                losses.sum().backward()
                optimiser.step()
                sums += losses.detach()
        return sums / (n / BATCH)

    @torch.no_grad()
    def mean_loss(self, x: torch.Tensor, y: torch.Tensor, on: Scenario, passes: int = 4) -> torch.Tensor:
        """Loss of every sample for every network, shape (M, n), mean over passes where chance is in it."""
        every, labels = x.expand(self.count, *x.shape), y.expand(self.count, len(y))
        return sum(self.losses(every, labels, on) for _ in range(passes)) / passes


def data(scenario: Scenario, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Pictures, labels, and for the rows of V (the last ones) which are leaked and from where; -1 elsewhere."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    drawn = rng.permutation(len(digits.target))[:POOL]
    x, y = digits.data[drawn] / 16.0, digits.target[drawn].copy()
    x += PIXEL_NOISE * rng.standard_normal(x.shape)
    wrong = rng.random(POOL) < WRONG_LABELS
    if scenario.easy:
        wrong[POOL - VAL :] = False
    y[wrong] = (y[wrong] + rng.integers(1, CLASSES, int(wrong.sum()))) % CLASSES
    source = np.full(POOL, -1)
    n_leaked = round(scenario.leak * VAL)
    at = POOL - VAL + rng.permutation(VAL)[:n_leaked]
    source[at] = rng.permutation(POOL - VAL)[:n_leaked]
    x[at], y[at] = x[source[at]], y[source[at]]
    return x.astype(np.float32), y, source, at


def folds(groups: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """K folds of equal size that keep groups together."""
    order = rng.permutation(np.unique(groups))
    sizes = np.bincount(groups, minlength=groups.max() + 1)[order]
    of_group = np.zeros(groups.max() + 1, np.int64)
    of_group[order] = np.minimum(np.cumsum(sizes) * FOLDS // (len(groups) + 1), FOLDS - 1)
    return of_group[groups]


def measure(scenario: Scenario, seed: int) -> tuple[Measured, tuple[float, float]]:
    """One run: what was measured, and the true effect of the leak by `counterfactual` (NaN where there is none)."""
    rng = np.random.default_rng(seed)
    generator = torch.Generator().manual_seed(seed)
    pictures, labels, source, at = data(scenario, rng)
    groups = np.arange(POOL)
    if scenario.known:
        groups[at] = source[at]
    held_out = np.arange(POOL) >= POOL - VAL
    fold = np.stack([folds(groups, rng) for _ in range(REPEATS)])
    full = np.flatnonzero(~held_out)
    x, y = torch.from_numpy(pictures), torch.from_numpy(labels)
    networks = Networks(SEEDS + FOLDS * REPEATS, scenario, generator)
    rows = [full] * SEEDS + [np.flatnonzero(fold[r] != k) for r in range(REPEATS) for k in range(FOLDS)]
    reported = networks.fit(x, y, rows).numpy().astype(np.float64)[:SEEDS]
    bare = replace(scenario, dropout=0.0, smoothing=0.0, penalty=0.0, noise=0.0)
    loss = networks.mean_loss(x, y, bare, passes=1).numpy().astype(np.float64)
    chain, on = [scenario], scenario
    parts = {"dropout": "dropout", "noise": "augmentation", "smoothing": "label smoothing", "penalty": "penalties"}
    used = [part for part in parts if getattr(scenario, part)]
    for part in used:
        on = replace(on, **{part: 0.0})
        chain.append(on)
    levels = [networks.mean_loss(x, y, step)[:SEEDS, full].mean(1).numpy().astype(np.float64) for step in chain]
    levels[-1] = loss[:SEEDS, full].mean(1)
    h = np.stack([loss[SEEDS + r * FOLDS + fold[r], np.arange(POOL)] for r in range(REPEATS)])
    found = Measured(
        held_out=held_out,
        groups=groups,
        leaked=(source >= 0) & scenario.known,
        reported_train=reported,
        train_mode=levels[0],
        reported_val=loss[:SEEDS, held_out].mean(1),
        loss=loss[:SEEDS],
        out_of_fold=h,
        fold=fold,
        regularisers={parts[part]: levels[i] - levels[i + 1] for i, part in enumerate(used)},
    )
    if not len(at):
        return found, (math.nan, math.nan)
    return found, counterfactual(scenario, x, y, full, source, held_out, generator, rng)


def counterfactual(
    scenario: Scenario,
    x: torch.Tensor,
    y: torch.Tensor,
    full: np.ndarray,
    source: np.ndarray,
    held_out: np.ndarray,
    generator: torch.Generator,
    rng: np.random.Generator,
    count: int = 6,
) -> tuple[float, float]:
    """Validation loss without the rows that were leaked, less that without as many other rows.

    In two parts: what the leaked and what the other validation samples give to the mean. The latter has mean 0, because
    to them both sets of rows are alike, and is chance in training; it is kept to see that it is.
    """
    twins = np.unique(source[source >= 0])
    others = np.setdiff1d(full, twins)
    rows = [others] * count
    rows += [np.setdiff1d(full, rng.choice(others, len(twins), replace=False)) for _ in range(count)]
    networks = Networks(2 * count, scenario, generator)
    networks.fit(x, y, rows)
    bare = replace(scenario, dropout=0.0, smoothing=0.0, penalty=0.0, noise=0.0)
    val = networks.mean_loss(x[held_out], y[held_out], bare, passes=1).numpy()
    rise = val[:count].mean(0) - val[count:].mean(0)
    leaked = source[held_out] >= 0
    return float(rise[leaked].sum() / len(rise)), float(rise[~leaked].sum() / len(rise))


def eleven(measured: Measured) -> Measured:
    """The same run with 1 + 2 × 5 models."""
    return replace(
        measured,
        reported_train=measured.reported_train[:1],
        train_mode=measured.train_mode[:1],
        reported_val=measured.reported_val[:1],
        loss=measured.loss[:1],
        out_of_fold=measured.out_of_fold[:2],
        fold=measured.fold[:2],
        regularisers={name: part[:1] for name, part in measured.regularisers.items()},
    )


def summary(found: list[Attribution], truth: np.ndarray) -> dict[str, object]:
    """Means and standard deviations of the terms, shares of tests that reject, coverage of the interval of d."""
    out: dict[str, object] = {"gap": spread([a.gap for a in found])}
    for letter in NAMES:
        out[letter] = spread([a.term(letter).value for a in found])
    for name in ("easy", "leak", "known"):
        tests = [a.test(name) for a in found]
        if tests[0].p is not None:
            out[f"{name} rejects"] = share(test.significant for test in tests)
            out[f"{name} rejects, not adjusted"] = share(test.p <= 0.05 for test in tests)
    out["leak or known rejects"] = share(a.test("leak").significant or a.test("known").significant for a in found)
    out["duplicates or unexplained named"] = share(
        any(cause.letter in "dr" for cause in explain(a).causes) for a in found
    )
    if np.isfinite(truth).all():
        of_leaked, of_others = truth.T
        out["true leak effect"] = spread(of_leaked)
        out["chance in other samples"] = spread(of_others)
        for name, true in (("true leak effect", of_leaked), ("it with that chance", of_leaked + of_others)):
            out[f"d holds {name}"] = share(
                a.term("d").low <= t <= a.term("d").high for a, t in zip(found, true, strict=True)
            )
        out["width of d"] = spread([a.term("d").high - a.term("d").low for a in found])
    if names := found[0].regularisers:
        out["regularisers"] = {
            part.name: spread([a.regularisers[i].value for a in found]) for i, part in enumerate(names)
        }
    return out


def share(of: Iterable[bool]) -> float:
    return round(float(np.mean(list(of))), 3)


def spread(values: Sequence[float] | np.ndarray) -> list[float]:
    return [round(float(np.mean(values)), 4), round(float(np.std(values, ddof=1)), 4) if len(values) > 1 else 0.0]


def run(name: str, scenario: Scenario) -> dict[str, object]:
    start = time.perf_counter()
    kinds: dict[str, list[Attribution]] = {"18 models": [], "11 models": []}
    if not scenario.leak and not scenario.easy:
        kinds |= {"18 models, false duplicates": [], "11 models, false duplicates": []}
    truth = []
    for i in range(scenario.runs):
        measured, true = measure(scenario, 1000 * list(SCENARIOS).index(name) + i)
        truth.append(true)
        rng = np.random.default_rng(i)
        false = np.zeros(POOL, bool)
        false[POOL - VAL + rng.permutation(VAL)[: VAL // 20]] = True
        for kind, found in kinds.items():
            judged = eleven(measured) if kind.startswith("11") else measured
            found.append(attribute_gap(replace(judged, leaked=false) if "false" in kind else judged))
    result: dict[str, object] = {"runs": scenario.runs, "seconds": round(time.perf_counter() - start)}
    result |= {
        kind: summary(found, np.array(truth) if scenario.known else np.full((1, 2), math.nan))
        for kind, found in kinds.items()
    }
    print(name, *(f"{kind}: {told}" for kind, told in result.items()), sep="\n  ", flush=True)
    return result


def table(stored: dict[str, dict[str, dict[str, object]]]) -> str:
    """The terms by scenario, and what the tests found, as markdown."""
    lines = ["| scenario | G | a | b | c | d | e | r | true leak effect |", "|---|" + "---|" * 8]
    for name, result in stored.items():
        of = result["18 models"]
        cells = [told(of[key]) for key in ("gap", *"abcder")] + [told(of.get("true leak effect"))]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    lines += [
        "",
        "| scenario | runs | models | easy | leak | known | leak or known | named | d holds the true effect |",
    ]
    lines += ["|---|" + "---|" * 8]
    for name, result in stored.items():
        for kind, of in result.items():
            models, _, false = kind.partition(", ")
            if kind in ("runs", "seconds") or (false and result["runs"] < 30):
                continue
            keys = ("easy rejects", "leak rejects", "known rejects", "leak or known rejects")
            keys = (*keys, "duplicates or unexplained named", "d holds true leak effect")
            cells = [f"{of[key]:.1%}" if key in of else "–" for key in keys]
            head = f"{', '.join(filter(None, (name, false)))} | {result['runs']} | {models.split()[0]}"
            lines.append(f"| {head} | {' | '.join(cells)} |")
    return "\n".join(lines)


def told(pair: object) -> str:
    return "–" if pair is None else f"{pair[0] + 0.0:.3f} ± {pair[1]:.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", nargs="*", default=[], metavar="NAME=N", help="only these scenarios, so often")
    parser.add_argument("--write", action="store_true", help=f"store in {RESULT.name}")
    parser.add_argument("--table", action="store_true", help="only print what is stored")
    arguments = parser.parse_args()
    if arguments.table:
        print(table(json.loads(RESULT.read_text(encoding="utf-8"))["scenarios"]))
        return
    torch.set_num_threads(1)
    wanted = dict(pair.rsplit("=", 1) for pair in arguments.runs) or {k: str(v.runs) for k, v in SCENARIOS.items()}
    for name, n in wanted.items():
        result = run(name, replace(SCENARIOS[name], runs=int(n)))
        if arguments.write:
            store(name, result)


def store(name: str, result: dict[str, object]) -> None:
    """Replace the results of one scenario."""
    about = {"torch": torch.__version__, "python": platform.python_version(), "pool": POOL, "validation": VAL}
    stored = json.loads(RESULT.read_text(encoding="utf-8"))["scenarios"] if RESULT.exists() else {}
    stored[name] = result
    ordered = {known: stored[known] for known in SCENARIOS if known in stored}
    RESULT.write_text(json.dumps({"about": about, "scenarios": ordered}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
