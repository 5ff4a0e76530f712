"""How long work tells how far it is; the terminal's bars and a silent stand-in both satisfy it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol


class Progress(Protocol):
    """``with progress("Fingerprinting", total=n, unit="pictures") as advance: ... advance(k)``."""

    def __call__(self, title: str, total: int, unit: str) -> AbstractContextManager[Callable[[int], None]]:
        """Open one bar; `total` items of `unit` are to be done, and `advance(k)` says that k more are."""


@contextmanager
def silent(title: str, total: int, unit: str) -> Iterator[Callable[[int], None]]:
    """Progress that shows nothing."""
    del title, total, unit
    yield lambda _done: None
