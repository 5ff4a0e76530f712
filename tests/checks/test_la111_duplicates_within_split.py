from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from agreement import assert_formats_agree
from leakaudit import audit
from leakaudit.analysis.copies.rows import equal as equal_rows
from leakaudit.checks import la111_duplicates_within_split as la111
from leakaudit.config import Config
from leakaudit.model import TableFile
from near_pictures import CHANGES, photographs
from tables import context, frame


def run(*files, **columns):
    return la111.run(context(*files, **columns), la111.CHECK.params)


def test_extra_copies_are_counted_in_each_split():
    outcome = run(frame("train", x=["1", "1.0", "2", "2", "2", "3"]), frame("val", x=["1", "4", "4"]))
    assert outcome.reason == "3 of 6 rows of train are extra copies; 1 of 3 rows of val are extra copies"
    assert [(f.splits, f.severity, f.n_samples) for f in outcome.findings] == [
        (("train",), "warning", 2),
        (("train",), "warning", 1),
        (("val",), "warning", 1),
    ]
    assert outcome.findings[1].message == "train#1 is the same row as train#0"
    assert outcome.metrics["train"] == {"n": 6, "n_extra": 3, "n_groups": 2, "share_extra": 0.5}
    assert outcome.pairs is not None
    assert outcome.all_pairs is not None
    beside = pa.Table.from_batches(outcome.pairs()).select(["uri_a", "uri_b"]).to_pylist()
    assert sorted(tuple(pair.values()) for pair in beside) == [
        ("train#0", "train#1"),
        ("train#2", "train#3"),
        ("train#2", "train#4"),
        ("val#1", "val#2"),
    ]
    assert pa.Table.from_batches(outcome.all_pairs()).num_rows == 1 + 3 + 1


def test_rows_that_differ_in_the_label_are_no_copies():
    outcome = run(frame("train", x=[1, 1], y=["a", "b"]), frame("val", x=[1], y=["a"]), label="y")
    assert (outcome.status, outcome.pairs) == ("passed", None)


def test_totals_are_exact_with_more_groups_than_are_listed(monkeypatch):
    monkeypatch.setattr(equal_rows, "GROUPS_LISTED", 5)
    outcome = run(frame("all", x=list(range(40)) * 3, y=[i / 7 for i in range(40)] * 3), config=Config(within=True))
    assert len(outcome.findings) == 6
    assert sum(finding.n_samples for finding in outcome.findings) == 80
    assert outcome.metrics["all"]["n_extra"] == 80


def test_pictures(tmp_path):
    for split, start in (("train", 0), ("val", 100)):
        for number in range(6):
            path = tmp_path / split / f"{number}.png"
            path.parent.mkdir(exist_ok=True)
            Image.effect_noise((60, 40), 90).point(lambda v, k=start + number: (v + 37 * k) % 256).save(path)
    shutil.copy(tmp_path / "train/1.png", tmp_path / "train/copy.png")
    with Image.open(tmp_path / "train/1.png") as picture:
        picture.save(tmp_path / "train/copy.bmp")
    report = audit(tmp_path, config=Config(jobs=1, use_cache=False, select=("LA111",)))
    (finding,) = report.findings
    assert (finding.splits, finding.n_samples) == (("train",), 2)
    assert finding.effect["n_files_differ"] == 1


def test_chance_in_a_coarse_table_is_one_note():
    cells = np.random.default_rng(0).integers(0, 4, (5, 1000)).astype(str)
    outcome = run(frame("all", **{f"x{i}": column for i, column in enumerate(cells)}), config=Config(within=True))
    (finding,) = outcome.findings
    assert finding.severity == "info"
    assert finding.n_samples == outcome.metrics["all"]["n_extra"] > 300


def test_copies_that_a_row_number_hides():
    rng = np.random.default_rng(0)
    cells = {f"x{i}": [*(column := rng.normal(size=100).round(3)), *column[:7]] for i in range(3)}
    outcome = run(frame("all", number=list(range(107)), **cells), config=Config(within=True))
    assert sum(finding.n_samples for finding in outcome.findings) == 7
    assert {finding.severity for finding in outcome.findings} == {"warning"}


WITHIN = Config(jobs=1, use_cache=False, within=True, select=("LA111",), label="label")


