"""Temporary files of this process: what an engine reads in place of a file that it cannot open itself."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref


class LocalCopy(str):
    """Path of a copy; the copy goes with it. (No slots: it takes a weak reference.)"""


def is_local_copy(path: str) -> bool:
    """Whether a path is that of a copy that was made here: no other machine has it."""
    return isinstance(path, LocalCopy)


def new_copy(name: str = "table") -> LocalCopy:
    """A path in a new temporary folder, which goes when nothing refers to the string any more, or with the process.

    Raises
    ------
    OSError
    """
    folder = tempfile.mkdtemp(prefix="leakaudit-")
    copy = LocalCopy(os.path.join(folder, name))
    weakref.finalize(copy, shutil.rmtree, folder, ignore_errors=True)
    return copy
