"""LA101 and LA102: what is found, what is counted, what is said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from leakaudit import audit


def picture(path: Path, seed: int, **options) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(seed)
    small = Image.fromarray(random.integers(0, 256, (6, 8, 3), dtype=np.uint8))
    small.resize((96, 72), Image.Resampling.BICUBIC).save(path, **options)
    return path


@pytest.fixture
def data(tmp_path) -> Path:
    root = tmp_path / "data"
    for split, first, n in (("train", 0, 8), ("val", 100, 4), ("test", 200, 5)):
        for i in range(n):
            picture(root / split / "a" / f"{i}.png", first + i)
    return root


@pytest.fixture
def outcomes(data, tmp_path):
    def run(**named):
        report = audit(data, cache_dir=tmp_path / "cache", select=("LA101", "LA102"), **named)
        return {outcome.code: outcome for outcome in report.outcomes}

    return run


def pairs(outcome) -> set[tuple[str, str]]:
    return {
        (a, b)
        for batch in outcome.pairs()
        for a, b in zip(batch.column("uri_a").to_pylist(), batch.column("uri_b").to_pylist(), strict=True)
    }


def test_clean_data_pass_with_denominators(outcomes):
    for code, found in (("LA101", "identical files"), ("LA102", "with identical pixels in a different file")):
        outcome = outcomes()[code]
        assert outcome.status == "passed"
        assert f"4 × 8 pictures (val against train): 0 {found}" in outcome.reason
        assert f"5 × 8 pictures (test against train): 0 {found}" in outcome.reason
        assert f"5 × 4 pictures (test against val): 0 {found}" in outcome.reason
        assert outcome.metrics["test against val"] == {
            "n_held_out": 5,
            "n_reference": 4,
            "n_samples": 0,
            "n_pairs": 0,
            "share": 0.0,
        }
        assert outcome.pairs is None


def test_every_copy_is_found_and_counted_on_the_held_out_side(data, outcomes):
    source = (data / "train" / "a" / "0.png").read_bytes()
    for name in ("train/a/copy.png", "val/a/one.png", "val/a/two.png", "test/a/one.png"):
        (data / name).write_bytes(source)
    found = outcomes()
    assert found["LA101"].metrics["val against train"]["n_samples"] == 2
    assert found["LA101"].metrics["val against train"]["n_pairs"] == 4
    assert found["LA101"].metrics["val against train"]["share"] == pytest.approx(2 / 6)
    assert found["LA101"].metrics["test against train"]["n_samples"] == 1
    assert found["LA101"].metrics["test against val"]["n_samples"] == 1
    assert [finding.severity for finding in found["LA101"].findings] == ["error"] * 3
    assert ("val/a/two.png", "train/a/copy.png") in pairs(found["LA101"])
    assert len(pairs(found["LA101"])) == 4 + 2 + 2
    assert found["LA102"].status == "passed"


def test_the_same_pixels_in_another_file(data, outcomes):
    with Image.open(data / "train" / "a" / "1.png") as image:
        image.save(data / "val" / "a" / "same.bmp")
        image.convert("RGBA").save(data / "val" / "a" / "alpha.png")
    found = outcomes()
    assert found["LA101"].status == "passed"
    assert found["LA102"].status == "failed"
    assert found["LA102"].metrics["val against train"]["n_samples"] == 2
    assert pairs(found["LA102"]) == {("val/a/same.bmp", "train/a/1.png"), ("val/a/alpha.png", "train/a/1.png")}
    assert found["LA102"].findings[0].message.endswith("has the same pixels as train/a/1.png (and 1 more of val)")


def test_large_jpegs_without_their_metadata(data, outcomes):
    exif = Image.Exif()
    exif[0x010E] = "taken at noon"
    random = np.random.default_rng(0)
    photo = Image.fromarray(random.integers(0, 256, (6, 8, 3), dtype=np.uint8)).resize((800, 600))
    photo.save(data / "train" / "a" / "photo.jpg", exif=exif)
    photo.save(data / "test" / "a" / "stripped.jpg")
    assert pairs(outcomes()["LA102"]) == {("test/a/stripped.jpg", "train/a/photo.jpg")}


def test_what_leaks_as_a_file_is_not_counted_again_as_pixels(data, outcomes):
    source = data / "train" / "a" / "0.png"
    (data / "val" / "a" / "copy.png").write_bytes(source.read_bytes())
    with Image.open(source) as image:
        image.save(data / "train" / "a" / "other.bmp")
    found = outcomes()
    assert found["LA101"].metrics["val against train"]["n_samples"] == 1
    assert found["LA102"].metrics["val against train"]["n_samples"] == 0


def test_empty_files_are_not_equal(data, outcomes):
    for name in ("train/a/x.png", "val/a/x.png", "val/a/y.png"):
        (data / name).write_bytes(b"")
    found = outcomes()
    assert found["LA101"].status == found["LA102"].status == "passed"
    assert found["LA101"].metrics["val against train"]["n_held_out"] == 4


def test_findings_keep_their_ids_when_files_are_renamed(data, outcomes):
    (data / "val" / "a" / "copy.png").write_bytes((data / "train" / "a" / "0.png").read_bytes())
    (before,) = outcomes()["LA101"].findings
    (data / "val" / "a" / "copy.png").rename(data / "val" / "a" / "renamed.png")
    (after,) = outcomes()["LA101"].findings
    assert before.id == after.id
    assert before.message != after.message
