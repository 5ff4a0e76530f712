"""Numbers that several blanks divide are columns, and with their labels and people beside them a table."""

from __future__ import annotations

import numpy as np
import pytest

from leakaudit import audit
from leakaudit.config import Config
from leakaudit.errors import InputError
from leakaudit.sources.layouts import load
from leakaudit.sources.readers import read_head
from leakaudit.sources.readers.stream import read_rows

N = {"train": 90, "test": 40}


def write(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = ["".join(f"{cell: .7e}  " for cell in row).rstrip() for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="ascii")


def recordings(root, *, leaky):
    """Features, labels and people as the Human Activity set of UCI has them."""
    rng = np.random.default_rng(3)
    features = {name: rng.normal(size=(n, 12)).round(6) for name, n in N.items()}
    labels = {name: rng.integers(1, 4, n) for name, n in N.items()}
    if leaky:
        features["test"][:6], labels["test"][:6] = features["train"][:6], labels["train"][:6]
    for name, n in N.items():
        write(root / name / f"X_{name}.txt", features[name])
        people = np.arange(n) % 4 + (0 if leaky or name == "train" else 9)
        for what, cells in (("y", labels[name]), ("subject", people)):
            (root / name / f"{what}_{name}.txt").write_text("".join(f"{cell}\n" for cell in cells), encoding="ascii")
    (root / "activity_labels.txt").write_text("1 WALKING\n2 SITTING\n3 LAYING\n", encoding="ascii")
    return root


@pytest.mark.parametrize("leaky", [True, False])
def test_features_labels_and_people_are_one_table(leaky, tmp_path):
    report = audit(recordings(tmp_path, leaky=leaky), select=("LA104", "LA108"), use_cache=False)
    assert report.layout.name == "paired-tables"
    assert {name: info.n for name, info in report.splits.items()} == N
    assert set(report.splits["test"].labels) == {"1", "2", "3"}
    assert {finding.code for finding in report.findings} == ({"LA104", "LA108"} if leaky else set())


def test_lines_longer_than_the_head_are_recognised(tmp_path):
    write(tmp_path / "a.txt", np.arange(2_000).reshape(2, 1_000) / 7)
    head = read_head(str(tmp_path / "a.txt"), Config())
    assert len(head.columns) == 1_000
    (batch,) = read_rows(head, ("column_1", "column_1000"))
    assert float(batch.column(1)[1].as_py()) == pytest.approx(1_999 / 7)


@pytest.mark.parametrize(
    "text",
    [
        "one line of text\nand  another\n",
        "1 2\n4 5\n",
        "1\t2\t3\n4\t5\t6\n",
        " 7\n 8\n",
        "1  2\n3  4  5\n",
        "a  1\nb  2\n",
    ],
)
def test_other_lines_are_left_to_other_readers(text, tmp_path):
    (tmp_path / "a.txt").write_text(text, encoding="ascii")
    assert "numbers in columns" not in read_head(str(tmp_path / "a.txt"), Config()).why


def test_a_broken_line_further_down_is_named(tmp_path):
    for name in ("train", "test"):
        write(tmp_path / f"{name}.txt", np.random.default_rng(1).normal(size=(900, 6)))
    with (tmp_path / "test.txt").open("a", encoding="ascii") as file:
        file.write("  1.0  oops\n")
    with pytest.raises(InputError, match=r"test\.txt: not numbers in columns to its end"):
        load([f"train={tmp_path / 'train.txt'}", f"test={tmp_path / 'test.txt'}"], Config())
