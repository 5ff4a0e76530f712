"""Which text files are which split, where a format of its own says what is in them: ``train.conll``, ``x.train``."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from leakaudit.errors import InputError
from leakaudit.model import Dataset, TableFile, ordered_splits
from leakaudit.sources import storage
from leakaudit.sources.base import NotThis, Request
from leakaudit.sources.listing import display, entries_of
from leakaudit.sources.names import canonical, split_of, split_word
from leakaudit.sources.parts import COMPRESSED, folder_parts, say_names
from leakaudit.sources.readers.csv_dialect import sniff_encoding
from leakaudit.sources.readers.files import Compression, read_bytes
from leakaudit.sources.rows import tables_dataset

HEAD = 1 << 16
"""First bytes of a file that are looked at."""

MOST_FILES = 200
"""Files of a folder that are looked into: a folder with more is one of documents."""


@dataclass(frozen=True, slots=True)
class SplitFile:
    """A file, its split, and its name without the word that says the split."""

    split: str
    path: str
    template: str


def split_files(request: Request) -> list[SplitFile]:
    """The files that were named, or those in the folder (and in its split folders) whose names say a split."""
    config = request.config
    if request.folder is None:
        found = []
        for item in request.items:
            told = canonical(config.splits.get(item.split, item.split)) if item.split else None
            for path in item.paths:
                named = told or _split_in(os.path.basename(path), config.splits)
                if named and not storage.is_folder(path):
                    found.append(SplitFile(named, path, _template(os.path.basename(path))))
        return found
    try:
        folders, files = entries_of(request.inventory, request.folder)
    except OSError:
        return []
    found = [
        SplitFile(split, os.path.join(request.folder, name), _template(name))
        for name in files[:MOST_FILES]
        if (split := _split_in(name, config.splits))
    ]
    for part in folder_parts(request.folder, folders, config):
        try:
            names = entries_of(request.inventory, part.paths[0])[1]
        except OSError:
            continue
        found += [SplitFile(part.split, os.path.join(part.paths[0], name), name) for name in names[:MOST_FILES]]
    return found


def _split_in(name: str, told: Mapping[str, str]) -> str | None:
    """The split that a file name says: as a whole, in one word, or as its ending (``cooking.train``)."""
    for ending in COMPRESSED:
        name = name.removesuffix(ending)
    stem, _, suffix = name.rpartition(".")
    return split_of(name, told) or split_of(stem, told) or split_of(suffix, told) or split_word(stem or name)


def _template(name: str) -> str:
    """A file name with the word that says its split taken out, in lower case."""
    taken = re.sub(
        r"(?i)(?<![a-z])(train(ing)?|val(id(ation)?)?|dev(el)?|test(ing)?|eval)(?![a-z])", "{}", name, count=1
    )
    return taken.lower()


def whole_sets(files: Sequence[SplitFile], request: Request) -> dict[str, list[SplitFile]]:
    """Files that differ in their split alone, of two splits or more (of one, under ``--within``), by template."""
    named_by_hand = request.folder is None
    sets: dict[str, list[SplitFile]] = {}
    for file in files:
        sets.setdefault("" if named_by_hand else file.template, []).append(file)
    least = 1 if request.config.within else 2
    return {key: each for key, each in sets.items() if len({file.split for file in each}) >= least}


def recognised(request: Request, is_it: Callable[[str, str], bool], called: str) -> tuple[SplitFile, ...] | NotThis:
    """The files of one set of splits that are all of a format.

    Parameters
    ----------
    is_it : callable
        ``is_it(name, head)`` looks at a file's name and at the text of its first bytes.
    called : str
        The format, for people.
    """
    heads: dict[str, str | None] = {}
    chosen = []
    for files in whole_sets(split_files(request), request).values():
        for file in files:
            if file.path not in heads:
                heads[file.path] = head_of_text(file.path, request.config.encoding)
        texts = [heads[file.path] for file in files]
        if all(text is not None and is_it(os.path.basename(file.path), text) for file, text in zip(files, texts)):  # noqa: B905
            chosen.append(tuple(files))
    if not chosen:
        return NotThis(f"no {called} files named like splits")
    if len(chosen) > 1:
        names = say_names([display(files[0].path) for files in chosen], 3)
        return NotThis(f"several sets of {called} files ({names}): name one (train=FILE test=FILE)", nearly=True)
    return chosen[0]


def compression_of(path: str) -> Compression:
    """By the ending."""
    lower = path.lower()
    return "gzip" if lower.endswith((".gz", ".gzip")) else "zstd" if lower.endswith((".zst", ".zstd")) else "none"


def head_of_text(path: str, encoding: str | None) -> str | None:
    """The first lines of a file, the last one perhaps cut; None where it is no text."""
    try:
        data, _ = read_bytes(path, compression_of(path), HEAD)
        if b"\0" in data[:4096] and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
            return None
        codec, _ = sniff_encoding(data, encoding)
        return data.decode(codec, "replace").removeprefix("\ufeff")
    except (InputError, LookupError, ValueError):
        return None


def read_text(path: str, encoding: str | None) -> str:
    """A whole text file.

    Raises
    ------
    InputError
        It cannot be read, or is binary or not in its encoding.
    """
    data, _ = read_bytes(path, compression_of(path))
    try:
        codec, _ = sniff_encoding(data, encoding)
        return data.decode(codec).removeprefix("\ufeff").replace("\r\n", "\n")
    except (LookupError, ValueError) as error:
        raise InputError(f"{display(path)}: {str(error).splitlines()[0]}") from error


Records = Mapping[str, Sequence[object]]
"""Columns of a file: equally many values of each."""


def texts_dataset(
    request: Request,
    layout: str,
    said: str,
    files: Sequence[SplitFile],
    read: Callable[[str, str | None], Records],
    *,
    texts: Sequence[str] = (),
    ignore: Sequence[str] = (),
    notes: Sequence[str] = (),
) -> Dataset:
    """A data set of text files that are read here, a table of each.

    Parameters
    ----------
    read : callable
        ``read(path, encoding)`` gives the columns of a file.
    texts : sequence of str
        Columns that are texts by the format; see `leakaudit.model.Columns`.
    ignore : sequence of str
        Columns that are no part of what a sample is: ids, tags.

    Raises
    ------
    InputError
        A file that cannot be read, or a split without a sample.
    """
    tables = []
    order = ordered_splits([file.split for file in files])
    for file in sorted(files, key=lambda each: (order.index(each.split), each.path)):
        columns = read(file.path, request.config.encoding)
        arrays = {name: pa.array(values) for name, values in columns.items()}
        table = pa.table(arrays)
        if not len(table):
            raise InputError(f"the split {file.split} ({display(file.path)}) is empty: no sample in it")
        uri = request.uri(file.path)
        tables.append(TableFile(uri, file.split, "arrow", tuple(table.column_names), table=table))
    there = {name for table in tables for name in table.columns}
    ignored = tuple(name for name in ignore if name in there)
    config = replace(request.config, ignore_columns=(*request.config.ignore_columns, *ignored))
    parts = ", ".join(f"{split} ({say_names([t.uri for t in tables if t.split == split], 2)})" for split in order)
    found = tables_dataset(request.shown, layout, f"{said}: {parts}", tables, config, notes=notes)
    return replace(found, columns=replace(found.columns, texts=tuple(name for name in texts if name in there)))
