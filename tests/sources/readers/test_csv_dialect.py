from __future__ import annotations

import csv
import io
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leakaudit.sources.readers.csv_dialect import (
    NO_DELIMITER,
    header_evidence,
    parse,
    sniff_dialect,
    sniff_encoding,
)

# The delimiters are told apart by regularity: tables of words without them, and numbers, as most tables are.
word = st.text("abcdefghijklmnopqrstuvwxyzäöü0123456789 .:/-", min_size=1, max_size=12).map(str.strip).filter(bool)
awkward = st.text("abc ,;\t|\"'\n\r", max_size=10)
number = st.floats(-1e6, 1e6, allow_nan=False).map(lambda value: f"{value:.3f}")


def write(rows, **dialect) -> str:
    out = io.StringIO()
    csv.writer(out, **dialect).writerows(rows)
    return out.getvalue()


@st.composite
def tables(draw, cell=word):
    width = draw(st.integers(2, 6))
    kinds = [draw(st.sampled_from([cell, number])) for _ in range(width)]
    return draw(st.lists(st.tuples(*kinds), min_size=2, max_size=30))


@settings(deadline=None, max_examples=150)
@given(
    tables(),
    st.sampled_from(",;\t|"),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
)
def test_any_usual_dialect_is_found(rows, delimiter, end, quoting):
    text = write(rows, delimiter=delimiter, lineterminator=end, quoting=quoting)
    found = sniff_dialect(text, complete=True)
    assert found.delimiter == delimiter
    assert found.rows == rows
    assert found.skip_rows == 0


@settings(deadline=None, max_examples=200)
@given(tables(awkward), st.sampled_from(",;\t|"), st.sampled_from("\"'"))
def test_parse_agrees_with_the_csv_module(rows, delimiter, quote):
    text = write(rows, delimiter=delimiter, quotechar=quote, lineterminator="\n", quoting=csv.QUOTE_ALL)
    assert parse(text, delimiter, quote, complete=True) == (rows, pytest.approx(_ends(rows, delimiter, quote)), 0)


def _ends(rows, delimiter, quote):
    lengths = [
        len(write([row], delimiter=delimiter, quotechar=quote, lineterminator="\n", quoting=csv.QUOTE_ALL))
        for row in rows
    ]
    return [sum(lengths[: i + 1]) for i in range(len(rows))]


@settings(deadline=None, max_examples=100)
@given(tables(awkward), st.integers(1, 400))
def test_a_cut_head_gives_a_prefix_of_the_rows(rows, length):
    text = write(rows, lineterminator="\n", quoting=csv.QUOTE_ALL)
    found, _, _ = parse(text[:length], ",", '"', complete=len(text) <= length)
    assert found == rows[: len(found)]


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=200), st.sampled_from([",", "\t", ", "]), st.sampled_from(['"', ""]), st.booleans())
def test_parse_takes_any_text(text, delimiter, quote, complete):
    rows, ends, _ = parse(text, delimiter, quote, complete=complete)
    assert len(rows) == len(ends)
    assert ends == sorted(ends)


@given(st.text(max_size=300))
@settings(deadline=None, max_examples=200)
def test_sniff_takes_any_text(text):
    found = sniff_dialect(text, complete=True)
    if found.rows:
        header_evidence(found.rows)


def test_delimiter_with_a_space():
    found = sniff_dialect('39, "a, b", x\n40, c, y\n', complete=True)
    assert (found.delimiter, found.rows) == (", ", [("39", "a, b", "x"), ("40", "c", "y")])
    assert sniff_dialect("39, a\n40,b\n41, c\n", complete=True).delimiter == ","


def test_prose_is_one_column():
    lines = ["text", "Well, that is it.", "No comma here", "One, two, three", "And so on", "Yes, indeed, yes"]
    found = sniff_dialect("\n".join(lines), complete=True)
    assert found.delimiter == NO_DELIMITER
    assert found.rows == [(line,) for line in lines]


def test_preamble_and_told_separator():
    found = sniff_dialect("# made by hand\n# twice\na,b\n1,2\n3,4\n", complete=True)
    assert (found.skip_rows, found.rows[0]) == (2, ("a", "b"))
    assert "2 lines before the table skipped" in found.why
    found = sniff_dialect("sep=;\na;b\n1,5;2\n", complete=True)
    assert (found.skip_rows, found.delimiter, found.rows[0]) == (1, ";", ("a", "b"))


