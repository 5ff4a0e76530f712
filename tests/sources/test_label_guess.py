"""The label that nobody named: by its name and place, and never running text or a grade beside a better column."""

from __future__ import annotations

import pyarrow as pa
import pytest

from leakaudit import audit
from leakaudit.sources.label_guess import guess_label_column

TEXT = [f"the answer number {i} is a longer sentence than a class has" for i in range(40)]
KINDS = ["spam", "ham", "spam", "spam"] * 10
NUMBERS = [f"{i * 0.37:.2f}" for i in range(40)]
GRADES = [str(i % 21) for i in range(40)]


def guessed(columns, *, headerless=False):
    guess = guess_label_column(list(columns), lambda name: columns[name], headerless=headerless)
    return guess.label, guess.why


@pytest.mark.parametrize(
    ("columns", "label"),
    [
        ({"text": TEXT, "label": KINDS}, "label"),
        ({"response": TEXT, "label": KINDS}, "label"),
        ({"target": TEXT, "category": KINDS}, "category"),  # a translation, and what it is about
        ({"response": TEXT, "class": KINDS}, "class"),  # equally likely names: the text is refused
        ({"class": KINDS, "category": KINDS}, None),
        ({"prompt": TEXT, "response": TEXT}, None),
        ({"prompt": TEXT, "x": KINDS}, None),
    ],
)
def test_running_text_is_no_label(columns, label):
    assert guessed(columns)[0] == label


def test_what_was_refused_is_said():
    assert guessed({"target": TEXT, "category": KINDS})[1] == "by its name; 'target' is running text"
    said = guessed({"prompt": TEXT, "response": TEXT})[1]
    assert said == "'response' is running text, no label (say --label if it is one)"
    assert guessed({"class": KINDS, "category": KINDS})[1].endswith("was not guessed (say --label)")
    assert guessed({"prompt": TEXT})[1] == "no label column known (say --label)"


def named(*columns):
    return {f"column_{at}": cells for at, cells in enumerate(columns, start=1)}


@pytest.mark.parametrize(
    ("columns", "label"),
    [
        (named(NUMBERS, NUMBERS, NUMBERS, NUMBERS, KINDS), "column_5"),
        (named(NUMBERS, NUMBERS, NUMBERS, NUMBERS, KINDS, GRADES), "column_5"),  # how difficult a row is stands behind
        (named(NUMBERS, NUMBERS, NUMBERS, KINDS, KINDS, GRADES), "column_6"),  # categories are features here
        (named(NUMBERS, NUMBERS, NUMBERS, NUMBERS, KINDS, ["0", "1"] * 20), "column_6"),  # a yes and a no
        (named(NUMBERS, NUMBERS, NUMBERS, NUMBERS, GRADES), "column_5"),
        (named(KINDS, TEXT), "column_1"),
        (named(KINDS, TEXT, TEXT), "column_1"),
        (named(TEXT, KINDS), "column_2"),
        (named(TEXT, TEXT), None),
    ],
)
def test_without_names_the_place_decides_unless_a_better_column_is_there(columns, label):
    assert guessed(columns, headerless=True)[0] == label


def test_files_and_frames_are_guessed_alike(tmp_path):
    lines = [f"{kind},{text}" for kind, text in zip(KINDS, TEXT, strict=True)]
    for name, part in (("train", lines[:30]), ("test", lines[30:])):
        (tmp_path / f"{name}.csv").write_text("\n".join(part) + "\n", encoding="utf-8")
    report = audit(tmp_path, header=False, select=("LA104",), use_cache=False)
    assert "label column 'column_1'" in report.layout.why
    frames = {
        name: pa.table({"target": TEXT[at], "category": KINDS[at]})
        for name, at in (("train", slice(0, 30)), ("test", slice(30, None)))
    }
    report = audit(**frames, select=("LA104",))
    assert "label column 'category' (by its name; 'target' is running text)" in report.layout.why


SERIES = {f"column_{at + 2}": [f"{i * at * 0.37 + i / 7:.3f}" for i in range(1, 41)] for at in range(1, 24)}


@pytest.mark.parametrize(("n", "label"), [(23, "column_1"), (4, None)])
def test_classes_before_measurements(n, label):
    """A long series has its class in front, as UCR has it; of a short table nobody can tell."""
    columns = {"column_1": KINDS, **dict(list(SERIES.items())[:n])}
    assert guessed(columns, headerless=True)[0] == label


def test_names_that_end_in_label():
    assert guessed({"text": TEXT, "Finding Labels": KINDS})[0] == "Finding Labels"
    assert guessed({"text": TEXT, "gold_label": KINDS, "annotator_labels": KINDS})[0] == "gold_label"
    assert guessed({"fine_label": KINDS, "coarse_label": KINDS})[0] is None
