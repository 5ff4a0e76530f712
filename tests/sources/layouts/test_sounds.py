"""Folders of sounds: identical bytes are found without any library, labels are the folders."""

from __future__ import annotations

import io
import os
import sys
import wave
from pathlib import Path

import numpy as np
import pytest

import leakaudit
from leakaudit.config import Config
from leakaudit.errors import LayoutError
from leakaudit.sources.layouts import load


def sound(seed: int) -> bytes:
    """A WAV of noise."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8000)
        out.writeframes(np.random.default_rng(seed).integers(-3000, 3000, 400, dtype=np.int16).tobytes())
    return file.getvalue()


def two_splits(root: Path, *, leaks: bool) -> Path:
    for split, first, n in (("train", 0, 20), ("val", 100, 8)):
        for at in range(n):
            path = root / split / ("cat", "dog")[at % 2] / f"speaker{at // 2}_{at}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            copied = leaks and split == "val" and at == 3
            path.write_bytes(sound(7 if copied else first + at))
    return root


def audit(*paths: str | Path, **settings: object) -> leakaudit.Report:
    return leakaudit.audit(*map(os.fspath, paths), use_cache=False, **settings)  # type: ignore[arg-type]


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_sound_in_both_splits_is_found(tmp_path, jobs):
    report = audit(two_splits(tmp_path, leaks=True), jobs=jobs)
    assert (report.kind, report.layout.name) == ("file", "sounds")
    (finding,) = [finding for finding in report.findings if finding.code == "LA101"]
    assert finding.message == "val/dog/speaker1_3.wav is byte-identical to train/dog/speaker3_7.wav"
    assert report.splits["val"].labels == {"cat": 4, "dog": 4}
    assert report.verdict.exit_code == 1


def test_the_clean_twin_is_clean(tmp_path):
    report = audit(two_splits(tmp_path, leaks=False))
    assert not [finding for finding in report.findings if finding.severity == "error"]
    assert report.verdict.exit_code == 0
    ran = {outcome.code for outcome in report.outcomes}
    assert {"LA001", "LA002", "LA003", "LA101", "LA102", "LA108", "LA110", "LA111", "LA201", "LA202"} == ran


@pytest.mark.parametrize(("ending", "same"), [("flac", True), ("aiff", True), ("ogg", False)])
def test_the_same_samples_in_another_container_are_found(ending, same, tmp_path):
    soundfile = pytest.importorskip("soundfile", reason="needs soundfile: pip install 'leakaudit[audio]'")
    two_splits(tmp_path, leaks=False)
    samples, rate = soundfile.read(tmp_path / "train/dog/speaker3_7.wav", dtype="int16")
    soundfile.write(tmp_path / f"val/dog/copy.{ending}", samples, rate)
    report = audit(tmp_path)
    found = [(finding.code, finding.message) for finding in report.findings if finding.severity == "error"]
    message = f"val/dog/copy.{ending} has the same samples as train/dog/speaker3_7.wav"
    assert found == ([("LA102", message)] if same else [])


def test_silence_is_nobodys_copy_and_what_cannot_be_decoded_is_said(tmp_path):
    soundfile = pytest.importorskip("soundfile", reason="needs soundfile: pip install 'leakaudit[audio]'")
    two_splits(tmp_path, leaks=False)
    silence = np.zeros(400, dtype=np.int16)
    soundfile.write(tmp_path / "train/dog/still.wav", silence, 8000)
    soundfile.write(tmp_path / "val/dog/still.flac", silence, 8000)
    (tmp_path / "train/cat/broken.wav").write_bytes(b"RIFF....WAVE, and then nothing of the kind")
    (tmp_path / "train/cat/phone.m4a").write_bytes(b"\0\0\0 ftypM4A nothing that libsndfile reads")
    report = audit(tmp_path)
    assert not [finding for finding in report.findings if finding.severity == "error"]
    assert "2 sounds could not be decoded and equal only copies of their bytes." in report.notes


def test_without_soundfile_the_check_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "soundfile", None)
    report = audit(two_splits(tmp_path, leaks=True))
    (outcome,) = [outcome for outcome in report.outcomes if outcome.code == "LA102"]
    assert outcome.status == "skipped"
    assert "pip install 'leakaudit[audio]'" in outcome.reason
    assert "pip install 'leakaudit[audio]'" in report.layout.why
    assert [finding.code for finding in report.findings if finding.severity == "error"] == ["LA101"]


def test_named_folders(tmp_path):
    root = two_splits(tmp_path, leaks=True)
    (root / "val").rename(root / "b")
    report = audit(f"train={root}/train", f"test={root}/b")
    assert [finding.code for finding in report.findings if finding.severity == "error"] == ["LA101"]


def test_copies_and_conflicting_labels_inside_a_split(tmp_path):
    root = two_splits(tmp_path, leaks=False)
    (root / "train" / "dog" / "copy.wav").write_bytes((root / "train" / "cat" / "speaker0_0.wav").read_bytes())
    codes = {finding.code for finding in audit(root).findings}
    assert {"LA110", "LA111"} <= codes


def test_a_declared_group_is_looked_for_in_names(tmp_path):
    root = two_splits(tmp_path, leaks=False)
    report = audit(root, group_pattern=r"(?P<key>speaker\d+)_")
    assert "LA108" in {finding.code for finding in report.findings}


def test_empty_and_unreadable_sounds_are_counted(tmp_path):
    root = two_splits(tmp_path, leaks=False)
    (root / "val" / "cat" / "empty.flac").touch()
    (root / "val" / "cat" / "gone.mp3").symlink_to("nowhere")
    os.mkfifo(root / "val" / "cat" / "pipe.ogg")
    (root / "val" / "cat" / "pointer.wav").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
    report = audit(root)
    problems = {problem.uri.rpartition("/")[2]: problem.kind for problem in report.coverage.problems}
    expected = {"empty.flac": "unreadable", "gone.mp3": "missing", "pipe.ogg": "unreadable", "pointer.wav": "pointer"}
    assert problems == expected
    assert report.verdict.exit_code == 4


def test_one_split_needs_within(tmp_path):
    root = two_splits(tmp_path, leaks=False)
    with pytest.raises(LayoutError, match="one split only"):
        load([f"train={root}/train"], Config())
    assert load([root / "train"], Config(within=True)).splits == ("all",)
