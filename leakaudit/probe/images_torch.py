"""Pictures: a small convolutional network (16-32-64 channels, batch normalisation), trained with PyTorch.

On a CPU every model uses one thread and several models are trained side by side, so that the numbers do not depend on
how many there are. On a GPU all pictures stay in its memory as bytes, are turned into floats (and augmented) there, and
the arithmetic is bfloat16 with losses in float32.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from leakaudit.engines.local import raise_if_stopped
from leakaudit.errors import MissingExtraError
from leakaudit.probe.learner import Curve, Fit, Job, class_fit, quantity_fit

if TYPE_CHECKING:
    import numpy.typing as npt
    from torch import Generator, Tensor
    from torch.nn import Module

    from leakaudit.model import IntArray
    from leakaudit.probe.learner import Float64, TrainLossKind

CHANNELS, DENSE = (16, 32, 64), 128
"""Of the convolutions, and of the layer between them and the output. A head that averages over all places memorises so
little in ten epochs that a leak of a fifth of validation hardly shows (a gain of 0.06 nats instead of 0.8)."""

LEARNING_RATE, WEIGHT_DECAY, WARM_UP = 0.003, 1e-4, 0.2
"""AdamW with one cycle: up over the first fifth, then by a cosine to zero, so that the last epoch is a settled one."""

SHIFT = 2
"""Pixels by which augmentation moves a picture at most, beside mirroring it."""


@dataclass(frozen=True, eq=False)
class TorchPictures:
    """The learner of pictures.

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

    in_processes = False
    train_loss_kind: TrainLossKind = "epoch_mean"

    @property
    def name(self) -> str:
        """What it is, for people."""
        where = "the GPU" if self.device.startswith("cuda") else "the CPU"
        return f"convolutional network {'-'.join(map(str, CHANNELS))}, {self.epochs} epochs on {where}"

    @property
    def unit(self) -> str:
        """Cross-entropy for classes, else squared error."""
        return "nats" if self.n_classes else "squared standard deviations"

    @property
    def ticks(self) -> int:
        """One an epoch."""
        return self.epochs

    def fit(self, job: Job, tick: Callable[[], None] = lambda: None) -> Fit:
        """Train one network from its own random numbers, and judge.

        Raises
        ------
        MemoryError
            The GPU has too little memory to spare.
        """
        torch = torch_or_missing()
        threads = torch.get_num_threads()
        try:
            if self.device == "cpu":
                torch.set_num_threads(1)
            with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True):
                return self._fit(job, tick)
        except torch.cuda.OutOfMemoryError as error:
            raise MemoryError("the GPU has too little memory to spare; `--probe cpu` needs none") from error
        finally:
            torch.set_num_threads(threads)

    def _fit(self, job: Job, tick: Callable[[], None]) -> Fit:
        run = _Run(self, job.seed)
        history = []
        for epoch in range(1, self.epochs + 1):
            history.append(run.epoch(job.train, epoch, job.watched))
            tick()
        reported = history[-1][1]
        output = run.outputs(job.judged)
        if self.n_classes:
            fit = class_fit(output, self.truth, job.judged, reported)
        else:
            fit = quantity_fit(output[:, 0], self.values, job.judged, reported)
        if job.watched is None:
            return fit
        train_mode = run.loss_in_training_mode(job.train, augment=self.augment)
        plain = run.loss_in_training_mode(job.train, augment=False) if self.augment else train_mode
        parts = {"augmentation": train_mode - plain} if self.augment else {}
        parts["batch normalisation"] = plain - float(np.mean(run.losses(job.train)))
        curve = Curve(*map(np.array, zip(*history, strict=True)))
        return replace(fit, train_mode=train_mode, regularisers=parts, curve=curve)

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


