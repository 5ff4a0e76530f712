"""From what was sent to a terminal to the lines that stood on it in the end.

Colours go, and of a progress bar that was drawn again and again over itself (``\\r``, backspaces) its last state stays.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_ESCAPES = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[()][A-Za-z0-9]|[=>78cDEHM])")
_REDRAWN = re.compile(r"\r+|\x08+")
_BAR = re.compile(
    r"\d+%\s*\||\d+%\s*[━─█#]|\[[=>.\s]{3,}\]|[━]{3,}|^\s*\d+/(?:\d+|Unknown)\s+(?:\[|-|\d)|\bETA\b|\d+it\b"
)
_LABEL = re.compile(r"(?!\s*\d+/)[^:|%\[]*")
"""What stands before a bar: ``Epoch 3``; nothing where it begins with its progress, ``10/391 [=>…``."""

LONGEST = 20_000
"""A longer line is none that a trainer printed."""


def shown(text: str) -> list[str]:
    """The lines that remain on the screen.

    >>> shown("1/2 [=>..] - loss: 0.9\\r2/2 [====] - loss: 0.5\\n\\x1b[32mdone\\x1b[0m")
    ['2/2 [====] - loss: 0.5', 'done']
    """
    found: list[str] = []
    for line in _ESCAPES.sub("", text).replace("\r\n", "\n").split("\n"):
        if "\r" not in line and "\x08" not in line:
            found.append(line[:LONGEST])
            continue
        frames = [frame for frame in _REDRAWN.split(line) if frame.strip()]
        found += [frame[:LONGEST] for frame in _last_states(frames)]
    return found


def is_bar(line: str) -> bool:
    """Whether a line is a progress bar."""
    return _BAR.search(line) is not None


def _last_states(frames: Sequence[str]) -> list[str]:
    """Frames without those bars over which another with the same label was drawn."""
    last: dict[str, int] = {}
    for place, frame in enumerate(frames):
        if is_bar(frame):
            last[_label(frame)] = place
    return [frame for place, frame in enumerate(frames) if not is_bar(frame) or last[_label(frame)] == place]


def _label(frame: str) -> str:
    found = _LABEL.match(frame)
    return found[0].strip() if found else ""
