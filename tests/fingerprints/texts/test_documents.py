from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from leakaudit.fingerprints.texts.documents import fingerprint_texts, n_words, normalised, read_texts, word_entropy
from tables import fingerprint, frame


def norm(*texts: str) -> list[str]:
    return normalised(pa.array(texts, pa.large_string())).to_pylist()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  What’s UP,\tdoc?! ", "what s up doc"),
        ("Straße", "strasse"),
        ("ﬁne ２０２４ Ⅷ", "fine 2024 viii"),
        ("cafe\u0301 = café", "café café"),
        ("ΌΣΟΣ όσος", "όσοσ όσοσ"),
        ("I\u0307stanbul", "i\u0307stanbul"),
        ("谢谢，你好！", "谢谢 你好"),
        ("ありがとう。ｶﾞ", "ありがとう ガ"),
        ("ขอบคุณครับ", "ขอบค\u0e38ณคร\u0e31บ"),
        ("हिन्दी में", "हिन्दी में"),
        ("שָׁלוֹם, עולם", "שָׁלוֹם עולם"),
        ("\u202eمرحبا\u202c بالعالم", "مرحبا بالعالم"),
        ("😀👍🏽 ok", "ok"),
        ("a_b--c", "a b c"),
        ("😀!?", ""),
        ("", ""),
    ],
)
def test_normal_form(text, expected):
    assert norm(text) == [expected]
    assert norm(expected) == [expected]


def test_ascii_and_other_texts_of_one_array_are_normalised_alike():
    assert norm("A, b", "É, B", "A. B!") == ["a b", "é b", "a b"]


def test_words_are_counted_in_scripts_with_and_without_spaces():
    counts = n_words(pa.array(["", "yes", "how do you do", "谢谢", "谢谢你们的帮助", "ขอบคุณ"], pa.large_string()))
    assert counts.tolist()[:3] == [0, 1, 4]
    assert counts[3] < 3 <= counts[4]


def test_entropy_of_words():
    assert word_entropy(pa.array(["a b c d"], pa.large_string())) == pytest.approx(2.0)
    assert word_entropy(pa.array(["a a", "a"], pa.large_string())) == 0.0
    assert word_entropy(pa.array([], pa.large_string())) == 0.0


def rows_of_tags(n: int = 60):
    rng = np.random.default_rng(0)
    words = [f"word{i}" for i in range(400)]
    said = [" ".join(rng.choice(words, 8)) for _ in range(n)]
    tags = [" ".join(rng.choice(["O", "B-name", "I-name", "O"], 12)) for _ in range(n)]
    title = [" ".join(rng.choice(words, 3)) for _ in range(n)]
    return said, tags, title


def test_the_columns_that_say_most_stand_for_a_row():
    said, tags, title = rows_of_tags()
    rows = fingerprint(
        frame("train", tags=tags[:40], said=said[:40], title=title[:40]),
        frame("val", tags=tags[40:], said=said[40:], title=title[40:]),
    )
    texts = fingerprint_texts(rows, ["tags", "said", "title"])
    assert texts.columns == ("said",)
    assert texts.left_out == ("tags", "title")
    assert texts.document.shape == (60, 1)
    assert len(texts.documents) == texts.starts[-1] == 60


def test_equal_texts_are_one_document_and_missing_ones_none():
    rows = fingerprint(frame("train", q=["One two three!", None, "?!"]), frame("val", q=["one TWO three", "other", ""]))
    texts = fingerprint_texts(rows, ["q"])
    assert texts.documents.to_pylist() == ["one two three", "other"]
    assert texts.document[:, 0].tolist() == [0, -1, -1, 0, 1, -1]
    assert texts.raw[0, 0] != texts.raw[3, 0]


def test_texts_are_read_as_they_stand(tmp_path):
    long = "x" * 1_000_000
    rows = fingerprint(frame("train", q=[" a\u3000b ", "c\nd"]), frame("val", q=[long, None]))
    assert read_texts(rows, "q").to_pylist() == [" a\u3000b ", "c\nd", long, None]
    assert read_texts(rows, "q", np.array([1, 3])).to_pylist() == ["c\nd", None]
