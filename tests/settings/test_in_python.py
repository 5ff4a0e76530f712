"""Settings as keyword arguments, and errors in the words of Python."""

from __future__ import annotations

import pytest

from leakaudit.config import Config, Override
from leakaudit.errors import ConfigError, LayoutError
from leakaudit.settings.in_python import in_python, misspelt, translated, with_settings
from leakaudit.typed import WrongValue


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("--label: there is no column 'q' (columns: a)", "label='q': there is no such column (columns: a)"),
        ("--ignore-column: there is no column \"it's\"", "ignore_columns=\"it's\": there is no such column"),
        ("name another (val=PATH), or add --within", "name another (val=PATH), or add within=True"),
        ("say --header or --no-header", "say header=True or header=False"),
        ("(--path-column NAME)", "(path_column='NAME')"),
        ("keep them: --split-name dev=NAME)", "keep them: splits={'dev': 'NAME'})"),
        ("--layout: there is no layout 'x'", "layout=…: there is no layout 'x'"),
        ("(--time-order global counts these)", "(time_order='global' counts these)"),
        ("or --layout coco for what was recognised", "or layout='coco' for what was recognised"),
        ("give a report that `leakaudit scan --json` wrote", "give a report that `leakaudit scan --json` wrote"),
        ("data--2019/a-b.csv: no such file", "data--2019/a-b.csv: no such file"),
    ],
)  # fmt: skip
def test_options_are_said_as_arguments(message, said):
    assert translated(message) == said


def test_an_error_keeps_its_kind_and_what_it_holds():
    assert type(in_python(LayoutError("add --within"))) is LayoutError
    wrong = in_python(WrongValue(("jobs",), "see --jobs"))
    assert isinstance(wrong, WrongValue)
    assert (str(wrong), wrong.at) == ("jobs: see jobs=…", ("jobs",))
    same = ConfigError("nothing to say otherwise")
    assert in_python(same) is same


def test_values_are_read_as_a_file_would_say_them(tmp_path):
    override = Override(("a/*",))
    told = {"select": ["LA1"], "cache_dir": tmp_path, "label": None, "overrides": [override, {"paths": ["b"]}]}
    config = with_settings(Config(label="y"), told)
    assert config == Config(select=("LA1",), cache_dir=tmp_path, overrides=(override, Override(("b",))))
    with pytest.raises(ConfigError, match=r"^blind_tolerance: must be a number from 0 to 1, not the number 3$"):
        with_settings(Config(), {"blind_tolerance": 3})


@pytest.mark.parametrize(
    ("name", "meant"), [("lable", "label"), ("fail-on", "fail_on"), ("group_by", "group"), ("berlin", None)]
)
def test_the_setting_that_is_meant(name, meant):
    assert misspelt(name) == meant
