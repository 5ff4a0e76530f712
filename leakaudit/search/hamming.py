"""Former place of `leakaudit.analysis.copies.pictures.hamming`."""

from leakaudit.analysis.copies.pictures.hamming import *  # noqa: F403
