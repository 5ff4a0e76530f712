from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leakaudit.analysis.copies.pictures import neighbours
from leakaudit.analysis.copies.pictures.descriptors import describe, orient
from leakaudit.analysis.copies.pictures.neighbours import nearest
from leakaudit.analysis.copies.pictures.turned import describe_turned
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
    return some_records()


@cache
def some_records():
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
    assert (best == found.orientation[:, :n]).mean() > 0.99
    assert all(len(set(row.tolist())) == n for row in found.index[:, :n])


@settings(max_examples=25, deadline=None)
@given(
    queries=st.integers(1, 20),
    references=st.integers(1, 45),
    k=st.integers(1, 12),
    block=st.integers(1, 16),
    own=st.booleans(),
)
def test_the_code_for_gpus_gives_the_same_lists(queries, references, k, block, own):
    pytest.importorskip("torch", reason="the code for GPUs needs torch")
    from leakaudit.analysis.copies.pictures import neighbours_torch as on

    records = some_records()
    held_out, reference = describe(records[-queries:]), describe(records[:references])
    itself = np.arange(queries) % references if own else None
    turned = [describe_turned(part, np.arange(len(part))) for part in (records[-queries:], records[:references])]
    expected = nearest(held_out, reference, k, itself=itself)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(on, "QUERY_BLOCK", block)
        patch.setattr(on, "REFERENCE_BLOCK", block)
        largest = on.eight_orientations(held_out, reference, "cpu")
        index, similarity = on.nearest_on_device("cpu", largest, queries, references, k, itself=itself)
        by_turn = on.any_turn(turned[0], turned[1], "cpu")
        _, of_turns = on.nearest_on_device("cpu", by_turn, queries, references, k)
    assert similarity == pytest.approx(expected.similarity, abs=1e-5)
    assert ((index >= 0) == (expected.index >= 0)).all()
    every, _ = brute_force(records[-queries:], records[:references])
    at = np.nonzero(index >= 0)
    assert every[at[0], index[at]] == pytest.approx(similarity[at], abs=1e-5)
    assert all(len(set(row[row >= 0].tolist())) == (row >= 0).sum() for row in index)
    every = turned[0][0] @ turned[1][0].T + np.abs(turned[0][1] @ turned[1][1].T)
    n = min(k, references)
    assert of_turns[:, :n] == pytest.approx(-np.sort(-every, axis=1)[:, :n], abs=1e-5)


def test_equal_similarities_are_listed_by_row_on_gpus_too(monkeypatch):
    torch = pytest.importorskip("torch", reason="the code for GPUs needs torch")
    from leakaudit.analysis.copies.pictures import neighbours_torch as on

    monkeypatch.setattr(on, "REFERENCE_BLOCK", 7)
    index, _ = on.nearest_on_device("cpu", lambda rows, columns: torch.ones(3, columns.stop - columns.start), 3, 50, 4)
    assert (index == [0, 1, 2, 3]).all()


@pytest.mark.parametrize("few", [0, 1, 1_000], ids=["whole blocks", "either", "what beats the list"])
@given(
    m=st.integers(1, 9),
    n=st.integers(1, 60),
    k=st.integers(1, 7),
    seed=st.integers(0, 2**32),
    own=st.booleans(),
    width=st.integers(1, 70),
)
def test_lists_are_those_of_a_full_sort_on_gpus_too(few, m, n, k, seed, own, width):
    pytest.importorskip("torch", reason="the code for GPUs needs torch")
    import torch

    from leakaudit.analysis.copies.pictures import neighbours_torch as on

    random = np.random.default_rng(seed)
    similar = random.integers(-3, 4, (m, n)).astype(np.float32) / 4  # many equal ones, zeros and negative ones
    similar[random.random((m, n)) < 0.1] = -np.inf
    itself = random.integers(-1, n, m) if own else None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(on, "QUERY_BLOCK", 4)
        patch.setattr(on, "REFERENCE_BLOCK", width)
        patch.setattr(on, "_FEW", few)
        given_ones = torch.from_numpy(similar.copy())
        index, best = on.nearest_on_device(
            "cpu", lambda rows, columns: given_ones[rows, columns].clone(), m, n, k, itself=itself
        )
    if itself is not None:
        at = np.flatnonzero(itself >= 0)
        similar[at, itself[at]] = -np.inf
    for q in range(m):
        order = [r for r in np.argsort(-similar[q], kind="stable") if similar[q, r] > -np.inf][:k]
        expected = order + [-1] * (k - len(order))
        assert index[q].tolist() == expected
        assert best[q].tolist() == [similar[q, r] if r >= 0 else -np.inf for r in expected]


def test_a_gpu_finds_the_same_neighbours():
    torch = pytest.importorskip("torch", reason="the code for GPUs needs torch")
    if not torch.cuda.is_available():
        pytest.skip("needs a GPU")
    from leakaudit.analysis.copies.pictures import neighbours_torch as on

    random = np.random.default_rng(0)
    described = random.standard_normal((5_000, describe(records_of(photographs(random, 1))).shape[1])).astype(
        np.float32
    )
    described /= np.linalg.norm(described, axis=1, keepdims=True)
    expected = nearest(described[:700], described, 8, itself=np.arange(700))
    largest = on.eight_orientations(described[:700], described, "cuda")
    index, similarity = on.nearest_on_device("cuda", largest, 700, 5_000, 8, itself=np.arange(700))
    assert similarity == pytest.approx(expected.similarity, abs=1e-5)
    assert (index == expected.index).mean() > 0.99


def test_a_gpu_is_used_where_torch_sees_one_and_the_work_is_worth_it(records, monkeypatch):
    torch = pytest.importorskip("torch", reason="the code for GPUs needs torch")
    from leakaudit.analysis.copies.pictures import neighbours_torch as on

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert on.gpu_for(on.WORTH) == "cuda"
    assert on.gpu_for(on.WORTH - 1) is None
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert on.gpu_for(on.WORTH) is None
    described = describe(records)
    expected = nearest(described, described, 5)
    monkeypatch.setattr(neighbours, "gpu_for", lambda _n_pairs: "cpu")
    found = nearest(described, described, 5)
    assert found.similarity == pytest.approx(expected.similarity, abs=1e-5)
    # Sums are taken in another order, so only neighbours that are no tie must be the same ones.
    steps = np.abs(np.diff(expected.similarity, axis=1)) > 1e-5
    last = np.zeros((len(expected.similarity), 1), dtype=bool)
    alone = np.hstack([~last, steps]) & np.hstack([steps, last])
    assert alone.mean() > 0.3
    assert (found.index == expected.index)[alone].all()


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
