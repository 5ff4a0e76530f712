"""Losses of models that were not trained: what the probe measures, drawn at random with a known truth."""

from __future__ import annotations

import numpy as np

from leakaudit.probe.measured import Measured


def make(seed=0, n=500, n_val=100, seeds=2, repeats=2, folds=5, n_leaked=0, leak=0.0, easy=0.0, scale=1.0):
    """Losses of exchangeable models; `leak` is the share of its loss that a leaked sample keeps less."""
    rng = np.random.default_rng(seed)
    held_out, leaked = np.arange(n) < n_val, np.arange(n) < n_leaked
    groups = np.arange(n)
    groups[leaked] = n - 1 - groups[leaked]
    fold = np.stack([rng.permutation(n)[groups] % folds for _ in range(repeats)])
    level = rng.exponential(0.6, n) * np.where(held_out, 1 - easy, 1)
    h = level * rng.lognormal(0, 0.2, (repeats, n))
    loss = level * rng.lognormal(0, 0.2, (seeds, n))
    loss[:, ~held_out] *= 0.2
    loss[:, leaked] *= 1 - leak
    loss, h = loss * scale, h * scale
    val = loss[:, held_out].mean(axis=1)
    bare = loss[:, ~held_out].mean(axis=1)
    parts = {"dropout": np.full(seeds, 0.1 * scale), "augmentation": np.full(seeds, 0.05 * scale)}
    train_mode = bare + 0.15 * scale
    return Measured(held_out, groups, leaked, train_mode + 0.02 * scale, train_mode, val, loss, h, fold, parts)
