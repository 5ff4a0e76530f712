"""Histories made by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from leakaudit.history import History

SAMPLES = Path(__file__).parent / "samples"


@pytest.fixture(scope="session")
def samples() -> Path:
    return SAMPLES


@pytest.fixture(scope="session")
def history() -> Callable[..., History]:
    def make(train_loss: Sequence[float] = (), val_loss: Sequence[float] = (), **more: object) -> History:
        given = {"train_loss": train_loss, "val_loss": val_loss, **more}
        length = max(len(v) for v in given.values() if isinstance(v, list | tuple | np.ndarray))
        arrays = {}
        for name in ("train_loss", "val_loss", "train_accuracy", "val_accuracy", "lr"):
            array = np.full(length, np.nan)
            values = np.asarray(given.pop(name, ()), dtype=float)
            array[: len(values)] = values
            arrays[name] = array
        epoch = np.asarray(given.pop("epoch", np.arange(1, length + 1)), dtype=float)
        return History(source="x.csv", run="", val_set="", format="csv", epoch=epoch, **arrays, **given)

    return make
