"""(d) A leak of 0, 5 and 20 %, (e) an easier validation split, (f) leak, easier validation and dropout at once.

``python benchmarks/reproduce/leaky_splits.py cifar10-half.tar [--size small|full] [--device cpu|cuda]``

Each split is a folder of pictures as a user has it, and the probe looks at it as ``leakaudit scan --probe`` does.
Copies of validation pictures in training are in equal parts exact, mirrored, shifted by two pixels, and encoded again
(JPEG, quality 60). Training is harder where a fifth of it has wrong labels (copies have the right ones).
small: 1,200 pictures; full: 12,500, for a GPU.

Beside what the probe says stands what is true. Of d: its own network, trained without the copies that the duplicate
checks know and without as many other training pictures, three times each, judged on the validation pictures that these
are copies of (on all others the two differ by chance only). Of accuracy: the CNN of `cnn_histories`, trained without
all copies and without as many other training pictures.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from shared import HELD_OUT, Batches, Pictures, arguments, cnn, read_pictures, rounded, store, train
from torch import nn

import leakaudit
from leakaudit.analysis.context import Context
from leakaudit.checks import CHECKS
from leakaudit.config import Config
from leakaudit.engines.progress import silent
from leakaudit.fingerprints.pictures.scan import fingerprint_images
from leakaudit.probe.images_torch import TorchPictures
from leakaudit.probe.kinds import BATCH_GPU, EPOCHS_CPU, EPOCHS_GPU, thumbnails
from leakaudit.probe.learner import Job
from leakaudit.probe.outcome import NotProbed
from leakaudit.probe.run import Probed, probed
from leakaudit.probe.wording import explain
from leakaudit.sources.layouts import load

PICTURES = {"small": 1_200, "full": 12_500}
WIDTH, BATCH = {"small": 0.25, "full": 1.0}, {"small": 64, "full": 128}
EPOCHS, WRONG, RETRAINED = 15, 0.2, 3
CODES = ("LA206", "LA401", "LA402")


@dataclass(frozen=True)
class Scenario:
    """What is planted; `regularised` is the network that the user trains."""

    leak: float = 0.0
    easy: bool = False
    regularised: bool = False


SCENARIOS = {
    "d-0": Scenario(),
    "d-5": Scenario(leak=0.05),
    "d-20": Scenario(leak=0.2),
    "e": Scenario(easy=True),
    "f": Scenario(leak=0.2, easy=True, regularised=True),
}


@dataclass(frozen=True)
class Split:
    """Training pictures, then validation pictures; `copy_of`: of which validation picture one is a copy, else -1."""

    pictures: Pictures
    n_train: int
    copy_of: np.ndarray

    def write(self, folder: Path) -> None:
        """As ``train|val/<class>/<number>.png``, or .jpg for what is encoded again."""
        for i, (pixels, label) in enumerate(zip(self.pictures.pixels, self.pictures.labels, strict=True)):
            at = folder / ("train" if i < self.n_train else "val") / self.pictures.classes[label] / f"{i}.png"
            at.parent.mkdir(parents=True, exist_ok=True)
            picture = Image.fromarray(pixels.transpose(1, 2, 0))
            if self.copy_of[i] >= 0 and i % 4 == 3:
                picture.save(at.with_suffix(".jpg"), quality=60)
            else:
                picture.save(at)


def planted(drawn: Pictures, scenario: Scenario, seed: int) -> Split:
    """Wrong labels in a part of the training pictures, copies of validation pictures in the place of some."""
    rng = np.random.default_rng(seed)
    n, n_train = len(drawn.labels), round(len(drawn.labels) * (1 - HELD_OUT))
    pixels, labels, copy_of = drawn.pixels.copy(), drawn.labels.copy(), np.full(n, -1)
    if scenario.easy:
        wrong = rng.permutation(n_train)[: round(WRONG * n_train)]
        labels[wrong] = (labels[wrong] + rng.integers(1, len(drawn.classes), len(wrong))) % len(drawn.classes)
    n_copies = round(scenario.leak * (n - n_train))
    places = rng.permutation(n_train)[:n_copies]
    copy_of[places] = n_train + rng.permutation(n - n_train)[:n_copies]
    for place in places:
        pixels[place], labels[place] = changed(drawn.pixels[copy_of[place]], place % 4), labels[copy_of[place]]
    return Split(Pictures(pixels, labels, drawn.classes), n_train, copy_of)


def changed(pixels: np.ndarray, how: int) -> np.ndarray:
    """The copy: as it is (it may be encoded again when it is written), mirrored, or shifted by two pixels."""
    if how == 1:
        return pixels[:, :, ::-1]
    if how == 2:
        return np.pad(pixels, ((0, 0), (2, 0), (2, 0)), mode="edge")[:, :-2, :-2]
    return pixels


def experiment(split: Split, scenario: Scenario, size: str, device: str, seed: int) -> dict[str, object]:
    """What the audit says, and what is true."""
    with tempfile.TemporaryDirectory() as folder:
        split.write(Path(folder))
        config = Config(select=CODES, probe="gpu" if device == "cuda" else "cpu", use_cache=False)
        dataset = load([folder], config)
        images = fingerprint_images(dataset.samples, config, silent, splits=dataset.splits)
        context = Context(dataset, config, images=images)
        found = probed(context)
        if isinstance(found, NotProbed):
            return {"reason": found.reason}
        outcomes = {
            c.code: c.run(context, c.params) for c in (listed.load() for listed in CHECKS if listed.code in CODES)
        }
        numbers = np.array([int(Path(uri).stem) for uri in dataset.samples.uri.to_pylist()])
    terms = {
        term.letter: [None if x is None else round(x, 4) for x in (term.value, term.low, term.high)]
        for term in found.attribution.terms
    }
    result: dict[str, object] = {
        "planted": int((split.copy_of >= 0).sum()),
        "known": int(found.measured.leaked.sum()),
        "models": len(found.measured.loss) + sum(len(np.unique(fold)) for fold in found.measured.fold),
        "gap": round(found.attribution.gap, 4),
        "terms": terms,
        "failed": [code for code, outcome in outcomes.items() if outcome.findings],
        "said": explain(found.attribution, found.by_check).headline,
        "own network": own_network(split, scenario, size, device, seed),
    }
    if found.measured.leaked.any():
        result["true d"] = round(true_effect(found, thumbnails(images, found.pool.indices), split, numbers, device), 4)
        inflation = outcomes["LA402"].metrics["val"]
        result["inflation"] = [inflation.get(key) for key in ("inflation", "low", "high")]
    return result


def true_effect(found: Probed, pixels: np.ndarray, split: Split, numbers: np.ndarray, device: str) -> float:
    """What the mean loss on validation would rise by, on the known pictures, if their copies were not trained on."""
    measured, number = found.measured, numbers[found.pool.indices]
    copied = np.flatnonzero(measured.leaked)
    copies = np.flatnonzero(np.isin(split.copy_of[number], number[copied]))
    others = np.setdiff1d(np.flatnonzero(~measured.held_out), copies)
    gpu = {"batch": BATCH_GPU, "device": device, "augment": True} if device == "cuda" else {}
    epochs = EPOCHS_GPU if gpu else EPOCHS_CPU
    learner = TorchPictures(pixels, measured.truth, len(measured.classes), found.values, epochs, **gpu)
    rng = np.random.default_rng(0)
    rise = []
    for seed in range(RETRAINED):
        kept = np.setdiff1d(np.flatnonzero(~measured.held_out), rng.choice(others, len(copies), replace=False))
        without, with_them = (learner.fit(Job(rows, copied, 10_000 + seed)).loss.sum() for rows in (others, kept))
        rise.append((without - with_them) / measured.held_out.sum())
    return float(np.mean(rise))


def own_network(split: Split, scenario: Scenario, size: str, device: str, seed: int) -> dict[str, float]:
    """The user's CNN: the terms that passes over its weights give, and what the copies do to its accuracy."""
    x = torch.from_numpy(split.pictures.pixels).to(device)
    y = torch.from_numpy(split.pictures.labels).to(device)
    val = Batches(x[split.n_train :], y[split.n_train :], BATCH[size])
    copies = np.flatnonzero(split.copy_of >= 0)
    every = np.arange(split.n_train)
    others = np.setdiff1d(every, copies)
    kept = np.setdiff1d(every, np.random.default_rng(seed).choice(others, len(copies), replace=False))
    accuracy = []
    for rows in (kept, others) if len(copies) else (every,):
        torch.manual_seed(seed)
        at = torch.from_numpy(rows).to(device)
        net = cnn(x.shape[1:], len(split.pictures.classes), regularised=scenario.regularised, width=WIDTH[size])
        batches = Batches(x[at], y[at], BATCH[size], shuffled=True)
        run = train(net, batches, val, EPOCHS)
        accuracy.append(run.last("val_accuracy"))
        if rows is others:
            break
        said = leakaudit.attribute(
            run.net,
            batches,
            val,
            loss=nn.CrossEntropyLoss(),
            bare_train=Batches(x[at], y[at], BATCH[size]),
            reported_train=run.last("loss"),
            reported_val=run.last("val_loss"),
        )
        measured = {"gap": said.gap, **{t.letter: t.value for t in said.terms}, "remainder": said.remainder.value}
    inflation = {"inflation": accuracy[0] - accuracy[1]} if len(accuracy) == 2 else {}
    return rounded({**measured, "val_accuracy": accuracy[0], **inflation})


def main() -> None:
    chosen = arguments(__doc__)
    for seed in range(chosen.first_seed, chosen.first_seed + chosen.seeds):
        drawn = read_pictures(chosen.data, PICTURES[chosen.size], seed)
        for name, scenario in SCENARIOS.items():
            split = planted(drawn, scenario, seed)
            result = experiment(split, scenario, chosen.size, chosen.device, seed)
            store(name, chosen.size, seed, result, chosen.device)


if __name__ == "__main__":
    main()
