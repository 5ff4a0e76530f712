"""One file a check; `CHECKS` is all of them, in the order of the codes.

What decides whether a check is wanted stands in `leakaudit.catalogue`. The check itself is imported when it is loaded,
because a commit hook waits for every import: `Listed.load` takes ``CHECK`` from the file named after code and slug.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from leakaudit.catalogue import CATALOGUE, Entry

if TYPE_CHECKING:
    from leakaudit.checks.base import Check
    from leakaudit.model import CheckInfo, Kind


@dataclass(frozen=True)
class Listed:
    """A check that is not imported yet.

    Parameters
    ----------
    entry : Entry
        Its row in the catalogue.
    """

    entry: Entry

    @property
    def code(self) -> str:
        """``LA101``."""
        return self.entry.code

    @property
    def slug(self) -> str:
        """``identical-files``."""
        return self.entry.slug

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """Data it applies to."""
        return self.entry.kinds

    def load(self) -> Check:
        """The check, its file imported now."""
        name = f"{self.code.lower()}_{self.slug.replace('-', '_')}"
        check: Check = import_module(f"leakaudit.checks.{name}").CHECK
        return check


CHECKS: tuple[Listed, ...] = tuple(Listed(entry) for entry in CATALOGUE)


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
