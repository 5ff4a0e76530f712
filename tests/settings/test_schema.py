from __future__ import annotations

import json
import tomllib
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest

from leakaudit.errors import ConfigError
from leakaudit.settings.config_file import read_file
from leakaudit.settings.schema import FILE_NAME, config_schema, schema_text

ROOT = Path(__file__).resolve().parents[2]
VALIDATOR = jsonschema.Draft202012Validator(config_schema())


def test_it_is_a_schema_and_the_published_ones_are_fresh():
    jsonschema.Draft202012Validator.check_schema(config_schema())
    for text in (files("leakaudit.settings").joinpath(FILE_NAME), ROOT / "docs" / "schema" / FILE_NAME):
        assert text.read_text(encoding="utf-8") == schema_text(), "stale: run python docs/generate.py"


def test_every_setting_and_parameter_is_described_by_a_type():
    schema = config_schema()
    for key, body in schema["$defs"].items():
        assert body.get("description"), key
        assert {"type", "enum"} & set(body), key
    for code, table in schema["$defs"]["checks"]["properties"].items():
        for name, body in table["properties"].items():
            assert {"type", "enum"} & set(body), f"{code}.{name}: its type hint means nothing to a file"


VALID = [
    "",
    'fail-on = "never"\njobs = 2\nblind-tolerance = 0',
    "[checks.LA103]\ncandidates = 4\n[checks.LA004.blank]\nnothing = 3.5",
    '[[overrides]]\npaths = ["a/**"]\nignore = ["LA1"]\nfail-on = "info"',
    '[datasets.a]\npaths = ["x"]\nlabel = "y"\nsplits = { a = "train" }',
]
WRONG = [
    "fail_on = 1",
    'fail-on = "errors"',
    "jobs = 0",
    "blind-tolerance = 1.5",
    'select = "LA1"',
    "[checks.LA103]\ncandidats = 3",
    "[checks.LA999]\nx = 3",
    "[[overrides]]\nignore = []",
    "[datasets.a]\nlabel = 'y'",
    "[datasets.'a b']\npaths = ['x']",
    "[datasets.a]\npaths = ['x']\n[datasets.a.datasets.b]\npaths = ['x']",
]


@pytest.mark.parametrize(("text", "is_valid"), [(t, True) for t in VALID] + [(t, False) for t in WRONG])
def test_schema_and_reader_agree(tmp_path, text, is_valid):
    assert VALIDATOR.is_valid(tomllib.loads(text)) is is_valid
    path = tmp_path / "leakaudit.toml"
    path.write_text(text)
    if is_valid:
        assert read_file(path) is not None
    else:
        with pytest.raises(ConfigError):
            read_file(path)


def test_it_is_json_with_no_surprises():
    assert json.loads(schema_text())["$id"] == "urn:leakaudit:config:1"
