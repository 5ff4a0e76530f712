"""Remembered search results: stored once, found again, never trusted when damaged, never unbounded."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from leakaudit.config import Config
from leakaudit.errors import ConfigError
from leakaudit.fingerprints.cache import store as cache
from leakaudit.fingerprints.cache.store import PictureCache, cache_folder, refuse_inside, remember


@pytest.fixture
def config(tmp_path) -> Config:
    return Config(cache_dir=tmp_path / "cache")


class Counted:
    def __init__(self, **arrays: np.ndarray) -> None:
        self.arrays = arrays
        self.calls = 0

    def __call__(self):
        self.calls += 1
        return self.arrays


def test_computed_once(config):
    compute = Counted(a=np.arange(5), b=np.ones((2, 3), np.float32), empty=np.zeros((0, 16), np.uint8))
    for _ in range(3):
        found = remember(b"key", compute, config)
        assert set(found) == {"a", "b", "empty"}
        assert all(np.array_equal(found[name], compute.arrays[name]) for name in found)
        assert found["empty"].shape == (0, 16)
    assert compute.calls == 1
    remember(b"other", compute, config)
    assert compute.calls == 2


def test_switched_off(config):
    compute = Counted(a=np.arange(5))
    off = Config(cache_dir=config.cache_dir, use_cache=False)
    remember(b"key", compute, off)
    remember(b"key", compute, off)
    assert compute.calls == 2
    assert not config.cache_dir.exists()


@pytest.mark.parametrize("damage", [b"", b"PK\3\4 not a zip", None])
def test_damage_is_computed_again(config, damage):
    compute = Counted(a=np.arange(1000))
    remember(b"key", compute, config)
    (path,) = (config.cache_dir / "results").iterdir()
    whole = path.read_bytes()
    flipped = whole[:3000] + bytes([whole[3000] ^ 1]) + whole[3001:]
    path.write_bytes(flipped if damage is None else damage)
    assert np.array_equal(remember(b"key", compute, config)["a"], np.arange(1000))
    assert compute.calls == 2
    remember(b"key", compute, config)
    assert compute.calls == 2


def test_nothing_is_ever_unpickled(config):
    compute = Counted(a=np.arange(3))
    remember(b"key", compute, config)
    (path,) = (config.cache_dir / "results").iterdir()
    np.savez(path, a=np.array([print], dtype=object))
    assert np.array_equal(remember(b"key", compute, config)["a"], np.arange(3))
    with pytest.raises(TypeError):
        remember(b"objects", Counted(a=np.array([{}], dtype=object)), config)


def test_the_least_recently_used_go_first(config, monkeypatch):
    monkeypatch.setattr(cache, "RESULTS_KEPT", 25_000)
    compute = Counted(a=np.zeros(1000))
    for i, key in enumerate((b"1", b"2", b"3")):
        remember(key, compute, config)
        newest = max((config.cache_dir / "results").iterdir(), key=lambda path: path.stat().st_mtime_ns)
        os.utime(newest, (i + 1, i + 1))
    remember(b"1", compute, config)
    remember(b"4", compute, config)
    assert compute.calls == 4
    remember(b"1", compute, config)
    remember(b"4", compute, config)
    assert compute.calls == 4
    remember(b"2", compute, config)
    assert compute.calls == 5


def test_an_unwritable_place_is_no_error(tmp_path):
    (tmp_path / "file").write_text("")
    config = Config(cache_dir=tmp_path / "file")
    assert remember(b"key", Counted(a=np.arange(2)), config)["a"].tolist() == [0, 1]


def test_where_it_is(monkeypatch, tmp_path):
    assert cache_folder(Config(cache_dir=tmp_path)) == tmp_path
    monkeypatch.setenv("LEAKAUDIT_CACHE", str(tmp_path / "named"))
    assert cache_folder(Config()) == tmp_path / "named"
    monkeypatch.delenv("LEAKAUDIT_CACHE")
    assert cache_folder(Config()).name in {"leakaudit", "Cache"}
    assert Path.home() in cache_folder(Config()).parents or os.environ.get("XDG_CACHE_HOME")


def test_never_inside_the_data(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    inside = Config(cache_dir=data / "cache")
    for given in (data, str(data), f"train={data}", tmp_path):
        with pytest.raises(ConfigError, match="--cache-dir"):
            refuse_inside([given], inside)
    refuse_inside([data], Config(cache_dir=data / "cache", use_cache=False))
    refuse_inside([data, tmp_path / "gone", 5], Config(cache_dir=tmp_path / "data-cache"))


def test_many_may_make_the_data_base_at_once(tmp_path):
    for turn in range(8):
        barrier = threading.Barrier(6)

        def make(folder=tmp_path / str(turn), barrier=barrier) -> str | None:
            barrier.wait()
            with PictureCache(folder) as cache:
                cache.add_pixel_digests({b"content": b"digest"})
                assert cache.pixel_digests([b"content"]) == {b"content": b"digest"}
                return cache.note

        with ThreadPoolExecutor(6) as pool:
            notes = [made.result() for made in [pool.submit(make) for _ in range(6)]]
        assert notes == [None] * 6
