"""Settings from a file, the environment and options to one `Config`, and where each of them comes from."""

from __future__ import annotations

from leakaudit.settings.effective import load_config

__all__ = ["load_config"]
