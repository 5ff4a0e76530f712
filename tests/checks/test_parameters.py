from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

import pytest

from leakaudit import audit
from leakaudit.checks import CHECKS
from leakaudit.checks.base import Check
from leakaudit.checks.parameters import as_read, hint_of, with_parameters
from leakaudit.errors import ConfigError
from leakaudit.typed import Text, WrongValue, read


@dataclass(frozen=True)
class Inner:
    depth: float = 2.0


@dataclass(frozen=True)
class Params:
    listed: int = 5
    offset: float = -1.0
    share: float = 0.0
    on: bool = True
    inner: Inner = field(default_factory=Inner)


CHECK = Check("LA999", "slug", "quality", "info", ("image",), (), Params(), lambda context, params: None)  # type: ignore[arg-type]


def test_some_are_changed_and_the_others_stay():
    given = {"listed": Text("7"), "inner": {"depth": 3}}
    assert with_parameters(CHECK, given) == Params(listed=7, inner=Inner(3.0))
    assert as_read(CHECK, given) == {"listed": 7, "inner": {"depth": 3.0}}
    assert with_parameters(CHECK, {}) == CHECK.params


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"listd": 3}, "did you mean 'listed'"),
        ({"listed": 0}, "at least 1"),
        ({"share": -0.1}, "at least 0"),
        ({"on": 1}, "must be true or false"),
        ({"inner": 3}, "must be a table of parameters"),
        ({"inner": {"dept": 3}}, r"inner\.dept"),
    ],
)
def test_wrong_ones_are_named(given: dict[str, Any], said: str):
    with pytest.raises(WrongValue, match=said):
        with_parameters(CHECK, given)


def test_a_negative_default_may_become_anything():
    assert with_parameters(CHECK, {"offset": 3}).offset == 3.0


@pytest.mark.parametrize("check", [listed.load() for listed in CHECKS], ids=lambda check: check.code)
def test_the_defaults_of_every_check_are_allowed(check):
    for name in (each.name for each in fields(check.params)):
        value = getattr(check.params, name)
        if not hasattr(value, "__dataclass_fields__"):
            assert value is None or read(value, hint_of(check.params, name)) == value


def test_parameters_reach_the_check(tmp_path):
    for name, rows in (("train", range(300)), ("val", range(300, 400))):
        (tmp_path / f"{name}.csv").write_text("x\n" + "".join(f"{row}\n" for row in rows))
    paths = [tmp_path / "train.csv", tmp_path / "val.csv"]
    assert not audit(*paths, select=("LA003",), checks={"LA003": {"half_width": 0.2}}).findings
    assert audit(*paths, select=("LA003",), checks={"LA003": {"half_width": 0.01}}).findings
    for wrong in ({"LA003": {"half_widht": 1}}, {"LA999": {}}, {"LA003": {"half_width": "x"}}):
        with pytest.raises(ConfigError):
            audit(*paths, select=("LA003",), checks=wrong)
