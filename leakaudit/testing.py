"""Assertions about data, for tests of any framework.

>>> from leakaudit.testing import assert_no_leakage
>>> assert_no_leakage("data/")                                       # doctest: +SKIP
>>> assert_no_leakage(train, val, label="y")                         # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

if TYPE_CHECKING:
    from leakaudit.config import Config
    from leakaudit.model import Report
    from leakaudit.pipeline import Named

SHOWN = 10
"""Findings that a failure lists."""


def assert_no_leakage(
    *data: object,
    config: Config | None = None,
    cv: object = None,
    groups: object = None,
    **named: Unpack[Named],
) -> Report:
    """Audit a data set, and fail where its gate fails.

    Parameters
    ----------
    *data, config, cv, groups, **named
        As for `leakaudit.audit`: paths or objects, by order or by the names of their splits (``train=frame,
        val=frame``, or ``train="a.csv"``), and any field of `Config` (``label="y"``, ``fail_on="warning"``,
        ``ignore=("LA003",)``).

    Returns
    -------
    Report
        Where the verdict is clean.

    Raises
    ------
    AssertionError
        Findings at or above ``fail_on``, or a data set that could not be looked at as a whole; the message lists them.
    UserError
        The data or a setting cannot be used.

    Examples
    --------
    >>> import pandas as pd
    >>> train = pd.DataFrame({"x": range(100), "y": [0, 1] * 50})
    >>> assert_no_leakage(train, train.tail(3), label="y", select=("LA104",))
    Traceback (most recent call last):
        ...
    AssertionError: 3 of 3 val rows (100 %) are already in train
    ...
    """
    from leakaudit.pipeline import audit

    report = audit(*data, config=config, cv=cv, groups=groups, **named)
    assert_clean(report)
    return report


def assert_clean(report: Report) -> None:
    """Fail where the verdict of a report is not clean.

    Raises
    ------
    AssertionError
        With the headline, the findings that fail the gate, and the verdict's reason.
    """
    if report.verdict.exit_code == 0:
        return
    from leakaudit.render.words.plain import plain
    from leakaudit.render.words.summary import headline

    failing = [finding for finding in report.findings if finding.id in report.verdict.failing]
    lines = [plain(headline(report).line)]
    lines += [f"  {finding.code} {finding.severity}: {plain(finding.message)}" for finding in failing[:SHOWN]]
    if len(failing) > SHOWN:
        lines.append(f"  … and {len(failing) - SHOWN:,} more")
    lines.append(plain(report.verdict.reason))
    raise AssertionError("\n".join(lines))
