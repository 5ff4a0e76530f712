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


@cache
def report(code, engine):
    """The JSON report of the leaky set of a check: that check with the probe where it needs it, else all checks."""
    probed = any(check.code == code and "probe" in check.needs for check in CHECKS)
    settings = {"select": (code,), "probe": "fast"} if probed else {}
    found = audit(FIXTURES / code / "leaky", config=Config(engine=engine, use_cache=False, jobs=2, **settings))
    stream = io.StringIO()
    as_json.write(found, stream)
    return stream.getvalue()


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["spark", "ray"])
def test_reports_are_byte_identical(engines, engine):
    engines(engine)
    assert [check.code for check in CHECKS if report(check.code, engine) != report(check.code, "local")] == []
    assert any('"findings": [\n' in report(check.code, engine) for check in CHECKS)
