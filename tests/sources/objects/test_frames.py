"""Data frames of several libraries, one frame with a split or fold column, and cells with objects in them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import leakaudit
from leakaudit.errors import ConfigError, InputError, LayoutError
from leakaudit.model import Report
from leakaudit.sources.objects.frames import arrow_of
from reports_alike import codes, said

CHECKS = ("LA104", "LA203", "LA204")


def audit(*data: object, **named: object) -> Report:
    return leakaudit.audit(*data, use_cache=False, jobs=1, **{"select": CHECKS, **named})


def frame(n: int = 120) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    numbers = {name: rng.normal(size=n).round(6) for name in ("height", "weight", "score")}
    return pd.DataFrame({**numbers, "town": rng.choice(["Ulm", "Bonn", "Jena"], n), "y": rng.integers(0, 2, n)})


@pytest.mark.parametrize("n_shared", [0, 8])
@pytest.mark.parametrize("library", ["pandas", "pyarrow", "polars", "lazy", "batch", "mapping", "narwhals"])
def test_every_frame_is_reported_as_a_file(tmp_path, library, n_shared):
    whole = frame()
    parts = {"train": whole[:80], "val": whole[80 - n_shared :]}
    for name, part in parts.items():
        part.to_parquet(tmp_path / f"{name}.parquet", index=False)
    expected = said(audit(tmp_path, label="y"))
    if library in ("polars", "lazy"):
        polars = pytest.importorskip("polars")
        made = {name: polars.from_pandas(part) for name, part in parts.items()}
        if library == "lazy":
            made = {name: part.lazy().filter(polars.col("height").is_not_null()) for name, part in made.items()}
    else:
        make = {
            "pandas": lambda part: part,
            "pyarrow": lambda part: pa.Table.from_pandas(part, preserve_index=False),
            "narwhals": lambda part: pytest.importorskip("narwhals").from_native(part).lazy(),
            "batch": lambda part: pa.RecordBatch.from_pandas(part, preserve_index=False),
            "mapping": lambda part: part.to_dict("list"),
        }[library]
        made = {name: make(part) for name, part in parts.items()}
    report = audit(made["train"], made["val"], label="y")
    assert said(report) == expected
    assert codes(report).get("LA104", 0) == n_shared


@pytest.mark.parametrize("n_shared", [0, 5])
def test_x_and_y_apart_are_the_frame_with_y(n_shared):
    whole = frame()
    train, val = whole[:80], whole[80 - n_shared :]
    together = said(audit(train, val, label="y"))
    x = [part.drop(columns="y") for part in (train, val)]
    assert said(audit((x[0], train["y"]), (x[1], val["y"]))) == together
    assert codes(audit(x[0], x[1], train[["y"]], val[["y"]])) == codes(audit(train, val, label="y"))
    polars = pytest.importorskip("polars")
    y = [polars.Series("y", part["y"].to_list()) for part in (train, val)]
    assert said(audit((polars.from_pandas(x[0]), y[0]), (polars.from_pandas(x[1]), y[1]))) == together


def test_a_column_that_is_called_y_keeps_its_name():
    x = pd.DataFrame({"x": np.arange(30.0), "y": np.arange(30.0) % 7})
    report = audit((x, [0, 1] * 15), (x[20:], [0, 1] * 5), select=("LA104",))
    assert "label column 'y_2'" in report.layout.why
    assert codes(report) == {"LA104": 10}


@pytest.mark.parametrize("leaks", [True, False])
def test_one_frame_whose_column_says_the_split(leaks):
    whole = frame().assign(split=["train"] * 80 + ["test"] * 40)
    if leaks:
        whole.iloc[80:86, :4] = whole.iloc[:6, :4].to_numpy()
    report = audit(whole, label="y")
    assert list(report.splits) == ["train", "test"]
    assert ("LA104" in codes(report)) == leaks
    assert said(audit(leakaudit_polars(whole), label="y")) == said(report)


def leakaudit_polars(whole: pd.DataFrame) -> object:
    return pytest.importorskip("polars").from_pandas(whole)


@pytest.mark.parametrize("leaks", [True, False])
def test_one_frame_with_a_column_of_folds_gets_one_verdict(tmp_path, leaks):
    whole = frame(100).assign(fold=np.arange(100) % 4)
    if leaks:
        whole.iloc[1:90:8, :5] = whole.iloc[0:89:8, :5].to_numpy()
    whole.to_csv(tmp_path / "data.csv", index=False)
    report = audit(whole, label="y", select=("LA104",))
    assert report.splits["held out"].n == 100
    assert said(report) == said(audit(tmp_path, label="y", select=("LA104",)))
    assert bool(report.findings) == leaks


def records(start: int, stop: int) -> list[dict[str, object]]:
    return [
        {
            "id": f"a{at}",
            "question": {"text": f"what is the number {at} of all those that were asked today?", "n": at},
            "answers": [f"first of {at}", f"second of {at}"],
            "messages": [{"role": "user", "content": f"why {at}?"}, {"role": "assistant", "content": f"so {at}"}],
            "box": [0.5, float(at)],
        }
        for at in range(start, stop)
    ]


def test_objects_and_lists_in_cells_are_columns_as_in_a_file(tmp_path):
    shown = arrow_of("train", pd.DataFrame(records(0, 5)))
    assert shown.column_names == [
        "id", "question.text", "question.n", "answers", "messages.user", "messages.assistant", "box",
    ]  # fmt: skip
    assert shown.column("answers")[1].as_py() == "first of 1\nsecond of 1"
    for stop in (40, 46):
        made = records(0, 40), records(60 - (stop - 40), 70) if stop == 40 else records(34, 60)
        frames = [pd.DataFrame(each) for each in made]
        for name, each in zip(("train", "val"), frames, strict=True):
            pq.write_table(pa.Table.from_pandas(each), tmp_path / f"{name}.parquet")
        options = {"id": "id", "select": ("LA104", "LA106", "LA108")}
        in_file, in_memory, as_list = audit(tmp_path, **options), audit(*frames, **options), audit(*made, **options)
        assert said(in_memory) == said(in_file) == said(as_list)
        assert bool(in_memory.findings) == (stop == 46)


def test_cells_of_objects_that_arrow_has_no_type_for_are_columns_too():
    mixed = [{"a": 1, "b": "x"}, {"a": "one", "b": "y"}, {"a": None}]
    shown = arrow_of("train", pd.DataFrame({"q": mixed, "n": [1, 2, 3]}))
    assert shown.column_names == ["q.a", "q.b", "n"]
    assert shown.column("q.a").to_pylist() == ["1", "one", None]


def test_categories_of_polars_are_what_they_stand_for():
    polars = pytest.importorskip("polars")
    shown = arrow_of("train", polars.DataFrame({"c": polars.Series(["a", "b", "a"], dtype=polars.Categorical)}))
    assert (shown.column("c").type, shown.column("c").to_pylist()) == (pa.string(), ["a", "b", "a"])


@pytest.mark.parametrize("kind", ["series", "list", "array", "polars"])
@pytest.mark.parametrize("n_shared", [0, 4])
def test_texts_in_every_form(kind, n_shared):
    texts = [f"the {at * 7919 % 9973} words of number {at} were {at * 31 % 97} and no others" for at in range(80)]
    make = {
        "series": pd.Series,
        "list": list,
        "array": np.array,
        "polars": lambda each: pytest.importorskip("polars").Series(each),
    }[kind]
    labels = ["a", "b"] * 40
    train, val = texts[:50], texts[50 - n_shared :]
    report = audit((make(train), labels[:50]), (make(val), labels[50 - n_shared :]), select=("LA104", "LA106"))
    assert codes(report) == ({"LA106": n_shared} if n_shared else {})
    assert report.splits["train"].labels == {"a": 25, "b": 25}
    assert codes(audit(make(train), list(val), select=("LA106",))) == ({"LA106": n_shared} if n_shared else {})


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        ((pd.DataFrame(), pd.DataFrame({"a": [1]})), InputError, "the split train is empty: 0 rows, 0 columns"),
        ((pd.DataFrame({"a": [1]}),), LayoutError, "data: one data frame only, and no column of it says the split"),
        (({"a": [1, 2], "b": [1]},), InputError, "data: column 'a' has 2 values and 'b' 1: all must be as long"),
        (({"a": 3, "b": [1]},), InputError, "data: column 'a': int is no column of values"),
        ((pd.DataFrame([[1, 2]], columns=["a", "a"]),), InputError, "data: two columns are called 'a'"),
        ((pd.DataFrame({"a": [object(), 1]}),), InputError, "data: column 'a': cells of object are not read"),
        (({},), LayoutError, "an empty mapping: no split in it"),
    ],
)
def test_frames_that_cannot_be_used_are_named(data, error, message):
    with pytest.raises(error, match=f"^{message}"):
        audit(*data)


def test_a_column_that_is_not_there_is_named_as_an_argument():
    with pytest.raises(
        ConfigError, match=r"^label='yy': there is no such column; did you mean 'y'\? \(columns: height"
    ):
        audit(frame(), frame(), label="yy")
