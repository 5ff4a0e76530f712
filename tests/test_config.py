from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leakaudit.config import Config, Override


@pytest.mark.parametrize(
    ("select", "ignore", "code", "chosen"),
    [
        ((), (), "LA101", True),
        (("LA1",), (), "LA101", True),
        (("LA1",), (), "LA201", False),
        ((), ("LA1",), "LA101", False),
        (("LA101",), ("LA1",), "LA101", True),
        (("LA1",), ("LA101",), "LA101", False),
        (("LA101",), ("LA101",), "LA101", False),
    ],
)
def test_the_longest_prefix_decides(select, ignore, code, chosen):
    assert Config(select=select, ignore=ignore).selects(code) is chosen


@pytest.mark.parametrize(
    ("glob", "name", "matched"),
    [
        ("val/a.png", "val/a.png", True),
        ("val/*", "val/a.png", True),
        ("val/*", "val/x/a.png", False),
        ("val/**", "val/x/y/a.png", True),
        ("**/a.png", "a.png", True),
        ("**/x/*", "val/x/a.png", True),
        ("**", "anything/at/all", True),
        ("val", "val/a.png", False),
        ("val/[ab].png", "val/b.png", True),
        ("val/?.png", "val/ab.png", False),
        ("VAL/*", "val/a.png", False),
        ("*.csv", "a.csv#12", True),
        ("*.csv", "#12", False),
        ("a#b", "a#b", True),
    ],
)
def test_overrides_cover_names(glob, name, matched):
    assert Override((glob,)).covers(frozenset([name])) is matched


def test_an_override_covers_all_or_nothing():
    override = Override(("a/*", "b/*"))
    assert override.covers(frozenset(["a/1", "b/1"]))
    assert not override.covers(frozenset(["a/1", "c/1"]))
    assert not override.covers(frozenset())


@given(st.text(alphabet="ab/*?["), st.text(alphabet="ab/"))
def test_any_glob_ends(glob, name):
    Override((glob,)).covers(frozenset([name]))


def test_a_hostile_glob_ends_soon():
    start = time.perf_counter()
    Override(("*a" * 40 + "b", "**/" * 200 + "b")).covers(frozenset(["a" * 200, "a/" * 200]))
    assert time.perf_counter() - start < 1


def test_a_later_override_has_the_last_word():
    config = Config(
        overrides=(
            Override(("**",), ignore=("LA1",)),
            Override(("a/**",), select=("LA103",), fail_on="info"),
            Override(("a/b/**",), fail_on="never"),
        )
    )
    elsewhere, in_a, in_b = frozenset(["x/1"]), frozenset(["a/1"]), frozenset(["a/b/1"])
    assert not config.counts("LA103", "error", elsewhere)
    assert config.counts("LA201", "error", elsewhere)
    assert config.counts("LA103", "info", in_a)
    assert not config.counts("LA104", "error", in_a)
    assert not config.counts("LA103", "error", in_b)
    assert config.counts("LA103", "error", frozenset())