class _Run:
    """One network in training; all its random numbers come from a generator of its own."""

    def __init__(self, data: TorchPictures, seed: int) -> None:
        torch = torch_or_missing()
        self.torch, self.data = torch, data
        self.random = torch.Generator().manual_seed(seed)
        _, channels, side, _ = data.pictures.shape
        self.net = _network(torch, channels, side, max(1, data.n_classes), data.device, self.random)
        self.optimizer = torch.optim.AdamW(self.net.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
        self.step = 0

    def epoch(self, train: IntArray, number: int, watched: IntArray | None) -> tuple[float, ...]:
        """Train for one epoch; gives epoch, training and validation loss, training and validation accuracy."""
        torch, data = self.torch, self.data
        self.net.train()
        order = self._shuffled(train)
        steps = -(-len(order) // data.batch) * data.epochs
        # sums stay on the device: to read them at every step would make a GPU wait for each
        total = torch.zeros((), dtype=torch.float64, device=data.device)
        right = torch.zeros((), dtype=torch.int64, device=data.device)
        for at in order.split(data.batch):
            raise_if_stopped()
            for group in self.optimizer.param_groups:
                group["lr"] = _rate(self.step / steps)
            self.step += 1
            output, target = self._forward(at, augment=data.augment)
            loss = self._loss(output, target).mean()
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            self.optimizer.step()
            total += loss.detach().double() * len(at)
            if data.n_classes:
                right += (output.detach().argmax(dim=1) == target).sum()
        train_loss = float(total) / len(train)
        train_accuracy = int(right) / len(train) if data.n_classes else float("nan")
        if watched is None or not len(watched):
            return float(number), train_loss, float("nan"), train_accuracy, float("nan")
        outputs = self.outputs(watched)
        if not data.n_classes:
            error = float(np.mean(self._errors(outputs, watched)))
            return float(number), train_loss, error, np.nan, np.nan
        own = data.truth[watched]
        val_loss = -float(outputs[np.arange(len(own)), own].mean())
        return (
            float(number),
            train_loss,
            val_loss,
            train_accuracy,
            float((outputs.argmax(axis=1) == own).mean()),
        )

    def loss_in_training_mode(self, train: IntArray, *, augment: bool) -> float:
        """Mean loss at the weights as they are, with the statistics of each batch; nothing is learnt or kept."""
        torch = self.torch
        norms = [module for module in self.net.modules() if isinstance(module, torch.nn.BatchNorm2d)]
        momenta = [norm.momentum for norm in norms]
        self.net.train()
        for norm in norms:
            norm.momentum = 0.0
        total = torch.zeros((), dtype=torch.float64, device=self.data.device)
        with torch.no_grad():
            for at in self._shuffled(train).split(self.data.batch):
                raise_if_stopped()
                total += self._loss(*self._forward(at, augment=augment)).sum().double()
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
        return float(total) / len(train)

    def outputs(self, at: IntArray) -> Float64:
        """Log-probabilities of classes (or the predicted quantity) in evaluation mode, shape (m, outputs)."""
        torch = self.torch
        self.net.eval()
        found = []
        with torch.no_grad():
            for part in torch.from_numpy(at).to(self.data.device).split(8 * self.data.batch):
                raise_if_stopped()
                output, _ = self._forward(part, augment=False)
                found.append((output.log_softmax(dim=1) if self.data.n_classes else output).cpu())
        values: Float64 = torch.cat(found).double().numpy() if found else np.empty((0, max(1, self.data.n_classes)))
        return values

    def losses(self, at: IntArray) -> Float64:
        """Bare loss of samples in evaluation mode."""
        output = self.outputs(at)
        if not self.data.n_classes:
            return self._errors(output, at)
        values: Float64 = -output[np.arange(len(at)), self.data.truth[at]]
        return values

    def _errors(self, output: Float64, at: IntArray) -> Float64:
        return np.asarray(np.square(output[:, 0] - self.data.values[at]))

    def _shuffled(self, train: IntArray) -> Tensor:
        order = self.torch.randperm(len(train), generator=self.random)
        shuffled: Tensor = self.torch.from_numpy(train)[order].to(self.data.device)
        return shuffled

    def _forward(self, at: Tensor, *, augment: bool) -> tuple[Tensor, Tensor]:
        torch, data = self.torch, self.data
        mean, inverse = data.scale
        pictures = (data.resident[at].float() - mean) * inverse
        pictures = pictures.contiguous(memory_format=torch.channels_last)
        if augment:
            pictures = _augmented(torch, pictures, self.random)
        with torch.autocast(data.device.split(":")[0], torch.bfloat16, enabled=data.half):
            output = self.net(pictures)
        return output.float(), data.target[at]

    def _loss(self, output: Tensor, target: Tensor) -> Tensor:
        functional = self.torch.nn.functional
        if self.data.n_classes:
            loss: Tensor = functional.cross_entropy(output, target, reduction="none")
        else:
            loss = functional.mse_loss(output[:, 0], target, reduction="none")
        return loss


def _rate(progress: float) -> float:
    if progress < WARM_UP:
        return LEARNING_RATE * (0.1 + 0.9 * progress / WARM_UP)
    return LEARNING_RATE * 0.5 * (1 + float(np.cos(np.pi * (progress - WARM_UP) / (1 - WARM_UP))))


def _network(
    torch: Any,  # noqa: ANN401
    channels: int,
    side: int,
    outputs: int,
    device: str,
    random: Generator,
) -> Module:
    """Made without weights and filled from `random`: the process-wide generator is neither used nor moved."""
    nn = torch.nn
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
    moved: Module = net.to(device, memory_format=torch.channels_last)
    return moved


def _augmented(torch: Any, pictures: Tensor, random: Generator) -> Tensor:  # noqa: ANN401
    """Mirror half of the pictures and shift each by up to `SHIFT` pixels, by one gather on the device."""
    n, _, height, width = pictures.shape
    device = pictures.device
    flip = torch.rand(n, generator=random).to(device) < 0.5
    down = torch.randint(-SHIFT, SHIFT + 1, (n,), generator=random).to(device)
    right = torch.randint(-SHIFT, SHIFT + 1, (n,), generator=random).to(device)
    rows = (torch.arange(height, device=device)[None] + down[:, None]).clamp(0, height - 1)
    columns = (torch.arange(width, device=device)[None] + right[:, None]).clamp(0, width - 1)
    columns = torch.where(flip[:, None], width - 1 - columns, columns)
    which = torch.arange(n, device=device)[:, None, None]
    moved: Tensor = pictures.permute(0, 2, 3, 1)[which, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
    return moved
