"""Copied text in public data sets; the counts were measured without this code."""

from __future__ import annotations

import pytest

from leakaudit import audit

pytestmark = pytest.mark.realdata

# held-out split, exact, normalised, near (None: not known)
KNOWN = {
    "banking77": [("test", 0, 25, 151)],
    "clinc150/data_full.json": [("test", 2, 19, 97), ("val", 3, 16, None)],
    "snips": [("test", 23, 26, 35), ("val", 9, 17, None)],
    "gsm8k": [("test", 0, 0, 0)],
}


@pytest.mark.parametrize("name", KNOWN)
def test_copied_texts_are_counted(shared_data, tmp_path, name):
    report = audit(shared_data / "text" / name, select=("LA104", "LA106", "LA107"), cache_dir=tmp_path)
    outcomes = {outcome.code: outcome for outcome in report.outcomes}
    for split, n_exact, n_normalised, n_near in KNOWN[name]:
        pair = f"{split} against train"
        equal, near = outcomes["LA106"].metrics[pair], outcomes["LA107"].metrics[pair]
        assert (equal["n_exact"], equal["n_normalised"]) == (n_exact, n_normalised)
        assert n_near in (None, near["n_near"])
        found = {
            code: sum(f.n_samples for f in report.findings if f.code == code and f.splits == (split, "train"))
            for code in outcomes
        }
        assert found["LA106"] == n_normalised - equal["n_identical_rows_left_out"] - equal["n_untelling"]
        if n_near == 0:
            assert sum(found.values()) == 0
