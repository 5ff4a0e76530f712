"""What two texts share, word by word, for people: excerpts with the shared runs marked."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

import numpy as np

from leakaudit.fingerprints.texts.documents import read_texts
from leakaudit.model import Excerpt, TextOverlap

if TYPE_CHECKING:
    from leakaudit.fingerprints.rows.fingerprint import RowFingerprints
    from leakaudit.model import Pairs

EXCERPT = 400
"""Characters of an excerpt, before and behind which dots stand for what was left out."""

WORDS = 250
"""Words of each text that are compared, from the first long shared run on in texts that have more."""

_ANCHOR = 6
_BEFORE = 12
_CONTEXT = 40
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u30ff\u3400-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}]+")


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    start: int
    stop: int


def row_overlaps(rows: RowFingerprints, column: str, other: str, pairs: Pairs) -> list[TextOverlap]:
    """What the text of `column` in the first row and that of `other` in the second share, pair by pair, in order."""
    said = column if column == other else f"{column} / {other}"
    texts = []
    for name, side in ((column, pairs.a), (other, pairs.b)):
        indices = np.unique(side)
        of = dict(
            zip(indices.tolist(), read_texts(rows, name, indices).to_pylist() if len(indices) else [], strict=True)
        )
        texts.append([of[index] or "" for index in side.tolist()])
    return [text_overlap(said, a, b) for a, b in zip(*texts, strict=True)]


def text_overlap(column: str, a: str, b: str) -> TextOverlap:
    """Excerpts of two texts around the first run of words that they share, with all shared runs in them marked.

    >>> text_overlap("q", "Where is my card?", "where IS my new card").b
    Excerpt(text='where IS my new card', marks=((0, 11), (16, 20)))
    """
    words_a, words_b = _anchored(_words(a), _words(b))
    matcher = SequenceMatcher(None, [word.text for word in words_a], [word.text for word in words_b], autojunk=False)
    least = 1 if min(len(words_a), len(words_b)) < WORDS // 4 else 3  # in long texts, a word alone is chance
    blocks = [block for block in matcher.get_matching_blocks() if block.size >= least]
    marks_a = [(words_a[block.a].start, words_a[block.a + block.size - 1].stop) for block in blocks]
    marks_b = [(words_b[block.b].start, words_b[block.b + block.size - 1].stop) for block in blocks]
    return TextOverlap(column, _excerpt(a, marks_a), _excerpt(b, marks_b))


def _words(text: str) -> list[_Word]:
    """The words of a text, normalised, and where they stand."""
    return [
        _Word(unicodedata.normalize("NFKC", match[0]).casefold(), match.start(), match.end())
        for match in _WORD.finditer(text)
    ]


def _anchored(a: Sequence[_Word], b: Sequence[_Word]) -> tuple[Sequence[_Word], Sequence[_Word]]:
    """Both lists from a little before the first run of words that they share, `WORDS` of each."""
    if max(len(a), len(b)) <= WORDS:
        return a, b
    runs: dict[tuple[str, ...], int] = {}
    for at in range(len(a) - _ANCHOR + 1):
        runs.setdefault(tuple(word.text for word in a[at : at + _ANCHOR]), at)
    for at in range(len(b) - _ANCHOR + 1):
        found = runs.get(tuple(word.text for word in b[at : at + _ANCHOR]))
        if found is not None:
            first_a, first_b = max(found - _BEFORE, 0), max(at - _BEFORE, 0)
            return a[first_a : first_a + WORDS], b[first_b : first_b + WORDS]
    return a[:WORDS], b[:WORDS]


def _excerpt(text: str, marks: Sequence[tuple[int, int]]) -> Excerpt:
    if len(text) <= EXCERPT:
        return Excerpt(text, tuple(marks))
    start = max((marks[0][0] if marks else 0) - _CONTEXT, 0)
    stop = min(start + EXCERPT, len(text))
    if start and (space := text.find(" ", start, start + _CONTEXT // 2)) > 0:
        start = space + 1
    before, behind = "… " if start else "", " …" if stop < len(text) else ""
    shift = len(before) - start
    kept = tuple((first + shift, min(last, stop) + shift) for first, last in marks if first < stop)
    return Excerpt(f"{before}{text[start:stop]}{behind}", kept)
