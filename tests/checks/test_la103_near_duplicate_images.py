"""What LA103 says about files on disk, and about public data sets of which the near-duplicates are known."""

import csv
import shutil

import numpy as np
import pytest

from leakaudit import audit
from near_pictures import CHANGES, board, jpeg, photographs


@pytest.fixture
def data(tmp_path):
    """12 photographs to train on, 4 others to validate on."""
    root = tmp_path / "data"
    for i, picture in enumerate(photographs(np.random.default_rng(6), 16, 160, 120)):
        path = root / ("train" if i < 12 else "val") / "a" / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        picture.save(path)
    return root


@pytest.fixture
def run(tmp_path):
    def run(path, **named):
        (outcome,) = audit(path, select=("LA103",), cache_dir=tmp_path / "cache", **named).outcomes
        return outcome

    return run


def add(data, name, number, change):
    from PIL import Image

    with Image.open(data / "train" / "a" / f"{number}.png") as picture:
        change(picture.convert("RGB")).save(data / "val" / "a" / name)


def test_clean_data_pass_with_denominators(data, run):
    outcome = run(data)
    assert outcome.status == "passed"
    assert outcome.reason == (
        "compared 4 × 12 pictures (val against train): 0 near-duplicates (0.00 %),"
        " 0 low-information pictures not judged"
    )
    metrics = outcome.metrics["val against train"]
    assert metrics["n_held_out"] == 4
    assert metrics["n_samples"] == metrics["n_pairs"] == 0
    assert metrics["null_n"] == 12
    assert outcome.pairs is None


def test_copies_are_errors_that_say_what_was_done(data, run):
    add(data, "smaller.png", 0, CHANGES["smaller"])
    add(data, "mirrored.jpg", 1, CHANGES["mirrored"])
    add(data, "quarter.png", 2, CHANGES["turned by 90"])
    add(data, "oblique.png", 3, lambda p: p.rotate(20))
    outcome = run(data)
    notes = {f.evidence.pairs[0].a.uri: f.evidence.pairs[0].note for f in outcome.findings}
    assert notes == {
        "val/a/smaller.png": "other size 160×120 → 80×60",
        "val/a/mirrored.jpg": "mirrored",
        "val/a/quarter.png": "rotated by 270°",
        "val/a/oblique.png": "turned by -20°",
    }
    assert {(f.severity, f.n_samples, f.splits) for f in outcome.findings} == {("error", 1, ("val", "train"))}
    assert outcome.findings[0].evidence.pairs[0].score > 0.7
    rows = [row for batch in outcome.pairs() for row in batch.to_pylist()]
    assert {(row["uri_a"], row["uri_b"]) for row in rows} == {
        ("val/a/smaller.png", "train/a/0.png"),
        ("val/a/mirrored.jpg", "train/a/1.png"),
        ("val/a/quarter.png", "train/a/2.png"),
        ("val/a/oblique.png", "train/a/3.png"),
    }


def test_identical_files_and_pixels_are_left_to_other_checks(data, run):
    shutil.copy(data / "train/a/0.png", data / "val/a/copy.png")
    add(data, "again.bmp", 1, lambda p: p)
    outcome = run(data)
    assert not outcome.findings
    assert outcome.metrics["val against train"]["n_identical_pairs_left_out"] == 2


def test_a_held_out_picture_counts_once_in_its_worst_tier(data, run):
    add(data, "one.jpg", 0, lambda p: jpeg(p, 60))
    shifted = photographs(np.random.default_rng(8), 1, 240, 200)[0]
    shifted.crop((0, 0, 200, 160)).save(data / "train/a/left.png")
    shifted.crop((16, 14, 216, 174)).save(data / "train/a/right.png")
    jpeg(shifted.crop((0, 0, 200, 160)), 60).save(data / "val/a/two.jpg")
    outcome = run(data)
    assert [(f.severity, f.n_samples) for f in outcome.findings] == [("error", 1)] * 2
    metrics = outcome.metrics["val against train"]
    assert (metrics["n_samples"], metrics["n_verified"], metrics["n_suspected"]) == (2, 2, 0)


def test_a_picture_that_is_in_train_as_it_is_counts_elsewhere(data, run):
    add(data, "two.jpg", 0, CHANGES["cropped"])
    shutil.copy(data / "val/a/two.jpg", data / "train/a/more.jpg")
    outcome = run(data)
    assert not outcome.findings
    assert outcome.metrics["val against train"]["n_identical_pairs_left_out"] == 1


