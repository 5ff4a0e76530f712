"""Former place of `leakaudit.analysis.copies.pictures.neighbours_torch`."""

from leakaudit.analysis.copies.pictures.neighbours_torch import *  # noqa: F403
