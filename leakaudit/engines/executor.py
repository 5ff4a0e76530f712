"""The side of a cluster's worker: tables come and go as Arrow IPC, errors of the user's as text."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

import pyarrow as pa

from leakaudit import __version__
from leakaudit.engines.local import map_chunks
from leakaudit.errors import UserError

if TYPE_CHECKING:
    from leakaudit.engines.base import Kernel

DECIDING = ("duckdb", "numpy", "pillow")
"""Packages on whose version a hash, a descriptor or a pixel may depend: they must be the driver's on every worker."""


@dataclass(frozen=True, slots=True)
class Call:
    """A kernel on its way to a worker, and the versions that it needs there."""

    kernel: Kernel
    versions: tuple[tuple[str, str], ...]


def call_of(kernel: Kernel) -> Call:
    """A call that finds the versions of this process, or fails."""
    return Call(kernel, _versions())


def answer(call: Call, payload: bytes, index: bytes | None = None, *, again: bool = False) -> tuple[str | None, bytes]:
    """Work on one table.

    Parameters
    ----------
    payload, index : bytes
        Tables as from `to_bytes`.
    again : bool, default False
        An earlier worker died of this table: work on it in a process of its own, and answer for the row that ends it.

    Returns
    -------
    error : str or None
        What the user can mend.
    payload : bytes
        The answer, as from `to_bytes`; empty where there is an error.
    """
    from threadpoolctl import threadpool_limits

    # As this machine's workers do: what decoders warn of is in the counted problems, and all cores are at work already.
    with warnings.catch_warnings(), threadpool_limits(limits=1, user_api="blas"):
        warnings.simplefilter("ignore")
        try:
            check_versions(call.versions)
            tables = ([from_bytes(index)] if index is not None else []) + [from_bytes(payload)]
            if again and call.kernel.crashed is not None:
                return None, to_bytes(pa.concat_tables(_isolated(call.kernel, tables)))
            return None, to_bytes(call.kernel(*tables))
        except UserError as error:
            return str(error), b""


def _isolated(kernel: Kernel, tables: list[pa.Table]) -> Iterator[pa.Table]:
    return map_chunks(kernel, tables, jobs=1, processes=True, on_crash=kernel.answer_for_crash)


def to_bytes(table: pa.Table) -> bytes:
    """A table as an Arrow IPC stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    data: bytes = sink.getvalue().to_pybytes()
    return data


def from_bytes(payload: bytes) -> pa.Table:
    """The table of `to_bytes`."""
    with pa.ipc.open_stream(payload) as reader:
        return reader.read_all()


def check_versions(wanted: tuple[tuple[str, str], ...]) -> None:
    """Refuse to work with other versions than the driver's.

    Raises
    ------
    UserError
        Which package differs.
    """
    here = dict(_versions())
    for name, version_there in wanted:
        if here[name] != version_there:
            found = here[name] or "none"
            raise UserError(f"a worker has {name} {found} where the driver has {version_there}: install the same there")


@cache
def _versions() -> tuple[tuple[str, str], ...]:
    return (("leakaudit", __version__), *((name, _version(name)) for name in DECIDING))


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