def test_a_moved_camera_is_a_warning(data, run):
    scene = photographs(np.random.default_rng(8), 1, 240, 200)[0]
    scene.crop((0, 0, 200, 160)).save(data / "train/a/left.png")
    scene.crop((16, 14, 216, 174)).save(data / "val/a/right.png")
    outcome = run(data)
    assert [(f.severity, f.n_samples) for f in outcome.findings] == [("warning", 1)]
    assert outcome.findings[0].message == "val/a/right.png may be a near-duplicate of train/a/left.png"
    assert "of the scene in common" in outcome.findings[0].evidence.pairs[0].note
    assert "1 near-duplicate (20.00 %), 1 of them suspected only" in outcome.reason


def test_a_fixed_camera_is_one_note_and_its_copies_are_errors(tmp_path, run):
    rng = np.random.default_rng(3)
    boards = [board(rng) for _ in range(50)]
    for i, picture in enumerate(boards):
        path = tmp_path / "game" / ("train" if i < 36 else "val") / "a" / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        picture.save(path)
    clean = run(tmp_path / "game")
    (note,) = clean.findings
    assert (note.severity, note.n_samples, note.splits) == ("info", 14, ("val", "train"))
    assert note.message.startswith("the same fixed scene on both sides: 14 pictures of val show a scene of train")
    assert "0 near-duplicates (0.00 %), 14 more of the same fixed scene" in clean.reason
    boards[0].save(tmp_path / "game" / "val" / "a" / "again.jpg", quality=80)
    leaky = run(tmp_path / "game")
    assert [(f.severity, f.n_samples) for f in leaky.findings] == [("error", 1), ("info", 14)]
    assert leaky.findings[0].evidence.pairs[0].a.uri == "val/a/again.jpg"
    assert leaky.findings[0].evidence.pairs[0].b.uri == "train/a/0.png"
    assert {row["uri_a"] for batch in leaky.pairs() for row in batch.to_pylist()} == {"val/a/again.jpg"}


def test_blank_pictures_are_counted_not_judged(data, run):
    from PIL import Image

    for split in ("train", "val"):
        for i in range(3):
            Image.new("RGB", (50, 50), (200 + i, 200, 200)).save(data / split / "a" / f"blank{i}.jpg")
    outcome = run(data)
    assert not outcome.findings
    assert "6 low-information pictures not judged" in outcome.reason


def test_two_runs_say_the_same(data, run):
    add(data, "smaller.png", 0, CHANGES["smaller"])
    add(data, "oblique.png", 3, lambda p: p.rotate(20))
    assert run(data, use_cache=False).findings == run(data, use_cache=False, jobs=1).findings


# --- public data sets ---------------------------------------------------------------------------------------------


def flagged(outcome, severities=("error", "warning")):
    """Held-out samples by finding, as their metrics count them."""
    return sum(f.n_samples for f in outcome.findings if f.severity in severities)


def names(outcome, held_out, severity):
    return {
        (pair.a.uri.split("/")[-1], pair.b.uri.split("/")[-1])
        for finding in outcome.findings
        if finding.severity == severity and finding.splits == (held_out, "train")
        for pair in finding.evidence.pairs
    }


@pytest.mark.realdata
def test_bccd_has_one_copy_between_val_and_train(unpacked, run):
    outcome = run(unpacked("bccd"))
    assert names(outcome, "val", "error") == {("BloodImage_00037.jpg", "BloodImage_00038.jpg")}
    assert not names(outcome, "test", "error")


@pytest.mark.realdata
@pytest.mark.parametrize("kind", ["resize", "hflip", "rotation", "gray"])
def test_variants_of_one_photograph(unpacked, run, tmp_path, kind):
    folder = next(unpacked("imagededup-tests").rglob("base_images"))
    shutil.copytree(folder, tmp_path / "set" / "train")
    (tmp_path / "set" / "val").mkdir()
    (variant,) = {path.name: path for path in folder.parent.rglob(f"ukbench00120_{kind}.jpg")}.values()
    shutil.copy(variant, tmp_path / "set" / "val")
    outcome = run(tmp_path / "set")
    assert names(outcome, "val", "error") == {(f"ukbench00120_{kind}.jpg", "ukbench00120.jpg")}


@pytest.mark.realdata
@pytest.mark.slow
def test_most_annotated_near_duplicates_of_cifar10(unpacked, shared_data, run):
    outcome = run(unpacked("cifar10-half"))
    with (shared_data / "cifar10-half-pairs.csv").open(newline="") as file:
        near = {row["test_path"] for row in csv.DictReader(file) if row["judgment"] == "near"}
    found = {uri for batch in outcome.pairs() for uri in batch.column("uri_a").to_pylist()}
    assert len(near & found) >= 0.9 * len(near)
    assert len(found) == flagged(outcome) <= 0.06 * 5_000


@pytest.mark.realdata
@pytest.mark.slow
def test_digits_that_look_alike_are_no_copies(unpacked, run):
    outcome = run(unpacked("mnist-png"))
    assert outcome.metrics["test against train"]["n_held_out"] == 10_000
    assert not flagged(outcome, ("error",))
    assert flagged(outcome) <= 50
