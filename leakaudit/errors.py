"""What can go wrong, and how each error leaves the program.

::

    LeakauditError               exit 3   a bug in leakaudit, or an error without a better name
    ├── UserError                exit 2   the user can mend it; the message says what, where and how
    │   ├── InputError           a path or file that cannot be used
    │   │   └── LayoutError      no layout recognised, or nothing to compare
    │   └── ConfigError          an option or configuration value
    └── MissingExtraError        never leaves: its checks are `skipped` with the install command

A single bad *sample* is never an error: it is a `Problem` in the data set and counted in the report.
"""

from __future__ import annotations


class LeakauditError(Exception):
    """Base of all errors that leakaudit raises on purpose."""

    exit_code = 3


class UserError(LeakauditError):
    """The user can mend it. The message is one line: what, where, what to do."""

    exit_code = 2


class InputError(UserError):
    """A path or a file that cannot be used at all."""


class LayoutError(InputError):
    """No data layout was recognised, or it holds nothing that could be compared."""


class ConfigError(UserError):
    """An option or a configuration value that means nothing here."""


class MissingExtraError(LeakauditError):
    """An optional dependency is absent; carries the exact install command.

    Parameters
    ----------
    extra : str
        Name of the extra, as in ``leakaudit[extra]``.
    """

    def __init__(self, extra: str) -> None:
        super().__init__(f"needs an optional dependency: pip install 'leakaudit[{extra}]'")
        self.extra = extra
