"""Rows of tables: canonical values over all splits together, and the rows that are not alone.

Every row is read once into DuckDB. A cheap 64-bit hash of its canonical features only *nominates*: rows whose hash
occurs twice get 128-bit digests, one for each identity layer; no other row needs them. Equal rows have equal hashes, so
none is missed, and which hash it is changes nothing.

The sample index of a row is its position among the rows that were kept, in the order of the files and of their rows.
"""

# ruff: noqa: S608  SQL is made of names that are made here, and of literals quoted by `quote_text`

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import pyarrow as pa

from leakaudit.config import Config
from leakaudit.engines.duck import Duck, first_line, open_duck, quote_text
from leakaudit.engines.progress import Progress, silent
from leakaudit.engines.tables import Loaded, read_table
from leakaudit.errors import InputError, UserError
from leakaudit.fingerprints.cells import (
    Column,
    blocks,
    canonical_cells,
    canonical_text,
    encoded,
    install,
    label_text,
    pool_columns,
    raw,
)
from leakaudit.model import PROBLEMS_LISTED, Dataset, Problem, Sample, TableFile
from leakaudit.sources.names import resolve_column

if TYPE_CHECKING:
    from leakaudit.model import IntArray

Layer: TypeAlias = Literal["raw", "canonical", "without_label"]
"""What makes two rows the same, strictest first: cells as they stand; canonical values; the same without the label."""

LAYERS: tuple[Layer, ...] = ("raw", "canonical", "without_label")

LABELS_COUNTED = 100_000
"""Distinct labels that are counted, the most frequent ones; a column with more is no set of classes."""

CELLS_SHOWN = 100
"""Columns of a row that a report shows, and the characters of a cell."""
CELL_SHOWN = 500

_TWINS = (
    "idx BIGINT",
    "split SMALLINT",
    "raw UHUGEINT",
    "canonical UHUGEINT",
    "without_label UHUGEINT",
    "label VARCHAR",
)