def test_stray_quotes_are_text():
    found = sniff_dialect('a\tb\n"hello you\t2\nx "y" z\t3\n"p" q\t4\n', complete=True)
    assert (found.delimiter, found.quote, found.rows[1]) == ("\t", "", ('"hello you', "2"))


def test_a_cell_of_a_megabyte():
    long = "x" * (1 << 20)
    found = sniff_dialect(f'id,text\n1,"{long}, and more"\n2,short\n', complete=True)
    assert [len(row[1]) for row in found.rows] == [4, len(long) + 10, 5]
    assert csv.field_size_limit() == 131072


def test_a_comma_inside_of_quotes_is_no_delimiter():
    names = ["Iota", "Sigma", "Mu", "Rho", "Xi", "Alpha"]
    rows = [f'{at},"{names[at % 6]}, {names[at % 5]}",{at % 90}' for at in range(40)]
    for header in ("Id,Name,Age\n", ""):
        found = sniff_dialect(header + "\n".join(rows) + "\n", complete=True)
        assert (found.delimiter, found.quote, found.skip_rows) == (",", '"', 0)
        assert found.rows[-1] == ("39", "Rho, Beta".replace("Beta", names[39 % 5]), "39")


def test_quotes_in_tab_separated_texts_are_plain_characters():
    rows = [f'{at}\tthe "{at} words" are said\t"so he began' for at in range(30)]
    found = sniff_dialect("index\tsentence1\tsentence2\n" + "\n".join(rows) + "\n", complete=True)
    assert (found.delimiter, found.quote) == ("\t", "")
    assert found.rows[1] == ("0", 'the "0 words" are said', '"so he began')


def test_decimal_commas_are_no_delimiter():
    found = sniff_dialect("1,5;2,5\n3,5;4,5\n", complete=True)
    assert (found.delimiter, found.rows[0]) == (";", ("1,5", "2,5"))


@pytest.mark.parametrize(
    "rows",
    [
        [("age", "name"), ("3", "ann"), ("4", "bob")],
        [("text", "category")] + [(f"how do I do the thing number {i} at home", "ab"[i % 2]) for i in range(50)],
        [("question", "reply")]
        + [("a long question " * 3 + "x" * i, "a long reply " * 4 + "y" * i) for i in range(50)],
        [("file", "kind")] + [(f"img/{i}.png", random.Random(i).choice("abc")) for i in range(50)],
        [("0", "1", "2"), ("1.5", "2.5", "x"), ("2.5", "3.5", "y")],
        [("", "a", "b"), ("0", "1.5", "x"), ("1", "2.5", "y")],
        [("when", "what"), ("2020-01-01", "a"), ("2020-01-02", "b")],
    ],
)
def test_header_is_seen(rows):
    assert header_evidence(rows) > 0


@pytest.mark.parametrize(
    "rows",
    [
        [("39", "State-gov"), ("50", "Private"), ("38", "State-gov")],
        [("7.4", "0.7", "5"), ("7.8", "0.88", "5"), ("7.8", "0.76", "6")],
        [("good", "a"), ("bad", "b"), ("good", "a"), ("bad", "b"), ("good", "a")],
        [(f"a question that is as long as the others {i}", "ab"[i % 2]) for i in range(30)],
        [("1", "2")],
    ],
)
def test_no_header_is_seen(rows):
    assert header_evidence(rows) <= 0


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        ("naïve".encode(), "utf-8"),
        ("naïve".encode("utf-8-sig"), "utf-8-sig"),
        ("naïve, text".encode("utf-16"), "utf-16"),
        (b"\xfe\xff" + "naïve, text".encode("utf-16-be"), "utf-16-be"),
        ("plain text, long enough".encode("utf-16-le"), "utf-16-le"),
        ("Ein Müller fährt über die Straße\n".encode("latin-1"), "latin-1"),
        ("it’s a “quote” – really\n".encode("cp1252"), "cp1252"),
        ("naïve".encode()[:3], "utf-8"),  # cut inside a character
    ],
)
def test_encodings(data, encoding):
    assert sniff_encoding(data)[0] == encoding


def test_binary_is_no_text():
    with pytest.raises(ValueError, match="NUL"):
        sniff_encoding(b"a,b\n1,\x00\n")
    with pytest.raises(ValueError, match="control"):
        sniff_encoding(bytes(range(1, 30)) * 10)
    with pytest.raises(LookupError):
        sniff_encoding(b"a", "klingon")
    with pytest.raises(LookupError):
        sniff_encoding(b"a", "base64")
