import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leakaudit.search import neighbours
from leakaudit.search.descriptors import describe, orient
from leakaudit.search.neighbours import nearest
from near_pictures import photographs, records_of


def brute_force(queries, references):
    """Largest cosine over the eight orientations, and which that is, by turning the thumbnails themselves."""
    every = []
    for orientation in range(8):
        turned = queries.copy()
        turned["luma"] = orient(queries["luma"], orientation)
        turned["chroma"] = orient(queries["chroma"], orientation)
        every.append(describe(turned) @ describe(references).T)
    return np.max(every, axis=0), np.argmax(every, axis=0)


@pytest.fixture(scope="module")
def records():
    rng = np.random.default_rng(3)
    pictures = photographs(rng, 40, 40, 40)
    return records_of([*pictures, *(p.transpose(i % 7) for i, p in enumerate(pictures[:20]))])


@settings(max_examples=25, deadline=None)
@given(
    queries=st.integers(1, 20),
    references=st.integers(1, 45),
    k=st.integers(1, 12),
    block=st.integers(1, 16),
    jobs=st.integers(1, 2),
)
def test_the_lists_are_those_of_comparing_everything(records, queries, references, k, block, jobs):
    held_out, reference = records[-queries:], records[:references]
    similarity, orientation = brute_force(held_out, reference)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(neighbours, "QUERY_BLOCK", block)
        patch.setattr(neighbours, "REFERENCE_BLOCK", block)
        found = nearest(describe(held_out), describe(reference), k, jobs=jobs)
    n = min(k, references)
    assert (found.index[:, n:] == -1).all()
    assert found.similarity[:, :n] == pytest.approx(-np.sort(-similarity, axis=1)[:, :n], abs=1e-5)
    rows = np.arange(queries)[:, None]
    assert similarity[rows, found.index[:, :n]] == pytest.approx(found.similarity[:, :n], abs=1e-5)
    best = orientation[rows, found.index[:, :n]]
    clear = np.ones_like(best, dtype=bool)
    assert (best == found.orientation[:, :n])[clear].mean() > 0.99
    assert all(len(set(row.tolist())) == n for row in found.index[:, :n])


def test_a_picture_is_not_its_own_neighbour(records):
    described = describe(records)
    found = nearest(described, described, 5, itself=np.arange(len(records)))
    assert not (found.index == np.arange(len(records))[:, None]).any()


def test_equal_similarities_are_listed_by_row():
    described = np.tile(describe(records_of(photographs(np.random.default_rng(0), 1))), (2_000, 1))
    found = nearest(described[:3], described, 4)
    assert (found.index == [0, 1, 2, 3]).all()


def test_progress_adds_up(records):
    done = []
    nearest(describe(records), describe(records), 3, advance=done.append)
    assert sum(done) == len(records)
