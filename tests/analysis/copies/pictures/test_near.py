"""The whole search on made-up sets; what it does on real ones is in the tests of LA103."""

import numpy as np
import pytest
from PIL import Image, ImageChops, ImageDraw

from leakaudit.analysis.copies.pictures.near import match_splits, match_within
from leakaudit.analysis.copies.pictures.parameters import NearParams
from near_pictures import CHANGES, board, digit, film, form, jpeg, look_of, page, photographs, records_of


def search(reference, held_out, **named):
    """Held-out places with the reference places that they match."""
    records = records_of([*reference, *held_out])
    in_b = np.arange(len(records)) < len(reference)
    near = match_splits(records, ~in_b, in_b, look=look_of([*reference, *held_out]), **named)
    return near, (near.pairs.a - len(reference)).tolist(), near.pairs.b.tolist()


@pytest.fixture(scope="module")
def pictures():
    return photographs(np.random.default_rng(21), 120)


def test_unrelated_photographs_are_quiet(pictures):
    near, a, _ = search(pictures[:80], pictures[80:])
    assert not a
    assert near.limit == NearParams().suspected
    assert (near.n_a, near.n_b, near.n_blank_a, near.n_blank_b) == (40, 80, 0, 0)


@pytest.mark.parametrize("change", CHANGES)
def test_copies_of_each_kind_are_found(pictures, change):
    near, a, b = search(pictures, [CHANGES[change](p) for p in pictures[:15]])
    assert len(set(a)) >= 14
    assert a == b
    assert near.is_verified.mean() > 0.8 or change in ("shifted", "turned by 33", "mirrored, cropped, lighter")


@pytest.mark.parametrize("n", [1, 2, 3, 8, 19])
def test_a_handful_of_pictures_is_enough_for_plain_copies(pictures, n):
    copies = [jpeg(pictures[0], 60), CHANGES["mirrored"](pictures[0]), CHANGES["smaller"](pictures[0])]
    near, a, b = search(pictures[:n], [*copies, *pictures[60:70]])
    assert a == [0, 1, 2]
    assert b == [0, 0, 0]
    assert near.is_verified.all()


def test_a_validation_split_that_is_mostly_copied_does_not_hide(pictures):
    changes = list(CHANGES.values())
    copies = [changes[i % 10](p) for i, p in enumerate(pictures[:80])]
    _, a, b = search(pictures[:80], [*copies, *pictures[100:]])
    assert len(set(a)) >= 78
    assert a == b


