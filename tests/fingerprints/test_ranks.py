"""Mean ranks are those of SciPy."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import rankdata

from leakaudit.fingerprints.ranks import mean_ranks


@given(st.lists(st.one_of(st.integers(-3, 3), st.floats(allow_nan=False)), max_size=30))
def test_as_scipy_has_them(values):
    numbers = np.array(values, dtype=np.float64)
    assert mean_ranks(numbers).tolist() == rankdata(numbers).tolist()
