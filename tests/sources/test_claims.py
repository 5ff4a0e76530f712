"""Of several readings the one that takes most data wins; what nobody takes is counted, said, maybe a blind spot."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from leakaudit import Config, audit
from leakaudit.errors import LayoutError
from leakaudit.sources.claims import LEAST_SET, outermost
from leakaudit.sources.layouts import load


def tables(root, n_rows=300):
    rng = np.random.default_rng(1)
    for name in ("train.csv", "test.csv"):
        rows = "".join(f"{a:.4f},{b:.4f},{int(a > 0)}\n" for a, b in rng.normal(size=(n_rows, 2)))
        (root / name).write_text("a,b,y\n" + rows)


def plots(root, n, folder="plots"):
    (root / folder).mkdir(parents=True, exist_ok=True)
    for at in range(n):
        Image.fromarray(np.full((8, 8), at, np.uint8)).save(root / folder / f"{at}.png")


def test_a_few_plots_are_said_and_no_blind_spot(tmp_path):
    tables(tmp_path)
    plots(tmp_path, LEAST_SET - 1)
    report = audit(tmp_path, select=("LA104",))
    assert report.verdict.exit_code == 0
    assert "9 pictures" in " ".join(report.notes)
    assert [(each.kind, each.n, each.is_blind_spot) for each in report.coverage.unclaimed] == [("picture", 9, False)]


def test_a_set_of_pictures_beside_the_tables_makes_the_audit_incomplete(tmp_path):
    tables(tmp_path)
    plots(tmp_path, 40)
    report = audit(tmp_path, select=("LA104",))
    assert report.verdict.exit_code == 4
    assert "40 pictures beside the data set were not looked at" in report.verdict.reason
    told = audit(tmp_path, select=("LA104",), layout="split-files")
    assert told.verdict.exit_code == 0
    named = audit(train=str(tmp_path / "train.csv"), test=str(tmp_path / "test.csv"), select=("LA104",))
    assert named.verdict.exit_code == 0
    assert not named.coverage.unclaimed


def test_the_smaller_part_is_not_taken_for_the_data(tmp_path):
    plots(tmp_path, 60, "photos")
    for split in ("train", "val"):
        (tmp_path / "logs" / split).mkdir(parents=True)
        for at in range(4):
            (tmp_path / "logs" / split / f"run{at}.txt").write_text("epoch 1 loss 0.5\n")
    with pytest.raises(LayoutError, match="pictures without splits"):
        load([tmp_path], Config())


def test_data_sets_are_found_in_folders_below(tmp_path):
    for split in ("train", "val"):
        for name in ("cat", "dog"):
            plots(tmp_path / "archive" / "My Data", 3, f"{split}/{name}")
    data = load([tmp_path], Config())
    assert data.layout.name == "image-folders"
    assert "My Data" in data.layout.why
    assert data.samples.uri[0].as_py() == "archive/My Data/train/cat/0.png"


def test_two_data_sets_below_are_asked_about(tmp_path):
    for name in ("first", "second"):
        (tmp_path / "all" / name).mkdir(parents=True)
        tables(tmp_path / "all" / name)
    with pytest.raises(LayoutError, match=r"2 data sets lie here: .*first \(split-files\), .*second \(split-files\)"):
        load([tmp_path], Config())


def test_the_message_names_what_is_there(tmp_path):
    for at in range(3):
        (tmp_path / f"{at}.wav").write_bytes(b"RIFF")
    (tmp_path / "README.md").write_text("sounds")
    with pytest.raises(LayoutError, match=r"\(3 \.wav, 1 other files, no picture or table\)"):
        load([tmp_path], Config())


@given(st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=4).map("/".join), max_size=12))
def test_outermost_paths_hold_all_others_and_none_of_each_other(paths):
    kept = outermost(paths)
    for path in paths:
        assert sum(f"{path}/".startswith(f"{each}/") for each in kept) == 1
    assert all(not f"{a}/".startswith(f"{b}/") for a in kept for b in kept if a != b)
