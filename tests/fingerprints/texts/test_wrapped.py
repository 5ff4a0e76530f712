from __future__ import annotations

import pyarrow as pa
import pytest

from leakaudit.fingerprints.texts.wrapped import unwrapped


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"text": "around 1"}', "around 1"),
        ('[{"role": "user", "content": "Hi there"}, {"role": "assistant", "content": "Hello"}]', "Hi there\nHello"),
        ('{"a": {"b": [1, 2.5, null, true]}}', "1\n2.5"),
        ('["one", "two"]', "one\ntwo"),
        ('{"broken": ', '{"broken": '),
        ("[1] a footnote", "[1] a footnote"),
        ("{curly} words", "{curly} words"),
        ("[" * 100_000, "[" * 100_000),
        ("", ""),
        (None, None),
    ],
)
def test_json_is_what_its_values_say(text, expected):
    assert unwrapped(pa.array([text, "as it is"], pa.large_string())).to_pylist() == [expected, "as it is"]
