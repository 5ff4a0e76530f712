"""Whatever the file holds: a report or one clear line, never a traceback."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leakaudit.curves.report import curves_report
from leakaudit.errors import UserError
from leakaudit.render.data.curves_json import to_json
from leakaudit.render.html.curves import to_html

CELLS = st.one_of(
    st.sampled_from(["", "NA", "nan", "inf", "-inf", "1e400", "0", "-1", "0.5", "x", "\x1b[31m", "1_0", "tensor(0.5)"]),
    st.floats(allow_nan=False).map(str),
)
NAMES = st.sampled_from(
    ["epoch", "step", "loss", "val_loss", "accuracy", "val_accuracy", "lr", "train_loss", "eval_loss", "eval_top1", "x"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            NAMES | st.sampled_from(["log_history", "meta", "iterations", "train", "history"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)
shared = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=120)


def survives(path):
    report = None
    with suppress(UserError):
        report = curves_report([("", path)], "0")
    if report is None:
        return
    json.loads(to_json(report))
    assert "<script" not in to_html(report)


@shared
@given(st.lists(NAMES, min_size=2, max_size=6), st.lists(st.lists(CELLS, max_size=7), max_size=8))
def test_csv(tmp_path, names, rows):
    path = tmp_path / "x.csv"
    path.write_text("\n".join(",".join(row) for row in [names, *rows]), newline="")
    survives(path)


@shared
@given(VALUES)
def test_json(tmp_path, value):
    path = tmp_path / "x.json"
    path.write_text(json.dumps(value))
    survives(path)


@shared
@given(st.binary(max_size=60))
def test_bytes(tmp_path, data):
    path = tmp_path / "x"
    path.write_bytes(data)
    survives(path)


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("empty.csv", b"", "is empty"),
        ("deep.json", b"[" * 100_000, "nested too deeply"),
        ("broken.json", b'{"loss": [', "no valid JSON"),
        ("x.parquet", b"PAR1junk", "no readable parquet"),
        ("unknown.csv", b"a,b\n1,2\n", "no column is recognised"),
        ("x.bin", b"\0\1\2", "looked for"),
        ("hf.json", b'{"log_history": []}', "neither loss nor eval_loss"),
    ],
)
def test_one_clear_line(tmp_path, name, data, said):
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(UserError, match=said):
        curves_report([("", path)], "0")


def test_nothing_there(tmp_path):
    with pytest.raises(UserError, match="no such file"):
        curves_report([("", tmp_path / "nowhere")], "0")
    with pytest.raises(UserError, match="no training history in this folder"):
        curves_report([("", tmp_path)], "0")
