"""Every check has a clean and a leaky data set of its own, and finds exactly what is planted."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

from leakaudit import audit
from leakaudit.checks import CHECKS

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"
CODES = [check.code for check in CHECKS]


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("name", ["clean", "leaky"])
def test_planted_findings_are_found_and_nothing_else(code, name, tmp_path):
    expected = json.loads((FIXTURES / code / "expected.json").read_text())[name]
    report = audit(FIXTURES / code / name, select=(code,), cache_dir=tmp_path, probe="cpu")
    (outcome,) = report.outcomes
    assert outcome.status in ({"failed"} if expected else {"passed", "inconclusive"})
    found = [{"severity": finding.severity, "n_samples": finding.n_samples} for finding in report.findings]
    assert [{key: entry[key] for key in wanted} for entry, wanted in zip(found, expected, strict=True)] == expected


@pytest.mark.parametrize("code", CODES)
def test_clean_sets_have_no_error_from_any_check(code, tmp_path):
    report = audit(FIXTURES / code / "clean", cache_dir=tmp_path)
    assert not [finding.message for finding in report.findings if finding.severity == "error"]
    assert not [outcome.reason for outcome in report.outcomes if outcome.status == "errored"]


def test_committed_fixtures_are_what_the_generator_makes(tmp_path):
    spec = importlib.util.spec_from_file_location("generate", FIXTURES / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert sorted(module.MAKERS) == sorted(CODES)
    module.generate(tmp_path)
    made = {path.relative_to(tmp_path): path for path in tmp_path.rglob("*") if path.is_file()}
    kept = {p.relative_to(FIXTURES) for p in FIXTURES.rglob("*") if p.is_file() and p.suffix not in {".py", ".pyc"}}
    assert set(made) == kept
    for relative, path in made.items():
        if path.suffix in {".csv", ".json"}:  # pictures depend on the version of the encoder
            assert path.read_text(encoding="utf-8") == (FIXTURES / relative).read_text(encoding="utf-8"), relative
