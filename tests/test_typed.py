from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leakaudit.typed import Range, Text, WrongValue, did_you_mean, dotted, has_text_form, hints_of, key_of, read


@dataclass(frozen=True)
class Inner:
    paths: tuple[str, ...]
    fail_on: Literal["error", "never"] | None = None


HINTS = [bool, int, float, str, Path, Literal["a", "b"], tuple[str, ...], tuple[int, ...], dict[str, str],
         dict[str, dict[str, Any]], Annotated[int, Range(1)] | None, Annotated[float, Range(0, 1)], Inner,
         tuple[Inner, ...]]  # fmt: skip

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.datetimes(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("value", "hint", "expected"),
    [
        (3, float, 3.0),
        (0.5, Annotated[float, Range(0, 1)] | None, 0.5),
        (["a"], tuple[str, ...], ("a",)),
        ({"paths": ["a"], "fail-on": "never"}, Inner, Inner(("a",), "never")),
        ("x", Path, Path("x")),
        (Text("8"), int, 8),
        (Text("yes"), bool, True),
        (Text("OFF"), bool, False),
        (Text(" LA1, LA2 ,"), tuple[str, ...], ("LA1", "LA2")),
        (Text("a.b=c,d=e=f"), dict[str, str], {"a.b": "c", "d=e": "f"}),
        (Text("LA1.a.b=2"), dict[str, dict[str, Any]], {"LA1": {"a": {"b": "2"}}}),
        (Text("never"), Literal["error", "never"], "never"),
    ],
)
def test_values_are_read_by_their_hint(value, hint, expected):
    assert read(value, hint) == expected


@pytest.mark.parametrize(
    ("value", "hint", "said"),
    [
        (1, bool, "must be true or false, not the number 1"),
        (True, int, "must be a whole number, not true"),
        (1.5, int, "must be a whole number"),
        ("1", int, "not the text '1'"),
        (1, str, "must be a text"),
        (0, Annotated[int, Range(1)], "at least 1"),
        (2, Annotated[float, Range(0, 1)], "from 0 to 1"),
        (float("nan"), float, "must be a number"),
        (float("inf"), float, "must be a number"),
        (10**400, float, "must be a number"),
        (1 << 63, int, "must be a whole number"),
        ("LA1", tuple[str, ...], "must be a list of texts"),
        (["a", 1], tuple[str, ...], r"\[2\]: must be a text"),
        ([], dict[str, str], "must be a table, not a list"),
        ("errors", Literal["error", "never"], "did you mean 'error'"),
        ({"fail_on": "never", "paths": []}, Inner, "fail_on: unknown key; did you mean 'fail-on'"),
        ({}, Inner, "'paths' is missing"),
        ("a\0b", Path, "NUL"),
        (Text("8.5"), int, "must be a whole number"),
        (Text("maybe"), bool, "must be true or false"),
        (Text("x"), dict[str, str], "is not NAME=VALUE"),
        (Text("a=1,a.b=2"), dict[str, dict[str, Any]], "already has a value"),
    ],
)
def test_wrong_values_say_what_is_expected(value, hint, said):
    with pytest.raises(WrongValue, match=said):
        read(value, hint)


@given(plain | st.text().map(Text), st.sampled_from(HINTS))
def test_any_value_is_read_or_refused_in_one_line_and_what_is_read_reads_again(value, hint):
    try:
        found = read(value, hint, ("key",))
    except WrongValue as error:
        found = error
    if isinstance(found, WrongValue):
        assert len(found.message) < 500
        return
    if hint is not Inner and Inner not in getattr(hint, "__args__", ()) and not isinstance(value, Text):
        again = str(found) if hint is Path else found
        assert read(again, hint) == found


def test_names():
    assert key_of("fail_on") == "fail-on"
    assert dotted(("overrides", 1, "paths")) == "overrides[2].paths"
    assert len(dotted(("x" * 1000,))) < 100
    assert did_you_mean("nothing-like-it", ["fail-on"]) == ""
    assert not has_text_form(tuple[Inner, ...])
    assert has_text_form(tuple[str, ...])
    assert list(hints_of(Inner)) == ["paths", "fail_on"]
