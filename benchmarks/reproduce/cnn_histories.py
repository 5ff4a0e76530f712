"""(b) An unregularised CNN and (c) a regularised one: the history of the first is overfit, that of the second healthy.

``python benchmarks/reproduce/cnn_histories.py cifar10-half.tar [--size small|full] [--device cpu|cuda]``

(b) conv 64-64-pool-128-flatten-256, 30 epochs. (c) conv 64-pool-128-flatten-256, dropout 0.5, rotation by 15°, shift by
0.1, mirroring, EarlyStopping(8), ReduceLROnPlateau(0.5, 3, 1e-6), at most 60 epochs. small: 3,000 pictures, a quarter
of the channels, batches of 64; full: all 25,000, batches of 128.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import torch
from shared import Batches, Run, arguments, cnn, read_pictures, rounded, split, store, train
from torch import nn

import leakaudit
from leakaudit.curves import read
from leakaudit.curves.diagnose import diagnose

PICTURES = {"small": 3_000, "full": None}
WIDTH = {"small": 0.25, "full": 1.0}
BATCH = {"small": 64, "full": 128}


def experiment(data: Path, size: str, device: str, seed: int, *, regularised: bool) -> dict[str, object]:
    """One network: what its history says alone, and what passes over its weights say."""
    pictures = read_pictures(data, PICTURES[size], seed)
    of_train, of_val = split(pictures, device)
    batches = Batches(*of_train, BATCH[size], shuffled=True, moved=regularised)
    val = Batches(*of_val, BATCH[size])
    torch.manual_seed(seed)
    net = cnn(pictures.pixels.shape[1:], len(pictures.classes), regularised=regularised, width=WIDTH[size])
    epochs = 60 if regularised else 30
    run = train(net, batches, val, epochs, stop_after=8 * regularised, plateau=regularised)
    said = leakaudit.attribute(
        run.net,
        batches,
        val,
        loss=nn.CrossEntropyLoss(),
        bare_train=Batches(*of_train, BATCH[size]),
        reported_train=run.last("loss"),
        reported_val=run.last("val_loss"),
    )
    return {
        **judged(run),
        **rounded({key: run.last(key) for key in ("accuracy", "val_accuracy", "loss", "val_loss")}),
        **rounded({"gap": said.gap, **{t.letter: t.value for t in said.terms}, "remainder": said.remainder.value}),
        "regularisers": rounded({part.name: part.value for part in said.regularisers}),
        "said": said.advice[0],
    }


def judged(run: Run) -> dict[str, object]:
    """What ``leakaudit curves`` says of the log."""
    with tempfile.TemporaryDirectory() as folder:
        (history,) = read(run.write(Path(folder) / "training.log"))
    found = diagnose(history)
    below = found.outcome("low-validation-loss").metrics
    return {
        "verdict": found.verdict,
        "summary": found.summary,
        "epochs": len(run.log),
        "epochs_below": below["rows_below"],
        "leakage_claimed": any("leak" in outcome.message.replace("leakaudit", "") for outcome in found.outcomes),
    }


def main() -> None:
    chosen = arguments(__doc__)
    for seed in range(chosen.first_seed, chosen.first_seed + chosen.seeds):
        for name, regularised in (("b", False), ("c", True)):
            result = experiment(chosen.data, chosen.size, chosen.device, seed, regularised=regularised)
            store(name, chosen.size, seed, result, chosen.device)


if __name__ == "__main__":
    main()
