"""What is known of public data sets, reproduced end to end. Counts are facts measured without this code."""

from __future__ import annotations

import csv
import shutil
from collections import Counter
from pathlib import PurePosixPath

import pytest

from leakaudit import audit

pytestmark = pytest.mark.realdata


def n_samples(report, code, held_out, severities=("error", "warning")) -> int:
    return sum(
        finding.n_samples
        for finding in report.findings
        if finding.code == code and finding.splits[0] == held_out and finding.severity in severities
    )


def errors(report):
    return [finding for finding in report.findings if finding.severity == "error"]


def outcome(report, code):
    return next(outcome for outcome in report.outcomes if outcome.code == code)


# --- tables -----------------------------------------------------------------------------------------------------


def test_adult(shared_data, tmp_path):
    files = [f"{split}={shared_data}/tabular/adult-{split}.csv" for split in ("train", "test")]
    report = audit(*files, cache_dir=tmp_path)
    assert {name: info.n for name, info in report.splits.items()} == {"train": 32_561, "test": 16_281}
    assert set(report.splits["test"].labels) == {"<=50K", ">50K"}
    assert n_samples(report, "LA104", "test") == 23
    assert n_samples(report, "LA110", "test", ("error",)) == 3
    metrics = outcome(report, "LA104").metrics["test against train"]
    assert metrics["n_without_label"] == 26
    assert metrics["n_reduced"] == 2_586
    ignored = outcome(audit(*files, ignore_columns=("3",), cache_dir=tmp_path), "LA104")
    assert ignored.metrics["test against train"]["n_canonical"] == 2_586
    assert not ignored.findings  # as many as chance gives in a table so coarse


@pytest.mark.parametrize(
    ("name", "n", "extra"),
    [
        ("titanic", 891, 107),
        ("diamonds", 53_940, 146),
        ("winequality-red", 1_599, 240),
        ("winequality-white", 4_898, 937),
    ],
)
def test_duplicates_inside_one_table(shared_data, tmp_path, name, n, extra):
    report = audit(shared_data / "tabular" / f"{name}.csv", within=True, cache_dir=tmp_path)
    (info,) = report.splits.values()
    assert info.n == n
    assert sum(finding.n_samples for finding in report.findings if finding.code == "LA111") == extra


def test_parkinsons_published_split_is_clean(shared_data, tmp_path):
    report = audit(shared_data / "tabular" / "parkinsons-with-split.csv", cache_dir=tmp_path)
    assert {name: info.n for name, info in report.splits.items() if name != "unused"} == {"train": 4_538, "test": 1_236}
    assert not errors(report)


def test_snips_exact_lines(shared_data, tmp_path):
    report = audit(shared_data / "text" / "snips", cache_dir=tmp_path)
    assert {name: info.n for name, info in report.splits.items()} == {"train": 13_084, "val": 700, "test": 700}
    assert len(report.splits["train"].labels) == 7


def test_banking77(shared_data, tmp_path):
    report = audit(shared_data / "text" / "banking77", cache_dir=tmp_path)
    assert {name: info.n for name, info in report.splits.items()} == {"train": 10_003, "test": 3_080}
    assert len(report.splits["train"].labels) == 77
    assert outcome(report, "LA104").metrics["test against train"]["n_raw"] == 0


def test_gsm8k_is_clean(shared_data, tmp_path):
    report = audit(shared_data / "text" / "gsm8k", cache_dir=tmp_path)
    assert {name: info.n for name, info in report.splits.items()} == {"train": 7_473, "test": 1_319}
    assert not errors(report)
    assert report.verdict.exit_code == 0


# --- pictures ---------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_mnist_stays_quiet(unpacked, tmp_path):
    report = audit(unpacked("mnist-png"), cache_dir=tmp_path)
    assert {name: info.n for name, info in report.splits.items()} == {"train": 60_000, "test": 10_000}
    assert not errors(report)
    assert n_samples(report, "LA103", "test") <= 50
    assert outcome(report, "LA101").status == outcome(report, "LA102").status == "passed"


@pytest.mark.slow
def test_cifar_near_duplicates_are_found(unpacked, shared_data, tmp_path):
    report = audit(unpacked("cifar10-half"), cache_dir=tmp_path)
    flagged: set[str] = set()
    for batch in outcome(report, "LA103").pairs():
        flagged.update(batch.column("uri_a").to_pylist())
    with (shared_data / "cifar10-half-pairs.csv").open() as file:
        near = {row["test_path"] for row in csv.DictReader(file) if row["judgment"] == "near"}
    assert len(near) == 123
    assert len(near & flagged) >= 0.9 * len(near)
    assert len(flagged) <= 0.06 * 5_000
    assert len(flagged) == n_samples(report, "LA103", "test")
    assert outcome(report, "LA101").status == outcome(report, "LA102").status == "passed"


def test_bccd_has_one_near_pair(unpacked, tmp_path):
    report = audit(unpacked("bccd"), cache_dir=tmp_path)
    assert {name: info.n for name, info in report.splits.items()} == {"train": 205, "val": 87, "test": 72}
    found = [finding for finding in errors(report) if finding.splits == ("val", "train")]
    assert [finding.code for finding in found] == ["LA103"]
    (pair,) = found[0].evidence.pairs
    names = sorted(PurePosixPath(side.uri).stem for side in (pair.a, pair.b))
    assert names == ["BloodImage_00037", "BloodImage_00038"]
    assert outcome(report, "LA101").status == "passed"


def test_peer_pictures_variants_corrupt_file_and_wrong_extensions(unpacked, tmp_path):
    source = unpacked("imagededup-tests") / "tests" / "data"
    shutil.copytree(source / "base_images", tmp_path / "data" / "train")
    shutil.copytree(source / "mixed_images", tmp_path / "data" / "val")
    shutil.copytree(source / "formats_images", tmp_path / "data" / "test")
    for name in ("ukbench00120_gray.jpg", "alpha_channel_image.png"):
        shutil.copy(source / name, tmp_path / "data" / "val")
    report = audit(tmp_path / "data", cache_dir=tmp_path / "cache")
    assert report.coverage.n_unreadable == 1
    assert any("corrupt" in problem.uri for problem in report.coverage.problems)
    found = {
        PurePosixPath(pair.a.uri).name
        for finding in errors(report)
        if finding.splits == ("val", "train")
        for pair in finding.evidence.pairs
    }
    variants = {f"ukbench00120_{kind}.jpg" for kind in ("resize", "hflip", "rotation", "gray")}
    assert variants | {"ukbench00120.jpg", "ukbench09268.jpg"} <= found
    reading = Counter(problem.kind for problem in report.coverage.problems if problem.split == "test")
    assert set(reading) <= {"unsupported"}  # the svg; every picture is read whatever its extension says


def test_sign_digits_and_omniglot_are_read_within(unpacked, tmp_path):
    report = audit(unpacked("sign-digits"), within=True, cache_dir=tmp_path)
    (info,) = report.splits.values()
    assert (info.n, len(info.labels)) == (2_062, 10)
