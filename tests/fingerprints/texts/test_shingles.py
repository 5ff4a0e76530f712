from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from leakaudit.fingerprints.texts.shingles import GRAM, chunks, grams, inside, windows, word_grams

TEXTS = st.lists(st.text(alphabet="ab é谢😀", min_size=1, max_size=40).map(lambda s: s.strip() or "a"), max_size=12)


def arrow(texts):
    return pa.array(texts, pa.large_string())


def by_document(function, texts, size):
    found = []
    for chunk in chunks(arrow(texts), size):
        hashes, counts = function(chunk)
        found += [part.tolist() for part in np.split(hashes, np.cumsum(counts)[:-1])]
    return found


@given(TEXTS, st.sampled_from([1, 30, 1 << 19]))
def test_grams_are_equal_where_the_characters_are(texts, size):
    found = by_document(grams, texts, size)
    expected = [[text[i : i + GRAM] for i in range(max(len(text) - GRAM + 1, 1))] for text in texts]
    assert [len(part) for part in found] == [len(part) for part in expected]
    names: dict[str, int] = {}
    for hashes, parts in zip(found, expected, strict=True):
        for value, part in zip(hashes, parts, strict=True):
            assert names.setdefault(part, value) == value
    assert len(set(names.values())) == len(names)


@given(TEXTS, st.integers(1, 4), st.sampled_from([1, 30, 1 << 19]))
def test_word_grams_are_equal_where_the_words_are(texts, n, size):
    texts = [" ".join(text.split()) for text in texts]
    texts = [text if len(text) >= GRAM else text + " abcde" for text in texts]
    found = by_document(lambda chunk: word_grams(chunk, n), texts, size)
    names: dict[str, int] = {}
    for hashes, text in zip(found, texts, strict=True):
        spaced = text.replace("谢", " 谢 ").split()
        assert len(hashes) == max(len(spaced) - n + 1, 0)
        # as they stand in the text: two characters with a space between them are not the same without
        places, at = [], 0
        for word in spaced:
            at = text.index(word, at)
            places.append((at, at + len(word)))
            at += len(word)
        for i, value in enumerate(hashes):
            part = text[places[i][0] : places[i + n - 1][1]]
            assert names.setdefault(part, value) == value
    assert len(set(names.values())) == len(names)


@given(st.text(alphabet="abc ", min_size=40, max_size=80), st.integers(0, 20))
def test_windows_do_not_depend_on_their_place(text, shift):
    (alone,) = chunks(arrow([text]))
    (moved,) = chunks(arrow(["z" * (shift + 1), "y" * shift + text]))
    place = int(moved.starts[1]) + shift
    n = len(text) - 31
    assert windows(alone, 32)[:n].tolist() == windows(moved, 32)[place : place + n].tolist()


def test_a_document_longer_than_a_chunk_is_whole():
    long = "ab" * 5_000
    parts = list(chunks(arrow(["short one", long, "last one"]), 100))
    assert [len(part) for part in parts] == [1, 1, 1]
    assert parts[1].lengths.tolist() == [10_000]


def test_inside():
    assert inside(np.array([3, 10]), np.array([2, 3])).tolist() == [3, 4, 10, 11, 12]
    assert inside(np.zeros(0, np.int64), np.zeros(0, np.int64)).tolist() == []


def test_hashes_are_the_same_on_every_machine():
    (chunk,) = chunks(arrow(["near-duplicate", "谢谢你们的帮助"]))
    assert [int(value) % 1_000_003 for value in grams(chunk)[0][[0, -1]]] == [497035, 279394]
