"""leakaudit: what of validation is already in training?

>>> import leakaudit
>>> report = leakaudit.audit("data/")                            # doctest: +SKIP
>>> report = leakaudit.audit(train, val, label="y")              # doctest: +SKIP
>>> report = leakaudit.audit((X_train, y_train), (X_test, y_test))    # doctest: +SKIP
>>> report = leakaudit.audit(X, y, cv=KFold(5), groups=patient)  # doctest: +SKIP
>>> report.findings, report.to_frame(), report.verdict           # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from leakaudit.config import Config
    from leakaudit.errors import ConfigError, InputError, LayoutError, LeakauditError, UserError
    from leakaudit.model import Evidence, Finding, Outcome, Report, Sample, SamplePair, Verdict
    from leakaudit.own_model.attribute import attribute
    from leakaudit.own_model.lint import lint_model
    from leakaudit.pipeline import audit
    from leakaudit.repair.kept import read_kept
    from leakaudit.repair.split import NewSplit, split
    from leakaudit.repair.splitter import LeakFreeKFold, LeakFreeSplit
    from leakaudit.settings import load_config

_HOMES = {
    "attribute": "leakaudit.own_model.attribute",
    "audit": "leakaudit.pipeline",
    "lint_model": "leakaudit.own_model.lint",
    "Config": "leakaudit.config",
    "load_config": "leakaudit.settings",
    "read_kept": "leakaudit.repair.kept",
    **dict.fromkeys(("NewSplit", "split"), "leakaudit.repair.split"),
    **dict.fromkeys(("LeakFreeKFold", "LeakFreeSplit"), "leakaudit.repair.splitter"),
    **dict.fromkeys(("ConfigError", "InputError", "LayoutError", "LeakauditError", "UserError"), "leakaudit.errors"),
    **dict.fromkeys(("Evidence", "Finding", "Outcome", "Report", "Sample", "SamplePair", "Verdict"), "leakaudit.model"),
}

__all__ = [
    "Config",
    "ConfigError",
    "Evidence",
    "Finding",
    "InputError",
    "LayoutError",
    "LeakFreeKFold",
    "LeakFreeSplit",
    "LeakauditError",
    "NewSplit",
    "Outcome",
    "Report",
    "Sample",
    "SamplePair",
    "UserError",
    "Verdict",
    "__version__",
    "attribute",
    "audit",
    "lint_model",
    "load_config",
    "read_kept",
    "split",
]


def __getattr__(name: str) -> object:
    """Import public names when they are first used, so that ``import leakaudit`` costs next to nothing (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module 'leakaudit' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
