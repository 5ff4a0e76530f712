from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from leakaudit.analysis.belonging.inferred import Candidates, not_the_label, shared_groups
from leakaudit.analysis.belonging.keys import Key
from leakaudit.analysis.belonging.overlap import count_groups, partners

LIMITS = {"confidence": 0.99, "least_groups": 5, "largest_share": 0.5, "smallest": 0.6}


def key(said, codes):
    codes = np.asarray(codes, dtype=np.int64)
    return Key(said, codes, pa.array([str(i) for i in range(int(codes.max(initial=0)) + 1)], pa.string()))


@given(st.lists(st.tuples(st.integers(-1, 5), st.booleans()), min_size=1, max_size=40))
def test_partners_are_those_of_brute_force(samples):
    codes = np.array([code for code, _ in samples], dtype=np.int64)
    held = np.array([side for _, side in samples])
    pairs = list(partners(codes, held, ~held))
    found = {(int(a), int(b)) for chunk in pairs for a, b in zip(chunk.a, chunk.b, strict=True)}
    expected = set()
    for a in np.flatnonzero(held & (codes >= 0)):
        mates = np.flatnonzero(~held & (codes == codes[a]))
        if len(mates):
            expected.add((int(a), int(mates[0])))
    assert found == expected
    assert len(found) == count_groups(key("k", codes), held, ~held).n_samples


def test_a_group_that_the_split_keeps_whole_hides_what_crosses_it_and_not_what_holds_it():
    patients, sessions = np.repeat(np.arange(20), 12), np.repeat(np.arange(80), 3)
    crossing = np.tile(np.arange(12), 20)
    points = np.random.default_rng(0).normal(size=(240, 3)) + 5 * np.arange(20)[patients, None]
    unknown = np.full(240, -1, dtype=np.int64)

    def real(held, *keys):
        candidates = Candidates(keys, unknown, lambda: lambda at: points[at].astype(np.float32))
        return [each[0].said for each in shared_groups(candidates, held, ~held, **LIMITS).real]

    keys = key("patient", patients), key("session", sessions), key("crossing", crossing)
    by_session = np.isin(sessions, np.random.default_rng(0).permutation(80)[:20])
    assert real(by_session, *keys) == ["patient"]
    assert real(patients < 5, *keys) == []
    assert real(np.random.default_rng(1).random(240) < 0.3, *keys)[0] == "patient"


def test_keys_that_are_the_label_are_left_out():
    labels = np.repeat([0, 1], 10)
    keys = [key("label", labels), key("finer", np.arange(20) // 2), key("constant", np.zeros(20))]
    assert [each.said for each in not_the_label(keys, labels, ["a", "b"])] == ["finer"]
