"""Rows of tables: canonical values over all splits together, and the rows that are not alone.

The files are read into DuckDB, or stay where they are (parquet). A hash of a few columns only *nominates*: rows whose
hash occurs twice get digests, one for each identity layer; no other row is read as a whole. Equal rows have equal
hashes, so none is missed, and which hash it is changes nothing.

The sample index of a row is its position among the rows that were kept, in the order of the files and of their rows.
"""

# ruff: noqa: S608  SQL is made of names that are made here, and of literals quoted by `quote_text`

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from leakaudit.config import Config
from leakaudit.engines.arrow import integers
from leakaudit.engines.choose import cluster_of
from leakaudit.engines.duck import Duck, first_line, open_duck
from leakaudit.engines.progress import Progress, silent
from leakaudit.errors import UserError
from leakaudit.fingerprints.rows.cells import BLOCK, install, of_two_kinds
from leakaudit.fingerprints.rows.cluster import can_travel, nominate_on
from leakaudit.fingerprints.rows.digests import LAYERS, Layer, find_twins, is_among, row_digests, wanted, with_label
from leakaudit.fingerprints.rows.identity import beside_the_point
from leakaudit.fingerprints.rows.nominate import WIDEST, nominate, telling_columns
from leakaudit.fingerprints.rows.pool import Pool, make_pool
from leakaudit.fingerprints.rows.sample import RowSample, sample_rows
from leakaudit.model import PROBLEMS_LISTED, Dataset, Problem, Sample, TableFile
from leakaudit.sources.names import resolve_column
from leakaudit.sources.parts import say_names
from leakaudit.sources.readers.duck_tables import Loaded, damaged_file, read_table

if TYPE_CHECKING:
    import numpy.typing as npt

    from leakaudit.fingerprints.rows.table_column import TableColumn
    from leakaudit.model import IntArray

__all__ = ["LAYERS", "Layer", "RowFingerprints", "fingerprint_rows"]

NARROWED = 20_000
"""Nominated rows from which on they are compared by the hash of more columns before they get digests."""

CELLS_SHOWN = 100
"""Columns of a row that a report shows, and the characters of a cell."""
CELL_SHOWN = 500


