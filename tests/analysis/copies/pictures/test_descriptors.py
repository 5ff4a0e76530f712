import numpy as np
import pytest

from leakaudit.analysis.copies.pictures.descriptors import INVERSE, describe, orient, transposed
from near_pictures import photographs, records_of


@pytest.fixture(scope="module")
def records():
    return records_of([*photographs(np.random.default_rng(1), 6, 90, 70)])


def turned(records, orientation):
    out = records.copy()
    out["luma"] = orient(records["luma"], orientation)
    out["chroma"] = orient(records["chroma"], orientation)
    return out


def test_rows_have_length_one_and_flat_pictures_none(records):
    flat = records[:1].copy()
    flat["luma"], flat["chroma"] = 200, 128
    assert np.linalg.norm(describe(records), axis=1) == pytest.approx(1, abs=1e-5)
    assert not describe(flat).any()


def test_brightness_and_contrast_do_not_matter(records):
    changed = records.copy()
    changed["luma"] = records["luma"] // 2 + 60
    changed["chroma"] = (records["chroma"].astype(int) - 128) // 2 + 128
    assert np.einsum("nd,nd->n", describe(records), describe(changed)) == pytest.approx(1, abs=0.01)


def test_transposing_permutes_the_columns(records):
    assert transposed(describe(records)) == pytest.approx(describe(turned(records, 4)), abs=1e-5)


@pytest.mark.parametrize("orientation", range(8))
def test_every_orientation_has_its_inverse(records, orientation):
    pictures = records["luma"]
    assert (orient(orient(pictures, orientation), int(INVERSE[orientation])) == pictures).all()


def test_orientations_one_by_one_or_all_at_once(records):
    wanted = np.array([0, 3, 5, 6, 7, 1])
    both = orient(records["luma"], wanted)
    for picture, turned_picture, one in zip(records["luma"], both, wanted, strict=True):
        assert (orient(picture[None], int(one))[0] == turned_picture).all()


def test_five_is_a_quarter_turn_clockwise():
    picture = np.arange(16).reshape(1, 4, 4)
    assert (orient(picture, 5)[0] == np.rot90(picture[0], -1)).all()
    assert (orient(picture, 6)[0] == np.rot90(picture[0], 1)).all()
