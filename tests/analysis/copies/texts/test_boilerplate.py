from __future__ import annotations

import numpy as np
import pyarrow as pa

from leakaudit.analysis.copies.texts import boilerplate
from leakaudit.analysis.copies.texts.boilerplate import WINDOW, without_boilerplate

FOOTER = "this message is confidential and meant for its addressee alone"


def arrow(texts):
    return pa.array(texts, pa.large_string())


def own(n: int) -> list[str]:
    rng = np.random.default_rng(0)
    return [" ".join(f"w{i:04x}" for i in rng.integers(0, 1 << 16, 12)) for _ in range(n)]


def test_what_many_share_is_taken_out(monkeypatch):
    texts = own(60)
    with_footer = [f"{text} {FOOTER} {i:02d}" if i < 40 else text for i, text in enumerate(texts)]
    left = without_boilerplate(arrow(with_footer), 20)
    assert left.changed.tolist() == [i < 40 for i in range(60)]
    assert left.documents.to_pylist()[:2] == [f"{texts[0]} 00", f"{texts[1]} 01"] or FOOTER not in str(left.documents)
    assert left.documents.to_pylist()[40:] == texts[40:]
    monkeypatch.setattr(boilerplate, "_MERGED", 1)
    assert without_boilerplate(arrow(with_footer), 20).documents.equals(left.documents)


def test_the_limit_is_exact_and_counts_documents():
    texts = own(30)
    twice = f"{FOOTER} {FOOTER}"
    for n, is_taken in ((10, False), (11, True)):
        some = [f"{text} x {twice}" if i < n else text for i, text in enumerate(texts)]
        assert without_boilerplate(arrow(some), 10).changed.any() == is_taken


def test_short_phrases_stay():
    texts = [f"how do i get a refund for {text}" for text in own(50)]
    assert len("how do i get a refund for ") < WINDOW
    assert not without_boilerplate(arrow(texts), 5).changed.any()


def test_a_text_that_is_all_boilerplate_is_empty():
    texts = [f"{i} {FOOTER}" for i in range(5)] + [FOOTER, f"{FOOTER} thanks"]
    left = without_boilerplate(arrow(texts), 3)
    assert left.documents.to_pylist()[5:] == ["", "thanks"]
    assert left.words.tolist()[5:] == [0, 1]


def test_characters_beyond_ascii():
    phrase = "本邮件及其附件含有保密信息仅限于发送给上面地址中列出的个人或群组禁止任何其他人使用"
    texts = [f"{text}{phrase}" for text in own(12)]
    left = without_boilerplate(arrow(texts), 10)
    assert left.documents.to_pylist() == own(12)
