from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from leakaudit.fingerprints.texts.minhash import BANDS, MOST_GRAMS, ROWS, estimate, match_probability, signatures

WORDS = [f"w{i:03x}" for i in range(3000)]


def sentences(n, seed, length=14):
    rng = np.random.default_rng(seed)
    return [rng.choice(WORDS, length).tolist() for _ in range(n)]


def jaccard(a: str, b: str) -> float:
    left, right = ({text[i : i + 5] for i in range(len(text) - 4)} for text in (a, b))
    return len(left & right) / len(left | right)


def test_probability_of_a_match():
    assert match_probability(0.8) > 0.998
    assert match_probability(0.3) < 0.04
    assert match_probability(0.0) == 0.0
    assert match_probability(1.0) == 1.0


def test_pairs_at_the_threshold_are_nominated_as_often_as_promised():
    rng = np.random.default_rng(1)
    a, b, exact = [], [], []
    for words in sentences(3000, 2):
        other = words.copy()
        other[int(rng.integers(len(words)))] = "x" + other[0][1:]
        a.append(" ".join(words))
        b.append(" ".join(other))
        exact.append(jaccard(a[-1], b[-1]))
    signed = signatures(pa.array(a + b, pa.large_string()))
    n = len(a)
    hit = (signed.bands[:, :n] == signed.bands[:, n:]).any(axis=0)
    expected = np.array([match_probability(value) for value in exact])
    assert abs(hit.mean() - expected.mean()) < 4 * np.sqrt((expected * (1 - expected)).sum()) / n + 0.003
    estimated = estimate(signed.low, np.arange(n), np.arange(n, 2 * n)) / (BANDS * ROWS)
    assert abs((estimated - exact).mean()) < 0.01
    assert np.std(estimated - exact) < 0.07


def test_signatures_do_not_depend_on_jobs_neighbours_or_length():
    texts = [" ".join(words) for words in sentences(50, 3)] + ["a", "abcd", "é" * 700_000, "z " * 400_000]
    whole = signatures(pa.array(texts, pa.large_string()), jobs=2)
    for at in (0, 17, 50, 52):
        alone = signatures(pa.array(texts[at : at + 1], pa.large_string()))
        assert np.array_equal(alone.bands[:, 0], whole.bands[:, at])
        assert np.array_equal(alone.low[0], whole.low[at])


def test_long_documents_are_compared_by_a_sample_of_their_grams():
    (words,) = sentences(1, 4, length=6000)
    other = words.copy()
    other[::60] = ["other"] * len(other[::60])
    texts = [" ".join(words), " ".join(other)]
    assert jaccard(*texts) > 0.8
    signed = signatures(pa.array(texts, pa.large_string()))
    assert len(texts[0]) > 5 * MOST_GRAMS
    assert estimate(signed.low, np.array([0]), np.array([1]))[0] / (BANDS * ROWS) == pytest.approx(
        jaccard(*texts), abs=0.15
    )


def test_signatures_are_the_same_on_every_machine():
    signed = signatures(pa.array(["the quick brown fox", "谢谢你们的帮助"], pa.large_string()))
    assert [int(value) for value in signed.bands[0]] == [1406238899, 1264750476]
