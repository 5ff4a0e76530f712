"""Folders that are one table with a history, Delta or Iceberg: which of their files are its current version."""

from __future__ import annotations

import os
from urllib.parse import unquote, urlsplit

from leakaudit.errors import InputError
from leakaudit.sources import storage
from leakaudit.sources.listing import display

_ICEBERG = "metadata/version-hint.text"
_NOT_READ = frozenset(["deletionVectors", "columnMapping"])
"""Features of a Delta table by which its parquet files alone do not say its rows."""


def current_files(folder: str) -> list[str] | None:
    """Names of the files of a Delta table's current version, directly in its folder, sorted; None for any other folder.

    Raises
    ------
    InputError
        An Iceberg table; a Delta table that is damaged or in object storage, or whose files do not say its rows by
        themselves; or ``leakaudit[delta]`` is not installed.
    """
    if storage.lexists(os.path.join(folder, _ICEBERG)):
        raise InputError(_refused(folder, "an Iceberg table"))
    if not storage.lexists(os.path.join(folder, "_delta_log")):
        return None
    if storage.is_remote(folder):
        raise InputError(_refused(folder, "a Delta table in object storage"))
    try:
        from deltalake import DeltaTable
        from deltalake.exceptions import DeltaError
    except ImportError:
        raise InputError(
            f"{display(folder)}: a Delta table, whose folder holds rows that were deleted, too; its reader is an "
            "optional dependency: pip install 'leakaudit[delta]'"
        ) from None
    try:
        table = DeltaTable(folder)
        features = {*(table.protocol().reader_features or ())}
        partitions = table.metadata().partition_columns
        files = [os.path.basename(unquote(urlsplit(uri).path)) for uri in table.file_uris()]
    except (DeltaError, OSError, ValueError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(f"{display(folder)}: a Delta table that cannot be read: {reason}") from error
    if partitions:
        raise InputError(_refused(folder, f"a Delta table in partitions by {', '.join(map(repr, partitions))}"))
    if features & _NOT_READ:
        raise InputError(_refused(folder, f"a Delta table with {', '.join(sorted(features & _NOT_READ))}"))
    if absent := [name for name in files if not storage.lexists(os.path.join(folder, name))]:
        raise InputError(
            f"{display(folder)}: a Delta table that lacks {display(absent[0])}, a file of its current version"
        )
    return sorted(files)


def _refused(folder: str, what: str) -> str:
    why = "whose folder holds rows that were deleted, too"
    return f"{display(folder)}: {what}, {why}: write its current version as parquet"
