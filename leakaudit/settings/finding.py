"""Which configuration file belongs to the data, and which data its paths mean.

``leakaudit.toml``, or the table ``[tool.leakaudit]`` of a ``pyproject.toml``, in the folder of the data or the nearest
one above. The first that exists counts and no other is merged into it. A ``pyproject.toml`` without that table is
passed over. Symbolic links are not resolved: a linked data folder belongs to the project that links it.
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from leakaudit.settings.config_file import NAME, PYPROJECT, ConfigFile, read_file

_is_address = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://").match


def find(paths: Sequence[str | os.PathLike[str]]) -> ConfigFile | None:
    """Read the file that belongs to the data, or None where there is none.

    Parameters
    ----------
    paths : sequence of str or path-like
        As given to a scan, ``name=path`` and patterns included; their common folder is the first that is looked into.

    Raises
    ------
    ConfigError
        A file that cannot be read or holds something wrong.
    """
    for folder in _upwards(common_folder([os.fspath(path) for path in paths])):
        for name in (NAME, PYPROJECT):
            path = folder / name
            if os.path.lexists(path) and not (name == PYPROJECT and path.is_dir()):
                found = read_file(path, or_none=name == PYPROJECT)
                if found is not None:
                    return found
    return None


def common_folder(paths: Sequence[str]) -> str:
    """The innermost folder around all the paths, absolute; the current one where there is no path."""
    folders = [_folder(path) for path in paths] or [os.path.abspath(".")]
    try:
        return os.path.commonpath(folders)
    except ValueError:  # two drives
        return folders[0]


def _folder(path: str) -> str:
    """The folder where the search for what belongs to a path begins; links are not resolved."""
    path = os.path.abspath(split_apart(path)[1])
    while glob.has_magic(path) and not os.path.lexists(path):
        path = os.path.dirname(path)
    return path if os.path.isdir(path) else os.path.dirname(path)


def split_apart(path: str) -> tuple[str, str]:
    """``val=`` and the path behind it, unless something is called like the whole."""
    named = re.fullmatch(r"(\w[\w-]*=)(.+)", path, flags=re.DOTALL)
    return (named[1], named[2]) if named and not os.path.lexists(path) else ("", path)


def _upwards(folder: str) -> Iterator[Path]:
    """The folder and those around it; below the current folder as relative paths, which read better."""
    here = Path.cwd()
    for each in (Path(folder), *Path(folder).parents):
        yield each.relative_to(here) if each.is_relative_to(here) else each


def paths_of(file: ConfigFile, dataset: str) -> tuple[str, ...]:
    """Paths of a data set of the file, as they are reached from the current folder."""
    parts = map(split_apart, file.datasets[dataset].paths)
    return tuple(
        split + (path if _is_address(path) else os.path.normpath(os.path.join(file.path.parent, path)))
        for split, path in parts
    )


def same_paths(a: Sequence[str | os.PathLike[str]], b: Sequence[str | os.PathLike[str]]) -> bool:
    """Whether both name the same data, in whatever order."""

    def whole(path: str | os.PathLike[str]) -> str:
        split, rest = split_apart(os.fspath(path))
        return split + (rest.rstrip("/") if _is_address(rest) else os.path.abspath(rest))

    return sorted(map(whole, a)) == sorted(map(whole, b))


def belongs(paths: Sequence[str], file: str) -> bool:
    """Whether a file is one of the paths, or lies in one; links are resolved."""
    real = os.path.realpath(file)
    roots = [os.path.realpath(split_apart(path)[1]) for path in paths]
    return any(real == root or real.startswith(root.rstrip(os.sep) + os.sep) for root in roots)