@dataclass(frozen=True, eq=False)
class RowFingerprints:
    """Rows of all splits, and the digests of those that are not alone.

    Parameters
    ----------
    duck : Duck
        Holds the table ``twins`` with one row for every sample whose canonical features occur more than once: ``idx``
        (sample index), ``split`` (index into `splits`), one digest for each of `LAYERS`, and the canonical ``label``.
    splits : tuple of str
    columns : tuple of str
        Columns that make the identity of a row, the label not among them.
    left_out : mapping of str to str
        Columns that do not, and why.
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
    """

    duck: Duck
    splits: tuple[str, ...]
    columns: tuple[str, ...]
    left_out: Mapping[str, str]
    label: str | None
    label_compared: bool
    n_rows: Mapping[str, int]
    label_counts: Mapping[str, Mapping[str, int]]
    problems: tuple[Problem, ...]
    n_rejected: int
    pool: _Pool

    def __len__(self) -> int:
        return self.pool.starts[-1]

    def describe(self, indices: IntArray) -> list[Sample]:
        """The rows at these indices as a report shows them: ``file#row``, split, canonical label, cells as text."""
        samples: dict[int, Sample] = {}
        for file, kept in self._by_file(indices):
            table = self.pool.tables[file]
            shown = table.file.columns[:CELLS_SHOWN]
            cells = [_shown(f"c{i}") for i in range(len(shown))]
            found = self._lookup(file, kept, [self.pool.split[file], self.pool.label[file], *cells])
            numbers = table.file_rows(found[0].to_numpy())
            columns = [column.to_pylist() for column in found[3:]]
            rows = zip(*columns, strict=True) if columns else iter(() for _ in numbers)
            for at, number, split, label, row in zip(
                found[0].to_pylist(), numbers.tolist(), found[1].to_pylist(), found[2].to_pylist(), rows, strict=True
            ):
                name = self.splits[split] if split is not None else ""
                uri = f"{table.file.uri}#{number}"
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
            uris = [f"{table.file.uri}#{number}" for number in table.file_rows(found[0].to_numpy()).tolist()]
            label = found[2].combine_chunks()
            parts.append(
                pa.table({"split": split.cast(pa.string()), "uri": pa.array(uris, pa.string()), "label": label})
            )
        return (
            pa.concat_tables(parts).take(back) if parts else pa.table({name: [] for name in ("split", "uri", "label")})
        )

    def digests(self, indices: IntArray) -> list[bytes]:
        """Digests of the canonical rows at these indices, the label included where it is compared."""
        found: dict[int, bytes] = {}
        for file, kept in self._by_file(indices):
            at, digests = self._digests(file, kept)
            texts: dict[str, bytes] = {}
            for index, text in zip(at.to_pylist(), digests.to_pylist(), strict=True):
                found[self.pool.starts[file] + index] = texts.setdefault(text, bytes.fromhex(text))
        return [found[index] for index in indices.tolist()]

    def _by_file(self, indices: IntArray) -> list[tuple[int, IntArray]]:
        starts = np.array(self.pool.starts, dtype=np.int64)
        at = np.searchsorted(starts, indices, side="right") - 1
        return [(int(file), np.unique(indices[at == file]) - starts[file]) for file in np.unique(at)]

    def _lookup(self, file: int, kept: IntArray, expressions: Sequence[str]) -> list[pa.ChunkedArray]:
        """``rowid`` and these expressions, for some rows of a file, in order."""
        names = ", ".join(f"({sql}) AS x{i}" for i, sql in enumerate(expressions))
        relation = self.pool.with_label(file)
        sql = f"SELECT row, {names} FROM {relation} WHERE row IN (SELECT row FROM wanted) ORDER BY row"
        with self._wanted(kept):
            return self._columns(sql)

    def _digests(self, file: int, kept: IntArray) -> list[pa.ChunkedArray]:
        """``rowid`` and the digest of the canonical row, for some rows of a file."""
        with_label = f"md5({_appended('canonical', self.pool.label[file], self.pool)})"
        with self._wanted(kept):
            relation = self.pool.digests(self.duck, file, "SELECT row FROM wanted")
            sql = f"SELECT d.row, {with_label} FROM {relation} d JOIN {self.pool.with_label(file)} l ON d.row = l.row"
            return self._columns(sql)

    @contextmanager
    def _wanted(self, kept: IntArray) -> Iterator[None]:
        self.duck.connection.register("wanted", pa.table({"row": kept}))
        try:
            yield
        finally:
            self.duck.connection.unregister("wanted")

    def _columns(self, sql: str) -> list[pa.ChunkedArray]:
        return list(self.duck.connection.sql(sql).to_arrow_table().columns)

    @cached_property
    def n_twins(self) -> int:
        """Rows whose canonical features occur more than once."""
        return self.duck.count("SELECT count(*) FROM twins")


