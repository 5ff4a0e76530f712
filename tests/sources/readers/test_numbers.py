"""Decimal commas and thousands separators: numbers on either side, and nothing else taken for one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leakaudit.config import Config
from leakaudit.engines.duck import open_duck
from leakaudit.sources.layouts import load
from leakaudit.sources.readers.duck_tables import read_table
from leakaudit.sources.readers.numbers import decimal_marks


def written(number: float, mark: str) -> str:
    text = f"{number:,}"
    return text.translate(str.maketrans(",.", ".,")) if mark == "," else text


@given(st.lists(st.floats(-1e6, 1e6).map(lambda x: round(x, 2)), min_size=3), st.sampled_from(",."))
def test_what_a_program_writes_is_recognised(numbers, mark):
    cells = [written(number, mark) for number in numbers]
    found = decimal_marks(["n"], [[cell] for cell in cells], ";" if mark == "," else "\t")
    assert found == ({"n": mark} if any("," in cell for cell in cells) else {})


@pytest.mark.parametrize(
    "cells",
    [
        ["3,1", "3,10", "4,2"],  # pairs of whole numbers
        ["Rome, IT", "Bonn, DE"],
        ["1,5", "n.a.x", "2,5"],
        ["1,2,3", "4,5,6"],
        ["0,123", "1.5"],
        ["1.5", "2.25"],
        ["12", "13"],
    ],
)
def test_what_is_no_number_stays(cells):
    assert decimal_marks(["c"], [[cell] for cell in cells], ",") == {}


def test_one_column_decides_for_those_that_could_be_either():
    rows = [["1,234", "0,5", "1.000"], ["2,345", "0,25", "2.500"]]
    assert decimal_marks(["a", "b", "c"], rows, "\t") == {"a": ",", "b": ",", "c": ","}
    assert decimal_marks(["a", "b"], [["1,234", "1,234.5"], ["2,345", "7.25"]], "\t") == {"a": ".", "b": "."}
    assert decimal_marks(["a"], [["1,234"], ["2,345"]], ";") == {"a": ","}
    assert decimal_marks(["a"], [["1,234"], ["2,345"]], ",") == {"a": "."}


def cells_of(tmp_path, test: str) -> list[tuple]:
    (tmp_path / "train.csv").write_text("n,s\n1.5,a\n2.25,b\n3.5,c\n")
    (tmp_path / "test.csv").write_text(test)
    tables = load([tmp_path], Config()).tables
    duck = open_duck(Config(jobs=1), tables)
    try:
        read_table(duck, tables[1], "t")
        return duck.rows("SELECT c0, c1, rowid FROM t ORDER BY rowid")
    finally:
        duck.close()


def test_an_engine_reads_numbers(tmp_path):
    found = cells_of(tmp_path, "n;s\n1.234,5;a, b\n;c\n-0,25;d\nNA;e\n")
    assert found == [("1234.5", "a, b", 0), (None, "c", 1), ("-0.25", "d", 2), ("NA", "e", 3)]


def test_one_other_cell_beyond_the_head_and_the_column_stays_text(tmp_path):
    lines = "".join(f"{at},5;x\n" for at in range(3000))
    found = cells_of(tmp_path, f"n;s\n{lines}1,5 or 2;y\n")
    assert found[0][0] == "0,5"
    assert found[-1][0] == "1,5 or 2"
