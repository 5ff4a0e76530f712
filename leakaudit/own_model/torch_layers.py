"""The layers of a torch module: in the order of a forward pass where there is a batch, else as they are registered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from leakaudit.own_model.layers import Kind, Layer

_FUNCTIONS: dict[str, Kind] = {
    "dropout": "dropout",
    "dropout1d": "dropout",
    "dropout2d": "dropout",
    "dropout3d": "dropout",
    "alpha_dropout": "dropout",
    "feature_alpha_dropout": "dropout",
    "linear": "dense",
    "conv1d": "convolution",
    "conv2d": "convolution",
    "conv3d": "convolution",
    "batch_norm": "batch norm",
    "scaled_dot_product_attention": "attention",
    "softmax": "activation",
    "log_softmax": "activation",
    "sigmoid": "activation",
    "tanh": "activation",
    "gelu": "activation",
    "silu": "activation",
    "relu": "activation",
    "leaky_relu": "activation",
    "flatten": "flatten",
}
"""Functions that act as layers, by the name that torch gives them."""

_KEEP_ZERO = frozenset({"relu", "relu6", "leaky_relu", "leakyrelu", "prelu", "identity"})


def registered(module: Any) -> tuple[Layer, ...]:  # noqa: ANN401
    """The layers in the order in which they were registered, which need not be that of the forward pass."""
    return tuple(_layer(name, part) for name, part in module.named_modules() if _whole(part))


def in_order(module: Any) -> bool:  # noqa: ANN401
    """Whether the order of registration is that of the forward pass: sequences of layers, and of such sequences."""
    from torch import nn

    return _whole(module) or (isinstance(module, nn.Sequential) and all(_simple(part) for part in module.children()))


def _simple(part: Any) -> bool:  # noqa: ANN401
    return in_order(part) or not any(True for _ in part.children())


def called(module: Any, run: Callable[[], Any]) -> tuple[Layer, ...]:  # noqa: ANN401
    """The layers and functions in the order in which ``run()`` calls them; `F.dropout` is among them.

    The module is watched with hooks that belong to torch and not to it, and are taken away at the end.

    Parameters
    ----------
    module : torch.nn.Module
    run : callable
        Passes a batch through `module`.
    """
    names = {id(part): name for name, part in module.named_modules()}
    found: list[Layer] = []
    inside: list[Any] = []

    def seen(function: Any, args: Any, kwargs: Any) -> Any:  # noqa: ANN401
        kind = _FUNCTIONS.get(getattr(function, "__name__", ""))
        # what a layer of torch does inside is that layer, which is written down itself
        if kind is not None and not any(_whole(part) for part in inside):
            where = names.get(id(inside[-1]), "") if inside else ""
            found.append(_function(function.__name__, kind, where, args, kwargs))
        return function(*args, **kwargs)

    with _hooks(inside, lambda part: found.append(_layer(names.get(id(part), ""), part))), _instead(seen):
        run()
    return tuple(found)


def dropping_functions_off() -> AbstractContextManager[Any]:
    """While it is open, `F.dropout` and its like give back what they are given, whoever calls them."""

    def quiet(function: Any, args: Any, kwargs: Any) -> Any:  # noqa: ANN401
        name = getattr(function, "__name__", "")
        if _FUNCTIONS.get(name) == "dropout":
            return args[0] if args else kwargs["input"]
        if name == "scaled_dot_product_attention":
            args, kwargs = (args[:4], kwargs | {"dropout_p": 0.0}) if len(args) < 6 else (args, kwargs)
        return function(*args, **kwargs)

    return _instead(quiet)


def functions_that_drop(run: Callable[[], Any]) -> int:
    """How many calls of `F.dropout` and its like drop in ``run()``: in evaluation mode none should."""
    count = 0

    def counted(function: Any, args: Any, kwargs: Any) -> Any:  # noqa: ANN401
        nonlocal count
        if _FUNCTIONS.get(getattr(function, "__name__", "")) == "dropout":
            count += bool(kwargs.get("training", args[2] if len(args) > 2 else True))
        return function(*args, **kwargs)

    with _instead(counted):
        run()
    return count


def _instead(call: Callable[[Any, Any, Any], Any]) -> AbstractContextManager[Any]:
    """While it is open, ``call(function, args, kwargs)`` is called for every function of torch."""
    from torch.overrides import TorchFunctionMode

    class Mode(TorchFunctionMode):  # type: ignore[misc]  # torch says nothing of its type
        def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:  # noqa: ANN401
            del types
            return call(function, args, kwargs or {})

    found: AbstractContextManager[Any] = Mode()
    return found


@contextmanager
def _hooks(inside: list[Any], on_whole: Callable[[Any], Any]) -> Iterator[None]:
    """Keep in `inside` the modules that are being called, and tell of each that is a layer by itself."""
    from torch.nn.modules import module as registry

    def before(part: Any, inputs: Any) -> None:  # noqa: ANN401
        del inputs
        if _whole(part) and not any(_whole(outer) for outer in inside):
            on_whole(part)
        inside.append(part)

    def after(part: Any, inputs: Any, outputs: Any) -> None:  # noqa: ANN401
        del part, inputs, outputs
        inside.pop()

    handles = [registry.register_module_forward_pre_hook(before), registry.register_module_forward_hook(after)]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _whole(part: Any) -> bool:  # noqa: ANN401
    """Whether a module is one layer: a leaf of a library, or one whose parts are of no matter."""
    if kind_of(part) in ("attention", "augmentation", "recurrent"):
        return True
    return not any(True for _ in part.children()) and kind_of(part) != "other"


def _layer(name: str, part: Any) -> Layer:  # noqa: ANN401
    kind = kind_of(part)
    label = type(part).__name__
    return Layer(name, label, kind, rate_of(part, kind), label.lower() in _KEEP_ZERO)


def _function(name: str, kind: Kind, where: str, args: Any, kwargs: Any) -> Layer:  # noqa: ANN401
    rate: float | None = None
    if kind == "dropout":
        rate = float(kwargs.get("p", args[1] if len(args) > 1 and isinstance(args[1], float | int) else 0.5))
    elif kind == "attention":
        rate = float(kwargs.get("dropout_p", args[4] if len(args) > 4 else 0.0)) or None  # its fifth argument
    return Layer(where, f"F.{name}", kind, rate, name in _KEEP_ZERO)


def kind_of(part: Any) -> Kind:  # noqa: ANN401
    """What a torch module does: by class where torch has it, by name for what other libraries add."""
    from torch import nn

    kinds: tuple[tuple[tuple[type, ...], Kind], ...] = (
        ((nn.modules.dropout._DropoutNd,), "dropout"),
        # InstanceNorm is of the same family, and normalises each sample by itself
        ((nn.modules.instancenorm._InstanceNorm,), "other norm"),
        ((nn.modules.batchnorm._NormBase,), "batch norm"),
        ((nn.Linear, nn.Bilinear), "dense"),
        ((nn.modules.conv._ConvNd,), "convolution"),
        ((nn.RNNBase, nn.RNNCellBase), "recurrent"),
        ((nn.MultiheadAttention,), "attention"),
        ((nn.Embedding, nn.EmbeddingBag), "embedding"),
        ((nn.LayerNorm, nn.GroupNorm), "other norm"),
        ((nn.Flatten,), "flatten"),
    )
    for types, kind in kinds:
        if isinstance(part, types):
            return kind
    name, module = type(part).__name__.lower(), type(part).__module__
    if module.startswith("torch.nn.modules.activation"):
        return "activation"
    return _by_name(name, module)


def _by_name(name: str, module: str) -> Kind:
    if name in ("droppath", "stochasticdepth"):
        return "stochastic depth"
    if "dropout" in name:
        return "dropout"
    if "noise" in name:
        return "noise"
    transforms = "augmentation" in module or "transforms" in module
    if name.startswith(("mixup", "cutmix")) or (transforms and name.startswith(("random", "color", "auto", "trivial"))):
        return "augmentation"
    return "other norm" if "rmsnorm" in name else "other"


def rate_of(part: Any, kind: Kind) -> float | None:  # noqa: ANN401
    """The rate of a dropout, and of dropout inside a recurrent or attention layer where it is above 0."""
    if kind in ("dropout", "stochastic depth"):
        return float(next((v for n in ("p", "rate", "drop_prob") if isinstance(v := getattr(part, n, None), float)), 0))
    if kind in ("recurrent", "attention"):
        return float(getattr(part, "dropout", 0.0) or 0.0) or None
    return None
