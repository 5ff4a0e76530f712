"""Digests of sounds by what they hold: the same samples in a WAV and in a FLAC file are the same sound.

libsndfile decodes (the package soundfile); it reads no tags, so that titles and covers do not matter.
"""

from __future__ import annotations

import importlib.util
import io
import os
from typing import TYPE_CHECKING, Any

from blake3 import blake3

if TYPE_CHECKING:
    from leakaudit.fingerprints.pictures.files import FileContent

BLOCK = 1 << 16
"""Frames decoded at once: 0.5 MB of stereo, whatever the length of the sound."""

NO_DIGEST = bytes(16)
"""Of a sound that was not decoded, or that is silent from end to end: silence is nobody's copy."""


def can_decode() -> bool:
    """Whether soundfile is installed."""
    return importlib.util.find_spec("soundfile") is not None


def sound_digest(content: FileContent, path: bytes) -> bytes | None:
    """Digest of the sampling rate, the channels and all samples, 128 bits.

    Samples are compared as 32-bit integers, so that 16 bits are the same in every format that keeps them.

    Parameters
    ----------
    content : FileContent
    path : bytes
        To open a file that is too large to be held.

    Returns
    -------
    bytes or None
        `NO_DIGEST` of silence; None of what libsndfile cannot decode to its end.
    """
    import soundfile

    source: Any = io.BytesIO(content.data) if content.data is not None else os.fsdecode(path)
    try:
        with soundfile.SoundFile(source) as sound:
            digest = blake3(f"{sound.samplerate} Hz, {sound.channels} channels".encode())
            first, is_silent = None, True
            for block in sound.blocks(blocksize=BLOCK, dtype="int32", always_2d=True):
                if len(block) and is_silent:
                    first = block[0] if first is None else first
                    is_silent = bool((block == first).all())
                digest.update(block.tobytes())
    except (soundfile.SoundFileError, OSError, ValueError, TypeError, AssertionError):
        return None
    return NO_DIGEST if is_silent else digest.digest(16)
