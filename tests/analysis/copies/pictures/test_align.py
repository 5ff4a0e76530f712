import numpy as np
import pytest
from PIL import Image, ImageDraw

from leakaudit.analysis.copies.pictures.align import coarse_alignment, detail_area, fine_agreement
from near_pictures import CHANGES, digit, photograph, photographs, records_of


def thumbnails(pictures):
    return records_of(pictures)["luma"].astype(np.float32)


def compared(first, second):
    a, b = thumbnails(first), thumbnails(second)
    return fine_agreement(a, b, coarse_alignment(a, b)[0])


@pytest.fixture(scope="module")
def pictures():
    return photographs(np.random.default_rng(5), 24)


def test_the_same_picture_agrees_fully(pictures):
    found = compared(pictures, pictures)
    assert found.score == pytest.approx(1, abs=1e-4)
    assert found.common == pytest.approx(1, abs=1e-3)
    assert (found.evidence > 10).all()


@pytest.mark.parametrize("change", ["jpeg", "smaller", "squeezed", "lighter", "contrast", "grey", "shifted", "cropped"])
def test_copies_have_strong_evidence(pictures, change):
    assert np.quantile(compared([CHANGES[change](p) for p in pictures], pictures).evidence, 0.1) > 5


def test_strangers_have_little_evidence(pictures):
    found = compared(pictures, pictures[1:] + pictures[:1])
    assert found.evidence.max() < 2.5
    assert found.score.max() < 0.7


@pytest.mark.parametrize(("dx", "dy", "share"), [(0, 0, 0.9), (6, -3, 1), (3, 6, 0.85)])
def test_the_alignment_is_found(dx, dy, share):
    """A crop of a 192×192 picture: position u of the crop lies at shift + (1 + scale) u of the picture."""
    rng = np.random.default_rng(8)
    pictures = photographs(rng, 12, 192, 192)
    half = 96 * share
    box = (96 + dx - half, 96 + dy - half, 96 + dx + half, 96 + dy + half)
    crops = [p.transform((192, 192), Image.Transform.EXTENT, box, Image.Resampling.BICUBIC) for p in pictures]
    warp, _ = coarse_alignment(thumbnails(crops), thumbnails(pictures))
    expected = [dy / 6, share - 1, dx / 6, share - 1]
    assert np.median(warp, axis=0) == pytest.approx(expected, abs=0.15)


def test_common_is_the_share_of_the_smaller_view():
    picture = photograph(np.random.default_rng(2), 192, 192)
    crop = picture.crop((19, 19, 173, 173))
    beside, other = picture.crop((0, 0, 160, 192)), picture.crop((32, 0, 192, 192))
    found = compared([crop, picture, beside], [picture, crop, other])
    assert found.common[:2] == pytest.approx(1, abs=0.03)
    assert found.common[2] == pytest.approx(0.8, abs=0.03)
    assert (found.evidence > 5).all()


def test_an_inverted_picture_is_not_a_copy(pictures):
    inverted = [Image.eval(p, lambda v: 255 - v) for p in pictures]
    assert compared(inverted, pictures).evidence.max() < 2.5


def test_detail_of_empty_sparse_and_full_pictures():
    rng = np.random.default_rng(0)
    white = Image.new("L", (100, 100), 255)
    noisy = Image.fromarray(np.clip(rng.normal(128, 3, (100, 100)), 0, 255).astype(np.uint8))
    gradient = Image.linear_gradient("L")
    drawing = white.copy()
    ImageDraw.Draw(drawing).line([(10, 20), (50, 80), (90, 30)], fill=0, width=2)
    area = detail_area(thumbnails([white, noisy, gradient, drawing, digit(rng), photograph(rng)]))
    assert (area[:3] < 20).all()
    assert (area[3:] > 150).all()
    assert area[5] > area[4]


def test_pictures_without_detail_agree_in_nothing():
    flat = thumbnails([Image.new("L", (40, 40), 30), Image.linear_gradient("L")])
    assert fine_agreement(flat, flat, np.zeros((2, 4), dtype=np.float32)).evidence == pytest.approx(0, abs=0.5)