@dataclass(frozen=True, eq=False, slots=True)
class _Pool:
    """All files as tables, and SQL of what matters in each.

    Parameters
    ----------
    starts : tuple of int
        Sample index of the first row of each file, and the number of all rows.
    labels : tuple of Column or None
        The label column as each file has it; `label` is the SQL of its canonical text in `with_label`.
    split : tuple of str
        SQL of the index of a row's split.
    """

    tables: tuple[Loaded, ...]
    starts: tuple[int, ...]
    columns: tuple[Column, ...]
    labels: tuple[Column | None, ...]
    label_compared: bool
    split: tuple[str, ...]
    label: tuple[str, ...]

    def with_label(self, file: int) -> str:
        """The table of a file, and its canonical label as ``n0``."""
        column = self.labels[file]
        return canonical_cells([column] if column else [], file, self.tables[file].table)

    def hashes(self, duck: Duck, file: int) -> str:
        """A relation of ``row``, ``split`` and a 64-bit ``hash`` that is equal for rows with equal features."""
        parts = []
        for number, block in enumerate(blocks(len(self.columns))):
            columns = self.columns[block]
            names = ", ".join(f"n{i}" for i in range(len(columns)))
            relation = canonical_cells(columns, file, self.tables[file].table)
            parts.append(f"SELECT row, {self.split[file]} AS split, hash({number}, {names}) AS hash FROM {relation}")
        return _gather(duck, parts, "any_value(split) AS split, bit_xor(hash) AS hash")

    def digests(self, duck: Duck, file: int, rows: str) -> str:
        """A relation of ``row`` and digests of its features, ``raw`` and ``canonical``, for rows that a query gives."""
        parts = []
        for number, block in enumerate(blocks(len(self.columns))):
            columns = self.columns[block]
            texts = [(canonical_text(c, file, f"n{i}"), c.odd and c.kind == "text") for i, c in enumerate(columns)]
            raws = [(raw(c, file), c.odd and c.kind == "text") for c in columns]
            parts.append(
                f"""SELECT row, {number} AS block, md5({encoded(raws)}) AS raw, md5({encoded(texts)}) AS canonical
                    FROM {canonical_cells(columns, file, self.tables[file].table)} WHERE row IN ({rows})"""
            )
        joined = [f"md5(string_agg({name}, '' ORDER BY block)) AS {name}" for name in ("raw", "canonical")]
        return _gather(duck, parts, ", ".join(joined))


def _gather(duck: Duck, parts: Sequence[str], joined: str) -> str:
    """One query as it is, several by way of a table: planned together they would take longer than one by one."""
    if len(parts) == 1:
        return f"({parts[0]})"
    duck.connection.execute(f"CREATE OR REPLACE TABLE parts AS {parts[0]}")
    for part in parts[1:]:
        duck.connection.execute(f"INSERT INTO parts {part}")
    return f"(SELECT row, {joined} FROM parts GROUP BY row)"


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
    import duckdb

    duck = open_duck(config, dataset.tables)
    try:
        install(duck)
        return _fingerprint(duck, dataset, config, progress)
    except duckdb.OutOfMemoryException as error:
        duck.close()
        raise UserError(
            "comparing the rows needs more memory than memory_limit, or a larger temporary folder"
        ) from error
    except duckdb.IOException as error:
        duck.close()
        raise UserError(f"the temporary folder cannot be used: {first_line(error)}") from error
    except BaseException:
        duck.close()
        raise


def _fingerprint(duck: Duck, dataset: Dataset, config: Config, progress: Progress) -> RowFingerprints:
    features, left_out = _identity(dataset, config)
    label = dataset.columns.label
    tables: list[Loaded] = []
    with progress("Reading tables", len(dataset.tables), "files") as advance:
        for number, file in enumerate(dataset.tables):
            tables.append(read_table(duck, file, f"file{number}"))
            advance(1)
    if label is not None and any(label not in table.file.columns for table in tables):
        left_out = {**left_out, label: "not in every file"}
    columns = pool_columns(duck, tables, features)
    labels = _label_columns(duck, tables, label)
    pool = _Pool(
        tables=tuple(tables),
        starts=tuple(int(start) for start in np.cumsum([0, *(table.n_rows for table in tables)])),
        columns=tuple(columns),
        labels=labels,
        label_compared=label is not None and label not in left_out,
        split=tuple(_split_sql(table, dataset) for table in tables),
        label=tuple(
            label_text(column, file, "n0") if column else "NULL::VARCHAR" for file, column in enumerate(labels)
        ),
    )
    counts = _count_labels(duck, pool, dataset.splits)
    dotted = _dotted(counts) if pool.label_compared and all(c is not None and c.kind == "text" for c in labels) else ()
    if dotted:
        pool = replace(pool, label=tuple(_without_dot(pool, file, dataset, dotted) for file in range(len(tables))))
        counts = {name: _undotted(found) if name in dotted else found for name, found in counts.items()}
    with progress("Fingerprinting rows", len(tables), "files") as advance:
        n_rows = _find_twins(duck, pool, advance)
    return RowFingerprints(
        duck=duck,
        splits=dataset.splits,
        columns=tuple(features),
        left_out=left_out,
        label=label,
        label_compared=pool.label_compared,
        n_rows={name: n_rows.get(code, 0) for code, name in enumerate(dataset.splits)},
        label_counts=counts,
        problems=tuple(problem for table in tables for problem in table.problems)[:PROBLEMS_LISTED],
        n_rejected=sum(table.n_rejected for table in tables),
        pool=pool,
    )


