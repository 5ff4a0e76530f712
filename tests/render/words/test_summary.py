from __future__ import annotations

from dataclasses import replace

import pytest

from leakaudit.render.words.summary import (
    cell,
    failed_checks,
    first_sentence,
    next_step,
    score_text,
    share,
    unlike_cells,
)
from reports import image_report, table_report


@pytest.mark.parametrize(
    ("n", "total", "text"),
    [
        (0, 10, "0 %"),
        (23, 16_281, "0.14 %"),
        (1, 1_000_000, "<0.01 %"),
        (1, 10, "10.0 %"),
        (999_999, 1_000_000, ">99.9 %"),
        (10, 10, "100 %"),
        (5, 0, "–"),
    ],
)
def test_share(n, total, text):
    assert share(n, total).replace("\u00a0", " ") == text


def test_failed_checks_are_grouped_by_splits_and_layers():
    checks = failed_checks(image_report())
    assert [check.info.code for check in checks] == ["LA101", "LA103", "LA110", "LA001", "LA111", "LA201"]
    (rows,) = failed_checks(table_report())
    assert [(group.layer, group.n_samples) for group in rows.groups] == [("all columns", 23), ("without fnlwgt", 2586)]
    assert [group.n_unlisted for group in rows.groups] == [0, 2557]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("Remove the\ncopies from ``train``. Then scan.", "Remove the copies from train"),
        ("Keep one copy, e.g. the first. More.", "Keep one copy, e.g. the first"),
        ("- Drop them; or keep.", "Drop them"),
        ("No stop", "No stop"),
    ],
)
def test_first_sentence(text, sentence):
    assert first_sentence(text) == sentence


def test_a_finding_may_say_its_own_next_step():
    check = failed_checks(image_report())[0]
    assert next_step(check) == first_sentence(check.info.sections["Fix"])

    def saying(*steps):
        first = check.groups[0]
        findings = tuple(replace(first.findings[0], effect={"fix": step} if step else {}) for step in steps)
        return replace(check, groups=(replace(first, findings=findings),))

    assert next_step(saying("Shuffle", "Shuffle")) == "Shuffle"
    assert next_step(saying("Shuffle", None)) == next_step(check)


def test_small_texts():
    assert score_text(1.0) is None
    assert score_text(None) is None
    assert score_text(0.9999) == "0.99"
    assert score_text(0.871) == "0.87"
    assert unlike_cells({"a": 1, "b": None}, {"a": 1, "c": 2}) == ["b", "c"]
    assert (cell(None), cell(""), cell(True), cell(0.1 + 0.2)) == ("(empty)", "(empty text)", "true", "0.3")
    assert cell(0.1 + 0.2, exact=True) == "0.30000000000000004"
