"""Why there is no measurement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class NotProbed:
    """The probe did not run, or could not measure anything.

    Parameters
    ----------
    status : {"skipped", "inconclusive"}
        What the checks that need it say.
    reason : str
        One sentence.
    interrupted : bool, default False
        It was stopped by the user while it ran.
    """

    status: Literal["skipped", "inconclusive"]
    reason: str
    interrupted: bool = False
