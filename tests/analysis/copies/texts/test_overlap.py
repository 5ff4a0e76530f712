from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from leakaudit.analysis.copies.texts.overlap import EXCERPT, text_overlap


def marked(excerpt) -> list[str]:
    return [excerpt.text[start:stop] for start, stop in excerpt.marks]


def test_shared_words_are_marked_whatever_their_spelling():
    found = text_overlap("q", "Where, please, is MY card?", "where is my new card")
    assert marked(found.a) == ["Where", "is MY", "card"]
    assert marked(found.b) == ["where is my", "card"] or marked(found.b) == ["where", "is my", "card"]
    assert found.column == "q"


def test_scripts_without_spaces():
    found = text_overlap("q", "请问我的银行卡在哪里", "我的银行卡在哪里呢")
    assert marked(found.b) == ["我的银行卡在哪里"]


def test_long_texts_are_shown_around_the_passage():
    before, behind = (" ".join(f"{name}{i}" for i in range(30_000)) for name in ("left", "right"))
    passage = " ".join(f"word{i}" for i in range(40))
    found = text_overlap("page", passage, f"{before} {passage} {behind}")
    assert found.a.text == passage
    assert found.b.text.startswith("… ")
    assert found.b.text.endswith(" …")
    assert len(found.b.text) <= EXCERPT + 4
    assert marked(found.b)[0].startswith("word0 word1")


def test_nothing_shared():
    found = text_overlap("q", "", "😀" * 1000)
    assert found.a.marks == found.b.marks == ()


@given(st.text(max_size=60), st.text(max_size=700))
def test_marks_lie_within_the_excerpt_and_ascend(a, b):
    found = text_overlap("q", a, b + a)
    for excerpt in (found.a, found.b):
        at = 0
        for start, stop in excerpt.marks:
            assert at <= start < stop <= len(excerpt.text)
            at = stop