def test_near_duplicate_pictures_of_one_split_are_groups_only_within(tmp_path):
    pictures = photographs(np.random.default_rng(1), 30)
    changed = {f"{i}-{how}": CHANGES[how](pictures[i]) for i, how in ((0, "jpeg"), (0, "smaller"), (7, "mirrored"))}
    for name, picture in {**{str(i): p for i, p in enumerate(pictures)}, **changed, "again": pictures[3]}.items():
        (tmp_path / "all").mkdir(exist_ok=True)
        picture.save(tmp_path / "all" / f"{name}.png")
    (outcome,) = audit(tmp_path / "all", config=replace(WITHIN, label=None)).outcomes
    assert [f.n_samples for f in outcome.findings if "is the same picture" in f.message] == [1]
    assert sorted(f.n_samples for f in outcome.findings if "is a near-duplicate of" in f.message) == [1, 2]
    assert {f.severity for f in outcome.findings} == {"warning"}
    assert pa.Table.from_batches(outcome.pairs()).num_rows == 1 + 4
    assert outcome.reason.endswith("3 more are near-duplicates of others in it, in 2 groups")


def test_near_duplicate_texts_of_one_split_are_groups_only_within():
    words = np.random.default_rng(0).permutation([f"{a}{b}" for a in "kmrstv" for b in ("ano", "elu", "iry", "ost")])
    texts = [" ".join(np.random.default_rng(i).permutation(words)[:14]) for i in range(40)]
    texts += [f"{texts[0]} indeed", f"{texts[5]} so", texts[5].replace("ano", "anu", 1)]
    table = pa.table({"text": texts, "label": ["ab"[i % 2] for i in range(len(texts))]})
    (outcome,) = audit(all=table, config=WITHIN).outcomes
    assert sorted(f.n_samples for f in outcome.findings) == [1, 2]
    assert all("is nearly the same text as" in f.message for f in outcome.findings)
    assert not audit(all=table.slice(0, 40), config=WITHIN).findings


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("name", "header", "n_extra", "n"),
    [
        ("titanic", True, 107, 891),
        ("diamonds", True, 146, 53_940),
        ("winequality-red", False, 240, 1_599),
        ("winequality-white", False, 937, 4_898),
    ],
)
def test_real_tables(shared_data: Path, name, header, n_extra, n):
    path = shared_data / "tabular" / f"{name}.csv"
    with path.open() as lines:
        cells = lines.readline().strip().replace('"', "").split(",")
    columns = tuple(cells) if header else tuple(f"column_{i + 1}" for i in range(len(cells)))
    file = TableFile(path.name, "all", "csv", columns, path=str(path), header=header)
    outcome = run(file, config=Config(within=True))
    assert outcome.reason == f"{n_extra:,} of {n:,} rows of all are extra copies"


@pytest.mark.parametrize("n", [1, 14, 40])
def test_a_text_any_number_of_times(n, tmp_path):
    texts = [f"the story number {i} is about a very small animal" for i in range(30)] + ["one more story, told"] * n
    train = pa.table({"text": texts, "label": ["a" if i >= 30 else "ab"[i % 2] for i in range(len(texts))]})
    report = audit(train=train, val=pa.table({"text": ["nothing of this is there"], "label": ["b"]}), label="label")
    (outcome,) = (outcome for outcome in report.outcomes if outcome.code == "LA111")
    found = [finding for finding in outcome.findings if finding.splits == ("train",)]
    assert [finding.n_samples for finding in found] == ([n - 1] if n > 1 else [])
    assert all(0 < len(finding.evidence.pairs) <= 12 for finding in found)
    assert_formats_agree(report, tmp_path)


@pytest.mark.parametrize("n", [1, 14])
def test_a_picture_any_number_of_times(n, tmp_path):
    data = np.random.default_rng(0).integers(0, 256, (5, 24, 24, 3), dtype=np.uint8)
    for split, kinds in (("train", (0, 1, 2)), ("val", (3, 4))):
        folder = tmp_path / "data" / split / "cat"
        folder.mkdir(parents=True)
        for kind in kinds:
            for copy in range(n if kind == 0 else 1):
                Image.fromarray(data[kind]).save(folder / f"{kind}-{copy}.png")
    report = audit(tmp_path / "data", cache_dir=tmp_path / "cache")
    (outcome,) = (outcome for outcome in report.outcomes if outcome.code == "LA111")
    assert [finding.n_samples for finding in outcome.findings] == ([13] if n > 1 else [])
    assert_formats_agree(report, tmp_path)
