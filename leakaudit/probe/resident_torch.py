"""Pictures where the arithmetic is done: as bytes, with their targets, and the scale of each channel."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from leakaudit.probe.network_torch import torch_or_missing

if TYPE_CHECKING:
    import numpy.typing as npt
    from torch import Tensor

    from leakaudit.model import IntArray
    from leakaudit.probe.learner import Float64


@dataclass(frozen=True, eq=False)
class ResidentPictures:
    """Pictures and targets of the pool, and how they are trained on.

    Parameters
    ----------
    pictures : ndarray of uint8, shape (n, channels, side, side)
    truth : ndarray of int64, shape (n,)
    n_classes : int
        0 for a quantity.
    values : ndarray of float64, shape (n,)
        The quantity in standard deviations.
    epochs : int
    batch : int, default 64
    device : str, default "cpu"
    augment : bool, default False
        Mirror and shift the training pictures.
    half : bool, default False
        Convolutions and products in bfloat16; losses are float32 either way.
    """

    pictures: npt.NDArray[np.uint8]
    truth: IntArray
    n_classes: int
    values: Float64
    epochs: int
    batch: int = 64
    device: str = "cpu"
    augment: bool = False
    half: bool = False

    @property
    def on_gpu(self) -> bool:
        """Whether the arithmetic is done on a GPU."""
        return self.device.startswith("cuda")

    @cached_property
    def resident(self) -> Tensor:
        """All pictures as bytes where the arithmetic is done, channels last."""
        torch = torch_or_missing()
        tensor: Tensor = torch.from_numpy(self.pictures)
        return tensor.to(self.device).contiguous(memory_format=torch.channels_last)

    @cached_property
    def target(self) -> Tensor:
        """Class codes, or the quantity, where the arithmetic is done."""
        torch = torch_or_missing()
        values = self.truth if self.n_classes else self.values.astype(np.float32)
        return torch.from_numpy(np.ascontiguousarray(values)).to(self.device)

    @cached_property
    def scale(self) -> tuple[Tensor, Tensor]:
        """Mean and inverse standard deviation of each channel over the pool, without regard to labels or splits."""
        torch = torch_or_missing()
        flat = self.pictures.transpose(1, 0, 2, 3).reshape(self.pictures.shape[1], -1)
        mean = flat.mean(axis=1, dtype=np.float64)
        deviation = np.maximum(np.sqrt(np.maximum(np.square(flat, dtype=np.float64).mean(axis=1) - mean**2, 0)), 1.0)
        both = torch.from_numpy(np.stack([mean, 1 / deviation]).astype(np.float32)).to(self.device)
        centre, inverse = both.reshape(2, 1, -1, 1, 1)
        return centre, inverse
