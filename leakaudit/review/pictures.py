"""The pictures of a review: decoded anew and small, and nothing but samples of the report below one folder."""

from __future__ import annotations

import os
import re
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from leakaudit.errors import InputError
from leakaudit.fingerprints.pictures.files import Unreadable
from leakaudit.fingerprints.pictures.previews import preview

SIDE = 640
"""Pixels on the long side: half of a laptop's screen."""

KEPT = 64
"""Pictures that are kept in memory: those that a person goes back to."""

_BYTE = re.compile(rb"\\x([0-9a-f]{2})")
"""How names of the report write a byte that is not UTF-8, and a backslash (`leakaudit.sources.listing.uri_of`)."""

_PROBED = 50


class Hidden(Exception):  # noqa: N818  it is an answer, not an accident
    """The picture is not shown; the message says why in one phrase."""


@dataclass(slots=True)
class PictureFolder:
    """Pictures below one folder.

    Parameters
    ----------
    root : Path
        What the names of the report are relative to. Links that lead out of it are not followed.
    """

    root: Path
    _made: OrderedDict[str, bytes] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def picture(self, uri: str) -> bytes:
        """A preview as PNG or JPEG.

        Raises
        ------
        Hidden
            There is no such file below the folder, or it is no picture.
        """
        with self._lock:
            if uri in self._made:
                self._made.move_to_end(uri)
                return self._made[uri]
        try:
            made = preview(self.path(uri), SIDE)
        except Unreadable as error:
            raise Hidden(error.reason) from error
        with self._lock:
            self._made[uri] = made
            while len(self._made) > KEPT:
                self._made.popitem(last=False)
        return made

    def path(self, uri: str) -> bytes:
        """The file of a sample.

        Raises
        ------
        Hidden
            It does not exist, or is not below the folder.
        """
        root = os.path.realpath(os.fsencode(self.root))
        name = _BYTE.sub(lambda found: bytes([int(found[1], 16)]), uri.encode("utf-8", "backslashreplace"))
        if b"\0" in name:
            raise Hidden("no file has such a name")
        path = os.path.realpath(os.path.join(root, name))  # noqa: PTH118  names are bytes
        if not path.startswith(os.path.join(root, b"")):  # noqa: PTH118
            raise Hidden("lies outside the data folder")
        if not os.path.isfile(path):  # noqa: PTH113
            raise Hidden("not found below the data folder")
        return path


def picture_folder(root: Path, uris: Sequence[str], *, told: bool) -> PictureFolder:
    """The folder of the pictures, checked on the first names.

    Parameters
    ----------
    root : Path
        A folder; or one file (a manifest), whose folder is meant.
    told : bool
        The user named it; else it is the root of the report.

    Raises
    ------
    InputError
        None of the first pictures is there.
    """
    folder = PictureFolder(root.parent if root.is_file() else root)
    first = uris[:_PROBED]
    if first and not any(_is_there(folder, uri) for uri in first):
        how = "" if told else ": name the folder of the scan with --data"
        raise InputError(f"no picture of the report is below {folder.root}{how}")
    return folder


def _is_there(folder: PictureFolder, uri: str) -> bool:
    try:
        folder.path(uri)
    except Hidden:
        return False
    return True
