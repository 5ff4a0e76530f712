"""One DuckDB connection a scan, shut off from everything but the files to read."""

from __future__ import annotations

import re
import tempfile
import weakref
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from leakaudit.config import Config
from leakaudit.engines.local import usable_cores
from leakaudit.engines.memory import default_limit
from leakaudit.errors import ConfigError
from leakaudit.model import TableFile

if TYPE_CHECKING:
    import duckdb

_GLOB = re.compile(r"[*?\[\]{}]")


@dataclass(frozen=True, eq=False)
class Duck:
    """A connection and its temporary folder; both go when it is closed, collected, or at exit.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
    threads : int
        That the connection uses, and that work beside it may use.
    """

    connection: duckdb.DuckDBPyConnection
    threads: int
    close: weakref.finalize[..., Duck] = field(init=False)

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        """All rows of a small result."""
        return self.connection.execute(sql).fetchall()

    def count(self, sql: str) -> int:
        """The one integer of a result; None counts as 0."""
        return int(self.connection.execute(sql).fetchall()[0][0] or 0)

    def arrays(self, sql: str) -> list[np.ndarray]:
        """The columns of a result as arrays, in the order of the query."""
        return [np.asarray(column) for column in self.connection.execute(sql).fetchnumpy().values()]


def open_duck(config: Config, files: Sequence[TableFile]) -> Duck:
    """Open a connection that may read these files and nothing else, and write into its own temporary folder only.

    No extension is installed or loaded, no network is used, and no setting can be changed afterwards.

    Raises
    ------
    ConfigError
        `Config.memory_limit` or `Config.jobs` means nothing to DuckDB.
    """
    import duckdb

    threads = config.jobs or usable_cores()
    folder = tempfile.TemporaryDirectory(prefix="leakaudit-", ignore_cleanup_errors=True)
    settings: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": default_limit() if config.memory_limit == "auto" else config.memory_limit,
        "threads": str(threads),
        "temp_directory": str(Path(folder.name, "spilled")),
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "allow_community_extensions": "false",
        "python_enable_replacements": "false",
        "preserve_insertion_order": "true",
    }
    try:
        connection = duckdb.connect(":memory:", config=settings)
    except duckdb.Error as error:
        folder.cleanup()
        raise ConfigError(f"memory_limit or jobs: {first_line(error)}") from error
    paths = [absolute(file.path) for file in files if file.path is not None and engine_can_name(file.path)]
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET enable_progress_bar = false")
    connection.execute(f"SET allowed_paths = [{', '.join(map(quote_text, paths))}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    duck = Duck(connection, threads)
    object.__setattr__(duck, "close", weakref.finalize(duck, _close, connection, folder))
    return duck


def quote_text(text: str) -> str:
    """An SQL string literal.

    >>> quote_text("it's")
    "'it''s'"
    """
    return "'" + text.replace("'", "''") + "'"


def first_line(error: BaseException) -> str:
    """First line of what an exception says, without DuckDB's name of the kind of error."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return re.sub(r"^[A-Z][A-Za-z ]* Error: ", "", lines[0])


def _close(connection: duckdb.DuckDBPyConnection, folder: tempfile.TemporaryDirectory[str]) -> None:
    connection.close()
    folder.cleanup()


def absolute(path: str) -> str:
    """The path as DuckDB is told it."""
    return str(Path(path).absolute())


def engine_can_name(path: str) -> bool:
    """DuckDB takes every path for a pattern, and only UTF-8."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return not _GLOB.search(absolute(path))
