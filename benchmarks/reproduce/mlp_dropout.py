"""(a) An MLP 512-256-128 with and without dropout: the audit says how much of the gap is regularisation.

``python benchmarks/reproduce/mlp_dropout.py mnist-png.tar [--size small|full] [--device cpu|cuda]``

Adam, 20 epochs, batches of 128, a fifth held out; dropout 0.5, 0.5, 0.3. small: 6,000 pictures; full: all 60,000.
"""

from __future__ import annotations

import torch
from shared import Batches, arguments, mlp, read_pictures, rounded, split, store, train
from torch import nn

import leakaudit

PICTURES = {"small": 6_000, "full": None}
DROPOUT = (0.5, 0.5, 0.3)
EPOCHS, BATCH = 20, 128


def experiment(data: object, size: str, device: str, seed: int) -> dict[str, object]:
    """Both networks on the same split."""
    pictures = read_pictures(data, PICTURES[size], seed)
    of_train, of_val = split(pictures, device)
    found: dict[str, object] = {}
    for name, dropout in (("plain", ()), ("dropout", DROPOUT)):
        torch.manual_seed(seed)
        batches = Batches(*of_train, BATCH, shuffled=True)
        val = Batches(*of_val, BATCH)
        run = train(mlp(pictures.pixels[0].size, len(pictures.classes), dropout), batches, val, EPOCHS)
        said = leakaudit.attribute(
            run.net,
            batches,
            val,
            loss=nn.CrossEntropyLoss(),
            bare_train=Batches(*of_train, BATCH),
            reported_train=run.last("loss"),
            reported_val=run.last("val_loss"),
        )
        terms = {term.letter: term.value for term in said.terms}
        found[name] = {
            **rounded({key: run.last(key) for key in ("accuracy", "val_accuracy", "loss", "val_loss")}),
            **rounded({"gap": said.gap, **terms, "remainder": said.remainder.value}),
            "regularisers": [part.name for part in said.regularisers if part.clear],
            "said": said.advice[0],
        }
    return found


def main() -> None:
    chosen = arguments(__doc__)
    for seed in range(chosen.first_seed, chosen.first_seed + chosen.seeds):
        store("a", chosen.size, seed, experiment(chosen.data, chosen.size, chosen.device, seed), chosen.device)


if __name__ == "__main__":
    main()
