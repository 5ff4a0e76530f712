"""The pytest plugin: the report of a data set as a fixture, and assertions about splits.

Installed with leakaudit and found by pytest by itself. In the configuration of pytest::

    [tool.pytest.ini_options]
    leakaudit_paths = ["data/"]

In a test::

    def test_the_split_can_be_trusted(leakaudit_report):
        assert leakaudit_report.verdict.status == "clean", leakaudit_report.verdict.reason

    def test_these_frames_share_nothing(assert_no_leakage):
        assert_no_leakage(train=train, val=val, label="y")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from leakaudit.model import Report


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the setting ``leakaudit_paths``."""
    help_ = "data that the fixture leakaudit_report audits, relative to the root of the tests"
    parser.addini("leakaudit_paths", help_, type="linelist", default=[])


@pytest.fixture(scope="session")
def leakaudit_report(pytestconfig: pytest.Config) -> Report:
    """The report of the data that the setting ``leakaudit_paths`` names, made once a session.

    Settings come from ``leakaudit.toml`` or ``[tool.leakaudit]`` as for ``leakaudit scan``.
    """
    import os

    from leakaudit.pipeline import audit
    from leakaudit.settings.plan import plan

    paths = cast("list[str]", pytestconfig.getini("leakaudit_paths"))
    if not paths:
        pytest.fail(
            "leakaudit_report: name the data, as leakaudit_paths = data/ in pytest's configuration", pytrace=False
        )
    root = pytestconfig.rootpath
    (job,) = plan([str(root / path) for path in paths], environ=os.environ)
    return audit(*job.paths, config=job.effective.config)


@pytest.fixture
def assert_no_leakage() -> Callable[..., Report]:
    """`leakaudit.testing.assert_no_leakage`."""
    from leakaudit import testing

    return testing.assert_no_leakage
