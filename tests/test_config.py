from __future__ import annotations

import pytest

from leakaudit.config import Config


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
