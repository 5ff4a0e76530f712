import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from leakaudit.analysis.copies.pictures.blank import BlankParams, blank
from near_pictures import digit, jpeg, photograph, records_of

RNG = np.random.default_rng(0)


def noise(spread, side=100):
    return Image.fromarray(np.clip(RNG.normal(128, spread, (side, side)), 0, 255).astype(np.uint8))


def cell(sharpness):
    """One blurred disc, a bit darker than the ground."""
    y, x = np.mgrid[:80, :80]
    return Image.fromarray((200 - 50 / (1 + np.exp((np.hypot(x - 45, y - 30) - 25) * sharpness))).astype(np.uint8))


def test_blank_pictures():
    pictures = [
        Image.new("L", (100, 100), 255),
        Image.new("RGB", (32, 32), (20, 90, 200)),
        jpeg(Image.new("RGB", (100, 100), (250, 240, 230)), 20),
        noise(3),
        noise(5),
        Image.linear_gradient("L"),
        photograph(RNG).filter(ImageFilter.GaussianBlur(16)),
    ]
    assert blank(records_of(pictures)).all()


def test_sparse_and_smooth_pictures_are_not_blank():
    drawing = Image.new("L", (100, 100), 255)
    ImageDraw.Draw(drawing).line([(10, 20), (50, 80), (90, 30)], fill=0, width=1)
    dot = Image.new("L", (100, 100), 255)
    ImageDraw.Draw(dot).ellipse((47, 47, 53, 53), fill=0)
    pictures = [drawing, dot, *(digit(RNG) for _ in range(20)), cell(1.0), cell(0.5), photograph(RNG)]
    assert not blank(records_of(pictures)).any()


def test_params_decide():
    records = records_of([noise(3), photograph(RNG)])
    assert blank(records, BlankParams(nothing=0, faint=0)).tolist() == [False, False]
    assert blank(records, BlankParams(nothing=2000)).tolist() == [True, True]
