"""Rules over the layers of a network: where dropout does harm, and rates that are not those of practice.

The rates are those that practitioners' guides agree on: little at the input (Srivastava et al., Dropout, JMLR 15, 2014:
0.2), 0.3 to 0.5 after dense layers, 0.2 to 0.3 on feature maps, 0.2 to 0.5 in recurrent layers (Gal and Ghahramani,
NeurIPS 2016), and little where batch normalisation regularises as well (Ioffe and Szegedy, ICML 2015). Dropout right
before batch normalisation shifts the variance that it was fitted to (Li et al., Understanding the disharmony between
dropout and batch normalization, CVPR 2019). Transformers are trained with 0.1 (Vaswani et al., 2017) and are measured
by that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, TypeAlias, get_args

from leakaudit.own_model.layers import RANDOM, WEIGHTS, Kind, Layer

Severity: TypeAlias = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)

INPUT, DENSE, CONVOLUTION, RECURRENT = (0.1, 0.2), (0.3, 0.5), (0.2, 0.3), (0.2, 0.5)
BESIDE_BATCH_NORM = (0.2, 0.3)
FLATTENED = (0.2, 0.5)
"""Between the feature maps and the first dense layer both ranges are usual."""
TRANSFORMER = (0.05, 0.3)
AFTER: Mapping[Kind, tuple[tuple[float, float], str]] = {
    "dense": (DENSE, "after a dense layer"),
    "convolution": (CONVOLUTION, "after a convolution"),
    "recurrent": (RECURRENT, "after a recurrent layer"),
    "embedding": ((INPUT[0], RECURRENT[1]), "after an embedding"),
}
FALLS = 0.1
"""By how much a rate must be below an earlier one of the same kind to be named."""


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing about a network that is wrong, or is not as usual.

    Parameters
    ----------
    rule : str
        Of `lint_model`.
    severity : {"error", "warning", "note"}
        An *error* is measured: validation is not what it is taken for. A *warning* does harm whatever the data are. A
        *note* is a departure from practice, which may be meant.
    layer : str
        Which; "" for the whole network.
    message : str
        What, and what to do.
    """

    rule: str
    severity: Severity
    layer: str
    message: str

    def __str__(self) -> str:
        return f"{self.severity}: {self.message}"


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a dropout stands.

    Parameters
    ----------
    before, after : Layer or None
        The nearest layers with weights.
    between : tuple of Layer
        What lies from `before` up to it.
    following : tuple of Layer
        What lies from it up to `after`, or to the end.
    """

    layer: Layer
    before: Layer | None
    after: Layer | None
    between: tuple[Layer, ...]
    following: tuple[Layer, ...]


def remarks_on(layers: Sequence[Layer]) -> tuple[Remark, ...]:
    """All remarks on the layers, in their order.

    Parameters
    ----------
    layers : sequence of Layer
        In the order in which data pass them.
    """
    places = [_place(layers, at) for at, layer in enumerate(layers) if layer.kind == "dropout"]
    found: list[Remark] = []
    for place in places:
        found += _on_place(place) or _on_rate(place, layers)
    placed = [place for place in places if not _on_place(place)]
    for layer in layers:
        if layer.kind == "recurrent" and layer.rate and not RECURRENT[0] <= layer.rate <= RECURRENT[1]:
            found.append(_outside(layer, RECURRENT, "inside a recurrent layer"))
    return (*found, *_falling(placed, layers))


def _place(layers: Sequence[Layer], at: int) -> _Place:
    before = next((i for i in range(at - 1, -1, -1) if layers[i].kind in WEIGHTS), None)
    after = next((i for i in range(at + 1, len(layers)) if layers[i].kind in WEIGHTS), None)
    return _Place(
        layers[at],
        None if before is None else layers[before],
        None if after is None else layers[after],
        tuple(layers[(0 if before is None else before + 1) : at]),
        tuple(layers[at + 1 : after]),
    )


def _on_place(place: _Place) -> list[Remark]:
    """What is wrong with where it stands; then its rate is of no matter."""
    layer, next_kinds = place.layer, [layer.kind for layer in place.following]
    if place.before is None and place.after is None:
        return []
    if place.after is None and not {"batch norm", "other norm"} & set(next_kinds):
        what = f"{layer} comes after the output layer ({place.before}): it takes away answers, not features"
        return [Remark("dropout-after-output", "warning", layer.name, f"{what}; take it out, or put it before")]
    following = next((other for other in place.following if other.kind not in (*RANDOM, "other", "flatten")), None)
    if following is not None and following.kind == "batch norm":
        what = f"{layer} comes right before {following}: the variance it learns is not that of use"
        return [Remark("dropout-before-batch-norm", "warning", layer.name, f"{what}; put dropout after it")]
    if following is not None and following.kind == "activation" and not following.linear and place.before is not None:
        what = f"{layer} comes before the activation {following.type}, which does not keep a 0"
        return [Remark("dropout-before-activation", "warning", layer.name, f"{what}; put dropout after it")]
    return []


def _on_rate(place: _Place, layers: Sequence[Layer]) -> list[Remark]:
    layer, rate = place.layer, place.layer.rate or 0.0
    if rate == 0:
        return [Remark("dropout-rate", "note", layer.name, f"{layer} does nothing at rate 0")]
    usual, where = _usual(place, layers)
    return [] if usual is None or usual[0] <= rate <= usual[1] else [_outside(layer, usual, where)]


def _usual(place: _Place, layers: Sequence[Layer]) -> tuple[tuple[float, float] | None, str]:
    """The usual rates at this place, and the place in words."""
    if _is_transformer(layers):
        return TRANSFORMER, "in a transformer"
    if place.before is None:
        return INPUT, "at the input"
    if any(layer.kind == "batch norm" for layer in place.between):
        return BESIDE_BATCH_NORM, "beside batch normalisation"
    if place.before.kind == "convolution" and place.after is not None and place.after.kind == "dense":
        return FLATTENED, "between feature maps and a dense layer"
    return AFTER.get(place.before.kind, (None, ""))


def _outside(layer: Layer, usual: tuple[float, float], where: str) -> Remark:
    message = f"{layer}: {usual[0]:g} to {usual[1]:g} is usual {where}"
    return Remark("dropout-rate", "note", layer.name, message)


def _falling(places: Sequence[_Place], layers: Sequence[Layer]) -> list[Remark]:
    """Rates that fall on the way from the input to the output, among dropouts after the same kind of layer."""
    if _is_transformer(layers):
        return []
    found = []
    for kind in ("convolution", "dense"):
        alike = [p.layer for p in places if p.before is not None and p.before.kind == kind and p.layer.rate]
        for earlier, later in pairwise(alike):
            if (earlier.rate or 0) - (later.rate or 0) >= FALLS - 1e-9:
                message = f"the rate falls with depth, from {earlier} to {later}; usual is light near the input"
                found.append(Remark("dropout-falls-with-depth", "note", later.name, message))
                break
    return found


def _is_transformer(layers: Sequence[Layer]) -> bool:
    return any(layer.kind == "attention" for layer in layers)
