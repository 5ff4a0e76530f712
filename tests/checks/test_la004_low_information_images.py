import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from leakaudit import audit
from near_pictures import digit, photographs


@pytest.fixture
def data(tmp_path):
    rng = np.random.default_rng(0)
    for split in ("train", "val"):
        folder = tmp_path / "data" / split
        folder.mkdir(parents=True)
        for i, picture in enumerate(photographs(rng, 3)):
            picture.save(folder / f"{i}.png")
    return tmp_path / "data"


@pytest.fixture
def run(data, tmp_path):
    def run():
        (outcome,) = audit(data, select=("LA004",), cache_dir=tmp_path / "cache").outcomes
        return outcome

    return run


def test_none(run):
    outcome = run()
    assert outcome.status == "passed"
    assert outcome.reason == "pictures with hardly any detail: 0 of 3 in train, 0 of 3 in val"


def test_flat_and_smooth_pictures_are_listed(data, run):
    rng = np.random.default_rng(1)
    noise = np.clip(rng.normal(120, 3, (80, 80)), 0, 255).astype(np.uint8)
    Image.new("RGB", (64, 64), "white").save(data / "val" / "white.jpg")
    Image.fromarray(noise).save(data / "val" / "noise.png")
    Image.linear_gradient("L").save(data / "val" / "sky.png")
    photographs(rng, 1)[0].filter(ImageFilter.GaussianBlur(16)).save(data / "val" / "blurred.png")
    outcome = run()
    (finding,) = outcome.findings
    assert (finding.severity, finding.n_samples, finding.splits) == ("info", 4, ("val",))
    assert "4 of 7 pictures of val" in finding.message
    assert {s.uri: s.reason for s in finding.evidence.samples} == {
        "val/white.jpg": "flat",
        "val/noise.png": "flat",
        "val/sky.png": "smooth",
        "val/blurred.png": "smooth",
    }
    assert outcome.metrics["n_low_information_val"] == 4
    assert outcome.metrics["n_low_information_train"] == 0


def test_sparse_drawings_and_digits_are_not(data, run):
    drawing = Image.new("L", (200, 200), 255)
    ImageDraw.Draw(drawing).line([(20, 40), (100, 160), (180, 60)], fill=0, width=2)
    drawing.save(data / "val" / "drawing.png")
    rng = np.random.default_rng(3)
    for i in range(10):
        digit(rng).save(data / "val" / f"digit{i}.png")
    assert run().status == "passed"


@pytest.mark.realdata
def test_letters_drawn_with_a_pen_are_not(unpacked, tmp_path):
    pictures = sorted(unpacked("omniglot-small").rglob("*.png"))[:1000]
    for i, path in enumerate(pictures):
        folder = tmp_path / "set" / ("val" if i % 5 == 0 else "train")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{i}.png").write_bytes(path.read_bytes())
    (outcome,) = audit(tmp_path / "set", select=("LA004",), cache_dir=tmp_path / "cache").outcomes
    assert outcome.status == "passed"