# --- which columns make a row ---------------------------------------------------------------------------------


def _identity(dataset: Dataset, config: Config) -> tuple[list[str], dict[str, str]]:
    """Feature columns in the order of the first file, and why the others are left out."""
    files = dataset.tables
    known = list(dict.fromkeys(name for file in files for name in file.columns))
    roles = dataset.columns
    left_out = {name: "ignored" for name in roles.ignore if name in known}
    for told in config.ignore_columns:
        name = told if told in known else resolve_column(told, files[0].columns, "--ignore-column")
        left_out[name] = "ignored"
    if roles.id is not None:
        left_out[roles.id] = "names the row"
    if roles.split is not None:
        left_out[roles.split] = "says the split"
    for name in known:
        if name != roles.label and any(name not in file.columns for file in files):
            left_out.setdefault(name, "not in every file")
    features = [name for name in known if name not in left_out and name != roles.label]
    if not features:
        raise InputError(_nothing_to_compare(files, left_out, roles.label))
    return features, left_out


def _nothing_to_compare(files: Sequence[TableFile], left_out: Mapping[str, str], label: str | None) -> str:
    if "not in every file" in left_out.values():
        uris = " and ".join(file.uri for file in files[:2])
        return f"{uris} have no column in common to compare: their headers differ (--header, --no-header)"
    return f"no column is left to compare beside the label {label!r}" if label else "no column is left to compare"


# --- splits and labels ----------------------------------------------------------------------------------------


def _split_sql(table: Loaded, dataset: Dataset) -> str:
    """The index of the split of a row; null for a row that belongs to none."""
    if table.file.split is not None:
        return f"{dataset.splits.index(table.file.split)}::SMALLINT"
    name = dataset.columns.split
    if name is None or name not in table.file.columns:
        raise InputError(f"{table.file.uri}: nothing says the split of its rows")
    value = f"trim(c{table.file.columns.index(name)}::VARCHAR)"
    values = dataset.columns.split_values or {split: split for split in dataset.splits}
    codes = {each: dataset.splits.index(split) for each, split in values.items() if split in dataset.splits}
    if not codes:
        return "NULL::SMALLINT"
    cases = " ".join(f"WHEN {quote_text(each)} THEN {code}" for each, code in sorted(codes.items()))
    return f"(CASE {value} {cases} END)::SMALLINT"


def _label_columns(duck: Duck, tables: Sequence[Loaded], label: str | None) -> tuple[Column | None, ...]:
    """The label column as each file has it: what it holds is decided over all files that have one."""
    having = [at for at, table in enumerate(tables) if label in table.file.columns]
    if label is None or not having:
        return (None,) * len(tables)
    column = pool_columns(duck, [tables[at] for at in having], [label])[0]
    sql, storage = [""] * len(tables), [column.storage[0]] * len(tables)
    for at, name, held in zip(having, column.sql, column.storage, strict=True):
        sql[at], storage[at] = name, held
    spread = replace(column, sql=tuple(sql), storage=tuple(storage))
    return tuple(spread if at in having else None for at in range(len(tables)))


