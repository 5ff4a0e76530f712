"""Histories as text, JSON and HTML."""

from __future__ import annotations

import io
import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest
from jsonschema import Draft202012Validator
from rich.console import Console

from leakaudit.curves.compare import compare
from leakaudit.curves.diagnose import diagnose
from leakaudit.history import CurvesReport, History
from leakaudit.render.data import curves_json
from leakaudit.render.html import curves as curves_html
from leakaudit.render.terminal.curves import print_curves


def run(source="run.csv", n=20, overfit=True, **more):
    t = np.arange(1.0, n + 1)
    nan = np.full(n, np.nan)
    val = np.exp(-t / 4) + (0.03 * t if overfit else 0.1)
    arrays = {"train_loss": np.exp(-t / 3), "val_loss": val, "train_accuracy": nan, "val_accuracy": nan, "lr": nan}
    return History(source, "", "", "csv", t, **(arrays | more))


def report(*histories):
    diagnoses = tuple(diagnose(history) for history in histories)
    comparisons, notes = compare(diagnoses)
    return CurvesReport("0.0", diagnoses, comparisons, notes)


@pytest.fixture(params=["one", "runs", "grouped", "hostile", "empty"])
def some(request):
    nasty = "<script>alert(1)</script>\x1b[31m\u202e.csv"
    inf = np.full(20, np.inf)
    return {
        "one": lambda: report(run()),
        "runs": lambda: report(*(run(f"{i}.csv", overfit=i % 2 == 0) for i in range(5))),
        "grouped": lambda: report(*(replace(run(f"{i}.csv", overfit=i < 3), group="ab"[i // 3]) for i in range(6))),
        "hostile": lambda: report(run(nasty, notes=(nasty,)), run(nasty, val_loss=inf), run(n=1)),
        "empty": lambda: report(run(train_loss=np.full(20, np.nan), val_loss=np.full(20, np.nan))),
    }[request.param]()


def text(some, width=80, encoding="utf-8"):
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding, newline="\n")
    print_curves(some, Console(file=stream, width=width, color_system=None))
    stream.flush()
    return raw.getvalue().decode(encoding)


@pytest.mark.parametrize("width", [40, 80, 200])
def test_text_keeps_to_its_width(some, width):
    from rich.cells import cell_len

    shown = text(some, width)
    assert max(cell_len(line) for line in shown.splitlines()) <= width
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert not any(line != line.rstrip() for line in shown.splitlines())


def test_text_on_an_ascii_terminal(some):
    shown = text(some, encoding="ascii")
    assert shown.isascii()
    assert "\\u25" not in shown
    assert "\\u2212" not in shown


def test_the_verdict_comes_first():
    shown = text(report(run())).splitlines()
    assert shown[0] == "⚠ Overfitting  run.csv"
    assert "rose from" in shown[1]
    assert any(line.startswith("  train loss   █") for line in shown)


def test_steps_are_told_once():
    shown = text(report(*(run(f"{i}.csv") for i in range(3))))
    assert shown.count("a smaller model, or more data") == 1
    assert shown.count("Next  as for 0.csv") == 2


def test_json_fits_its_schema(some):
    schema = curves_json.json_schema()
    Draft202012Validator.check_schema(schema)
    data = json.loads(curves_json.to_json(some), parse_constant=pytest.fail)
    assert not list(Draft202012Validator(schema).iter_errors(data))
    assert len(data["histories"]) == len(some.diagnoses)


def test_json_holds_the_series():
    data = json.loads(curves_json.to_json(report(run())))
    (history,) = data["histories"]
    assert history["series"]["val_loss"] == run().val_loss.tolist()
    assert history["series"]["lr"] == [None] * 20
    assert data["worst"] == "warning"


def test_html_is_self_contained_and_well_formed(some):
    page = curves_html.to_html(some)
    assert "<script" not in page
    assert not re.search(r'(?:src|href)="(?!#)', page)
    assert "default-src 'none'" in page
    assert "\x1b" not in page
    assert "\u202e" not in page
    for drawing in re.findall(r"<svg.*?</svg>", page, re.DOTALL):
        ET.fromstring(drawing)
        assert "nan" not in drawing
        assert "inf" not in drawing.replace("infinite", "")


def test_output_is_the_same_every_time(some):
    assert curves_html.to_html(some) == curves_html.to_html(some)
    assert curves_json.to_json(some) == curves_json.to_json(some)
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    curves_html.write(some, stream)
    curves_json.write(some, stream)
    stream.flush()


def test_the_style_sheet_is_the_one_that_the_policy_allows():
    from base64 import b64encode
    from hashlib import sha256

    page = curves_html.to_html(report(run()))
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)[1]
    assert f"sha256-{b64encode(sha256(style.encode()).digest()).decode()}" in page


def test_two_runs_have_no_interval_that_says_anything():
    from leakaudit.history import Interval
    from leakaudit.render.words.curves import interval_text

    assert interval_text(Interval(0.7, -200.0, 200.0, 2, (0.6, 0.8))) == "0.7, n = 2"
    assert interval_text(Interval(0.7, 0.6, 0.8, 3, (0.6, 0.7, 0.8))) == "0.7 [0.6, 0.8], n = 3"
