"""Folders of documents: ``root/<split>/<class>/document.txt``, one text a file, or without classes.

A split folder is recognised by its name; the label is the first folder under it, as for pictures.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pyarrow as pa

from leakaudit.errors import InputError
from leakaudit.model import Dataset, Problem, TableFile
from leakaudit.sources import storage
from leakaudit.sources.base import DataLayout, NotThis, Request
from leakaudit.sources.inventory import Folder, Inventory, why
from leakaudit.sources.layouts.image_folders import class_labels
from leakaudit.sources.listing import uri_of
from leakaudit.sources.parts import Part, folder_parts, in_order, item_parts, list_folder, say_names, say_parts
from leakaudit.sources.readers.csv_dialect import sniff_encoding
from leakaudit.sources.rows import tables_dataset

SUFFIX = ".txt"
_POINTER = b"version https://git-lfs"
_HEAD = 1 << 16


@dataclass(slots=True)
class _Read:
    """The documents of one split."""

    files: list[str] = field(default_factory=list)
    folders: list[bytes] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    n_other: int = 0


def sniff(request: Request) -> tuple[Part, ...] | NotThis:
    """Look for split folders with text files in them or in their folders."""
    absent = NotThis(f"no split folders with documents ({SUFFIX} files) in each")
    if request.folder is not None:
        parts = folder_parts(request.folder, list_folder(request.inventory, request.folder)[0], request.config)
    elif all(item.is_folder for item in request.items):
        parts = item_parts(request)
    else:
        return absent
    enough = 1 if request.config.within else 2
    if len(parts) < enough or not all(any(_some(request, path) for path in part.paths) for part in parts):
        return absent
    return tuple(in_order(parts))


def load(request: Request, parts: tuple[Part, ...]) -> Dataset:
    """One table a split: file, text and, where the folders are classes, label.

    Raises
    ------
    InputError
        A split of which no document could be read.
    """
    read = [_read_part(request, part) for part in parts]
    for part, documents in zip(parts, read, strict=True):
        if not documents.texts:
            first = f": {documents.problems[0].uri}: {documents.problems[0].reason}" if documents.problems else ""
            raise InputError(f"the split {part.split} ({part.called}) has no document that could be read{first}")
    labels, said = class_labels([documents.folders for documents in read])
    beside = [name for documents in read for name in _without_lists(documents)] if labels is not None else []
    if beside:
        labels, said = class_labels([documents.folders for documents in read])
    tables = []
    at = 0
    for part, documents in zip(parts, read, strict=True):
        n = len(documents.texts)
        columns: dict[str, list[str] | list[str | None]] = {"file": documents.files, "text": documents.texts}
        if labels is not None:
            columns["label"] = labels[at : at + n]
        table = pa.table({name: pa.array(cells, pa.large_string()) for name, cells in columns.items()})
        uris = pa.array(documents.files, pa.string())
        columns_there = tuple(table.column_names)
        tables.append(
            TableFile(request.uri(part.paths[0]), part.split, "arrow", columns_there, table=table, row_uris=uris)
        )
        at += n
    config = replace(request.config, ignore_columns=(*request.config.ignore_columns, "file"))
    found = tables_dataset(
        request.shown,
        LAYOUT.name,
        f"one text a file ({SUFFIX}), one folder a split: {say_parts(parts)}; {said.replace('pictures', 'documents')}",
        tables,
        config,
        n_other_files=sum(documents.n_other for documents in read) + len(beside),
        notes=[f"Not read, beside the folders of documents: {say_names(beside)}."] if beside else [],
    )
    return replace(found, problems=tuple(problem for documents in read for problem in documents.problems))


def _without_lists(documents: _Read) -> list[str]:
    """Take out the few files beside the class folders of a split, which are lists and notes; their names."""
    beside = [at for at, folder in enumerate(documents.folders) if not folder]
    if len(beside) == len(documents.folders):
        return []
    names = [documents.files[at] for at in beside]
    for at in reversed(beside):
        del documents.files[at], documents.folders[at], documents.texts[at]
    return names


def _some(request: Request, folder: str) -> bool:
    """Whether a text file lies in the folder or below it."""
    return next(_documents(request.inventory, folder), None) is not None


def _documents(inventory: Inventory, top: str) -> Iterator[str]:
    """Paths of all text files in and below a folder, hidden ones left out, folder by folder."""
    for path, folder in inventory.walk(os.fsencode(top)):
        if isinstance(folder, Folder):
            names = sorted(os.fsdecode(name) for name, *_ in folder.others)
            yield from (os.fsdecode(path) + name for name in names if _is_document(name))


def _folder_first(path: str) -> tuple[list[str], str]:
    """Files of a folder before those of the folders in it."""
    folder, _, name = path.rpartition("/")
    return folder.split("/"), name


def _not_looked_at(request: Request, top: str, split: str) -> Iterator[Problem]:
    """Folders that cannot be listed, links in a circle, and what is neither a file nor a folder."""
    for path, folder in request.inventory.walk(os.fsencode(top)):
        here = request.uri(os.fsdecode(path).rstrip("/"))
        if isinstance(folder, OSError):
            yield Problem(here, "unreadable", why(folder), split)
        else:
            for name, kind, reason in folder.problems:
                yield Problem(f"{here}/{uri_of(name)}", kind, reason, split)
            for broken in folder.broken:
                if _is_document(os.fsdecode(broken)):
                    yield Problem(f"{here}/{uri_of(broken)}", "missing", "broken symbolic link", split)


def _is_document(name: str) -> bool:
    return name.lower().endswith(SUFFIX) and not name.startswith(".") and not name.lower().startswith("readme")


def _read_part(request: Request, part: Part) -> _Read:
    found = _Read()
    for top in part.paths:
        documents = sorted(_documents(request.inventory, top), key=_folder_first)
        for path in documents:
            text = _read(path, request.config.encoding)
            if isinstance(text, str):
                found.files.append(request.uri(path))
                found.folders.append(os.fsencode(os.path.relpath(os.path.dirname(path), top).replace(os.sep, "/")))
                found.texts.append(text)
            else:
                found.problems.append(replace(text, uri=request.uri(path), split=part.split))
        found.problems += _not_looked_at(request, top, part.split)
        found.n_other += sum(tally.n for tally in request.inventory.tally(os.fsencode(top)).values()) - len(documents)
    found.folders = [b"" if folder == b"." else folder for folder in found.folders]
    return found


def _read(path: str, encoding: str | None) -> str | Problem:
    """The text of a file, or what is the matter with it."""
    try:
        with storage.open_file(path) as file:
            data = file.read()
        if data.startswith(_POINTER):
            return Problem(path, "pointer", "Git LFS pointer: run git lfs pull")
        try:
            return data.decode(encoding or "utf-8-sig")
        except UnicodeDecodeError:
            if encoding:
                raise
            return data.decode(sniff_encoding(data[:_HEAD])[0], errors="strict")
    except OSError as error:
        return Problem(path, "unreadable", why(error))
    except (LookupError, ValueError) as error:
        return Problem(path, "unreadable", f"not readable as text: {error}".splitlines()[0])


def takes(_request: Request, parts: tuple[Part, ...]) -> list[str]:
    """The split folders."""
    return [path for part in parts for path in part.paths]


LAYOUT = DataLayout("text-folders", sniff, load, takes)
