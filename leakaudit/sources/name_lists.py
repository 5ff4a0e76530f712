"""Files whose lines name pictures, as bytes: any name works."""

from __future__ import annotations

import re
from collections.abc import Mapping

from leakaudit.errors import InputError
from leakaudit.sources import storage
from leakaudit.sources.inventory import why
from leakaudit.sources.listing import display
from leakaudit.sources.picture_index import bare

_SEPARATORS = re.compile(rb"[\t,; ]+")


def lines_of(path: str, most: int = -1) -> list[bytes]:
    """The lines of a list, stripped, without empty ones; at most so many bytes of it, whole lines.

    Raises
    ------
    InputError
        It cannot be read, or is binary.
    """
    try:
        with storage.open_file(path) as file:
            data = file.read(most)
    except OSError as error:
        raise InputError(f"{display(path)}: {why(error)}") from error
    if b"\0" in data[:4096]:
        raise InputError(f"{display(path)}: binary, not a list of names")
    lines = [line.strip() for line in data.removeprefix(b"\xef\xbb\xbf").splitlines()]
    if most > 0 and len(data) == most and len(lines) > 1:
        lines.pop()
    return [line for line in lines if line]


def labels_of_names(path: str) -> Mapping[bytes, bytes]:
    """The second field of each line by the first, which is a name or a path, with and without its ending.

    Raises
    ------
    InputError
        As `lines_of`.
    """
    found: dict[bytes, bytes] = {}
    for line in lines_of(path):
        fields = _SEPARATORS.split(line)
        if len(fields) > 1:
            name = fields[0].rpartition(b"/")[2]
            found[name] = found[bare(name)] = fields[1]
    return found
