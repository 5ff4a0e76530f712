"""Which quick model suits the data, what it costs, and how its data are loaded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from leakaudit.analysis.columns.profiles import columns_of
from leakaudit.engines.local import usable_cores
from leakaudit.errors import ConfigError, MissingExtraError
from leakaudit.probe.budget import Cost
from leakaudit.probe.outcome import NotProbed

if TYPE_CHECKING:
    import numpy.typing as npt

    from leakaudit.analysis.context import Context
    from leakaudit.fingerprints.pictures.fingerprint import ImageFingerprints
    from leakaudit.model import IntArray
    from leakaudit.probe.features import Chosen
    from leakaudit.probe.learner import Learner
    from leakaudit.probe.target import Target

Mode: TypeAlias = Literal["auto", "cpu", "gpu", "fast"]

EPOCHS_CPU, EPOCHS_GPU = 8, 20
"""Passes over the pictures. Eight are enough to learn some thousand pictures by heart, nearly."""

BATCH_GPU = 512

PICTURES_A_SECOND = 2_800
"""Forward and backward, 32 × 32 × 3, one core; measured 3,400 alone and 2,400 on a busy machine."""

PREPARED_PICTURE, PREPARED_ROW = 1.2e-3, 4e-4
"""Seconds of fixed features and the forests of LA403, one sample."""

PICTURES_A_SECOND_GPU = 200_000
"""Measured on an H100: 265,000 (29,160 a model) to 400,000 (20,000); most GPUs that people have are slower."""

MOST_PICTURES, MOST_PICTURES_GPU, MOST_ROWS = 10_000, 60_000, 20_000
"""Samples in the pool; a difference of 0.1 standard deviations between splits shows from 2,000 held-out samples on."""

TREE_SECONDS = 1.2e-8
"""Of one row, column, class and round of boosting, one core."""

TREE_CLASSES = 20
"""Boosting fits one tree a class and round; beyond this a linear model serves."""

LINEAR_SECONDS = 3.5e-4
"""Of one row over all epochs, plus as much for every 40 classes."""

RIDGE_FEATURES = 2_048


@dataclass(frozen=True, slots=True)
class Kind:
    """A quick model that suits the data, before they are loaded.

    Parameters
    ----------
    cost : Cost
    workers : int
        Models fitted side by side.
    load : callable
        ``load(indices, target) -> Learner`` for the samples of the pool; the target is theirs.
    notes : tuple of str
        What the model does not see.
    """

    cost: Cost
    workers: int
    load: Callable[[IntArray, Target], Learner]
    notes: tuple[str, ...] = ()


def choose_kind(context: Context, target: Target, mode: Mode) -> Kind | NotProbed:
    """The quick model for these data.

    Raises
    ------
    ConfigError
        A GPU was asked for, and PyTorch finds none.
    """
    workers = context.config.jobs or usable_cores()
    if context.has_pictures:
        return _for_pictures(context, mode, workers)
    from leakaudit.probe.features import choose_columns

    chosen = choose_columns(context)
    if not chosen.n and not chosen.prose:
        if any(profile.role == "constant" for profile in columns_of(context)):
            return NotProbed("inconclusive", "no column to predict the label from varies")
        return NotProbed("skipped", "no column is left to predict the label from")
    return _for_rows(context, chosen, len(target.classes), mode, workers)


def standardised(values: np.ndarray) -> npt.NDArray[np.float64]:
    """A quantity with mean 0 and standard deviation 1 over the pool; as it is where it is constant or unknown."""
    if not np.isfinite(values).all():
        return np.zeros(len(values))
    # a power of two changes no digit, and keeps squares of very large and very small numbers within range
    scaled = np.ldexp(values, -int(np.frexp(np.abs(values).max())[1]))
    return np.asarray((scaled - scaled.mean()) / scaled.std()) if scaled.std() > 0 else np.zeros(len(values))


# --- pictures -------------------------------------------------------------------------------------------------


def _for_pictures(context: Context, mode: Mode, workers: int) -> Kind | NotProbed:
    images = context.images
    if mode == "fast":

        def load_fast(indices: IntArray, target: Target) -> Learner:
            from leakaudit.probe.patches import patch_features
            from leakaudit.probe.ridge import Ridge

            features = patch_features(thumbnails(images, indices))
            return Ridge(features, target.codes, len(target.classes), standardised(target.values), "answers to patches")

        return Kind(Cost(1e-4, 0.3, MOST_PICTURES, PREPARED_PICTURE), 1, load_fast)
    try:
        device = _device(mode)
    except MissingExtraError as error:
        return NotProbed("skipped", f"{error} (`--probe fast` does without)")

    def load(indices: IntArray, target: Target) -> Learner:
        from leakaudit.probe.images_torch import TorchPictures

        pictures, values = thumbnails(images, indices), standardised(target.values)
        if device == "cpu":
            return TorchPictures(pictures, target.codes, len(target.classes), values, EPOCHS_CPU)
        return TorchPictures(
            pictures,
            target.codes,
            len(target.classes),
            values,
            EPOCHS_GPU,
            BATCH_GPU,
            device,
            augment=True,
            half=_has_bfloat16(),
        )

    if device == "cpu":
        return Kind(Cost(EPOCHS_CPU / PICTURES_A_SECOND, 0.1, MOST_PICTURES, PREPARED_PICTURE), workers, load)
    return Kind(Cost(EPOCHS_GPU / PICTURES_A_SECOND_GPU, 0.5, MOST_PICTURES_GPU, PREPARED_PICTURE), 1, load)


def _device(mode: Mode) -> str:
    from leakaudit.probe.network_torch import torch_or_missing

    torch = torch_or_missing()
    if mode in ("auto", "gpu") and torch.cuda.is_available():
        return "cuda"
    if mode == "gpu":
        raise ConfigError("--probe gpu: PyTorch finds no GPU here; --probe cpu or --probe auto need none")
    return "cpu"


def _has_bfloat16() -> bool:
    """Whether the GPU computes in bfloat16 itself (compute capability 8, Ampere, and later)."""
    import torch

    return bool(torch.cuda.get_device_capability()[0] >= 8)


def thumbnails(images: ImageFingerprints, indices: IntArray) -> npt.NDArray[np.uint8]:
    """Pictures as the fingerprints hold them: luminance 32 × 32, and two colour differences 8 × 8 enlarged to it.

    Returns
    -------
    ndarray of uint8, shape (n, 3, 32, 32)
        One channel only where no picture has any colour.
    """
    records = images.records[indices]
    luma = np.ascontiguousarray(records["luma"])[:, None]
    chroma = np.ascontiguousarray(records["chroma"])
    if not (chroma.astype(np.int16) != 128).any():
        return luma
    factor = luma.shape[-1] // chroma.shape[-1]
    return np.concatenate([luma, chroma.repeat(factor, axis=2).repeat(factor, axis=3)], axis=1)


# --- tables and text ------------------------------------------------------------------------------------------


def _for_rows(context: Context, chosen: Chosen, n_classes: int, mode: Mode, workers: int) -> Kind:
    notes = []
    if chosen.n_left_out:
        notes.append(f"{chosen.n_left_out:,} columns beyond the first {chosen.n:,} were not used.")
    if mode == "fast":

        def load_fast(indices: IntArray, target: Target) -> Learner:
            from leakaudit.probe.features import hashed_densely
            from leakaudit.probe.ridge import Ridge

            features = hashed_densely(context, chosen, indices, RIDGE_FEATURES)
            return Ridge(features, target.codes, len(target.classes), standardised(target.values), "features")

        return Kind(Cost(1e-4, 0.5, MOST_ROWS, PREPARED_ROW), 1, load_fast, tuple(notes))
    if chosen.is_text or n_classes > TREE_CLASSES:

        def load_linear(indices: IntArray, target: Target) -> Learner:
            from leakaudit.probe.features import sparse_features
            from leakaudit.probe.linear import LinearModel

            features = sparse_features(context, chosen, indices)
            return LinearModel(features, target.codes, len(target.classes), standardised(target.values))

        cost = Cost(LINEAR_SECONDS * (1 + n_classes / 40), 0.1, MOST_ROWS, PREPARED_ROW)
        return Kind(cost, workers, load_linear, tuple(notes))
    if chosen.prose:
        notes.append(f"Running text ({', '.join(chosen.prose[:5])}) was not used beside {chosen.n:,} other columns.")

    def load_trees(indices: IntArray, target: Target) -> Learner:
        from leakaudit.probe.features import tree_features
        from leakaudit.probe.trees import Trees

        features, categorical = tree_features(context, chosen, indices)
        return Trees(features, categorical, target.codes, len(target.classes), standardised(target.values))

    from leakaudit.probe.trees import ROUNDS

    trees = ROUNDS * (1 if n_classes <= 2 else n_classes)
    cost = Cost(TREE_SECONDS * trees * chosen.n, 2e-3 * trees, MOST_ROWS, PREPARED_ROW)
    return Kind(cost, workers, load_trees, tuple(notes))
