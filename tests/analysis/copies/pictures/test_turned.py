import numpy as np
import pytest
from PIL import Image

from leakaudit.analysis.copies.pictures.turned import (
    orientation_code,
    orientation_words,
    priced,
    turned_matches,
    undone,
    unpriced,
)
from near_pictures import photographs, records_of

ANGLES = [3, 12, 45, 100, 181, 260, 355]


def turned(picture, angle, mirror):
    """Turned counter-clockwise, as Pillow does it."""
    picture = picture.transpose(Image.Transpose.FLIP_TOP_BOTTOM) if mirror else picture
    return picture.rotate(angle, Image.Resampling.BICUBIC)


@pytest.mark.parametrize("mirror", [False, True])
@pytest.mark.parametrize(("width", "height"), [(96, 96), (128, 96)])
def test_the_picture_and_the_angle_are_found(width, height, mirror):
    pictures = photographs(np.random.default_rng(4), 40, width, height)
    records = records_of([*pictures, *(turned(p, a, mirror) for p, a in zip(pictures, ANGLES, strict=False))])
    found = turned_matches(records, np.arange(40, 47), np.arange(40))
    right = found.b == found.a - 40
    assert right.sum() == len(ANGLES)
    assert found.evidence[right].min() > 5
    assert found.evidence[~right].max() < 2
    # what was done to the original, the second picture, is what must be undone
    made = undone(found.orientation[right])
    assert ((made >= 2000) == mirror).all()
    off = (made % 1000 - (360 - np.array(ANGLES)) + 180) % 360 - 180
    assert np.abs(off).max() <= 2


def test_jobs_do_not_matter():
    records = records_of(photographs(np.random.default_rng(4), 60, 48, 48))
    one, two = (turned_matches(records, np.arange(30), np.arange(60), jobs=jobs) for jobs in (1, 2))
    assert (one.b == two.b).all()
    assert (one.evidence == two.evidence).all()
    assert not (one.a == one.b).any()


def test_nothing_to_compare():
    records = records_of(photographs(np.random.default_rng(4), 2))
    assert len(turned_matches(records, np.arange(0), np.arange(2))) == 0
    assert len(turned_matches(records, np.arange(2), np.arange(0))) == 0


def test_codes_words_and_the_way_back():
    codes = orientation_code(np.array([False, True, False]), np.array([359.7, 30.2, -1.0]))
    assert codes.tolist() == [1000, 2030, 1359]
    assert undone(np.array([0, 1, 5, 6, 7, 1000, 1030, 2030], dtype=np.int16)).tolist() == [
        0, 1, 6, 5, 7, 1000, 1330, 2030,
    ]  # fmt: skip
    assert [orientation_words(code) for code in (0, 1, 5, 1000, 1030, 2000, 2010, 2180, 2182, 2170, 1357)] == [
        "",
        "mirrored",
        "rotated by 90°",
        "turned by less than 1°",
        "turned by 30°",
        "mirrored top to bottom",
        "mirrored top to bottom and turned by 10°",
        "mirrored",
        "mirrored and turned by 2°",
        "mirrored and turned by -10°",
        "turned by -3°",
    ]


def test_the_price_can_be_taken_back():
    values = np.linspace(-5, 12, 50, dtype=np.float32)
    assert unpriced(priced(values)) == pytest.approx(values, abs=1e-4)
    assert (np.diff(priced(values)) > 0).all()
