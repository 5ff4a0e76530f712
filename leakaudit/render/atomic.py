"""Files that appear whole or not at all."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from leakaudit.errors import ConfigError


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a temporary file beside `path`, and move it there when the block ends well.

    A pipe or a device (``/dev/stdout``) is written to as it is; a symbolic link stays one, and its target is replaced.

    Raises
    ------
    ConfigError
        The path cannot be written to.
    """
    try:
        target = path.resolve()
        if target.exists() and not target.is_file():
            with target.open("wb") as stream:
                yield stream
            return
        partial = target.with_name(f".leakaudit-{secrets.token_hex(8)}.partial")
        try:
            with partial.open("xb") as stream:
                yield stream
            partial.replace(target)
        finally:
            with suppress(FileNotFoundError):
                partial.unlink()
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error.strerror or error}") from error
