from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leakaudit.analysis.copies.texts import near as near_texts
from leakaudit.analysis.copies.texts.near import jaccard, near_documents
from leakaudit.fingerprints.texts.minhash import signatures

TEXTS = st.lists(st.text(alphabet="abcé谢 ", min_size=1, max_size=30), min_size=2, max_size=8)


def arrow(texts):
    return pa.array(texts, pa.large_string())


def gram_set(text: str) -> set[str]:
    return {text[i : i + 5] for i in range(max(len(text) - 4, 1))}


def brute(a: str, b: str) -> float:
    left, right = gram_set(a), gram_set(b)
    return len(left & right) / len(left | right)


@given(TEXTS, st.data())
def test_jaccard_is_exact(texts, data):
    n = data.draw(st.integers(1, 20))
    numbers = st.integers(0, len(texts) - 1)
    a = np.array([data.draw(numbers) for _ in range(n)])
    b = np.array([data.draw(numbers) for _ in range(n)])
    found = jaccard(arrow(texts), a, b)
    assert found.tolist() == [brute(texts[i], texts[j]) for i, j in zip(a, b, strict=True)]


def edited(seed: int, n: int = 400):
    rng = np.random.default_rng(seed)
    words = [f"w{i:03x}" for i in range(2000)]
    train = [rng.choice(words, int(rng.integers(4, 30))).tolist() for _ in range(n)]
    val = []
    for i in range(n // 2):
        copy = train[i].copy() if i % 2 else rng.choice(words, 10).tolist()
        for _ in range(i % 4):
            copy[int(rng.integers(len(copy)))] = str(rng.choice(words))
        val.append(copy)
    return list(dict.fromkeys(" ".join(words) for words in (*val, *train))), n


def test_all_pairs_are_found(monkeypatch):
    texts, n = edited(0)
    documents = arrow(texts)
    a, b = np.arange(n // 2), np.arange(n // 2, len(texts))
    true = {(i, j): brute(texts[i], texts[j]) for i in a.tolist() for j in b.tolist()}
    true = {pair: score for pair, score in true.items() if score >= 0.8}
    assert len(true) >= 10
    found = near_documents(documents, signatures(documents), a, b, 0.8)
    assert list(zip(found.pairs.a.tolist(), found.pairs.b.tolist(), strict=True)) == sorted(true)
    assert found.pairs.score.tolist() == pytest.approx([true[pair] for pair in sorted(true)])
    for name in ("_PAIRS_AT_ONCE", "_GRAMS_AT_ONCE"):
        monkeypatch.setattr(near_texts, name, 3)
    again = near_documents(documents, signatures(documents), a, b, 0.8)
    assert np.array_equal(again.pairs.b, found.pairs.b)
    assert again.n_candidates == found.n_candidates >= len(true)


def test_a_family_of_near_copies_is_cut_short_and_counted(monkeypatch):
    monkeypatch.setattr(near_texts, "MOST_PARTNERS", 20)
    body = " ".join(f"word{i}" for i in range(40))
    texts = [f"{body} {i:03d}" for i in range(300)]
    other = ["nothing of the kind is written in this one", "nothing of the kind is written in these ones"]
    documents = arrow(texts + other)
    a, b = np.array([*range(50), 300]), np.array([*range(50, 300), 301])
    found = near_documents(documents, signatures(documents), a, b, 0.8)
    assert set(found.pairs.a.tolist()) == set(range(50))
    assert found.n_crowded == 50
    assert np.bincount(found.pairs.a).max() <= 40


def test_nothing_to_compare():
    documents = arrow(["one text", "another text"])
    none = np.zeros(0, dtype=np.int64)
    for a, b in ((none, np.array([0])), (np.array([0]), none), (none, none)):
        found = near_documents(documents, signatures(documents), a, b, 0.8)
        assert (len(found.pairs), found.n_candidates, found.n_crowded) == (0, 0, 0)
