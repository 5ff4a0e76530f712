"""An earlier split, as ``split.json`` has it, whose samples stay where they are."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from leakaudit.errors import ConfigError, InputError

if TYPE_CHECKING:
    from leakaudit.model import IntArray

FORMAT = "leakaudit-split"
VERSION = 1


@dataclass(frozen=True, eq=False, slots=True)
class Kept:
    """Which sample was in which split: split name to names of samples."""

    assignment: Mapping[str, Sequence[str]]

    def places(self, names: Sequence[str], splits: Sequence[str]) -> IntArray:
        """Index into `splits` of every sample, -1 for new ones.

        Raises
        ------
        ConfigError
            It has a split that is not among `splits`.
        """
        unknown = [name for name in self.assignment if name not in splits]
        if unknown:
            raise ConfigError(f"--keep: the earlier split has {unknown[0]!r}, which is none of {', '.join(splits)}")
        where = {name: splits.index(split) for split, found in self.assignment.items() for name in found}
        return np.array([where.get(name, -1) for name in names], np.int64)


def read_kept(path: Path) -> Kept:
    """Read a ``split.json``, or the one in a folder.

    Raises
    ------
    InputError
        It cannot be read, or is none that leakaudit wrote.
    """
    file = path / "split.json" if path.is_dir() else path
    if not file.is_file():
        raise InputError(f"{file}: there is no such file")
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        assignment = found["assignment"]
        version = found[FORMAT]
        strings = all(isinstance(name, str) for names in assignment.values() for name in names)
    except OSError as error:
        raise InputError(f"{file}: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(f"{file}: no split that leakaudit wrote") from error
    if not strings:
        raise InputError(f"{file}: no split that leakaudit wrote")
    if version != VERSION:
        raise InputError(f"{file}: written by another version of leakaudit (form {version!r}, not {VERSION})")
    return Kept(assignment)