@dataclass(frozen=True, eq=False)
class RowFingerprints:
    """Rows of all splits, and the digests of those that are not alone.

    Parameters
    ----------
    duck : Duck
        Holds the view ``twins`` with one row for every sample that is not alone in the layer that leaves out most:
        ``idx`` (sample index), ``split`` (index into `splits`), one digest for each of `LAYERS`, and the canonical
        ``label``.
    splits : tuple of str
    columns : tuple of str
        Columns that make the identity of a row, the label not among them.
    left_out : mapping of str to str
        Columns that do not, and why.
    beside : mapping of str to str
        Columns of `columns` that only number, weigh or mark rows, and why; the reduced layers leave them out.
    identified : str or None
        The one of `beside` that the layer ``identified`` has again; None: there is no such layer.
    telling : tuple of str
        Columns whose hash nominated.
    label : str or None
        The label column, where there is one; `label_compared` says whether every file has it.
    n_rows : mapping of str to int
        Rows of each split.
    label_counts : mapping of str to mapping of str to int
        Canonical labels of each split, by name; empty where labels are unknown. At most `LABELS_COUNTED` in all.
    problems : tuple of Problem
        Rejected rows, at most `PROBLEMS_LISTED`.
    n_rejected : int
        All of them.
    pool : Pool
    sample : RowSample
        Some rows of every file, in runs.
    kept : mapping of int to ndarray of int64
        Files to rows that are in a table of their own, see `leakaudit.fingerprints.rows.digests.find_twins`.
    """

    duck: Duck
    splits: tuple[str, ...]
    columns: tuple[str, ...]
    left_out: Mapping[str, str]
    beside: Mapping[str, str]
    identified: str | None
    telling: tuple[str, ...]
    label: str | None
    label_compared: bool
    n_rows: Mapping[str, int]
    label_counts: Mapping[str, Mapping[str, int]]
    problems: tuple[Problem, ...]
    n_rejected: int
    pool: Pool
    sample: RowSample
    kept: Mapping[int, IntArray]

    def __len__(self) -> int:
        return self.pool.starts[-1]

    def describe(self, indices: IntArray) -> list[Sample]:
        """The rows at these indices as a report shows them: ``file#row``, split, canonical label, cells as text."""
        samples: dict[int, Sample] = {}
        for file, kept in self._by_file(indices):
            table = self.pool.tables[file]
            shown = table.file.columns[:CELLS_SHOWN]
            read = [f"c{i}" for i in range(len(shown))]
            found = self._lookup(file, kept, [self.pool.split[file], self.pool.label[file], *map(_shown, read)], read)
            numbers = table.file_rows(integers(found[0]))
            columns = [column.to_pylist() for column in found[3:]]
            rows = zip(*columns, strict=True) if columns else iter(() for _ in numbers)
            for at, number, split, label, row in zip(
                found[0].to_pylist(), numbers.tolist(), found[1].to_pylist(), found[2].to_pylist(), rows, strict=True
            ):
                name = self.splits[split] if split is not None else ""
                uri = _uri(table.file, number)
                samples[self.pool.starts[file] + at] = Sample(uri, name, label, dict(zip(shown, row, strict=True)))
        return [samples[index] for index in indices.tolist()]

    def names(self, indices: IntArray) -> pa.Table:
        """``split``, ``uri`` and ``label`` of the rows at these indices, in the same order."""
        wanted, back = np.unique(indices, return_inverse=True)
        parts = []
        for file, kept in self._by_file(wanted):
            table = self.pool.tables[file]
            found = self._lookup(file, kept, [self.pool.split[file], self.pool.label[file]])
            split = pa.DictionaryArray.from_arrays(found[1].combine_chunks().cast(pa.int32()), list(self.splits))
            uris = [_uri(table.file, number) for number in table.file_rows(integers(found[0])).tolist()]
            label = found[2].combine_chunks()
            parts.append(
                pa.table({"split": split.cast(pa.string()), "uri": pa.array(uris, pa.string()), "label": label})
            )
        return (
            pa.concat_tables(parts).take(back) if parts else pa.table({name: [] for name in ("split", "uri", "label")})
        )

    def digests(self, indices: IntArray) -> list[bytes]:
        """Digests of the canonical rows at these indices, the label included where it is compared."""
        with wanted(self.duck, np.unique(indices)):
            known, low, high = self.duck.arrays(
                f"""SELECT idx, (canonical & {2**64 - 1}::UHUGEINT)::UBIGINT AS low, (canonical >> 64)::UBIGINT AS high
                    FROM twins WHERE idx IN (SELECT row FROM wanted)"""
            )
        halves = np.stack((low, high), axis=1).astype("<u8").tobytes()
        found = {index: halves[16 * at : 16 * at + 16] for at, index in enumerate(known.tolist())}
        for file, kept in self._by_file(indices[~np.isin(indices, known)]):
            with wanted(self.duck, kept):
                source = self.source(file, kept)
                relation = row_digests(self.duck, self.pool, file, source)
                digest = f"md5({with_label('canonical', self.pool.label[file], self.pool)})"
                with self.pool.label_cells(self.duck, file, source) as labels:
                    at, digests = self._columns(f"SELECT row, {digest} FROM {relation} d JOIN {labels} l USING (row)")
            texts: dict[str, bytes] = {}
            for index, text in zip(at.to_pylist(), digests.to_pylist(), strict=True):
                found[self.pool.starts[file] + index] = texts.setdefault(text, bytes.fromhex(text))
        return [found[index] for index in indices.tolist()]

    def _by_file(self, indices: IntArray) -> list[tuple[int, IntArray]]:
        starts = np.array(self.pool.starts, dtype=np.int64)
        at = np.searchsorted(starts, indices, side="right") - 1
        return [(int(file), np.unique(indices[at == file]) - starts[file]) for file in np.unique(at)]

    def source(self, file: int, rows: IntArray) -> str:
        """The table of a file, or the smaller one of the rows that are kept, where it has all of these."""
        here = file in self.kept and is_among(rows, self.kept[file])
        return f"kept{file}" if here else self.pool.tables[file].table

    def _lookup(
        self, file: int, kept: IntArray, expressions: Sequence[str], read: Sequence[str] = ()
    ) -> list[pa.ChunkedArray]:
        """``rowid`` and these expressions, for some rows of a file, in order; `read`: columns that they are made of."""
        names = ", ".join(f"({sql}) AS x{i}" for i, sql in enumerate(expressions))
        source = self.source(file, kept)
        with wanted(self.duck, kept), self.pool.label_cells(self.duck, file, source, read) as relation:
            return self._columns(
                f"SELECT row, {names} FROM {relation} WHERE row IN (SELECT row FROM wanted) ORDER BY row"
            )

    def _columns(self, sql: str) -> list[pa.ChunkedArray]:
        return list(self.duck.connection.sql(sql).to_arrow_table().columns)

    @cached_property
    def canonical_columns(self) -> dict[str, TableColumn]:
        """Columns of a small table that were read, see `leakaudit.fingerprints.rows.columns`."""
        return {}

    @cached_property
    def raw_columns(self) -> dict[str, npt.NDArray[np.float64]]:
        """Likewise, numbers as the file has them."""
        return {}

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """What is worth saying about how the rows were read."""
        notes = []
        if found := of_two_kinds(self.duck, self.pool.tables, self.pool.columns):
            notes.append(
                "Columns that hold numbers in one file and text in another are compared as text: "
                f"{say_names(found, 8)}."
            )
        if folded := [column.name for column in self.pool.columns if column.folded]:
            notes.append(
                "Columns that the splits spell differently, with capitals and without, are compared in small letters: "
                f"{say_names(folded, 8)}."
            )
        return tuple(notes)

    @cached_property
    def random_sample(self) -> RowSample:
        """Some rows of every file, each drawn by itself."""
        return self.sample if self.sample.whole else sample_rows(self.duck, self.pool, random=True)


