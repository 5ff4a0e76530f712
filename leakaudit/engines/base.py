"""Where heavy work runs, behind four verbs: this machine, or a cluster that the user already has.

What runs is a `Kernel`: a function of leakaudit, named by its import path, from Arrow tables to an Arrow table. So no
object of the user's and no closure travels, workers need nothing but the installed package, and every engine runs the
same functions.

The verbs are `Engine.map`, `Engine.broadcast_map`, `Engine.shuffle` and `reduce`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Kernel:
    """A function of leakaudit from tables to a table, with its parameters.

    Parameters
    ----------
    function : str
        ``module:name``.
    parameters : mapping of str to object
        Keyword arguments: plain data, or leakaudit's own frozen dataclasses of plain data.
    crashed : str or None
        ``module:name`` of what to answer for a table of one row that ends the process that works on it; None: that is
        an error. Where it is given, the answer has a row for each row of the table.
    processes : bool, default False
        Mostly Python: this machine uses processes rather than threads.
    """

    function: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    crashed: str | None = None
    processes: bool = False

    @classmethod
    def of(
        cls,
        function: Callable[..., pa.Table],
        *,
        crashed: Callable[[pa.Table], pa.Table] | None = None,
        processes: bool = False,
        **parameters: object,
    ) -> Kernel:
        """The kernel of a function at the top level of a module."""
        return cls(_name(function), parameters, _name(crashed) if crashed else None, processes)

    def __call__(self, *tables: pa.Table) -> pa.Table:
        """Run it here."""
        return _resolve(self.function)(*tables, **self.parameters)

    def answer_for_crash(self, table: pa.Table) -> pa.Table:
        """What stands for a table of one row that crashed its process."""
        assert self.crashed is not None
        return _resolve(self.crashed)(table)


class Engine(Protocol):
    """Where kernels run. Tables are taken from their iterables a few at a time, so neither side holds all of them.

    All verbs raise `leakaudit.errors.UserError` where a kernel did, or where workers have other versions of what the
    results depend on. A worker that dies is replaced, and its tables are worked on again.
    """

    @property
    def parallelism(self) -> int:
        """How many tables are worked on at the same time."""

    def map(self, kernel: Kernel, tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
        """Answers in the order of the tables; one table may have several answers where a part of it crashed."""

    def broadcast_map(self, kernel: Kernel, index: pa.Table, tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
        """As `map`, for a kernel of two tables: `index`, which every worker gets once, and one of `tables`."""

    def shuffle(
        self, make: Kernel, kernel: Kernel, tables: Iterable[pa.Table], *, columns: Sequence[str], n_rows: int
    ) -> Iterator[pa.Table]:
        """Make rows of the tables, bring those with equal keys together, and work on each such lot.

        Parameters
        ----------
        make : Kernel
            From one of `tables` to rows.
        kernel : Kernel
            From all rows of some keys to a table. Rows come in no particular order, and so do the answers.
        columns : sequence of str
            What `make` gives, all int64 without nulls; the first is the key.
        n_rows : int
            About how many rows there will be in all: a lot has a few million of them.
        """


def reduce(kernel: Kernel, tables: Iterable[pa.Table]) -> pa.Table:
    """The last step on the driver: one table of all answers, through a kernel.

    It runs here on every engine: what is left is small, and one process finds the components of 20 million edges in
    two seconds.
    """
    import pyarrow as pa

    return kernel(pa.concat_tables(tables))


LOT = 1 << 22
"""Rows of a shuffle that come together in one lot, about: 64 MiB as two columns."""


def n_lots(n_rows: int, parallelism: int) -> int:
    """Into how many lots rows are shuffled."""
    return max(parallelism, -(-n_rows // LOT))


def said(error: BaseException) -> str:
    """The last line of a traceback in the message of an engine, else its first line."""
    lines = [line for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    told = [line for line in lines if line[:1].isalpha() and "Error: " in line]
    return (told[-1] if told else lines[0]).strip()


def _name(function: Callable[..., Any]) -> str:
    assert "<" not in function.__qualname__, "a kernel is a function at the top level of a module"
    return f"{function.__module__}:{function.__qualname__}"


def _resolve(name: str) -> Callable[..., pa.Table]:
    module, _, function = name.partition(":")
    found: Callable[..., pa.Table] = getattr(import_module(module), function)
    return found
