from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from io import StringIO

import pytest

from agreement import READERS, assert_formats_agree
from leakaudit.render import FORMATS
from reports import REPORTS, SHAPES, probe_report

EVERY = {**REPORTS, **SHAPES, "probe": probe_report}


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("report", EVERY)
def test_every_format_writes_every_report(name, report):
    stream = StringIO()
    FORMATS[name](EVERY[report](), stream)
    assert stream.getvalue().strip()
    assert FORMATS[name].suffix.startswith(".")
    assert import_module(FORMATS[name].module).__doc__


@pytest.mark.parametrize("report", EVERY)
def test_all_formats_say_the_same(report, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert set(READERS) == set(FORMATS)
    assert_formats_agree(EVERY[report](), tmp_path)


def test_renderers_are_imported_when_used():
    code = (
        "import sys, leakaudit.render, leakaudit.render.html.page; "
        "print({'rich', 'jinja2', 'pandas'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
