"""Losses of a torch module in training mode, with its regularisers switched off one kind after another, and bare."""

from __future__ import annotations

import contextlib
import copy
import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from leakaudit.errors import InputError
from leakaudit.own_model.callables import per_sample
from leakaudit.own_model.chance import seed_all
from leakaudit.own_model.levels import Level
from leakaudit.own_model.torch_layers import called, dropping_functions_off, functions_that_drop, kind_of, rate_of
from leakaudit.own_model.torch_state import buffers_restored, unchanged

if TYPE_CHECKING:
    from leakaudit.probe.measured import Float64

TorchLoss: TypeAlias = Callable[[Any, Any], Any]


@dataclass(frozen=True, slots=True)
class _Pass:
    """One pass over data: which regularisers are on.

    Parameters
    ----------
    off : str
        What is off beyond the pass before.
    training : bool
        Mode of the module; `quiet` parts of it are in evaluation mode anyhow.
    functions : bool
        Whether functions such as `F.dropout` drop.
    """

    off: str
    training: bool
    loader: Any
    loss: TorchLoss
    penalty: float = 0.0
    paired: bool = True
    quiet: tuple[Any, ...] = ()
    functions: bool = True


def levels_of(
    module: Any,  # noqa: ANN401
    train: Iterable[Any],
    val: Iterable[Any],
    loss: TorchLoss,
    *,
    bare_train: Iterable[Any] | None = None,
    penalty: float = 0.0,
    seed: int = 0,
) -> tuple[list[Level], Float64]:
    """Levels of training and the bare loss on validation; `module` and loaders are left as they were.

    Parameters
    ----------
    module : torch.nn.Module
    train, val : iterable of batches
        Batches ``(x, y)``; iterated several times, with the same seed each time.
    loss : callable
        ``loss(outputs, targets)``: a torch loss module (its copy is used without reduction), or a function that takes
        ``reduction="none"`` or gives one loss a sample. Label smoothing and class weights are known of loss modules.
    bare_train : iterable of batches, optional
        The training samples without augmentation.
    penalty : float, default 0
        What the training objective adds to the loss (weight penalties; decoupled weight decay adds nothing).
    seed : int, default 0

    Raises
    ------
    InputError
        Batches or losses of another shape.
    """
    with unchanged(module, (train, val, *(() if bare_train is None else (bare_train,)))):
        levels: list[Level] = []
        own_modes = [(part, part.training) for part in module.modules()] if module.training else []
        for step in _plan(module, train, bare_train, loss, penalty):
            losses = _losses(module, step, own_modes, seed)
            if step.off == "other training-mode layers" and np.array_equal(losses, levels[-1].losses):
                continue
            levels.append(Level(step.off, losses, step.paired))
        return levels, _losses(module, _Pass("", False, val, _bare(loss)), own_modes, seed)


def in_training_mode(module: Any, val: Iterable[Any], loss: TorchLoss, *, seed: int = 0) -> Float64 | None:  # noqa: ANN401
    """Bare losses of validation in training mode, as `levels_of` gives them in evaluation mode.

    None where the network cannot be run so: batch normalisation takes no batch of one sample.
    """
    with unchanged(module, (val,)):
        own_modes = [(part, part.training) for part in module.modules()] if module.training else []
        try:
            return _losses(module, _Pass("", True, val, _bare(loss)), own_modes, seed)
        except InputError:
            return None


def _plan(
    module: Any,  # noqa: ANN401
    train: Iterable[Any],
    bare_train: Iterable[Any] | None,
    loss: TorchLoss,
    penalty: float,
) -> Iterator[_Pass]:
    """The passes, in the order of `leakaudit.own_model.levels.ORDER`; a kind that is not there is left out."""
    own = _unreduced(loss)
    yield _Pass("", True, train, own, penalty)
    parts = list(module.modules())
    quiet = tuple(part for part in parts if _drops(part))
    functions = not _function_drops(module, train)
    if quiet or not functions:
        yield _Pass("dropout", True, train, own, penalty, quiet=quiet, functions=functions)
    if any(_normalises(part) for part in parts):
        quiet = (*quiet, *(part for part in parts if _normalises(part)))
        yield _Pass("batch-norm mode", True, train, own, penalty, quiet=quiet, functions=functions)
    for name, part in module.named_modules():
        if (kind := kind_of(part)) in ("noise", "augmentation", "stochastic depth"):
            quiet = (*quiet, *part.modules())
            yield _Pass(f"{kind} ({name})", True, train, own, penalty, quiet=quiet, functions=functions)
    yield _Pass("other training-mode layers", False, train, own, penalty)
    if bare_train is not None:
        yield _Pass("augmentation", False, bare_train, own, penalty, paired=False)
    loader = train if bare_train is None else bare_train
    if getattr(own, "label_smoothing", 0.0):
        own = _changed(own, label_smoothing=0.0)
        yield _Pass("label smoothing", False, loader, own, penalty)
    if penalty:
        yield _Pass("penalties", False, loader, own)
    if getattr(own, "weight", None) is not None:
        yield _Pass("class weights", False, loader, _changed(own, weight=None))


