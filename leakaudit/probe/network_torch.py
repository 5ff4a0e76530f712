"""The quick network of pictures (16-32-64 channels, batch normalisation), its augmentation and its learning rate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from leakaudit.errors import MissingExtraError

if TYPE_CHECKING:
    from torch import Generator, Tensor
    from torch.nn import Module

CHANNELS, DENSE = (16, 32, 64), 128
"""Of the convolutions, and of the layer between them and the output. A head that averages over all places memorises so
little in ten epochs that a leak of a fifth of validation hardly shows (a gain of 0.06 nats instead of 0.8)."""

LEARNING_RATE, WEIGHT_DECAY, WARM_UP = 0.003, 1e-4, 0.2
"""AdamW with one cycle: up over the first fifth, then by a cosine to zero, so that the last epoch is a settled one."""

SHIFT = 2
"""Pixels by which augmentation moves a picture at most, beside mirroring it."""


def torch_or_missing() -> Any:  # noqa: ANN401  a module
    """PyTorch, imported when it is first needed.

    Raises
    ------
    MissingExtraError
        It is not installed.
    """
    try:
        import torch
    except ImportError as error:
        raise MissingExtraError("torch") from error
    return torch


def network(channels: int, side: int, outputs: int, device: str, random: Generator) -> Module:
    """Made without weights and filled from `random`: the process-wide generator is neither used nor moved.

    Parameters
    ----------
    channels, side : int
        Of the pictures; the side a multiple of 8.
    outputs : int
        Classes, or 1 for a quantity.
    device : str
    random : torch.Generator
        Of the CPU, so that every device starts from the same weights.
    """
    nn = torch_or_missing().nn
    layers: list[Module] = []
    width = channels
    for wider in CHANNELS:
        layers += [
            nn.Conv2d(width, wider, 3, padding=1, bias=False, device="meta"),
            nn.BatchNorm2d(wider, device="meta"),
            nn.MaxPool2d(2),
            nn.ReLU(),  # after the pooling it is the same function, on a quarter of the values
        ]
        width = wider
    places = (side >> len(CHANNELS)) ** 2
    head = (nn.Flatten(), nn.Linear(width * places, DENSE, device="meta"), nn.ReLU())
    net = nn.Sequential(*layers, *head, nn.Linear(DENSE, outputs, device="meta")).to_empty(device="cpu")
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu", generator=random)
        elif isinstance(module, nn.BatchNorm2d):
            module.reset_running_stats()
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Linear):
            if module.out_features == outputs:
                nn.init.normal_(module.weight, std=0.01, generator=random)
            else:
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu", generator=random)
            nn.init.zeros_(module.bias)
    moved: Module = net.to(device, memory_format=torch_or_missing().channels_last)
    return moved


def learning_rate(progress: float) -> float:
    """At this share of all steps.

    >>> [round(learning_rate(share), 5) for share in (0, 0.2, 0.6, 1)]
    [0.0003, 0.003, 0.0015, 0.0]
    """
    if progress < WARM_UP:
        return LEARNING_RATE * (0.1 + 0.9 * progress / WARM_UP)
    return LEARNING_RATE * 0.5 * (1 + float(np.cos(np.pi * (progress - WARM_UP) / (1 - WARM_UP))))


def moves(n: int, random: Generator) -> Tensor:
    """Whether to mirror a picture, and by how many pixels to move it down and right; int64, shape (3, n)."""
    torch = torch_or_missing()
    mirrored = torch.randint(2, (1, n), generator=random)
    return torch.cat([mirrored, torch.randint(-SHIFT, SHIFT + 1, (2, n), generator=random)])


def augmented(pictures: Tensor, moved: Tensor) -> Tensor:
    """Pictures of shape (n, channels, height, width), mirrored and moved by one gather on their device."""
    torch = torch_or_missing()
    n, _, height, width = pictures.shape
    device = pictures.device
    mirrored, down, right = moved
    rows = (torch.arange(height, device=device)[None] + down[:, None]).clamp(0, height - 1)
    columns = (torch.arange(width, device=device)[None] + right[:, None]).clamp(0, width - 1)
    columns = torch.where(mirrored[:, None].bool(), width - 1 - columns, columns)
    which = torch.arange(n, device=device)[:, None, None]
    gathered = pictures.permute(0, 2, 3, 1)[which, rows[:, :, None], columns[:, None, :]]
    result: Tensor = gathered.permute(0, 3, 1, 2)
    return result
