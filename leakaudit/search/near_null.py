"""Former place of `leakaudit.analysis.copies.pictures.null`."""

from leakaudit.analysis.copies.pictures.null import *  # noqa: F403
