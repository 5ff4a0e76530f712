"""One network of the probe in training, on a CPU or a GPU.

A step of so small a network is some hundred kernels that a GPU runs faster than Python launches them. So there a step
is recorded once, as a CUDA graph, and replayed for every batch; only a last batch that is smaller is launched anew.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from leakaudit.engines.local import raise_if_stopped
from leakaudit.probe.network_torch import (
    LEARNING_RATE,
    WEIGHT_DECAY,
    augmented,
    learning_rate,
    moves,
    network,
    torch_or_missing,
)

if TYPE_CHECKING:
    from torch import Tensor

    from leakaudit.model import IntArray
    from leakaudit.probe.learner import Float64
    from leakaudit.probe.resident_torch import ResidentPictures

WARM_STEPS = 4
"""Steps before one is recorded: libraries choose their kernels and the optimiser makes its state in the first ones."""


class Training:
    """One network in training; all its random numbers come from a generator of its own.

    Parameters
    ----------
    data : ResidentPictures
    seed : int
    """

    def __init__(self, data: ResidentPictures, seed: int) -> None:
        torch = torch_or_missing()
        self.torch, self.data = torch, data
        self.random = torch.Generator().manual_seed(seed)
        _, channels, side, _ = data.pictures.shape
        self.net = network(channels, side, max(1, data.n_classes), data.device, self.random)
        if data.on_gpu:
            self.rate = torch.tensor(LEARNING_RATE, device=data.device)
            how = {"lr": self.rate, "fused": True, "capturable": True}
        else:
            how = {"lr": LEARNING_RATE}
        self.optimizer = torch.optim.AdamW(self.net.parameters(), weight_decay=WEIGHT_DECAY, **how)
        # sums stay on the device: to read them at every step would make a GPU wait for each
        self.total = torch.zeros((), dtype=torch.float64, device=data.device)
        self.right = torch.zeros((), dtype=torch.int64, device=data.device)
        self.n_steps = 0
        self.records = data.on_gpu
        self._recorded: tuple[Tensor, Callable[[], None]] | None = None

    def epoch(self, train: IntArray, number: int, watched: IntArray | None) -> tuple[float, ...]:
        """Train for one epoch; gives epoch, training and validation loss, training and validation accuracy."""
        data = self.data
        self.net.train()
        n_steps = -(-len(train) // data.batch) * data.epochs
        self.total.zero_()
        self.right.zero_()
        for batch in self._shuffled(train, augment=data.augment).split(data.batch, dim=1):
            raise_if_stopped()
            self._set_rate(learning_rate(self.n_steps / n_steps))
            self._step(batch)
            self.n_steps += 1
        train_loss = float(self.total) / len(train)
        train_accuracy = int(self.right) / len(train) if data.n_classes else float("nan")
        if watched is None or not len(watched):
            return float(number), train_loss, float("nan"), train_accuracy, float("nan")
        outputs = self.outputs(watched)
        if not data.n_classes:
            error = float(np.mean(self._errors(outputs, watched)))
            return float(number), train_loss, error, np.nan, np.nan
        own = data.truth[watched]
        val_loss = -float(outputs[np.arange(len(own)), own].mean())
        return float(number), train_loss, val_loss, train_accuracy, float((outputs.argmax(axis=1) == own).mean())

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
            for batch in self._shuffled(train, augment=augment).split(self.data.batch, dim=1):
                raise_if_stopped()
                total += self._loss(*self._forward(batch)).sum().double()
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
        return float(total) / len(train)

    def outputs(self, at: IntArray) -> Float64:
        """Log-probabilities of classes (or the predicted quantity) in evaluation mode, shape (m, outputs)."""
        torch = self.torch
        self.net.eval()
        found = []
        with torch.no_grad():
            for part in torch.from_numpy(at)[None].to(self.data.device).split(8 * self.data.batch, dim=1):
                raise_if_stopped()
                output, _ = self._forward(part)
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

    def _shuffled(self, train: IntArray, *, augment: bool) -> Tensor:
        """Positions in a new order, and how each picture is moved where it is; int64, shape (1 or 4, n)."""
        order = self.torch.from_numpy(train)[self.torch.randperm(len(train), generator=self.random)][None]
        drawn = self.torch.cat([order, moves(len(train), self.random)]) if augment else order
        on_device: Tensor = drawn.to(self.data.device)
        return on_device

    def _set_rate(self, value: float) -> None:
        if self.data.on_gpu:
            self.rate.fill_(value)
            return
        for group in self.optimizer.param_groups:
            group["lr"] = value

    def _step(self, batch: Tensor) -> None:
        """One step of the optimiser; on a GPU by replay."""
        if not self.records or batch.shape[1] < self.data.batch or self.n_steps < WARM_STEPS:
            self.optimizer.zero_grad(set_to_none=True)
            self._learn(batch)
            return
        if self._recorded is None:
            self.optimizer.zero_grad(set_to_none=True)  # so that gradients have their place in the recording
            place = batch.clone()
            self._recorded = place, record(partial(self._learn, place))
        place, replay = self._recorded
        place.copy_(batch)
        replay()

    def _learn(self, batch: Tensor) -> None:
        """Forward, backward, update; what a recording holds, so nothing here may depend on values."""
        output, target = self._forward(batch)
        loss = self._loss(output, target).mean()
        loss.backward()
        self.optimizer.step()
        self.total += loss.detach().double() * batch.shape[1]
        if self.data.n_classes:
            self.right += (output.detach().argmax(dim=1) == target).sum()

    def _forward(self, batch: Tensor) -> tuple[Tensor, Tensor]:
        torch, data, at = self.torch, self.data, batch[0]
        mean, inverse = data.scale
        pictures = (data.resident[at].float() - mean) * inverse
        pictures = pictures.contiguous(memory_format=torch.channels_last)
        if len(batch) > 1:
            pictures = augmented(pictures, batch[1:])
        # weights that autocast kept from one step would be stale in the replay of another
        with torch.autocast(data.device.split(":")[0], torch.bfloat16, enabled=data.half, cache_enabled=False):
            output = self.net(pictures)
        return output.float(), data.target[at]

    def _loss(self, output: Tensor, target: Tensor) -> Tensor:
        functional = self.torch.nn.functional
        if self.data.n_classes:
            loss: Tensor = functional.cross_entropy(output, target, reduction="none")
        else:
            loss = functional.mse_loss(output[:, 0], target, reduction="none")
        return loss


def record(work: Callable[[], None]) -> Callable[[], None]:
    """Record what `work` launches on the current stream, without running it; gives the replay."""
    torch = torch_or_missing()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, stream=torch.cuda.current_stream()):
        work()
    replay: Callable[[], None] = graph.replay
    return replay
