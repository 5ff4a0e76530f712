"""Every check says the same, byte for byte, wherever the work runs."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path

import pytest

from leakaudit import Config, audit
from leakaudit.checks import CHECKS
from leakaudit.render import json as as_json

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
CASES = [
    *((f"{check.code}/leaky", (check.code,)) for check in CHECKS),
    *((folder, ()) for folder in ("demo", "LA104/leaky", "LA107/leaky")),  # pictures, rows, texts, by all checks
]


@cache
def report(folder, select, engine):
    """The JSON report of a fixture; with the probe where a check was selected that needs it."""
    probe = "fast" if any(check.code in select and "probe" in check.load().needs for check in CHECKS) else "off"
    config = Config(engine=engine, use_cache=False, jobs=2, select=select, probe=probe)
    stream = io.StringIO()
    as_json.write(audit(FIXTURES / folder, config=config), stream)
    return stream.getvalue()


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["spark", "ray"])
def test_reports_are_byte_identical(engines, engine):
    engines(engine)
    assert [case for case in CASES if report(*case, engine) != report(*case, "local")] == []
    assert '"code": "LA104"' in report("LA104/leaky", ("LA104",), engine)
