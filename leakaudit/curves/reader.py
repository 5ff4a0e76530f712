"""What a reader is: a name, a question and an answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from leakaudit.curves.options import Options
from leakaudit.curves.source import Source
from leakaudit.history import History


@dataclass(frozen=True, slots=True)
class Reader:
    """One format of histories.

    Parameters
    ----------
    name : str
        Slug.
    looks_for : str
        What makes it recognise a file, for the message when nothing does.
    sniff : callable
        Whether a source is of this format; looks only at names and structure.
    read : callable
        Its histories; raises `InputError` with one clear line where the file says nothing useful.
    takes : tuple of {"columns", "train_set", "val_sets"}, default ()
        Options that it understands.
    """

    name: str
    looks_for: str
    sniff: Callable[[Source], bool]
    read: Callable[[Source, Options], list[History]]
    takes: tuple[Literal["columns", "train_set", "val_sets"], ...] = ()
