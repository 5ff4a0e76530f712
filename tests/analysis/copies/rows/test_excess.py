from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leakaudit.analysis.copies.rows.excess import random_assignment


@settings(max_examples=25, deadline=None)
@given(sizes=st.lists(st.integers(2, 6), min_size=1, max_size=20), share=st.floats(0.1, 0.5))
def test_random_assignment_against_brute_force(sizes, share):
    rng = np.random.default_rng(1)
    simulated = []
    for _ in range(2000):
        held_out = rng.binomial(sizes, share)
        simulated.append(held_out[held_out < sizes].sum())
    found = random_assignment(np.array(sizes) - 1, np.ones(len(sizes), dtype=np.int64), share)
    error = 5 * np.std(simulated) / np.sqrt(2000) + 1e-9
    assert found.expected == pytest.approx(np.mean(simulated), abs=error)
    assert found.deviation == pytest.approx(np.std(simulated), rel=0.15, abs=0.1)
    observed = sum(sizes) - len(sizes)
    assert found.p_value == pytest.approx(np.mean(np.array(simulated) >= observed), abs=0.06)
