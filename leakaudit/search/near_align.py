"""Former place of `leakaudit.analysis.copies.pictures.align`."""

from leakaudit.analysis.copies.pictures.align import *  # noqa: F403
