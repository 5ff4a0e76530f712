"""What changes between two pictures of one scene: little in copies, much where the content is another."""

import numpy as np
import pytest
from PIL import Image

from leakaudit.analysis.copies.pictures.scene import local_change, thumbnails_of
from near_pictures import CHANGES, board, look_of, photograph, records_of

PIECES = [(9, 0, 1), (20, 2, 0), (33, 1, 1), (51, 2, 1)]
UPRIGHT, MIRRORED = 0, 1


def change(first, second, orientation=UPRIGHT):
    both = [first, second]
    at = np.array([0]), np.array([1])
    return float(local_change(records_of(both), *at, np.array([orientation], np.int16), look_of(both))[0])


@pytest.mark.parametrize("how", ["jpeg", "smaller", "contrast", "grey", "cropped", "shifted"])
def test_a_copy_changes_little_anywhere(how):
    one = board(np.random.default_rng(1), PIECES)
    assert change(CHANGES[how](one), one) < 15


@pytest.mark.parametrize(
    ("how", "orientation"), [("mirrored", MIRRORED), ("turned by 33", 1033), ("turned by -7", 1353)]
)
def test_turned_copies_are_laid_on_their_originals_first(how, orientation):
    one = photograph(np.random.default_rng(2))
    assert change(CHANGES[how](one), one, orientation) < 15
    assert change(CHANGES[how](one), one, UPRIGHT) > 25


@pytest.mark.parametrize("other", [[(10, 0, 1), *PIECES[1:]], PIECES[1:], [(9, 0, 0), *PIECES[1:]]])
def test_a_piece_that_moved_left_or_turned_black_is_other_content(other):
    rng = np.random.default_rng(3)
    assert change(board(rng, PIECES), board(rng, PIECES)) < 15
    assert change(board(rng, PIECES), board(rng, other)) > 25


def test_light_that_falls_from_elsewhere_is_no_content():
    one = board(np.random.default_rng(4), PIECES)
    slope = np.linspace(-30, 30, one.width)[None, :, None]
    lit = Image.fromarray(np.clip(np.asarray(one, dtype=float) + slope, 0, 255).astype(np.uint8))
    assert change(lit, one) < 15


def test_a_picture_that_is_gone_is_like_no_other():
    records = records_of([board(np.random.default_rng(5), PIECES)] * 2)
    at = np.array([0]), np.array([1])
    gone = local_change(records, *at, np.zeros(1, np.int16), lambda asked: np.zeros((len(asked), 64, 64), np.uint8))
    assert gone[0] == np.inf
    assert local_change(records, *at, np.zeros(1, np.int16), thumbnails_of(records))[0] < 1
    assert len(local_change(records, at[0][:0], at[1][:0], np.zeros(0, np.int16), thumbnails_of(records))) == 0