def _uri(file: TableFile, row: int) -> str:
    return f"{file.uri}#{row}" if file.row_uris is None else str(file.row_uris[row].as_py())


def fingerprint_rows(dataset: Dataset, config: Config, progress: Progress = silent) -> RowFingerprints:
    """Read all rows, and find those that are not alone.

    Columns that a file lacks, that say the split or the id, or that are to be ignored, are no part of a row's identity.

    Parameters
    ----------
    dataset : Dataset
        Of kind ``table``.
    config : Config
        `ignore_columns`, `memory_limit` and `jobs`.
    progress : Progress, default silent

    Raises
    ------
    InputError
        A file cannot be read, or the files have no column in common that could be compared.
    ConfigError
        A column to ignore is not there.
    UserError
        Memory or the temporary folder is too small.
    """
    with ExitStack() as on_failure:
        duck = open_duck(config, dataset.tables)
        on_failure.callback(duck.close)
        rows = _fingerprint_or_say_why(duck, dataset, config, progress)
        on_failure.pop_all()
    return rows


def _fingerprint_or_say_why(duck: Duck, dataset: Dataset, config: Config, progress: Progress) -> RowFingerprints:
    import duckdb

    try:
        install(duck)
        return _fingerprint(duck, dataset, config, progress)
    except UserError:
        raise
    except duckdb.OutOfMemoryException as error:
        raise UserError(
            "comparing the rows needs more memory than memory_limit, or a larger temporary folder"
        ) from error
    except Exception as error:
        if (damaged := damaged_file(duck, dataset.tables)) is not None:
            raise damaged from error
        if isinstance(error, duckdb.IOException):
            raise UserError(f"the temporary folder cannot be used: {first_line(error)}") from error
        raise


def _fingerprint(duck: Duck, dataset: Dataset, config: Config, progress: Progress) -> RowFingerprints:
    tables: list[Loaded] = []
    with progress("Reading tables", len(dataset.tables), "files") as advance:
        for number, file in enumerate(dataset.tables):
            tables.append(read_table(duck, file, f"file{number}"))
            advance(1)
    pool, left_out, counts = make_pool(duck, dataset, config, tables)
    sample = sample_rows(duck, pool)
    beside = beside_the_point(duck, pool, sample, _kept(dataset, config))
    described = [j for j, column in enumerate(pool.columns) if column.name not in beside]
    telling = telling_columns(pool, sample, [j for j in described if j in sample.columns])
    with progress("Fingerprinting rows", len(tables), "files") as advance:
        cluster = cluster_of(config)
        nominated = (
            nominate_on(cluster, pool, telling, config.memory_limit)
            if cluster is not None and can_travel(pool)
            else nominate(duck, pool, telling)
        )
        kept, identified = find_twins(duck, pool, _narrowed(duck, pool, nominated, described), beside, advance)
    return RowFingerprints(
        duck=duck,
        splits=dataset.splits,
        columns=tuple(column.name for column in pool.columns),
        left_out=left_out,
        beside=beside,
        identified=identified,
        telling=tuple(pool.columns[j].name for j in telling),
        label=dataset.columns.label,
        label_compared=pool.label_compared,
        n_rows=_count_rows(duck, pool, dataset.splits),
        label_counts=counts,
        problems=tuple(problem for table in tables for problem in table.problems)[:PROBLEMS_LISTED],
        n_rejected=sum(table.n_rejected for table in tables),
        pool=pool,
        sample=sample,
        kept=kept,
    )


def _narrowed(duck: Duck, pool: Pool, nominated: IntArray, described: Sequence[int]) -> IntArray:
    """Of many nominated rows, or wide ones, those that agree in more columns: a second hash costs less than digests."""
    is_much = len(nominated) > NARROWED or (len(nominated) and len(pool.columns) > BLOCK)
    return nominate(duck, pool, described[:WIDEST], nominated) if is_much else nominated


def _kept(dataset: Dataset, config: Config) -> list[str]:
    """Columns that are part of a row whatever they hold."""
    names = dataset.tables[0].columns
    return [resolve_column(told, names, "--keep-column") for told in config.keep_columns]


def _count_rows(duck: Duck, pool: Pool, splits: Sequence[str]) -> dict[str, int]:
    counts = dict.fromkeys(splits, 0)
    for file, table in enumerate(pool.tables):
        if table.file.split is not None:
            counts[table.file.split] += table.n_rows
            continue
        with pool.cells(duck, file, []) as relation:
            found = duck.rows(f"SELECT {pool.split[file]} AS split, count(*) FROM {relation} GROUP BY 1")
        for code, n in found:
            if code is not None:
                counts[splits[int(str(code))]] += int(str(n))
    return counts


def _shown(cell: str) -> str:
    text = f"{cell}::VARCHAR"
    return f"CASE WHEN length({text}) > {CELL_SHOWN} THEN left({text}, {CELL_SHOWN}) || '…' ELSE {text} END"
