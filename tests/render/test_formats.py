from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from io import StringIO

import pytest

from leakaudit.render import FORMATS
from reports import REPORTS


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("report", REPORTS)
def test_every_format_writes_every_report(name, report):
    stream = StringIO()
    FORMATS[name](REPORTS[report](), stream)
    assert stream.getvalue().strip()
    assert FORMATS[name].suffix.startswith(".")
    assert import_module(FORMATS[name].module).__doc__


def test_renderers_are_imported_when_used():
    code = (
        "import sys, leakaudit.render, leakaudit.render.html.page; "
        "print({'rich', 'jinja2', 'pandas'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
