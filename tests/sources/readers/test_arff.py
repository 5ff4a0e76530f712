"""ARFF: what is written comes back, dense and sparse, whatever is in names and cells."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leakaudit.config import Config
from leakaudit.errors import InputError
from leakaudit.sources.readers import read_head
from leakaudit.sources.readers.stream import read_rows

CELLS = st.one_of(st.none(), st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp"))))


def quoted(text: str | None, mark: str = "'") -> str:
    return "?" if text is None else mark + re.sub(rf"([\\{mark}])", r"\\\1", text) + mark


def read(path) -> tuple[tuple[str, ...], list[tuple[str | None, ...]]]:
    head = read_head(str(path), Config(encoding="utf-8"))
    batches = list(read_rows(head, head.columns))
    return head.columns, [tuple(row.values()) for batch in batches for row in batch.to_pylist()]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=5), st.sampled_from("'\""))
def test_dense_rows_come_back(tmp_path_factory, rows, mark):
    path = tmp_path_factory.mktemp("arff") / "t.arff"
    lines = "".join(f"{quoted(a, mark)} , {quoted(b, mark)}\n" for a, b in rows)
    path.write_text(f"@RELATION r\n@ATTRIBUTE 'a b' STRING\n@attribute c string\n@DATA\n{lines}", newline="\n")
    columns, found = read(path)
    assert columns == ("a b", "c")
    assert found == rows


@settings(max_examples=40, deadline=None)
@given(st.lists(st.dictionaries(st.integers(0, 3), st.integers(1, 99)), min_size=1, max_size=5))
def test_sparse_rows_come_back(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("arff") / "t.arff"
    lines = "".join("{" + ", ".join(f"{at} {value}" for at, value in sorted(row.items())) + "}\n" for row in rows)
    head = "".join(f"@attribute n{at} numeric\n" for at in range(3)) + "@attribute kind {7,8}\n"
    path.write_text(f"@relation r\n{head}@data\n{lines}")
    _, found = read(path)
    assert found == [tuple(str(row.get(at, 7 if at == 3 else 0)) for at in range(4)) for row in rows]


def test_attributes_of_every_kind(tmp_path):
    path = tmp_path / "t.arff"
    path.write_text(
        "@relation r\n@attribute x real\n@attribute when date \"yyyy-MM-dd\"\n@attribute k {a, 'b c'}\n"
        "@data\n% a comment\n1e-3, 2024-01-31, 'b c'\n?,?,?, {5}\n"
    )
    assert read(path) == (("x", "when", "k"), [("1e-3", "2024-01-31", "b c"), (None, None, None)])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("@relation r\n@attribute a numeric\n", "without @data"),
        ("@relation r\n@data\n1\n", "without attributes"),
        ("@relation r\n@attribute a numeric\n@data\n1,2\n", "line 4: 2 cells where 1 were expected"),
        ("@relation r\n@attribute a string\n@data\n'open\n", "line 4: broken"),
        ("@relation r\n@attribute a numeric\n@data\n{3 1}\n", "line 4: broken"),
        ("@relation r\n@attribute bag relational\n", "relational attributes"),
        ("@relation r\n@attribute\n@data\n", "line 2 is no attribute"),
    ],
)
def test_broken_files_name_the_line(tmp_path, text, message):
    path = tmp_path / "t.arff"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read(path)