def _losses(module: Any, step: _Pass, own_modes: Sequence[tuple[Any, bool]], seed: int) -> Float64:  # noqa: ANN401
    """Losses of all samples of a pass, with the same random numbers in every pass."""
    _set_mode(module, step, own_modes)
    seed_all(seed)
    found: list[Float64] = []
    weights: list[Float64] = []
    with buffers_restored(module), contextlib.nullcontext() if step.functions else dropping_functions_off():
        for batch in step.loader:
            x, y = (moved(part, module) for part in _pair(batch))
            found.append(per_sample(step.loss(_outputs(module, x), y), len(y), "the loss function"))
            weights.append(_weights_of(step.loss, y))
    if not found:
        return np.zeros(0)
    # a weighted mean divides by the weights
    losses: Float64 = np.concatenate(found) / np.concatenate(weights).mean() + step.penalty
    return losses


def _outputs(module: Any, x: Any) -> Any:  # noqa: ANN401
    try:
        return module(x)
    except ValueError as error:
        if "more than 1 value per channel" not in str(error):
            raise
        raise InputError(
            "own model: batch normalisation cannot take a batch of one sample in training mode; give the training "
            "loader drop_last=True"
        ) from error


def _set_mode(module: Any, step: _Pass, own_modes: Sequence[tuple[Any, bool]]) -> None:  # noqa: ANN401
    """Training mode is the user's own mixture where the module came in training mode (frozen layers stay frozen)."""
    module.train(step.training)
    if not step.training:
        return
    for part, own in own_modes:
        part.training = own
    for part in step.quiet:
        part.training = False


def _drops(part: Any) -> bool:  # noqa: ANN401
    """Dropout layers, and layers with dropout inside that do nothing else with their mode."""
    kind = kind_of(part)
    return kind == "dropout" or (kind in ("recurrent", "attention") and bool(rate_of(part, kind)))


def _function_drops(module: Any, train: Iterable[Any]) -> bool:  # noqa: ANN401
    """Whether `F.dropout` is called in training and not in evaluation mode, where it is a part of the bare loss."""
    first = next(iter(train), None)
    if first is None:
        return False
    x = moved(_pair(first)[0], module)
    with buffers_restored(module):
        module.train()
        found = called(module, lambda: _outputs(module, x))
        module.eval()
        always = functions_that_drop(lambda: module(x))
    return not always and any(layer.type.startswith("F.") and layer.rate for layer in found)


def _normalises(part: Any) -> bool:  # noqa: ANN401
    from torch import nn

    return isinstance(part, nn.modules.batchnorm._NormBase) and part.track_running_stats


def _unreduced(loss: TorchLoss) -> TorchLoss:
    """The loss with one value a sample."""
    if hasattr(loss, "reduction"):
        return _changed(loss, reduction="none")
    try:
        takes = "reduction" in inspect.signature(loss).parameters
    except (TypeError, ValueError):
        takes = False
    if not takes:
        return loss

    def without_reduction(outputs: Any, targets: Any) -> Any:  # noqa: ANN401
        return loss(outputs, targets, reduction="none")  # type: ignore[call-arg]

    return without_reduction


def _bare(loss: TorchLoss) -> TorchLoss:
    own = _unreduced(loss)
    off: dict[str, Any] = {}
    if getattr(own, "label_smoothing", 0.0):
        off["label_smoothing"] = 0.0
    if getattr(own, "weight", None) is not None:
        off["weight"] = None
    return _changed(own, **off) if off else own


def _changed(loss: TorchLoss, **attributes: Any) -> TorchLoss:
    """A copy of a loss module with other settings; the user's own stays as it is."""
    other = copy.copy(loss)
    if hasattr(other, "_buffers"):
        other.__dict__["_buffers"] = dict(other._buffers)
    for name, value in attributes.items():
        setattr(other, name, value)
    return other


def _weights_of(loss: TorchLoss, targets: Any) -> Float64:  # noqa: ANN401
    """Weight of each sample in a weighted mean: by class, and 0 for targets to be ignored; 1 for all other losses."""
    from torch import nn

    if not isinstance(loss, nn.CrossEntropyLoss | nn.NLLLoss) or targets.is_floating_point():
        return np.ones(len(targets))
    counted = targets != loss.ignore_index
    weights = counted.double()
    if loss.weight is not None:
        weights = weights * loss.weight.double().to(targets.device)[targets.where(counted, targets.new_zeros(()))]
    means: Float64 = weights.reshape(len(targets), -1).mean(1).cpu().numpy()
    return means


def _pair(batch: Any) -> Sequence[Any]:  # noqa: ANN401
    if isinstance(batch, tuple | list) and len(batch) == 2:
        return batch
    raise InputError(
        "own model: every batch must be a pair (x, y); for other batches pass loss_train_mode and loss_eval_mode"
    )


def moved(value: Any, module: Any) -> Any:  # noqa: ANN401
    """Inputs on the device of the module's parameters."""
    import torch

    return _moved(value, next((tensor.device for tensor in module.parameters()), torch.device("cpu")))


def _moved(value: Any, device: Any) -> Any:  # noqa: ANN401
    if isinstance(value, dict):
        return {key: _moved(inner, device) for key, inner in value.items()}
    if isinstance(value, tuple | list):
        return type(value)(_moved(inner, device) for inner in value)
    return value.to(device) if hasattr(value, "to") else value
