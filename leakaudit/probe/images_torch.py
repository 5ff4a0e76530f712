"""Pictures: a small convolutional network, trained with PyTorch.

On a CPU every model uses one thread and several models are trained side by side, so that the numbers do not depend on
how many there are. On a GPU all pictures stay in its memory as bytes, are turned into floats (and augmented) there, and
the arithmetic is bfloat16 with losses in float32.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from leakaudit.probe.learner import Curve, Fit, Job, class_fit, quantity_fit
from leakaudit.probe.network_torch import CHANNELS, torch_or_missing
from leakaudit.probe.resident_torch import ResidentPictures
from leakaudit.probe.training_torch import Training

if TYPE_CHECKING:
    from leakaudit.probe.learner import TrainLossKind


@dataclass(frozen=True, eq=False)
class TorchPictures(ResidentPictures):
    """The learner of pictures.

    Parameters as in `ResidentPictures`.
    """

    in_processes = False
    train_loss_kind: TrainLossKind = "epoch_mean"

    @property
    def name(self) -> str:
        """What it is, for people."""
        where = "the GPU" if self.on_gpu else "the CPU"
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
            with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True), self._own_stream():
                return self._fit(job, tick)
        except torch.cuda.OutOfMemoryError as error:
            raise MemoryError("the GPU has too little memory to spare; `--probe cpu` needs none") from error
        finally:
            torch.set_num_threads(threads)

    def _fit(self, job: Job, tick: Callable[[], None]) -> Fit:
        run = Training(self, job.seed)
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

    @contextmanager
    def _own_stream(self) -> Iterator[None]:
        """Steps can be recorded on a stream of their own only."""
        if not self.on_gpu:
            yield
            return
        cuda = torch_or_missing().cuda
        stream = cuda.Stream()
        stream.wait_stream(cuda.current_stream())
        with cuda.stream(stream):
            yield
        cuda.current_stream().wait_stream(stream)