def _count_labels(duck: Duck, pool: _Pool, splits: Sequence[str]) -> dict[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = {name: {} for name in splits}
    having = [file for file, column in enumerate(pool.labels) if column is not None]
    if not having:
        return counts
    parts = [f"SELECT {pool.split[at]} AS split, {pool.label[at]} AS label FROM {pool.with_label(at)}" for at in having]
    counted = duck.rows(
        f"""SELECT split, label, count(*) AS n FROM ({" UNION ALL ".join(parts)})
            WHERE split IS NOT NULL AND label IS NOT NULL
            GROUP BY ALL ORDER BY n DESC, label, split LIMIT {LABELS_COUNTED}"""
    )
    for code, text, n in sorted(counted, key=lambda row: str(row[1])):
        counts[splits[int(str(code))]][str(text)] = int(str(n))
    return counts


def _dotted(counts: Mapping[str, Mapping[str, int]]) -> frozenset[str]:
    """Splits whose labels all end in a dot, where the other splits have the same labels without it, as in UCI Adult."""
    dotted = {name for name, labels in counts.items() if labels and all(label.endswith(".") for label in labels)}
    others = {label for name, labels in counts.items() if name not in dotted for label in labels}
    return frozenset(name for name in dotted if others & {*_undotted(counts[name])} and not others & {*counts[name]})


def _without_dot(pool: _Pool, file: int, dataset: Dataset, dotted: Iterable[str]) -> str:
    codes = ", ".join(str(dataset.splits.index(name)) for name in sorted(dotted))
    label = pool.label[file]
    return f"CASE WHEN ({pool.split[file]}) IN ({codes}) THEN regexp_replace({label}, '[.]$', '') ELSE {label} END"


def _undotted(counts: Mapping[str, int]) -> dict[str, int]:
    return {label.removesuffix("."): n for label, n in counts.items()}


# --- rows that are not alone ----------------------------------------------------------------------------------


def _find_twins(duck: Duck, pool: _Pool, advance: Callable[[int], None]) -> dict[int, int]:
    """Make the table ``twins``; gives the number of rows of each split."""
    run = duck.connection.execute
    run("CREATE TABLE hashes (idx BIGINT, split SMALLINT, hash UBIGINT)")
    for file, start in enumerate(pool.starts[:-1]):
        run(
            f"""INSERT INTO hashes SELECT {start} + row, split, hash FROM {pool.hashes(duck, file)}
                WHERE split IS NOT NULL"""
        )
        advance(1)
    n_rows = {int(str(code)): int(str(n)) for code, n in duck.rows("SELECT split, count(*) FROM hashes GROUP BY split")}
    run(
        """CREATE TABLE nominated AS SELECT idx, split FROM hashes
           WHERE hash IN (SELECT hash FROM hashes GROUP BY hash HAVING count(*) > 1)"""
    )
    run("DROP TABLE hashes")
    run(f"CREATE TABLE digested ({', '.join(_TWINS)})")
    for file, start in enumerate(pool.starts[:-1]):
        stop, column = pool.starts[file + 1], pool.labels[file]
        inside = f"(SELECT idx - {start} AS row, idx, split FROM nominated WHERE idx >= {start} AND idx < {stop})"
        relation = pool.digests(duck, file, f"SELECT row FROM {inside}")
        digest = _appended("canonical", pool.label[file], pool)
        raw_digest = _appended("raw", raw(column, file) if column else "NULL", pool)
        run(
            f"""INSERT INTO digested
                SELECT n.idx, n.split, md5_number({raw_digest}), md5_number({digest}), md5_number(d.canonical),
                    {pool.label[file]}
                FROM {inside} n JOIN {relation} d ON n.row = d.row JOIN {pool.with_label(file)} l ON n.row = l.row"""
        )
    run(
        """CREATE TABLE twins AS SELECT * FROM digested
           WHERE without_label IN (SELECT without_label FROM digested GROUP BY without_label HAVING count(*) > 1)
           ORDER BY idx"""
    )
    run("DROP TABLE nominated")
    run("DROP TABLE digested")
    return n_rows


def _appended(layer: str, label: str, pool: _Pool) -> str:
    """The digest of the features, with the label where it is compared."""
    return f"d.{layer} || {encoded([(label, True)])}" if pool.label_compared else f"d.{layer}"


def _shown(cell: str) -> str:
    text = f"{cell}::VARCHAR"
    return f"CASE WHEN length({text}) > {CELL_SHOWN} THEN left({text}, {CELL_SHOWN}) || '…' ELSE {text} END"
