"""Previews: small, upright, always the same bytes, made once."""

from __future__ import annotations

import io
import os

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from leakaudit.config import Config
from leakaudit.fingerprints.pictures import previews as module
from leakaudit.fingerprints.pictures.files import Unreadable
from leakaudit.fingerprints.pictures.previews import preview, previews
from processes import DEADLY


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
    asked = []
    monkeypatch.setattr(module, "map_apart", lambda _make, files, **_: [asked.extend(files) or [b""]])
    assert previews(paths, config) == first
    assert [file.path for file in asked] == [os.fsencode(tmp_path / "gone.png")]
    monkeypatch.undo()
    assert previews(pa.array([], pa.binary()), config) == []


def test_a_picture_that_crashes_its_decoder_has_no_preview(photo, tmp_path, monkeypatch):
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(DEADLY)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path / "site"), os.environ.get("PYTHONPATH", "")]))
    Image.new("RGB", (66, 66)).save(tmp_path / "x.webp")
    paths = pa.array([os.fsencode(path) for path in (photo, tmp_path / "x.webp", photo)])
    made = previews(paths, Config(use_cache=False, jobs=1))
    assert [bool(data) for data in made] == [True, False, True]