def test_pictures_augmented_before_the_split_are_found(pictures):
    kinds = ["jpeg", "lighter", "cropped", "mirrored", "turned by -7"]
    every = [[p, *(CHANGES[kind](p) for kind in kinds)] for p in pictures[:60]]
    held_out = [variants.pop(i % 6) for i, variants in enumerate(every)]
    _, a, b = search([p for variants in every for p in variants], held_out)
    assert len(set(a)) >= 58
    assert all(i == j // 5 for i, j in zip(a, b, strict=True))


def test_every_copy_of_a_picture_is_listed(pictures):
    copies = [ImageChops.offset(jpeg(pictures[0], 40 + i), i % 3 - 1, 0) for i in range(30)]
    near, a, b = search([*pictures[1:], *copies], [pictures[0]])
    assert a == [0] * 30
    assert b == list(range(119, 149))
    assert near.n_crowded == 0


def test_a_flood_of_copies_is_capped_and_said(pictures):
    near, a, _ = search([*pictures[1:], *[pictures[0]] * 30], [pictures[0]], params=NearParams(most_candidates=20))
    assert 20 <= len(a) < 30
    assert near.n_crowded == 1


def test_a_narrow_domain_is_quiet_but_for_unchanged_copies():
    rng = np.random.default_rng(2)
    digits = [digit(rng) for _ in range(500)]
    near, a, _ = search(digits[:400], digits[400:])
    assert near.limit > NearParams().suspected
    assert len(set(a)) <= 1


@pytest.mark.parametrize(("n_scenes", "n_frames", "step"), [(12, 40, 1), (20, 12, 4)])
def test_frames_of_films_are_found_however_many_there_are_of_each_scene(n_scenes, n_frames, step):
    rng = np.random.default_rng(4)
    frames = film(rng, n_scenes, n_frames, step)
    order = rng.permutation(len(frames))
    n = len(frames) // 5
    near, a, b = search([frames[i] for i in order[n:]], [frames[i] for i in order[:n]])
    assert len(set(a)) >= 0.98 * n
    assert near.limit < 5
    held_out, reference = order[:n] // n_frames, order[n:] // n_frames
    assert np.mean(held_out[a] == reference[b]) > 0.99


def test_forms_of_one_template_are_quiet():
    rng = np.random.default_rng(5)
    forms = [form(rng) for _ in range(250)]
    _, a, _ = search(forms[:200], forms[200:])
    assert a == []


@pytest.fixture(scope="module")
def boards():
    rng = np.random.default_rng(12)
    return [board(rng) for _ in range(80)]


def test_a_fixed_camera_makes_a_scene_and_only_copies_are_copies(boards):
    changes = ("jpeg", "smaller", "cropped", "mirrored")
    copies = [CHANGES[change](boards[i]) for i, change in enumerate(changes)]
    near, a, b = search(boards[:60], [*copies, *boards[60:]])
    assert near.null.share > 0.05
    assert near.null.change == NearParams().same_content
    assert a == b == [0, 1, 2, 3]
    assert (near.change <= NearParams().other_content).all()
    # all others show the same board, which is said once for each of them
    assert sorted((near.scene.a - 60).tolist()) == list(range(4, 24))


def test_another_exposure_of_the_same_content_is_a_copy_in_a_fixed_scene(boards):
    rng = np.random.default_rng(13)
    pieces = [(9, 0, 1), (20, 2, 0), (33, 1, 1), (51, 2, 1)]
    _, a, b = search([*boards[:50], board(rng, pieces)], [board(rng, pieces), board(rng, [(10, 0, 1), *pieces[1:]])])
    assert (a, b) == ([0], [50])


def test_pages_of_one_layout_are_no_copies_of_each_other():
    rng = np.random.default_rng(15)
    pages = [page(rng) for _ in range(70)]
    _, a, b = search(pages[:50], [jpeg(pages[7], 80), *pages[50:]])
    assert set(zip(a, b, strict=True)) == {(0, 7)}


def test_a_scene_in_which_little_changes_has_only_unchanged_copies():
    rng = np.random.default_rng(16)
    scene = photographs(rng, 1, 160, 160)[0]
    views = []
    for _ in range(60):
        views.append(scene.copy())
        x, y = rng.integers(10, 140, 2).tolist()
        ImageDraw.Draw(views[-1]).ellipse((x, y, x + 12, y + 12), fill=(250, 250, 250))
    near, a, b = search(views[:45], [jpeg(views[7], 92), *views[45:]])
    assert near.null.change is not None
    assert (a[0], b[0]) == (0, 7)
    assert set(near.pairs.a[near.is_verified].tolist()) == {45}
    assert len(near.scene) >= 12


def test_copies_that_are_the_same_to_the_last_detail_are_found_among_look_alikes(pictures):
    far_out = NearParams(z=30.0)
    copies = [jpeg(pictures[0].resize((78, 78)), 80), CHANGES["contrast"](pictures[1])]
    near, a, b = search(pictures[:40], [*copies, *pictures[40:60]], params=far_out)
    assert near.limit > near.evidence.max()  # nothing stands out
    assert a == b == [0, 1]


def test_line_drawings_and_shapes_are_quiet():
    rng = np.random.default_rng(3)
    drawings = []
    for _ in range(300):
        drawing = Image.new("RGB", (96, 96), tuple(rng.integers(200, 256, 3).tolist()))
        x, y = rng.integers(30, 66, 2).tolist()
        r = int(rng.integers(8, 28))
        draw = ImageDraw.Draw(drawing)
        (draw.ellipse if rng.random() < 0.5 else draw.rectangle)((x - r, y - r, x + r, y + r), fill=(40, 40, 40))
        drawings.append(drawing)
    _, a, _ = search(drawings[:240], drawings[240:])
    assert len(set(a)) <= 2


def test_blank_pictures_are_nobodys_duplicate(pictures):
    blank = [Image.new("RGB", (50, 50), (value,) * 3) for value in (0, 90, 255)]
    near, a, _ = search([*pictures[:40], *blank], [*blank, jpeg(pictures[0], 60)])
    assert a == [3]
    assert (near.n_blank_a, near.n_blank_b) == (3, 3)


def test_empty_sides(pictures):
    for reference, held_out in (([], pictures[:3]), (pictures[:3], []), ([], [])):
        near, a, _ = search(reference, held_out)
        assert not a
        assert (near.n_a, near.n_b) == (len(held_out), len(reference))


def test_two_exposures_of_one_scene_are_suspected():
    scenes = photographs(np.random.default_rng(9), 40, 240, 240)
    left, right = ([p.crop((x, x, x + 200, x + 200)) for p in scenes] for x in (0, 16))
    near, a, b = search(left, right)
    assert len(set(a)) >= 35
    assert a == b
    assert not near.is_verified.any()
    assert near.common == pytest.approx(0.92**2, abs=0.03)


def test_inside_one_split_each_pair_is_listed_once(pictures):
    copy = CHANGES["turned by 90"](pictures[3])
    records = records_of([*pictures[:50], copy, jpeg(pictures[7], 60)])
    near = match_within(records, np.ones(len(records), dtype=bool))
    assert near.pairs.a.tolist() == [3, 7]
    assert near.pairs.b.tolist() == [50, 51]
    assert near.orientation.tolist() == [6, 0]


def test_threads_change_nothing(pictures):
    held_out = [CHANGES["jpeg"](p) for p in pictures[:30]]
    one, two = (search(pictures, held_out, jobs=jobs)[0] for jobs in (1, 2))
    assert (one.evidence == two.evidence).all()
    assert (one.pairs.score == two.pairs.score).all()
    assert one.limit == two.limit
