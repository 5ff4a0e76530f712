"""Previews: small, upright, always the same bytes, made once."""

from __future__ import annotations

import io
import os

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from leakaudit.config import Config
from leakaudit.fingerprints import previews as module
from leakaudit.fingerprints.image_files import Unreadable
from leakaudit.fingerprints.previews import preview, previews


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "photo.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "a secret place"
    random = np.random.default_rng(0)
    image = Image.fromarray(random.integers(0, 256, (5, 8, 3), dtype=np.uint8)).resize((640, 400))
    image.save(path, exif=exif)
    os.utime(path, (1_600_000_000, 1_600_000_000))
    return path


def test_small_upright_and_without_metadata(photo):
    data = preview(os.fsencode(photo))
    assert data == preview(os.fsencode(photo))
    assert b"secret" not in data
    with Image.open(io.BytesIO(data)) as image:
        assert image.format == "JPEG"
        assert image.size == (100, 160)
        assert not image.getexif()


def test_icons_stay_as_they_are(tmp_path):
    icon = Image.fromarray(np.random.default_rng(1).integers(0, 256, (28, 28), dtype=np.uint8))
    icon.save(tmp_path / "icon.png", pnginfo=None)
    with Image.open(io.BytesIO(preview(os.fsencode(tmp_path / "icon.png")))) as image:
        assert image.format == "PNG"
        assert image.tobytes() == icon.tobytes()


def test_extreme_shapes(tmp_path):
    Image.new("RGB", (5000, 2), "red").save(tmp_path / "line.png")
    with Image.open(io.BytesIO(preview(os.fsencode(tmp_path / "line.png"), side=100))) as image:
        assert image.size == (100, 1)


def test_no_picture(tmp_path):
    (tmp_path / "a.jpg").write_text("text")
    with pytest.raises(Unreadable):
        preview(os.fsencode(tmp_path / "a.jpg"))


def test_many_in_order_and_only_once(photo, tmp_path, monkeypatch):
    icon = tmp_path / "icon.png"
    Image.new("L", (9, 9), 7).save(icon)
    os.utime(icon, (1_600_000_000, 1_600_000_000))
    paths = pa.array([os.fsencode(path) for path in (icon, tmp_path / "gone.png", photo)])
    config = Config(cache_dir=tmp_path / "cache", jobs=2)
    first = previews(paths, config)
    assert [bool(data) for data in first] == [True, False, True]
    assert first[2] == preview(os.fsencode(photo))
    monkeypatch.setattr(module, "decode", None)
    assert previews(paths, config) == first
    assert previews(pa.array([], pa.binary()), config) == []
