"""The global random generators: seeded for each pass, and given back as they were."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np


@contextmanager
def generators_restored() -> Iterator[None]:
    """Restore the generators of Python, NumPy and, where it is loaded, torch (also on GPUs), even after an error."""
    of_python, of_numpy = random.getstate(), np.random.get_state()
    torch = sys.modules.get("torch")
    of_torch = torch.get_rng_state() if torch else None
    on_gpu = (
        torch.cuda.get_rng_state_all() if torch and torch.cuda.is_available() and torch.cuda.is_initialized() else []
    )
    try:
        yield
    finally:
        random.setstate(of_python)
        np.random.set_state(of_numpy)
        if torch:
            torch.set_rng_state(of_torch)
            if on_gpu:
                torch.cuda.set_rng_state_all(on_gpu)


def seed_all(seed: int) -> None:
    """Seed the same generators."""
    random.seed(seed)
    np.random.seed(seed)
    if torch := sys.modules.get("torch"):
        torch.manual_seed(seed)
