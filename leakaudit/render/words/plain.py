"""Text from user data, made safe to show: what is invisible, moves the cursor or turns the line is written out.

File names and cell values are hostile until shown otherwise: an ANSI sequence can repaint a terminal, a bidirectional
override can make ``exe.jpg`` out of ``gpj.exe``, a newline can forge a line of the report. All of them become visible
escapes such as ``\\x1b``, ``\\n`` and ``\\u202e``. A backslash stays as it is, so that ordinary paths read as they are;
an escape in a report is therefore for people, and JSON holds the exact value.
"""

from __future__ import annotations

import unicodedata

HIDDEN_CATEGORIES = ("Cc", "Cf", "Cs", "Zl", "Zp")
"""Unicode general categories that are written out: controls, format characters (bidirectional marks, zero-width
characters, tags), lone surrogates, line and paragraph separators. Unicode Standard, section 4.5."""

ASCII_SYMBOLS = {
    "✗": "x",
    "✓": "ok",
    "⚠": "!",
    "×": "x",
    "→": "->",
    "↔": "<->",
    "–": "-",
    "·": "-",
    "…": "...",
    "≥": ">=",
    "≤": "<=",
    "°": " deg",
    "\u00a0": " ",
}
"""How the report's own symbols are written where the output cannot encode them."""

_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def escape_character(character: str) -> str:
    r"""One character as a visible escape: ``\n``, ``\x1b``, ``\u202e`` or ``\U000e0041``."""
    if character in _SHORT:
        return _SHORT[character]
    code = ord(character)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def plain(text: str) -> str:
    r"""The text on one line, with every control, format or separator character as a visible escape.

    >>> plain("a\nb\x1b[31m")
    'a\\nb\\x1b[31m'
    """
    if text.isprintable():
        return text
    return "".join(
        escape_character(character) if unicodedata.category(character) in HIDDEN_CATEGORIES else character
        for character in text
    )


def encodable(text: str, encoding: str) -> str:
    r"""The text with everything that `encoding` lacks replaced: symbols by ASCII stand-ins, the rest by escapes.

    >>> encodable("✗ 3 × 4 – né", "ascii")
    'x 3 x 4 - n\\xe9'
    """
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        pass
    else:
        return text
    return "".join(_fit(character, encoding) for character in text)


def _fit(character: str, encoding: str) -> str:
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return ASCII_SYMBOLS.get(character) or escape_character(character)
    return character
