from __future__ import annotations

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from leakaudit.settings.lines import line_of, lines_of
from leakaudit.settings.toml_text import comment, toml, toml_key

TEXT = '''# comment [not a table]
fail-on = "error" # fail-on = "x"
ignore = [
  "LA1", # ]
  'LA2',
]
a.b = { c = 1, d = [1, [2]] }

[checks.LA103]
text = """
[fake]
key = 1 \\""" more"""
raw = \'\'\'
x = 1\'\'\'\'
after = 1

[[overrides]]
paths = ["a"]

  [[overrides]]
paths = ["b"]
[overrides.inner]
z = 1
[datasets."a b".checks]
y = 2
'''


def test_every_key_has_its_line():
    tomllib.loads(TEXT)
    lines = lines_of(TEXT)
    rows = TEXT.split("\n")

    def row(*at):
        return rows[lines[at] - 1]

    assert row("fail-on").startswith("fail-on")
    assert row("ignore") == "ignore = ["
    assert row("ignore", 1) == "  'LA2',"
    assert row("a", "b", "c").startswith("a.b")
    assert row("checks", "LA103") == row("checks") == "[checks.LA103]"
    assert row("checks", "LA103", "raw").startswith("raw")
    assert row("checks", "LA103", "after") == "after = 1"
    assert ("fake",) not in lines
    assert row("overrides", 0, "paths") == 'paths = ["a"]'
    assert row("overrides", 1) == "  [[overrides]]"
    assert row("overrides", 1, "paths") == 'paths = ["b"]'
    assert row("overrides", 1, "inner", "z") == "z = 1"
    assert row("datasets", "a b", "checks", "y") == "y = 2"
    assert line_of(lines, ("overrides", 1, "nothing", "here")) == lines["overrides", 1]
    assert line_of(lines, ("nothing",)) == 1


def test_carriage_returns_and_no_last_newline():
    assert lines_of("a = 1\r\nb = [\r\n1,\r\n]\r\nc = 2") == {("a",): 1, ("b",): 2, ("c",): 5}


keys = st.text(min_size=1, max_size=6).filter(lambda text: not any(0xD800 <= ord(c) < 0xE000 for c in text))
texts = st.text(alphabet=st.sampled_from(["'", '"', "\\", "#", "[", "]", "=", "{", "\n", "a", "é", "\x7f", "😀"]))
values = st.recursive(
    st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(keys, values, max_size=5), st.lists(st.sampled_from(["", "# [x]", "  # '"]), max_size=5))
def test_written_values_read_back_and_each_key_is_on_its_line(table, between):
    text, expected = "", {}
    for number, (key, value) in enumerate(table.items()):
        text += "".join(f"{line}\n" for line in between[:number])
        expected[key,] = text.count("\n") + 1
        text += f"{toml_key(key)} = {toml(value)}\n"
    assert tomllib.loads(text) == table
    lines = lines_of(text)
    assert {at: lines[at] for at in expected} == expected


multiline = st.text(alphabet=st.sampled_from(['"', "'", "\n", "[", "]", "a", "#", "=", "{"]), max_size=12)


@given(st.lists(multiline, max_size=4))
def test_strings_over_several_lines_hide_nothing(parts):
    text, expected = "", {}
    for number, part in enumerate(parts):
        expected[f"k{number}",] = text.count("\n") + 1
        quoted = f'"""\n{part}"""' if number % 2 else f"'''\n{part}'''"
        text += f"k{number} = {quoted}\n"
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    lines = lines_of(text)
    assert {at: lines.get(at) for at in expected} == expected


def test_text_of_others_stays_inside_its_comment():
    assert comment("a\nb = 1\x1b[31m") == "a b = 1\\u001b[31m"
