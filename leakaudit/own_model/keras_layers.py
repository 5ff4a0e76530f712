"""The layers of a Keras model."""

from __future__ import annotations

from typing import Any

from leakaudit.own_model.layers import Kind, Layer

_BY_NAME: dict[str, Kind] = {
    "batchnormalization": "batch norm",
    "normalization": "other",  # standardises inputs with constants: the same in training and in use
    "discretization": "other",
    "embedding": "embedding",
    "flatten": "flatten",
    "activation": "activation",
    "softmax": "activation",
    "elu": "activation",
}

_PARTS: tuple[tuple[str, Kind], ...] = (
    ("dropout", "dropout"),
    ("noise", "noise"),
    ("normalization", "other norm"),
    ("attention", "attention"),
    ("lstm", "recurrent"),
    ("rnn", "recurrent"),
    ("gru", "recurrent"),
    ("bidirectional", "recurrent"),
    ("conv", "convolution"),
    ("dense", "dense"),
    ("relu", "activation"),
)
"""What the names of Keras' own classes hold; the first that fits. ``ConvLSTM2D`` is recurrent."""

_AUGMENTING = ("random", "augmix", "mixup", "cutmix", "auto", "solarization", "equalization")

_KEEP_ZERO = frozenset({"relu", "relu6", "leaky_relu", "linear", "leakyrelu", "prelu"})
"""Activations with f(0) = 0 and f(s·x) = s·f(x) for s > 0 (ReLU6 nearly): dropout before or after them is the same."""


def layers_of(model: Any) -> tuple[Layer, ...]:  # noqa: ANN401
    """The layers, flattened, in the order of the model: that of the graph, or of their definition in a subclass.

    Parameters
    ----------
    model : keras.Model
    """
    found: list[Layer] = []
    for layer in flat(model):
        kind = kind_of(layer)
        found.append(Layer(str(layer.name), type(layer).__name__, kind, rate_of(layer, kind), _keeps_zero(layer)))
        activation = getattr(getattr(layer, "activation", None), "__name__", "linear")
        if kind in ("dense", "convolution") and activation != "linear":
            found.append(Layer(str(layer.name), activation, "activation", None, activation in _KEEP_ZERO))
    return tuple(found)


def in_order(model: Any) -> bool:  # noqa: ANN401
    """Whether the order of the layers is that in which data pass them: in sequences and graphs it is."""
    import keras

    known = isinstance(model, keras.Sequential | keras.src.models.functional.Functional)
    parts = [layer for layer in model._layers if isinstance(layer, keras.Model)]
    return known and all(in_order(part) for part in parts)


def flat(model: Any) -> list[Any]:  # noqa: ANN401
    """Layers without those that only hold others; what lies inside attention and recurrent layers is a part of them."""
    found: list[Any] = []

    def add(layer: Any) -> None:  # noqa: ANN401
        whole = kind_of(layer) in ("recurrent", "attention", "augmentation")
        inside = [] if whole else list(getattr(layer, "_layers", ()))
        if inside:
            for part in inside:
                add(part)
        elif not any(layer is other for other in found):
            found.append(layer)

    for layer in model._layers:
        add(layer)
    return found


def kind_of(layer: Any) -> Kind:  # noqa: ANN401
    """What a Keras layer does, told from its class and those it derives from."""
    for base in type(layer).__mro__:
        name = base.__name__.lower()
        if name in ("layer", "model"):
            break
        kind = _BY_NAME.get(name) or (_by_part(name, base.__module__) if base.__module__.startswith("keras") else None)
        if kind is not None:
            return kind
    return "other"


def _by_part(name: str, module: str) -> Kind | None:
    if "preprocessing" in module:
        return "augmentation" if name.startswith(_AUGMENTING) else None
    return next((kind for part, kind in _PARTS if part in name), None)


def rate_of(layer: Any, kind: Kind) -> float | None:  # noqa: ANN401
    """The rate of a dropout, and of dropout inside a recurrent or attention layer where it is above 0."""
    if kind == "dropout":
        return float(getattr(layer, "rate", 0.0) or 0.0)
    if kind == "attention":
        return float(getattr(layer, "_dropout", 0.0) or getattr(layer, "dropout", 0.0) or 0.0) or None
    if kind == "recurrent":
        return max((getattr(holder, name) for holder, name in inner_rates(layer)), default=None)
    return None


def inner_rates(layer: Any) -> list[tuple[Any, str]]:  # noqa: ANN401
    """Where a recurrent layer keeps its rates above 0: (holder, attribute)."""
    parts = [layer, *(getattr(layer, name, None) for name in ("forward_layer", "backward_layer"))]
    cells = [cell for part in parts for cell in _cells(getattr(part, "cell", None))]
    names = ("dropout", "recurrent_dropout")
    return [(cell, name) for cell in cells for name in names if getattr(cell, name, 0.0)]


def _cells(cell: Any) -> list[Any]:  # noqa: ANN401
    """The cells of a recurrent layer: several where they are stacked."""
    return [] if cell is None else list(getattr(cell, "cells", [cell]))


def _keeps_zero(layer: Any) -> bool:  # noqa: ANN401
    name = getattr(getattr(layer, "activation", None), "__name__", type(layer).__name__.lower())
    return name in _KEEP_ZERO
