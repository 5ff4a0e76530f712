from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leakaudit.render.words.plain import encodable, plain


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("train/cat 1.jpg", "train/cat 1.jpg"),
        ("a\nb\tc\r", "a\\nb\\tc\\r"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\x9b31m", "\\x9b31m"),
        ("gpj.\u202eexe", "gpj.\\u202eexe"),
        ("zero\u200bwidth\ufeff", "zero\\u200bwidth\\ufeff"),
        ("\u2028\u2029\x85", "\\u2028\\u2029\\x85"),
        ("\udcff", "\\udcff"),
        ("\U000e0041", "\\U000e0041"),
        ("עברית 日本 é 😀", "עברית 日本 é 😀"),
        ("C:\\x1b", "C:\\x1b"),
        ("50\u00a0%", "50\u00a0%"),
    ],
)
def test_plain(text, shown):
    assert plain(text) == shown


@given(st.text(alphabet=st.characters(exclude_categories=())))
def test_nothing_hidden_remains(text):
    shown = plain(text)
    assert not any(unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp") for character in shown)
    assert plain(shown) == shown
    shown.encode("utf-8")


@given(st.text(), st.sampled_from(["ascii", "cp1252", "latin-1", "utf-8", "cp437"]))
def test_encodable_always_encodes(text, encoding):
    encodable(plain(text), encoding).encode(encoding)


def test_symbols_have_ascii_stand_ins():
    assert encodable("✗ ✓ ⚠ 3 × 4 → 5 – 6… 90°", "ascii") == "x ok ! 3 x 4 -> 5 - 6... 90 deg"
    assert encodable("✗ 3 × 4", "utf-8") == "✗ 3 × 4"
    assert encodable("✗ 3 × 4 é", "cp1252") == "x 3 × 4 é"
