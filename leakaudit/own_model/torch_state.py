"""Leave a torch module, its loaders and all random generators exactly as they were, whatever happens in between."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from leakaudit.errors import InputError
from leakaudit.own_model.chance import generators_restored


@contextmanager
def unchanged(module: Any, loaders: Iterable[Any] = ()) -> Iterator[None]:  # noqa: ANN401
    """Restore parameters, buffers, modes and `requires_grad` of `module`, and all generators, also after an error.

    Parameters
    ----------
    module : torch.nn.Module
    loaders : iterable
        Of which the generators are restored as well (`DataLoader.generator` and that of its sampler).

    Raises
    ------
    InputError
        The module has parameters that the first forward pass would make.
    """
    import torch

    if any(isinstance(tensor, torch.nn.parameter.UninitializedTensorMixin) for tensor in module.parameters()):
        raise InputError(
            "own model: the module is lazy and has not seen a batch yet; train it or pass a batch through it"
        )
    holders = [holder for part in module.modules() for holder in (part._parameters, part._buffers)]
    modes = [(part, part.training) for part in module.modules()]
    gradients = [(parameter, parameter.requires_grad) for parameter in module.parameters()]
    generators = [(g, g.get_state()) for g in _generators(loaders)]
    try:
        with torch.no_grad(), generators_restored(), _kept(holders):
            yield
    finally:
        for part, mode in modes:
            part.training = mode
        for parameter, needed in gradients:
            parameter.requires_grad_(needed)
        for generator, state in generators:
            generator.set_state(state)


@contextmanager
def buffers_restored(module: Any) -> Iterator[None]:  # noqa: ANN401
    """Restore the buffers alone: a pass in training mode moves the statistics of batch normalisation."""
    with _kept([part._buffers for part in module.modules()]):
        yield


@contextmanager
def _kept(holders: list[dict[str, Any]]) -> Iterator[None]:
    """Give dictionaries of tensors the same entries back, and the tensors their values."""
    entries = [dict(holder) for holder in holders]
    copies = [{n: t.detach().clone() for n, t in entry.items() if t is not None} for entry in entries]
    try:
        yield
    finally:
        for holder, entry, values in zip(holders, entries, copies, strict=True):
            holder.clear()
            holder.update(entry)
            for name, value in values.items():
                entry[name].detach().copy_(value)


def _generators(loaders: Iterable[Any]) -> Iterator[Any]:
    import torch

    for loader in loaders:
        for owner in (loader, getattr(loader, "sampler", None)):
            generator = getattr(owner, "generator", None)
            if isinstance(generator, torch.Generator):
                yield generator
