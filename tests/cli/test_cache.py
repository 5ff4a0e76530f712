"""``leakaudit cache``: shows, prunes, clears, and touches nothing that is not leakaudit's."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from leakaudit import audit
from leakaudit.cli import cli
from leakaudit.config import Config
from leakaudit.fingerprints.cache import care as cache_care


def run(*args: str) -> str:
    done = CliRunner().invoke(cli, ["cache", *args], catch_exceptions=False, standalone_mode=False)
    return done.output


@pytest.fixture
def filled(tmp_path) -> Path:
    for at in range(12):
        path = tmp_path / "data" / ("val" if at % 3 == 0 else "train") / f"{at}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        values = np.random.default_rng(at).integers(0, 256, (24, 24, 3), dtype=np.uint8)
        Image.fromarray(values).save(path)
        os.utime(path, (1e9, 1e9))
    audit(tmp_path / "data", config=Config(cache_dir=tmp_path / "cache"))
    (tmp_path / "cache" / "mine.txt").write_text("not leakaudit's")
    (tmp_path / "cache" / "pictures-0-1-pillow-1.0.sqlite").write_bytes(b"x" * 500)
    return tmp_path / "cache"


def test_info_counts_what_is_there(filled):
    found = cache_care.info(filled)
    assert (found.pictures, found.others, found.bytes_of_others) == (12, 1, 500)
    assert found.results >= 1
    text = run("info", "--cache-dir", str(filled))
    assert "12 fingerprinted" in text
    assert "1 of other versions" in text


def test_prune_drops_what_is_old_or_of_other_versions(filled):
    assert "freed" in run("prune", "--cache-dir", str(filled))
    kept = cache_care.info(filled)
    assert (kept.pictures, kept.others) == (12, 0)
    assert kept.results >= 1
    for path in (filled / "results").iterdir():
        os.utime(path, (time.time() - 40 * 86_400,) * 2)
    run("prune", "--cache-dir", str(filled))
    assert cache_care.info(filled).results == 0
    assert cache_care.info(filled).pictures == 12


def test_clear_leaves_only_what_is_not_leakaudit_s(filled):
    run("clear", "--cache-dir", str(filled))
    assert [path.name for path in filled.iterdir()] == ["mine.txt"]


def test_an_empty_or_damaged_cache_is_no_error(tmp_path):
    assert "0 fingerprinted" in run("info", "--cache-dir", str(tmp_path / "none"))
    assert "freed 0 bytes" in run("clear", "--cache-dir", str(tmp_path / "none"))
    from leakaudit.fingerprints.cache.store import data_base_name

    (tmp_path / data_base_name()).write_bytes(b"damaged")
    assert cache_care.info(tmp_path).pictures == 0
