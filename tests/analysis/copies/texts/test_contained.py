from __future__ import annotations

import numpy as np
import pyarrow as pa

from leakaudit.analysis.copies.texts import contained as contained_texts
from leakaudit.analysis.copies.texts.contained import contained_documents

RNG = np.random.default_rng(0)
WORDS = [f"w{i:03x}" for i in range(3000)]
PAGES = [RNG.choice(WORDS, 120).tolist() for _ in range(30)]


def found(a: list[str], b: list[str], **more):
    documents = pa.array(a + b, pa.large_string())
    told = {"words": 13, "characters": 40, "threshold": 0.8, **more}
    result = contained_documents(documents, np.arange(len(a)), np.arange(len(a), len(a) + len(b)), **told)
    pairs = zip(result.a.tolist(), (result.b - len(a)).tolist(), result.share.tolist(), strict=True)
    return list(pairs), result.n_judged


def pages() -> list[str]:
    return [" ".join(page) for page in PAGES]


def test_passages_are_found_in_their_page(monkeypatch):
    passages = [" ".join(PAGES[i][i : i + 20 + i]) for i in range(30)]
    pairs, n = found(passages, pages())
    assert [(a, b) for a, b, _ in pairs] == [(i, i) for i in range(30)]
    assert {share for *_, share in pairs} == {1.0}
    assert n == 30
    monkeypatch.setattr(contained_texts, "_HITS_AT_ONCE", 4)
    assert found(passages, pages()) == (pairs, n)


def test_a_fifth_may_be_missing():
    whole = PAGES[3][10:72]  # 50 runs of 13 words
    for n_new, is_found in ((10, True), (11, False)):
        passage = [*whole[: 62 - n_new], *(f"new{i}" for i in range(n_new))]
        pairs, _ = found([" ".join(passage)], pages())
        assert bool(pairs) == is_found, n_new


def test_short_texts_are_not_judged():
    twelve, thirteen = " ".join(PAGES[0][:12]), " ".join(PAGES[0][:13])
    assert found([twelve], pages()) == ([], 0)
    assert found([thirteen], pages()) == ([(0, 0, 1.0)], 1)
    letters = " ".join(["a", "b", "c"] * 8)
    assert found([letters], [letters + " and more"]) == ([], 0)


def test_scripts_without_spaces():
    rng = np.random.default_rng(5)
    page = "".join(chr(int(c)) for c in rng.integers(0x4E00, 0x9000, 200))
    other = "".join(chr(int(c)) for c in rng.integers(0x4E00, 0x9000, 200))
    assert found([page[50:110]], [other, page]) == ([(0, 1, 1.0)], 1)
    assert found([page[50:80]], [other, page]) == ([], 0)


def test_repeated_runs_count_once():
    rhyme = " ".join(["one two three four five six seven eight nine ten eleven twelve thirteen"] * 3)
    pairs, _ = found([rhyme], [rhyme + " fourteen"])
    assert pairs == [(0, 0, 1.0)]
