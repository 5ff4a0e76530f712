"""pandas stays out of processes of our own.

PyArrow imports it, when it first sees a list, to ask whether that is a Series. That takes longer than to compare a
million rows, and no command works on data frames.
"""

from __future__ import annotations

import sys


def hide_pandas() -> None:
    """Let PyArrow and leakaudit itself, but nobody else, find no pandas in this process from now on.

    For processes that belong to leakaudit: the command line and its workers. Where leakaudit is a library, its caller
    may well hand data frames to PyArrow.
    """
    if _Finder not in sys.meta_path:
        sys.meta_path.insert(0, _Finder)


class _Finder:
    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> None:
        del path, target
        if name == "pandas" and _asked_by() in ("leakaudit", "pyarrow"):
            raise ModuleNotFoundError("pandas is hidden from PyArrow and leakaudit (hide_pandas)", name=name)


def _asked_by() -> str:
    """The package whose code imports; compiled code, such as most of PyArrow, counts as the one that called it."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith(("importlib", __name__)):
        frame = frame.f_back
    name: str = frame.f_globals.get("__name__", "")
    return name.partition(".")[0]
