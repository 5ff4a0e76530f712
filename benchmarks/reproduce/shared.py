"""What the worked experiments share: pictures out of a tar file, networks, a training loop, stored results."""

from __future__ import annotations

import argparse
import csv
import json
import math
import platform
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional

RESULTS = Path(__file__).parent / "results"
HELD_OUT = 0.2
COLUMNS = ("epoch", "accuracy", "learning_rate", "loss", "val_accuracy", "val_loss")


def arguments(about: str) -> argparse.Namespace:
    """The command line that all experiments have, with PyTorch set to one thread for the small size."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("data", type=Path, help="tar file of pictures, train/<class>/<file> inside")
    parser.add_argument("--size", choices=("small", "full"), default="small", help="small: minutes on a CPU")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=0)
    chosen = parser.parse_args()
    if chosen.size == "small":
        torch.set_num_threads(1)
    return chosen


# --- pictures -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Pictures:
    """Pictures as bytes, shape (n, channels, height, width), with class codes and the names of the classes."""

    pixels: np.ndarray
    labels: np.ndarray
    classes: tuple[str, ...]


def read_pictures(tar: Path, n: int | None, seed: int) -> Pictures:
    """Draw n pictures (None: all) of the training part of a set, straight from the tar file."""
    with tarfile.open(tar) as archive:
        members = [member for member in archive if member.isfile() and member.name.count("/") == 2]
        members = sorted((m for m in members if m.name.startswith("train/")), key=lambda m: m.name)
        drawn = np.random.default_rng(seed).permutation(len(members))[:n]
        names = [members[i].name.split("/")[1] for i in drawn]
        classes = tuple(sorted(set(names)))
        arrays = []
        for i in sorted(range(len(drawn)), key=lambda i: members[drawn[i]].offset):
            with Image.open(archive.extractfile(members[drawn[i]])) as picture:
                arrays.append((i, np.atleast_3d(np.asarray(picture))))
    pixels = np.stack([array for _, array in sorted(arrays, key=lambda pair: pair[0])]).transpose(0, 3, 1, 2)
    return Pictures(np.ascontiguousarray(pixels), np.array([classes.index(name) for name in names]), classes)


@dataclass
class Batches:
    """Batches ``(x, y)`` of floats from 0 to 1, in a new order at every pass where they are shuffled."""

    x: Tensor
    y: Tensor
    size: int
    shuffled: bool = False
    moved: bool = False

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        order = torch.randperm(len(self.y)) if self.shuffled else torch.arange(len(self.y))
        for at in order.to(self.y.device).split(self.size):
            x = self.x[at].float() / 255
            yield rotated_shifted_flipped(x) if self.moved else x, self.y[at]


def split(pictures: Pictures, device: str) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """The last fifth is validation; the pictures were drawn in a random order."""
    n_train = round(len(pictures.labels) * (1 - HELD_OUT))
    x, y = torch.from_numpy(pictures.pixels).to(device), torch.from_numpy(pictures.labels).to(device)
    return (x[:n_train], y[:n_train]), (x[n_train:], y[n_train:])


def rotated_shifted_flipped(x: Tensor, degrees: float = 15, shift: float = 0.1) -> Tensor:
    """Each picture turned and moved by a random amount of at most this much, and half of them mirrored."""
    n, device = len(x), x.device
    angle = (2 * torch.rand(n, device=device) - 1) * math.radians(degrees)
    mirror = 1 - 2 * (torch.rand(n, device=device) < 0.5).float()
    move = (2 * torch.rand(n, 2, device=device) - 1) * 2 * shift  # the sides are 2 long
    cosine, sine = angle.cos(), angle.sin()
    rows = torch.stack([mirror * cosine, -sine, move[:, 0], mirror * sine, cosine, move[:, 1]], dim=1)
    grid = functional.affine_grid(rows.reshape(n, 2, 3), list(x.shape), align_corners=False)
    return functional.grid_sample(x, grid, padding_mode="border", align_corners=False)


# --- networks -------------------------------------------------------------------------------------------------


def mlp(features: int, classes: int, dropout: Sequence[float] = ()) -> nn.Module:
    """512-256-128, with dropout after each layer where it is asked for."""
    layers: list[nn.Module] = [nn.Flatten()]
    for i, width in enumerate((512, 256, 128)):
        layers += [nn.Linear(features, width), nn.ReLU()]
        layers += [nn.Dropout(dropout[i])] if dropout else []
        features = width
    return nn.Sequential(*layers, nn.Linear(features, classes))


def cnn(shape: Sequence[int], classes: int, *, regularised: bool, width: float = 1.0) -> nn.Module:
    """conv 64-64-pool-128-flatten-256, or regularised: conv 64-pool-128-flatten-256 and dropout 0.5."""
    narrow, wide, dense = (max(1, round(width * each)) for each in (64, 128, 256))
    channels, height, side = shape
    layers: list[nn.Module] = [nn.Conv2d(channels, narrow, 3, padding=1), nn.ReLU()]
    if not regularised:
        layers += [nn.Conv2d(narrow, narrow, 3, padding=1), nn.ReLU()]
    layers += [nn.MaxPool2d(2), nn.Conv2d(narrow, wide, 3, padding=1), nn.ReLU(), nn.Flatten()]
    layers += [nn.Linear(wide * (height // 2) * (side // 2), dense), nn.ReLU()]
    layers += [nn.Dropout(0.5)] if regularised else []
    return nn.Sequential(*layers, nn.Linear(dense, classes))


# --- training -------------------------------------------------------------------------------------------------


@dataclass
class Run:
    """A trained network and what its log says, one row an epoch with the names of Keras."""

    net: nn.Module
    log: list[dict[str, float]] = field(default_factory=list)

    def last(self, name: str) -> float:
        """Of the last epoch."""
        return self.log[-1][name]

    def write(self, path: Path) -> Path:
        """As Keras' CSVLogger does."""
        with path.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, COLUMNS)
            writer.writeheader()
            writer.writerows(self.log)
        return path


