"""One file a check; `CHECKS` is the catalogue, in the order of the codes.

An entry says no more than what decides whether the check is wanted. The check itself is imported when it is loaded,
because a commit hook waits for every import: `Listed.load` takes ``CHECK`` from the file named after code and slug.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from leakaudit.checks.base import Check
    from leakaudit.model import CheckInfo, Kind


@dataclass(frozen=True)
class Listed:
    """A check that is not imported yet.

    Parameters
    ----------
    code, slug : str
        ``LA101``, ``identical-files``; its file is ``la101_identical_files.py``.
    kinds : tuple of {"image", "table"}
        Data it applies to. All three repeat what its `Check` says; a test compares them.
    """

    code: str
    slug: str
    kinds: tuple[Kind, ...]

    def load(self) -> Check:
        """The check, its file imported now."""
        name = f"{self.code.lower()}_{self.slug.replace('-', '_')}"
        check: Check = import_module(f"leakaudit.checks.{name}").CHECK
        return check


BOTH: tuple[Kind, ...] = ("image", "table")

CHECKS: tuple[Listed, ...] = (
    Listed("LA001", "unreadable-samples", BOTH),
    Listed("LA002", "unsupported-or-pointer-files", BOTH),
    Listed("LA003", "split-too-small", BOTH),
    Listed("LA004", "low-information-images", ("image",)),
    Listed("LA101", "identical-files", ("image",)),
    Listed("LA102", "identical-pixels", ("image",)),
    Listed("LA103", "near-duplicate-images", ("image",)),
    Listed("LA104", "duplicate-rows", ("table",)),
    Listed("LA105", "near-duplicate-rows", ("table",)),
    Listed("LA106", "duplicate-text", ("table",)),
    Listed("LA107", "near-duplicate-text", ("table",)),
    Listed("LA108", "group-overlap", BOTH),
    Listed("LA109", "time-overlap", BOTH),
    Listed("LA110", "conflicting-labels", BOTH),
    Listed("LA111", "duplicates-within-split", BOTH),
    Listed("LA201", "class-shift", BOTH),
    Listed("LA202", "missing-or-unseen-class", BOTH),
    Listed("LA203", "feature-shift", ("table",)),
    Listed("LA204", "unseen-categories", ("table",)),
    Listed("LA205", "separable-splits", BOTH),
    Listed("LA206", "difficulty-shift", BOTH),
    Listed("LA207", "image-statistics-shift", ("image",)),
    Listed("LA301", "feature-reveals-target", ("table",)),
    Listed("LA302", "identifier-reveals-target", ("table",)),
    Listed("LA303", "metadata-reveals-target", ("image",)),
    Listed("LA304", "pooled-scaling", ("table",)),
    Listed("LA305", "pooled-imputation", ("table",)),
    Listed("LA306", "synthetic-oversampling-before-split", ("table",)),
    Listed("LA307", "pooled-target-encoding", ("table",)),
    Listed("LA401", "low-validation-loss", BOTH),
    Listed("LA402", "leakage-inflates-score", BOTH),
    Listed("LA403", "memorised-validation-samples", BOTH),
    Listed("LA404", "overfitting", BOTH),
    Listed("LA405", "unstable-loss", BOTH),
    Listed("LA406", "overfit-classes", BOTH),
)


class Infos(Mapping[str, "CheckInfo"]):
    """What checks say of themselves, by code, each imported when it is asked for.

    Parameters
    ----------
    codes : iterable of str
    """

    def __init__(self, codes: Iterable[str]) -> None:
        wanted = frozenset(codes)
        self._listed = {listed.code: listed for listed in CHECKS if listed.code in wanted}

    def __getitem__(self, code: str) -> CheckInfo:
        return self._listed[code].load().info

    def __iter__(self) -> Iterator[str]:
        return iter(self._listed)

    def __len__(self) -> int:
        return len(self._listed)


__all__ = ["CHECKS", "Infos", "Listed"]
