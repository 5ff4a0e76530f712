"""The known duplicates in words."""

from __future__ import annotations

from collections.abc import Mapping

from leakaudit.catalogue import is_of
from leakaudit.probe.wording import listed


def known(by_check: Mapping[str, int]) -> str:
    """What is known to be in training, by the check that lists it.

    >>> known({"LA101": 120, "LA108": 3})
    '120 duplicates listed under LA101 and 3 samples of shared groups under LA108'
    """
    parts = []
    for code, count in by_check.items():
        if is_of(code, "belonging"):
            parts.append(f"{count:,} sample{'s' if count != 1 else ''} of shared groups under {code}")
        else:
            parts.append(f"{count:,} duplicate{'s' if count != 1 else ''} listed under {code}")
    return listed(parts) if parts else "samples known to be in training"
