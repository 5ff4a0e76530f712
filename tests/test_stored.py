"""A second scan of unchanged pictures reads its outcomes; anything that could change them makes it look again."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

from leakaudit import audit, pipeline, stored
from leakaudit.model import PAIR_COLUMNS
from leakaudit.render.data.report_json import to_json
from leakaudit.render.html.page import to_html

DEMO = Path(__file__).resolve().parents[1] / "fixtures" / "LA103" / "leaky"


@pytest.fixture
def data(tmp_path) -> Path:
    shutil.copytree(DEMO, tmp_path / "data")
    age(tmp_path / "data")
    return tmp_path / "data"


def age(folder: Path, seconds: float = 100) -> None:
    then = time.time() - seconds
    for path in folder.rglob("*"):
        os.utime(path, (then, then))


@pytest.fixture
def scans(tmp_path, monkeypatch):
    """Scan, and say whether pictures were fingerprinted for it."""
    looked: list[int] = []
    fingerprint = pipeline.fingerprint
    monkeypatch.setattr(pipeline, "fingerprint", lambda *a: looked.append(1) or fingerprint(*a))

    def scan(folder, **named):
        looked.clear()
        report = audit(folder, cache_dir=tmp_path / "cache", **named)
        return report, bool(looked)

    return scan


def test_the_second_scan_reads_the_same_report(data, scans):
    first, looked = scans(data)
    second, looked_again = scans(data)
    assert (looked, looked_again) == (True, False)
    assert to_json(first) == to_json(second)
    assert first.coverage == second.coverage


def test_pages_with_pictures_are_the_same(data, scans):
    pages = [to_html(scans(data, previews=True)[0]) for _ in range(2)]
    assert pages[0] == pages[1]
    assert "data:image" in pages[0]


def test_all_pairs_are_there_when_asked_for(data, scans):
    first, second = (scans(data)[0] for _ in range(2))
    pairs = [
        [batch.to_pylist() for outcome in report.outcomes if outcome.pairs for batch in outcome.pairs()]
        for report in (first, second)
    ]
    assert pairs[0] == pairs[1]
    assert set(pairs[0][0][0]) == set(PAIR_COLUMNS)


@pytest.mark.parametrize("change", ["content", "added", "removed", "renamed", "settings"])
def test_any_change_is_looked_at(data, scans, change):
    scans(data)
    picture = data / "val" / "circle" / "000.jpg"
    settings = {}
    if change == "content":
        shutil.copyfile(data / "train" / "circle" / "002.jpg", picture)
    elif change == "added":
        shutil.copyfile(picture, data / "val" / "circle" / "new.jpg")
    elif change == "removed":
        picture.unlink()
    elif change == "renamed":
        picture.rename(picture.with_name("other.jpg"))
    else:
        settings = {"blind_tolerance": 0.5}
    age(data, 50 if change == "content" else 100)
    assert scans(data, **settings)[1]


def test_files_written_just_now_and_unreadable_ones_are_never_stored(data, scans, tmp_path):
    (data / "val" / "circle" / "fresh.jpg").write_bytes((data / "val" / "circle" / "000.jpg").read_bytes())
    assert [scans(data)[1] for _ in range(2)] == [True, True]
    (data / "val" / "circle" / "fresh.jpg").write_bytes(b"broken")
    age(data)
    assert [scans(data)[1] for _ in range(2)] == [True, True]


def test_without_a_cache_nothing_is_stored(data, scans):
    assert [scans(data, use_cache=False)[1] for _ in range(2)] == [True, True]


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"outcomes": 1}', b'{"outcomes": [{}]}', b"\xff\xfe"])
def test_a_damaged_store_is_passed_over(tmp_path, damage):
    path = tmp_path / "x.json"
    path.write_bytes(damage)
    assert stored.load(path) is None


def test_an_unusable_cache_is_said_and_the_scan_goes_on(data, tmp_path):
    (tmp_path / "cache").write_text("a file where the folder should be")
    report = audit(data, cache_dir=tmp_path / "cache")
    assert report.notes
    assert report.findings
