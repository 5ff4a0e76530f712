"""The page on power is made from a stored result; its charts are well-formed."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

DOCS = Path(__file__).resolve().parents[1] / "docs"


@pytest.fixture
def page(monkeypatch, tmp_path):
    spec = importlib.util.spec_from_file_location("power_page", DOCS / "power_page.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "RESULT", tmp_path / "power.json")
    return module


def test_nothing_without_a_result(page):
    assert page.power_files() == {}


def test_a_table_and_a_chart_for_each_kind(page):
    row = {"code": "LA203", "what": "a <shift>", "unit": "d", "trials": 20, "effects": [0.0, 0.5]}
    rows = [{**row, "n": n, "n_train": 4 * n, "rates": [0.0, rate]} for n, rate in ((1000, 1.0), (50, 0.25))]
    page.RESULT.write_text(json.dumps(rows))
    files = page.power_files()
    (chart,) = [text for path, text in files.items() if path.suffix == ".svg"]
    assert "LA203: a <shift>" in [each.text for each in ElementTree.fromstring(chart).iter()]
    text = files[DOCS / "power.md"]
    assert "| 50 | 0% | 25% |\n| 1,000 | 0% | 100% |" in text
    assert "Effect: d; 20 trials each." in text