def train(
    net: nn.Module, of_train: Batches, of_val: Batches, epochs: int, *, stop_after: int = 0, plateau: bool = False
) -> Run:
    """Adam as Keras sets it; early stopping and ReduceLROnPlateau(0.5, 3, 1e-6) on validation loss where asked for."""
    net.to(of_train.y.device)
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3, eps=1e-7)
    # PyTorch counts the epochs that are borne, Keras the one after which the rate falls
    lower = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, factor=0.5, patience=2, threshold=1e-4, threshold_mode="abs", min_lr=1e-6
    )
    run, best, best_epoch = Run(net), math.inf, 0
    for epoch in range(epochs):
        net.train()
        rate = optimizer.param_groups[0]["lr"]
        # sums stay on the device: to read them at every step would make a GPU wait for each
        total = torch.zeros((), dtype=torch.float64, device=of_train.y.device)
        right = torch.zeros((), dtype=torch.int64, device=of_train.y.device)
        for x, y in of_train:
            output = net(x)
            loss = functional.cross_entropy(output, y)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            total += loss.detach() * len(y)
            right += (output.argmax(1) == y).sum()
        val_loss, val_accuracy = evaluate(net, of_val)
        n = len(of_train.y)
        row = (epoch, int(right) / n, rate, float(total) / n, val_accuracy, val_loss)
        run.log.append(dict(zip(COLUMNS, row, strict=True)))
        if plateau:
            lower.step(val_loss)
        if val_loss < best:
            best, best_epoch = val_loss, epoch
        if stop_after and epoch - best_epoch >= stop_after:
            break
    return run


@torch.no_grad()
def evaluate(net: nn.Module, batches: Batches) -> tuple[float, float]:
    """Mean loss and accuracy in evaluation mode."""
    net.eval()
    total, right = 0.0, 0
    for x, y in batches:
        output = net(x)
        total += functional.cross_entropy(output, y, reduction="sum").item()
        right += int((output.argmax(1) == y).sum())
    return total / len(batches.y), right / len(batches.y)


# --- results --------------------------------------------------------------------------------------------------


def store(experiment: str, size: str, seed: int, result: dict[str, object], device: str) -> None:
    """Print a result and keep it: one entry a size and seed, replaced when it is run again."""
    print(f"{experiment}, {size}, seed {seed}:", json.dumps(result, indent=1), flush=True)
    path = RESULTS / f"{experiment}.json"
    stored = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    where = torch.cuda.get_device_name() if device == "cuda" else device
    about = {"torch": torch.__version__, "python": platform.python_version(), "device": where}
    stored.setdefault("about", {})[size] = about
    stored.setdefault(size, {})[str(seed)] = result
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(stored, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def rounded(values: dict[str, float], digits: int = 4) -> dict[str, float]:
    """For storing."""
    return {name: round(float(value), digits) for name, value in values.items()}
