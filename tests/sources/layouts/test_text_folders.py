from __future__ import annotations

import pytest

from leakaudit import audit
from leakaudit.config import Config
from leakaudit.errors import InputError
from leakaudit.sources.layouts import load


def reviews(root, classes=("neg", "pos"), n=6):
    for split in ("train", "test"):
        for i in range(n):
            path = root / split / classes[i % len(classes)] / f"{i:03d}.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"the {split} film number {i} was seen by {i + 3} people in town\n", encoding="utf-8")
    return root


def test_class_folders(tmp_path):
    data = load([reviews(tmp_path)], Config())
    assert (data.layout.name, data.kind, data.splits) == ("text-folders", "table", ("train", "test"))
    assert data.columns.label == "label"
    assert data.columns.ignore == ("file",)
    table = data.tables[0].table
    assert table["file"].to_pylist()[:2] == ["train/neg/000.txt", "train/neg/002.txt"]
    assert table["label"].to_pylist() == ["neg"] * 3 + ["pos"] * 3
    assert "class folders" in data.layout.why


def test_no_class_folders(tmp_path):
    data = load([reviews(tmp_path, classes=(".",), n=16)], Config())
    assert data.layout.name == "text-folders"
    assert data.columns.label is None
    assert "labels are unknown" in data.layout.why


def test_a_few_files_of_the_same_names_are_columns_unless_told_otherwise(tmp_path):
    reviews(tmp_path, classes=(".",))
    assert load([tmp_path], Config()).layout.name == "parallel-text"
    assert load([tmp_path], Config(layout="text-folders")).layout.name == "text-folders"


def test_named_splits_and_stray_files(tmp_path):
    reviews(tmp_path)
    (tmp_path / "train" / "README.txt").write_text("not a sample")
    (tmp_path / "train" / "urls.lst").write_text("not a sample")
    (tmp_path / "train" / ".hidden.txt").write_text("not a sample")
    data = load([f"train={tmp_path / 'train'}", f"val={tmp_path / 'test'}"], Config())
    assert data.splits == ("train", "val")
    assert data.n_other_files == 3


def test_copies_are_found_and_named(tmp_path):
    reviews(tmp_path)
    copy = (tmp_path / "train/pos/001.txt").read_text().upper()
    (tmp_path / "test/pos/copy.txt").write_text(copy)
    report = audit(tmp_path, select=("LA106",))
    (finding,) = report.findings
    assert finding.evidence.pairs[0].a.row["file"] == "test/pos/copy.txt"


def test_what_cannot_be_read_is_a_problem(tmp_path):
    reviews(tmp_path)
    (tmp_path / "train/pos/binary.txt").write_bytes(bytes(range(256)) * 4)
    (tmp_path / "train/pos/pointer.txt").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
    (tmp_path / "train/pos/latin.txt").write_bytes("déjà vu, très bien, ça va à l'été prochain".encode("latin-1"))
    (tmp_path / "train/pos/empty.txt").write_bytes(b"")
    data = load([tmp_path], Config())
    assert [(problem.uri, problem.kind) for problem in data.problems] == [
        ("train/pos/binary.txt", "unreadable"),
        ("train/pos/pointer.txt", "pointer"),
    ]
    texts = dict(zip(*(data.tables[0].table[name].to_pylist() for name in ("file", "text")), strict=True))
    assert texts["train/pos/latin.txt"].startswith("déjà vu")
    assert texts["train/pos/empty.txt"] == ""


def test_a_split_without_a_readable_document(tmp_path):
    reviews(tmp_path)
    for path in (tmp_path / "test").rglob("*.txt"):
        path.write_bytes(bytes(range(256)))
    with pytest.raises(InputError, match=r"test .* no document that could be read"):
        load([tmp_path], Config())
