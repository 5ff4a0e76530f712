"""What a check is: a record, not a class to inherit from."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from leakaudit.analysis.context import Context
from leakaudit.model import CheckInfo, Family, Kind, Outcome, Severity

SECTIONS = (
    "What it does",
    "Why it matters",
    "How it decides",
    "What it cannot see",
    "Fix",
    "References",
)


@dataclass(frozen=True)
class Check:
    """One check: what it is called, what it needs, and the function that runs it.

    Parameters
    ----------
    code, slug : str
        ``LA101``, ``identical-files``.
    family : Family
        What it is about, see `leakaudit.model.Family`.
    severity : {"error", "warning", "info"}
        Of its findings by default.
    kinds : tuple of {"image", "table", "file"}
        Data it applies to; on other data it does not appear among the outcomes.
    needs : tuple of {"label", "pair", "probe", "whole-row"}
        ``label``: skipped, with a reason, where no labels are known. ``pair``: skipped where there is one split only.
        ``probe``: skipped where the probe is off. ``whole-row``: a row must be all there is of a sample; not applied
        where samples are pictures with columns beside them.
    params : object
        A frozen dataclass of defaults; the source of each stands in the docstring's *How it decides*.
    run : callable
        ``run(context, params) -> Outcome``; raises nothing on purpose.
    in_train : bool, default False
        Whether a finding between two splits means that held-out samples are in the reference split, too.
    """

    code: str
    slug: str
    family: Family
    severity: Severity
    kinds: tuple[Kind, ...]
    needs: tuple[str, ...]
    params: Any
    run: Callable[[Context, Any], Outcome]
    in_train: bool = False

    @property
    def info(self) -> CheckInfo:
        """Title and sections, read from the docstring of the module that defines `run`."""
        title, sections = parse_docstring(inspect.getmodule(self.run).__doc__ or "")
        return CheckInfo(self.code, self.slug, title, self.severity, sections)


def parse_docstring(text: str) -> tuple[str, dict[str, str]]:
    """Split a check's docstring into its first line and its sections.

    A section is a line of `SECTIONS` underlined with dashes, as numpydoc does it.
    """
    text = inspect.cleandoc(text)
    title = text.split("\n", 1)[0].rstrip(".")
    names = "|".join(map(re.escape, SECTIONS))
    parts = re.split(rf"^({names})\n-+\n", text, flags=re.MULTILINE)
    return title, {name: body.strip() for name, body in zip(parts[1::2], parts[2::2], strict=True)}
