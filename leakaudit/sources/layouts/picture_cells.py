"""Tables with pictures (or sounds) in cells, as the Hugging Face hub has them: parquet, feather, ``save_to_disk``.

A cell is a struct of ``bytes`` and ``path``, or plain bytes. The first such column holds the samples; its cells are
read when they are looked at, a row group at a time. What the other columns say stays beside, row by row.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from leakaudit.errors import InputError
from leakaudit.model import Columns, Dataset, Kind, Layout, Samples, TableFile, ordered_splits
from leakaudit.sources import storage
from leakaudit.sources.base import DataLayout, NotThis, Request
from leakaudit.sources.kinds import MAGIC_BYTES, begins_as_picture, begins_as_sound
from leakaudit.sources.layouts.split_column import find_split_column, one_table, read_split_values, say_values
from leakaudit.sources.listing import entries_of
from leakaudit.sources.names import (
    GROUP_NAMES,
    TIME_NAMES,
    guess_column,
    guess_label,
    resolve_column,
    split_of,
    split_word,
)
from leakaudit.sources.parts import Part, folder_parts, in_order, list_folder, say_names, say_parts, stem
from leakaudit.sources.readers.cells import TableShape, first_cells, is_columnar, read_plain, table_shape
from leakaudit.sources.readers.heads import Head, cell_of_arrow
from leakaudit.sources.storage.inside import Cell, cell_path
from leakaudit.sources.table_parts import TableParts, find_table_parts

if TYPE_CHECKING:
    import pyarrow as pa

LOOKED_AT = 20
"""First cells of a column of bytes, by which it is known whether they are pictures."""

ONLY = "all"
_ARROW = (".arrow", ".feather")

CellKind = Literal["picture", "sound"]

_KINDS: Mapping[str, CellKind] = {"Image": "picture", "Audio": "sound"}
"""Features of ``datasets``."""


@dataclass(frozen=True, slots=True)
class CellColumn:
    """A column of pictures or sounds.

    Parameters
    ----------
    name : str
    data : str
        Of its bytes: `name` itself, or ``name.bytes``.
    kind : {"picture", "sound"}
    by_path : bool
        All bytes are empty: the files are named.
    """

    name: str
    data: str
    kind: CellKind
    by_path: bool = False


@dataclass(frozen=True, slots=True)
class Sniffed:
    """Files by split (None where a column says it), the column of samples, and others like it."""

    files: tuple[tuple[str | None, str], ...]
    column: CellColumn
    others: tuple[str, ...]
    said: str
    split_column: str | None = None
    unused: tuple[str, ...] = ()


def sniff(request: Request) -> Sniffed | NotThis:
    """Look for split files, or one table with a split column, that have a column of pictures."""
    parts = _arrow_files(request) or find_table_parts(request)
    if isinstance(parts, TableParts):
        files: list[tuple[str | None, str]] = [(part.split, path) for part in parts.parts for path in part.paths]
        said, unused = say_parts(parts.parts), parts.unused
    else:
        path = one_table(request)
        if isinstance(path, NotThis):
            return NotThis("no table with pictures in its cells")
        files, said, unused = [(None, path)], "", ()
    if not all(is_columnar(path) for _, path in files):
        return NotThis("no table with pictures in its cells")
    first = files[0][1]
    columns = cell_columns(first, table_shape(first))
    if not columns:
        return NotThis("no table with pictures in its cells")
    column, *others = columns
    names = tuple(each.name for each in others)
    if files[0][0] is not None:
        return Sniffed(tuple(files), column, names, said, unused=unused)
    split_column = find_split_column(_small_head(first), request.config)
    if split_column is None and not request.config.within:
        return NotThis(
            f"one table of {column.kind}s, and no column of it says the split: add its partner (train=FILE test=FILE), "
            "say --split-column, or add --within to audit the inside of one set",
            nearly=True,
        )
    return Sniffed(tuple(files), column, names, said, split_column)


def _arrow_files(request: Request) -> TableParts | None:
    """Arrow files in folders or with names of splits: ``train/data-00000-of-00001.arrow``, ``train.feather``."""
    if request.folder is None:
        return None
    folders, files = list_folder(request.inventory, request.folder)
    found: list[Part] = []
    for part in folder_parts(request.folder, folders, request.config):
        names = [name for name in entries_of(request.inventory, part.paths[0])[1] if name.endswith(_ARROW)]
        if names:
            found.append(Part(part.split, tuple(os.path.join(part.paths[0], name) for name in names), part.called))
    by_name: dict[str, list[str]] = {}
    for name in files:
        split = split_of(stem(name), request.config.splits) or split_word(stem(name))
        if name.endswith(_ARROW) and split is not None:
            by_name.setdefault(split, []).append(os.path.join(request.folder, name))
    if not found:
        found = [Part(split, tuple(paths), say_names(paths, 2)) for split, paths in by_name.items()]
    return TableParts(tuple(in_order(found))) if len(found) >= (1 if request.config.within else 2) else None


def cell_columns(path: str, shape: TableShape) -> list[CellColumn]:
    """The columns of a file whose cells are pictures or sounds, in their order.

    Raises
    ------
    InputError
        A damaged file.
    """
    import pyarrow as pa

    features = hub_features(shape.schema)
    found = []
    for field in shape.schema:
        data = _bytes_field(field)
        if data is None:
            continue
        feature = features.get(field.name)
        kind = _KINDS.get(feature.get("_type", "")) if isinstance(feature, dict) else None
        try:
            cells = first_cells(path, data, LOOKED_AT)
        except (OSError, pa.ArrowException) as error:
            raise InputError(f"{path}: damaged: its column {field.name!r} cannot be read") from error
        heads = [cell[:MAGIC_BYTES] for cell in cells if cell]
        if kind is None and any(map(begins_as_picture, heads)):
            kind = "picture"
        if kind is None and any(map(begins_as_sound, heads)):
            kind = "sound"
        by_path = not heads and data != field.name
        if kind is not None and (heads or by_path):
            found.append(CellColumn(field.name, data, kind, by_path))
    return found


def _bytes_field(field: pa.Field) -> str | None:
    """Where the bytes of a column are: in itself, or in the field ``bytes`` of its struct."""
    import pyarrow as pa

    def is_bytes(kind: pa.DataType) -> bool:
        return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind))

    if is_bytes(field.type):
        return str(field.name)
    if pa.types.is_struct(field.type):
        at = field.type.get_field_index("bytes")
        if at >= 0 and is_bytes(field.type.field(at).type):
            return f"{field.name}.bytes"
    return None


def hub_features(schema: pa.Schema) -> dict[str, object]:
    """What ``datasets`` wrote about its columns; empty where it did not write the file."""
    raw = (schema.metadata or {}).get(b"huggingface")
    with suppress(ValueError, KeyError, TypeError, RecursionError):
        features = json.loads(raw or b"{}")["info"]["features"]
        return features if isinstance(features, dict) else {}
    return {}


def _small_head(path: str) -> Head:
    """The plain columns of the first rows, for finding the one that says the split."""
    names = _plain_columns(table_shape(path).schema)
    table = read_plain(path, names)
    rows = [tuple(map(cell_of_arrow, row.values())) for row in table.slice(0, 1000).to_pylist()]
    return Head(path, "arrow", tuple(names), rows, table=table)


def _plain_columns(schema: pa.Schema) -> list[str]:
    """Columns without bytes in them."""
    return [field.name for field in schema if not _holds_bytes(field.type)]


def _holds_bytes(kind: pa.DataType) -> bool:
    import pyarrow as pa

    if pa.types.is_nested(kind):
        return any(_holds_bytes(kind.field(at).type) for at in range(kind.num_fields))
    return bool(
        pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_binary_view(kind)
        or pa.types.is_fixed_size_binary(kind)
    )


def load(request: Request, sniffed: Sniffed) -> Dataset:
    """List the cells of all files, and read the columns beside them.

    Raises
    ------
    InputError
        A damaged file, a file without the column, or a split without a row.
    ConfigError
        A column that the user named and that is not there.
    """
    import numpy as np
    import pyarrow as pa

    read = [_read_file(request, path, split, sniffed.column) for split, path in sniffed.files]
    notes = [f"Not used, beside the split files: {say_names(sniffed.unused)}."] if sniffed.unused else []
    said_splits = sniffed.said
    if sniffed.split_column is not None:
        (whole,) = read
        cells = [(cell_of_arrow(each) or "").strip() for each in whole.table.column(sniffed.split_column).to_pylist()]
        counts = {value: cells.count(value) for value in dict.fromkeys(cells)}
        values, more = read_split_values(counts, sniffed.split_column, request.config)
        notes += more
        said_splits = f"{say_values(values)}, by the column {sniffed.split_column!r}"
        read = [whole.some(split, [values.get(cell) == split for cell in cells]) for split in values.values()]
        read = list({id(each): each for each in read}.values())
    elif sniffed.files[0][0] is None:
        read = [each.called(ONLY) for each in read]
        said_splits = "one split (--within)"
    splits = ordered_splits([each.split or ONLY for each in read])
    read.sort(key=lambda each: splits.index(each.split or ONLY))
    for split in splits:
        if not sum(len(each.paths) for each in read if each.split == split):
            raise InputError(f"the split {split} is empty: no row in it")
    beside = {split: _together([each.table for each in read if each.split == split]) for split in splits}
    names = [
        name for name in beside[splits[0]].column_names if all(name in each.column_names for each in beside.values())
    ]
    columns = _meanings(request, names)
    features = hub_features(table_shape(sniffed.files[0][1]).schema)
    tables = {split: _named_classes(table.select(names), features) for split, table in beside.items()}
    meaning = {
        role: pa.array(
            [cell_of_arrow(cell) for split in splits for cell in tables[split].column(column).to_pylist()], pa.string()
        )
        for role, column in (("label", columns.label), ("group", columns.group), ("time", columns.time))
        if column is not None
    }
    n = [sum(len(each.paths) for each in read if each.split == split) for split in splits]
    what = f"label column {columns.label!r}" if columns.label else "no label column known (say --label)"
    if sniffed.others:
        notes.append(f"Further columns of pictures or sounds, not looked at: {say_names(sniffed.others)}.")
    kind: Kind = "image" if sniffed.column.kind == "picture" else "file"
    return Dataset(
        root=request.shown,
        kind=kind,
        layout=Layout(
            LAYOUT.name,
            f"{sum(n):,} {sniffed.column.kind}s in the column {sniffed.column.name!r} of {len(sniffed.files):,} "
            f"file{'s' if len(sniffed.files) > 1 else ''}: {said_splits}; {what}",
        ),
        splits=splits,
        samples=Samples(
            uri=pa.array([uri for each in read for uri in each.uris], pa.string()),
            path=pa.array([path for each in read for path in each.paths], pa.binary()),
            split=np.repeat(np.arange(len(splits), dtype=np.int16), n),
            size=np.full(sum(n), -1, dtype=np.int64),
            mtime_ns=np.concatenate([np.full(len(each.paths), each.mtime_ns, dtype=np.int64) for each in read]),
            **meaning,
        ),
        tables=tuple(TableFile(split, split, "arrow", tuple(names), table=tables[split]) for split in splits if names),
        columns=columns,
        notes=tuple(notes),
    )


@dataclass(frozen=True, eq=False, slots=True)
class _Read:
    """The samples of one file, and the columns beside them."""

    split: str | None
    uris: list[str]
    paths: list[bytes]
    table: pa.Table
    mtime_ns: int

    def called(self, split: str) -> _Read:
        return _Read(split, self.uris, self.paths, self.table, self.mtime_ns)

    def some(self, split: str, keep: Sequence[bool]) -> _Read:
        import pyarrow as pa

        uris = [uri for uri, kept in zip(self.uris, keep, strict=True) if kept]
        paths = [path for path, kept in zip(self.paths, keep, strict=True) if kept]
        return _Read(split, uris, paths, self.table.filter(pa.array(keep)), self.mtime_ns)


def _read_file(request: Request, path: str, split: str | None, column: CellColumn) -> _Read:
    shape = table_shape(path)
    if column.name not in shape.schema.names or _bytes_field(shape.schema.field(column.name)) != column.data:
        raise InputError(f"{request.uri(path)}: it has no column {column.name!r} of {column.kind}s, as others have")
    uri, file = request.uri(path), os.fsencode(path)
    rows = [(group, row) for group, n in enumerate(shape.groups) for row in range(n)]
    named = _names_in_cells(path, column, shape)
    if column.by_path and named is not None:
        folder = os.path.dirname(path)
        paths = [os.fsencode(os.path.join(folder, name or "")) for name in named]
    else:
        paths = [cell_path(Cell(file, column.data, group, row)) for group, row in rows]
    plain = _plain_columns(shape.schema)
    table = read_plain(path, plain) if plain else _no_columns(len(rows))
    uris = [f"{uri}#{row}" for row in range(len(rows))]
    return _Read(split, uris, paths, table, storage.stat(path).st_mtime_ns)


def _names_in_cells(path: str, column: CellColumn, shape: TableShape) -> list[str | None] | None:
    """The field ``path`` of a column of structs, where the files are only named."""
    if not column.by_path or shape.schema.field(column.name).type.get_field_index("path") < 0:
        return None
    cells = read_plain(path, [column.name]).column(column.name).to_pylist()
    return [cell["path"] if cell else None for cell in cells]


def _no_columns(n: int) -> pa.Table:
    import pyarrow as pa

    return pa.table({"": pa.nulls(n)}).select([])


def _together(tables: Sequence[pa.Table]) -> pa.Table:
    import pyarrow as pa

    names = [name for name in tables[0].column_names if all(name in each.column_names for each in tables)]
    chosen = [each.select(names).replace_schema_metadata(None) for each in tables]
    try:
        return pa.concat_tables(chosen, promote_options="permissive")
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise InputError(f"the shards of a split have columns of different types: {error}") from error


def _meanings(request: Request, names: Sequence[str]) -> Columns:
    config = request.config
    told = {
        role: resolve_column(column, names, f"--{role}")
        for role, column in (("label", config.label), ("group", config.group), ("time", config.time), ("id", config.id))
        if column is not None
    }
    return Columns(
        label=told.get("label") or guess_label(names),
        group=told.get("group") or guess_column(names, GROUP_NAMES),
        time=told.get("time") or guess_column(names, TIME_NAMES),
        id=told.get("id"),
        ignore=tuple(resolve_column(column, names, "--ignore-column") for column in config.ignore_columns),
    )


def _named_classes(table: pa.Table, features: dict[str, object]) -> pa.Table:
    """Numbers of classes by the names that the Hub keeps of them."""
    import pyarrow as pa

    for at, name in enumerate(table.column_names):
        feature = features.get(name)
        classes = feature.get("names") if isinstance(feature, dict) and feature.get("_type") == "ClassLabel" else None
        if not isinstance(classes, list) or not pa.types.is_integer(table.column(at).type):
            continue
        cells = [
            None if cell is None else str(classes[cell]) if 0 <= cell < len(classes) else str(cell)
            for cell in table.column(at).to_pylist()
        ]
        table = table.set_column(at, name, pa.array(cells, pa.string()))
    return table


def takes(_request: Request, sniffed: Sniffed) -> list[str]:
    """The tables."""
    return [path for _, path in sniffed.files]


LAYOUT = DataLayout("picture-cells", sniff, load, takes)
