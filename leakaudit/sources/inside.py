"""Tables that lie inside of a file: ``data.xlsx::train`` is the sheet ``train`` of a workbook."""

from __future__ import annotations

import os

INSIDE = "::"
"""Between the file and the name of a table in it; the last one in a path counts."""


def inside(path: str) -> tuple[str, str | None]:
    """The file, and the table in it; None where the path names a whole file.

    A file whose own name has the mark, and that is there, is a whole file.

    >>> inside("data/a.xlsx::train"), inside("data/a.xlsx")
    (('data/a.xlsx', 'train'), ('data/a.xlsx', None))
    """
    file, mark, name = path.rpartition(INSIDE)
    if not mark or not file or not name or os.path.lexists(path):
        return path, None
    return file, name


def join_inside(file: str, name: str) -> str:
    """The path of a table in a file."""
    return f"{file}{INSIDE}{name}"
