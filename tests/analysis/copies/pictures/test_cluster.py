"""What the kernels of the cluster find in parts is what one process finds at once, to the last bit."""

from __future__ import annotations

import numpy as np
import pytest

from leakaudit.analysis.copies.pictures import cluster as near_cluster
from leakaudit.analysis.copies.pictures import match as near_match
from leakaudit.analysis.copies.pictures import neighbours
from leakaudit.analysis.copies.pictures import turned as near_turned
from leakaudit.analysis.copies.pictures.near import match_splits
from leakaudit.config import Config
from leakaudit.engines import workers
from leakaudit.engines.local import Local
from near_pictures import photographs, records_of


@pytest.fixture
def in_parts(monkeypatch):
    """Blocks and parts so small that there are several of each; in threads, because workers know nothing of them."""
    monkeypatch.setattr(workers.Worker, "start", lambda: None)
    monkeypatch.setattr(neighbours, "REFERENCE_BLOCK", 16)
    monkeypatch.setattr(near_cluster, "REFERENCE_BLOCK", 16)
    monkeypatch.setattr(near_cluster, "PART_ROWS", (32, 32))
    monkeypatch.setattr(near_cluster, "BLOCKS", 1)
    monkeypatch.setattr(near_cluster, "PICTURES", 16)
    monkeypatch.setattr(near_match, "BLOCK", 8)


@pytest.fixture(scope="module")
def records():
    rng = np.random.default_rng(5)
    pictures = photographs(rng, 130, 48, 48)
    copies = [picture.transpose(i % 7) if i % 2 else picture.rotate(7 * i) for i, picture in enumerate(pictures[:30])]
    return records_of([*pictures, *copies])


@pytest.mark.parametrize("where", ["threads in parts", "processes"])
def test_near_duplicates_in_parts_are_those_of_one_process(records, where, request):
    if where == "threads in parts":
        request.getfixturevalue("in_parts")
    in_a = np.arange(len(records)) >= 130
    here = match_splits(records, in_a, ~in_a)
    there = match_splits(records, in_a, ~in_a, engine=Local(2))
    assert len(here.pairs.a) > 10
    for name in ("orientation", "evidence", "common", "is_verified"):
        np.testing.assert_array_equal(getattr(here, name), getattr(there, name))
    for name in ("a", "b", "score"):
        np.testing.assert_array_equal(getattr(here.pairs, name), getattr(there.pairs, name))
    assert (here.null, here.limit, here.n_crowded) == (there.null, there.limit, there.n_crowded)


@pytest.mark.usefixtures("in_parts")
def test_a_picture_is_not_its_own_neighbour_in_any_part(records):
    every = np.arange(len(records))
    index, orientation = near_match.candidates(records, every, every, 5, jobs=1)
    in_parts, orientation_in_parts = near_match.candidates(records, every, every, 5, jobs=1, engine=Local(2))
    np.testing.assert_array_equal(index, in_parts)
    np.testing.assert_array_equal(orientation, orientation_in_parts)
    assert not (in_parts == every[:, None]).any()
    turned = near_turned.turned_matches(records, every, every, engine=Local(2))
    assert len(turned)
    assert not (turned.a == turned.b).any()


@pytest.mark.parametrize(
    ("jobs", "n_pairs", "apart"), [(1, 1 << 40, False), (2, 1 << 40, False), (16, 1 << 20, False), (16, 1 << 40, True)]
)
def test_many_cores_and_much_work_are_worth_processes(jobs, n_pairs, apart):
    found = near_cluster.workers_for(Config(jobs=jobs), n_pairs)
    assert found == (Local(jobs) if apart else None)


def test_a_gpu_of_this_machine_searches_before_its_processes_and_never_before_a_cluster(monkeypatch):
    monkeypatch.setattr(near_cluster, "gpu_for", lambda _n_pairs: "cuda")
    assert near_cluster.gpu_rather_than(None, 1) == "cuda"
    assert near_cluster.gpu_rather_than(Local(16), 1) == "cuda"
    assert near_cluster.gpu_rather_than(object(), 1) is None
