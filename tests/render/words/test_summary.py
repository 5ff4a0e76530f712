from __future__ import annotations

from dataclasses import replace

import pytest

from leakaudit.model import Outcome, SplitInfo
from leakaudit.render.words.summary import (
    beyond_all_checks,
    cell,
    classes,
    failed_checks,
    first_sentence,
    headline,
    next_step,
    score_text,
    share,
    sizes,
    unlike_cells,
)
from reports import SHAPES, image_report, table_report


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


@pytest.mark.parametrize(
    ("shape", "line"),
    [
        ("a problem of no split", "Incomplete: 1 of 100 rows could not be read"),
        ("one split lost rows", "Incomplete: 4 of 37 test rows could not be read"),
        (
            "two splits lost rows",
            "7 of 33 test rows (21.2 %) are already in train; 3 of 36 test rows could not be read",
        ),
        ("fourteen equal samples", "No leak found in 33 test × 66 train rows (1 check); 1 warning to look at"),
        ("a finding without evidence", "12 of 33 test rows (36.4 %) are already in train"),
        (
            "splits whose names are no words",
            "9 of 23 rows of split 3 (39.1 %) and 2 of 21 rows of split 1 (9.5 %) are already in split 0, "
            "and 1 more pair of splits overlaps",
        ),
        ("all accepted", "5 of 33 test rows (15.2 %) are already in train, all accepted"),
        ("some accepted", "8 of 33 test rows (24.2 %) are already in train (5 of these accepted)"),
        (
            "groups that all of a split shares",
            "No leak found in 33 test × 66 train rows (2 checks); "
            "31 of 33 test rows (93.9 %) share their group with train (column 'premise'); 1 warning to look at",
        ),
        ("undecided", "No leak proven in 33 test × 66 train rows (1 check); LA104 could not tell"),
        (
            "no check ran",
            "Incomplete: nothing was examined: no check ran (LA106: no column of running text; "
            "LA103: for another kind of data)",
        ),
        ("a check crashed", "Incomplete: LA104 crashed: the audit cannot vouch for them"),
        ("one split", "No leak found inside 9 all rows (1 check)"),
    ],
)
def test_the_headline_says_all_that_the_verdict_rests_on(shape, line):
    assert headline(SHAPES[shape]()).line == line


def test_many_splits_are_counted_not_listed():
    report = SHAPES["undecided"]()
    passed = replace(report, outcomes=(replace(report.outcomes[0], status="passed"),))
    ten = {f"part{n}": SplitInfo(10, {}) for n in range(10)}
    assert headline(replace(passed, splits=ten)).line == "No leak found among 10 splits of 100 rows (1 check)"
    folds = {str(n): SplitInfo(10, {}) for n in range(2)}
    assert headline(replace(passed, splits=folds)).line == "No leak found among 2 splits of 20 rows (1 check)"


def test_checks_that_look_for_no_leak_find_no_absence_of_leaks():
    report = SHAPES["undecided"]()
    shift = Outcome("LA201", "class-shift", "passed", "0.01 apart")
    only = headline(replace(report, outcomes=(shift,)))
    assert only.line == "Nothing found in 33 test × 66 train rows (1 check; none looks for leaks)"
    assert only.tone == "warning"


def test_labels_that_are_quantities_are_no_classes():
    report = SHAPES["undecided"]()
    assert classes(report) == "1 class"
    prices = {"train": SplitInfo(300, {f"{n}.5": 10 for n in range(30)}), "test": SplitInfo(9, {})}
    assert classes(replace(report, splits=prices)) == "the label is a quantity: 30 distinct numbers"
    assert classes(replace(report, splits={"train": SplitInfo(3, {})})) is None
    assert sizes(SHAPES["one split lost rows"]()) == ["train 66", "test 33 (4 not read)"]
    assert sizes(SHAPES["splits whose names are no words"]())[:2] == ["split 0: 20", "split 1: 21"]


def test_what_no_check_sees_is_said_where_texts_were_compared():
    report = table_report()
    assert beyond_all_checks(report) == []
    compared = Outcome("LA107", "near-duplicate-text", "passed", "0 of 10")
    (said,) = beyond_all_checks(replace(report, outcomes=(*report.outcomes, compared)))
    assert "paraphrases" in said
    not_run = replace(compared, status="skipped", reason="no column of running text")
    assert beyond_all_checks(replace(report, outcomes=(*report.outcomes, not_run))) == []


def test_parts_of_pictures_are_said_to_be_seen_by_nothing():
    compared = Outcome("LA103", "near-duplicate-images", "passed", "0 of 10")
    (said,) = beyond_all_checks(replace(table_report(), outcomes=(compared,)))
    assert "parts of pictures" in said
