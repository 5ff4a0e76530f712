"""`leakaudit.lint_model`: where the regularisers of a network stand, and whether they are off in validation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from leakaudit.errors import ConfigError
from leakaudit.own_model.layers import RANDOM, Layer
from leakaudit.own_model.rules import SEVERITIES, Remark, remarks_on
from leakaudit.own_model.twice import Twice, run_twice


@dataclass(frozen=True, slots=True)
class ModelLint:
    """What was seen in a network.

    Parameters
    ----------
    layers : tuple of Layer
        In the order of a forward pass where a batch was given, else in that of the model.
    remarks : tuple of Remark
        Errors first.
    limits : tuple of str
        What was not looked at.
    """

    layers: tuple[Layer, ...]
    remarks: tuple[Remark, ...]
    limits: tuple[str, ...] = ()

    @property
    def regularisers(self) -> tuple[Layer, ...]:
        """Layers that change their input at random in training, and batch normalisation, one by one."""
        return tuple(layer for layer in self.layers if layer.kind in RANDOM or layer.kind == "batch norm" or layer.rate)

    def __str__(self) -> str:
        on = ", ".join(dict.fromkeys(str(layer) for layer in self.regularisers)) or "none"
        lines = [f"on in training only: {on}", *map(str, self.remarks)]
        if not self.remarks:
            lines.append("nothing to remark")
        return "\n".join([*lines, *(f"Note: {limit}" for limit in self.limits)])


def lint_model(model: Any, x: Any = None, *, predict: Callable[[Any], Any] | None = None) -> ModelLint:  # noqa: ANN401
    """Look at the regularisers of a network: their places and rates, and whether they are off in validation.

    Nothing is trained, and the network is left exactly as it was. There is no command for it: a network is an object of
    your program, and leakaudit loads no pickled one.

    Parameters
    ----------
    model : torch.nn.Module or keras.Model
    x : inputs of a batch, optional
        As the network takes them, 4 samples or more. With it dropout and batch normalisation in validation are
        measured, by running twice, and the layers of a torch module are in the order of the forward pass, with
        functions such as ``F.dropout`` among them.
    predict : callable, optional
        ``predict(x)``, as your validation calls the network: measured instead of ``model`` in evaluation mode, so that
        a missing ``model.eval()``, or a ``training=True``, is seen.

    Returns
    -------
    ModelLint
        ``print`` it, or read ``remarks`` and ``regularisers``.

    Raises
    ------
    ConfigError
        Neither a torch module nor a Keras model; `predict` without `x`.

    Examples
    --------
    >>> print(leakaudit.lint_model(model, next(iter(val_loader))[0], predict=model))  # doctest: +SKIP
    """
    if predict is not None and x is None:
        raise ConfigError("lint_model: predict=… needs a batch of inputs: lint_model(model, x, predict=…)")
    if is_a(model, "keras"):
        return _keras(model, x, predict)
    if is_a(model, "torch.nn.modules.module"):
        return _torch(model, x, predict)
    raise ConfigError("lint_model: needs a torch module or a Keras model")


def is_a(value: object, module: str) -> bool:
    """Whether a class of this module, or of one below it, is among the bases; without importing it."""
    names = [base.__module__ for base in type(value).__mro__]
    return any(name == module or name.startswith(f"{module}.") for name in names)


def _torch(module: Any, x: Any, predict: Callable[[Any], Any] | None) -> ModelLint:  # noqa: ANN401
    from leakaudit.own_model import torch_layers
    from leakaudit.own_model.torch_module import moved
    from leakaudit.own_model.torch_state import unchanged

    if x is None:
        ordered = torch_layers.in_order(module)
        return _seen(torch_layers.registered(module), None, (*(() if ordered else _ORDER), *_X), ordered=ordered)
    x = moved(x, module)
    modes = [(part, part.training) for part in module.modules()]

    def in_evaluation(inputs: Any) -> Any:  # noqa: ANN401
        module.eval()
        return module(inputs)

    def as_called(inputs: Any) -> Any:  # noqa: ANN401
        for part, mode in modes:
            part.training = mode
        return predict(inputs) if predict is not None else None

    with unchanged(module):
        try:
            module.train()
            layers = torch_layers.called(module, lambda: module(x))
        except ValueError:  # batch normalisation takes no single sample in training mode
            module.eval()
            layers = torch_layers.called(module, lambda: module(x))
        own = run_twice(in_evaluation, x)
        called = None if predict is None else run_twice(as_called, x)
    return _seen(layers, (own, called), ())


def _keras(model: Any, x: Any, predict: Callable[[Any], Any] | None) -> ModelLint:  # noqa: ANN401
    from leakaudit.own_model import keras_layers
    from leakaudit.own_model.keras_model import unchanged

    layers, ordered = keras_layers.layers_of(model), keras_layers.in_order(model)
    limits = () if ordered else ("Layers of a subclass have no order that is known: their places were not judged.",)
    if x is None:
        return _seen(layers, None, (*limits, *_X), ordered=ordered)
    with unchanged(model):
        own = run_twice(partial(_answers, partial(model, training=False)), x)
        called = None if predict is None else run_twice(partial(_answers, predict), x)
    return _seen(layers, (own, called), limits, ordered=ordered)


_ORDER = ("The order of the layers is not known, nor F.dropout seen: their places were not judged.",)
_X = ("Whether dropout and batch normalisation are off in validation was not measured: pass a batch of inputs.",)


def _answers(call: Callable[[Any], Any], x: Any) -> Any:  # noqa: ANN401
    import keras

    return keras.tree.map_structure(keras.ops.convert_to_numpy, call(x))


def _seen(
    layers: tuple[Layer, ...], runs: tuple[Twice, Twice | None] | None, limits: tuple[str, ...], *, ordered: bool = True
) -> ModelLint:
    measured = [] if runs is None else active(*runs)
    # where the order is not known, a dropout that was defined last would be one after the output layer
    judged = remarks_on(layers) if ordered else ()
    found = sorted((*measured, *judged), key=lambda remark: SEVERITIES.index(remark.severity))
    return ModelLint(layers, tuple(found), limits)


def active(own: Twice, called: Twice | None) -> list[Remark]:
    """What is on in validation that is for training only.

    Parameters
    ----------
    own : Twice
        The network in evaluation mode.
    called : Twice or None
        As validation calls it.
    """
    found = []
    if own.random:
        found.append(
            _error(
                "random-in-evaluation",
                f"{_apart('in evaluation mode', own)}: something random is always on (F.dropout without "
                "training=self.training, or training=True)",
            )
        )
    if own.by_batch:
        found.append(
            _error(
                "batch-statistics-in-evaluation",
                f"{_moves('in evaluation mode', own)}: batch normalisation without moving statistics "
                "(track_running_stats=False, or training=True)",
            )
        )
    if called is not None and called.random and not own.random:
        found.append(_error("dropout-in-validation", f"{_apart(_CALLED, called)}: dropout is on; {_EVAL}"))
    if called is not None and called.by_batch and not own.by_batch:
        what = "batch normalisation is in training mode"
        found.append(_error("batch-norm-in-validation", f"{_moves(_CALLED, called)}: {what}; {_EVAL}"))
    return found


_CALLED = "as validation calls the network"
_EVAL = "call model.eval() (Keras: training=False) before validation"


def _apart(when: str, runs: Twice) -> str:
    return f"{when}, two runs over the same samples are {runs.again:.2g} standard deviations of the answers apart"


def _moves(when: str, runs: Twice) -> str:
    return f"{when}, answers move by {runs.alone:.2g} standard deviations with the others of their batch"


def _error(rule: str, message: str) -> Remark:
    return Remark(rule, "error", "", message)
