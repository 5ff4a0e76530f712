"""The layers of a network in the order in which data pass them, in the words of no framework."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal[
    "dense",
    "convolution",
    "recurrent",
    "attention",
    "embedding",
    "batch norm",
    "other norm",
    "dropout",
    "stochastic depth",
    "augmentation",
    "noise",
    "activation",
    "flatten",
    "other",
]

WEIGHTS: frozenset[Kind] = frozenset({"dense", "convolution", "recurrent", "attention", "embedding"})
"""Kinds that learn a map from one representation to the next: dropout stands before or after one of them."""

RANDOM: frozenset[Kind] = frozenset({"dropout", "stochastic depth", "augmentation", "noise"})
"""Kinds that change their input at random in training."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer, or one call of a function that acts as one.

    Parameters
    ----------
    name : str
        Where it is in the network: ``features.3``, ``dropout_1``.
    type : str
        What the framework calls it: ``Dropout``, ``F.dropout``.
    kind : str
        What it does, of `Kind`; "other" for what is of no matter to the rules.
    rate : float or None, default None
        Of dropout, and of a recurrent or attention layer with dropout inside.
    linear : bool, default False
        Of an activation: that it and dropout may change places (ReLU and its like, which keep 0 and scale).
    """

    name: str
    type: str
    kind: Kind
    rate: float | None = None
    linear: bool = False

    def __str__(self) -> str:
        rate = "" if self.rate is None else f"({self.rate:g})"
        return f"{self.type}{rate} `{self.name}`" if self.name else f"{self.type}{rate}"
