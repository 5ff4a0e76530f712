"""Copied text side by side: in JSON and back, in a terminal, and in HTML; with a hostile text."""

from __future__ import annotations

import io
import json

import jsonschema
import pytest

from leakaudit import audit
from leakaudit.render.data.report_json import json_schema, to_json
from leakaudit.render.html import page as html
from leakaudit.render.terminal import report as text
from leakaudit.report_file import read_report

SAID = "the <b>old</b> lighthouse keeper wrote \x1b[31m a long letter home every evening"


@pytest.fixture(scope="module")
def report():
    import pandas as pd

    other = [f"sentence number {i} speaks of {i * 7} different matters altogether" for i in range(30)]
    train, val = (
        pd.DataFrame({"said": [*other, SAID]}),
        pd.DataFrame({"said": [f"Well, {SAID}!", "one more of them here"]}),
    )
    return audit(train=train, val=val, select=("LA107",))


def test_json_holds_excerpts_and_is_read_back(report, tmp_path):
    line = to_json(report)
    jsonschema.validate(json.loads(line), json_schema())
    (tmp_path / "report.json").write_text(line, encoding="utf-8")
    (pair,) = read_report(tmp_path / "report.json").findings[0].evidence.pairs
    assert pair.overlap == report.findings[0].evidence.pairs[0].overlap
    assert pair.overlap.a.text == f"Well, {SAID}!"
    assert pair.overlap.a.marks[0][0] == len("Well, ")


def test_terminal_marks_what_is_shared_in_brackets(report):
    stream = io.StringIO()
    text.write(report, stream)
    shown = stream.getvalue()
    assert '"Well, [the <b>old</b> lighthouse keeper' in shown
    assert "\x1b[31m a long" not in shown


def test_html_marks_what_is_shared_and_escapes_the_rest(report):
    stream = io.StringIO()
    html.write(report, stream)
    page = stream.getvalue()
    assert 'Well, <b class="shared">the &lt;b&gt;old&lt;/b&gt; lighthouse' in page
    assert "<b>old</b>" not in page
