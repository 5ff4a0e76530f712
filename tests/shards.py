"""Small pictures and tar shards for tests; import as ``from shards import picture, write_shard``."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image


def picture(seed: int) -> bytes:
    """A PNG of 64×64 with a pattern of its own."""
    blocks = np.random.default_rng(seed).integers(0, 255, (8, 8, 3))
    file = io.BytesIO()
    Image.fromarray(np.kron(blocks, np.ones((8, 8, 1))).astype(np.uint8)).save(file, "PNG")
    return file.getvalue()


def write_shard(path: Path, members: Sequence[tuple[str, bytes] | tarfile.TarInfo]) -> None:
    """A tar file of (name, content) pairs, and of members without content as they are."""
    with tarfile.open(path, "w") as tar:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                tar.addfile(member)
            else:
                info = tarfile.TarInfo(member[0])
                info.size = len(member[1])
                tar.addfile(info, io.BytesIO(member[1]))
