from __future__ import annotations

import json
import time
from dataclasses import replace
from io import BytesIO, TextIOWrapper

import jsonschema
import numpy as np
import pytest

from leakaudit.model import Outcome, SplitInfo
from leakaudit.render import FORMATS
from leakaudit.render.data.report_json import json_schema, to_json
from reports import HOSTILE, REPORTS, clean_report, image_report, many_findings, table_report


@pytest.fixture(scope="module")
def validator():
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("name", REPORTS)
def test_every_report_validates(name, validator):
    text = to_json(REPORTS[name]())
    validator.validate(json.loads(text, parse_constant=pytest.fail))
    assert text.endswith("}\n")


def test_schema_catches_mistakes(validator):
    good = json.loads(to_json(image_report()))
    assert validator.is_valid(good)
    for path, value in (
        (("verdict", "status"), "fine"),
        (("verdict", "exit_code"), 2),
        (("findings", 0, "id"), "LA101"),
        (("findings", 0, "unknown"), 1),
        (("coverage", "read"), -1),
        (("dataset", "splits", "train", "labels", "cat"), "many"),
        (("outcomes", 0, "status"), "ok"),
    ):
        bad = json.loads(to_json(image_report()))
        at = bad
        for step in path[:-1]:
            at = at[step]
        at[path[-1]] = value
        assert not validator.is_valid(bad), path


def test_structure_that_scripts_rely_on():
    report = json.loads(to_json(image_report()))
    assert report["schema"] == "leakaudit-report/1"
    assert report["tool"] == {"name": "leakaudit", "version": "0.1.0"}
    assert report["dataset"]["splits"]["test"] == {"n": 1000, "labels": {"cat": 280, "dog": 100, "truck": 620}}
    assert list(report["dataset"]["splits"]) == ["train", "val", "test"]
    assert report["coverage"]["unreadable"] == 2
    assert report["verdict"]["exit_code"] == 1
    severities = [finding["severity"] for finding in report["findings"]]
    assert severities == sorted(severities, key=["error", "warning", "info"].index)
    assert [outcome["code"] for outcome in report["outcomes"]] == sorted(o["code"] for o in report["outcomes"])


def test_exact_values_survive():
    report = json.loads(to_json(image_report()))
    hostile = [f for f in report["findings"] if f["message"] == "hostile names"]
    uris = {pair["a"]["uri"] for found in hostile for pair in found["evidence"]["pairs"]}
    assert uris == {f"test/{name}" for name in HOSTILE}


def test_nothing_acts_on_a_terminal():
    text = to_json(image_report())
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "\x9b" not in text
    assert "日本語" in text  # ordinary letters stay readable


def test_not_finite_numbers_are_null():
    outcomes = json.loads(to_json(image_report()))["outcomes"]
    assert next(o for o in outcomes if o["code"] == "LA103")["metrics"] == {"bound": None, "rho": None}


def test_numpy_values_and_lone_surrogates():
    metrics = {"a": np.int64(3), "b": np.float32(0.5), "c": np.bool_(True), "d": np.float32("nan"), "e": {"f": np.inf}}
    outcome = Outcome("LA101", "identical-files", "passed", "bad \udcff name \U0001f600", metrics)
    text = to_json(replace(clean_report(), outcomes=(outcome,)))
    text.encode("utf-8")
    said = json.loads(text)["outcomes"][0]
    assert said["reason"] == "bad \\udcff name \U0001f600"
    assert said["metrics"] == {"a": 3, "b": 0.5, "c": True, "d": None, "e": {"f": None}}


def test_equal_reports_give_equal_bytes():
    assert to_json(table_report()) == to_json(table_report())
    report = image_report()
    turned = {name: SplitInfo(s.n, dict(reversed(s.labels.items()))) for name, s in report.splits.items()}
    shuffled = replace(report, outcomes=report.outcomes[::-1], splits=turned)
    assert to_json(shuffled) == to_json(report)


def test_ascii_stream_loses_nothing():
    raw = BytesIO()
    with TextIOWrapper(raw, encoding="ascii", write_through=True) as stream:
        FORMATS["json"](image_report(), stream)
        data = raw.getvalue()
    assert json.loads(data) == json.loads(to_json(image_report()))


def test_many_findings_in_seconds():
    report = many_findings(20_000)
    start = time.perf_counter()
    text = to_json(report)
    assert time.perf_counter() - start < 8  # measured: 0.4 s; a busy CI machine takes longer
    assert text.count('"id": "LA101-') == 20_000
