"""Frames and tiles: neighbours by number that are on the other side, and look alike."""

import numpy as np
import pyarrow as pa
import pytest

from leakaudit.analysis.series.frames import frames
from leakaudit.analysis.series.numbers import numbered, sign_test, unit_of
from leakaudit.analysis.series.tiles import tiles
from near_pictures import film, photograph, photographs, records_of

N = 90


def of(names, *, two=False):
    return numbered(pa.array(names, pa.string()), ("train", "val"), two=two)


@pytest.mark.parametrize(
    ("names", "together"),
    [
        (["train/a/f_01.jpg", "val/a/f_02.png"], True),
        (["train/a/f_01.jpg", "val/b/f_02.jpg"], False),
        (["x/train/f_01.jpg", "x/val/g_02.jpg"], False),
        (["train/clip3_0007_jpg.rf.4e1f7a.jpg", "val/clip3_0011_jpg.rf.99ab01.jpg"], True),
        (["train/a.jpg", "val/b.jpg"], False),
    ],
)
def test_a_series_is_the_name_without_its_last_number_and_without_the_split(names, together):
    series = of(names).series
    assert (series[0] == series[1] and series[0] >= 0) == together


def test_two_numbers_are_places():
    found = of(["train/slide_512_1024.png", "train/slide_7.png"], two=True)
    assert (found.y[0], found.x[0]) == (512, 1024)
    assert found.series.tolist() == [0, -1]
    assert of(["train/7/12.png"], two=True).series.tolist() == [-1]  # the folder is no place


def test_the_usual_step_of_numbers():
    assert unit_of(np.array([10, 20, 30, 50])) == 10
    assert unit_of(np.array([5])) == 1


def test_the_sign_test_is_exact():
    assert sign_test(10, 0) == pytest.approx(2**-10)
    assert sign_test(0, 4) == 1.0


@pytest.fixture(scope="module")
def frames_of_a_film():
    return records_of(film(np.random.default_rng(1), 1, N, step=2))


def compared(records, held_out, numbers=None, step=1):
    numbers = np.arange(len(records)) if numbers is None else numbers
    names = of([f"f_{step * i:05d}.jpg" for i in numbers])
    return frames(records, names, held_out.astype(np.int64), np.ones(len(records), dtype=bool))


@pytest.mark.parametrize("step", [1, 10])
def test_a_film_that_was_split_at_random_has_alike_neighbours(frames_of_a_film, step):
    held_out = np.random.default_rng(2).random(N) < 0.25
    found = compared(frames_of_a_film, held_out, step=step)
    assert found.n_numbered == held_out.sum()
    assert found.effect > 0.9
    assert found.p_value < 0.001
    assert found.n_direct > 0.8 * found.n_direct_at_random
    assert step <= found.within <= 2 * step
    assert (np.abs(found.neighbours.a - found.neighbours.b) * step <= found.within).all()


def test_a_film_that_was_cut_in_two_has_few(frames_of_a_film):
    found = compared(frames_of_a_film, np.arange(N) >= 70)
    assert found.n_direct == 1
    assert found.n_direct < 0.1 * found.n_direct_at_random


def test_pictures_numbered_at_random_are_no_film(frames_of_a_film):
    random = np.random.default_rng(3)
    found = compared(frames_of_a_film, random.random(N) < 0.25, random.permutation(N))
    assert found.n_tested > 12
    assert found.effect < 0.3 or found.p_value > 0.001
    others = compared(records_of(photographs(random, N)), random.random(N) < 0.25)
    assert abs(others.effect) < 0.1


def mosaic(step, side=96, n=9):
    scene = photograph(np.random.default_rng(4), step * (n - 1) + side, step * (n - 1) + side)
    places = [(y, x) for y in range(n) for x in range(n)]
    crops = [scene.crop((x * step, y * step, x * step + side, y * step + side)) for y, x in places]
    return records_of(crops), [(y * step, x * step) for y, x in places]


def laid(records, places, held_out, template="t_{0}_{1}.png"):
    names = of([template.format(*place) for place in places], two=True)
    return tiles(records, names, np.asarray(held_out).astype(np.int64), np.ones(len(records), dtype=bool))


@pytest.mark.parametrize("template", ["t_{0}_{1}.png", "t_x{1}_y{0}.png"])
@pytest.mark.parametrize(("step", "overlap"), [(48, 0.5), (72, 0.25), (96, 0.0)])
def test_tiles_of_one_picture_fit_together(step, overlap, template):
    records, places = mosaic(step)
    found = laid(records, places, np.random.default_rng(5).random(len(places)) < 0.25, template)
    assert found.overlap == pytest.approx(overlap, abs=0.04)
    assert found.fits > 0.8
    assert found.far_fits < 0.1
    assert found.p_value < 0.001
    assert len(found.neighbours) > 0.8 * found.n_at_random


def test_a_block_of_tiles_has_neighbours_at_its_border_only():
    records, places = mosaic(48)
    found = laid(records, places, [y >= 5 * 48 for y, _ in places])
    assert len(found.neighbours) == 9
    assert len(found.neighbours) < 0.5 * found.n_at_random


def test_two_numbers_of_other_pictures_mean_nothing():
    pictures = records_of(photographs(np.random.default_rng(6), 81))
    found = laid(pictures, [(i // 9, i % 9) for i in range(81)], np.random.default_rng(7).random(81) < 0.25)
    assert found.fits - found.far_fits < 0.3
    assert found.p_value > 0.001
    assert laid(pictures[:0], [], []).n_tested == 0
