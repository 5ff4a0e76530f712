"""What a layout is: a record, not a class to inherit from; and the request that every layout looks at."""

from __future__ import annotations

import glob
import os
import re
import stat
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from leakaudit.config import Config
from leakaudit.errors import InputError
from leakaudit.model import Dataset
from leakaudit.sources import storage
from leakaudit.sources.inside import INSIDE, inside, join_inside
from leakaudit.sources.inventory import Inventory, node_kind, why
from leakaudit.sources.listing import display, uri_of
from leakaudit.sources.names import canonical
from leakaudit.sources.storage import addresses, remote

MOST_SHARDS = 1_000_000
"""Files that a range in braces may stand for."""

_SERVERS = re.compile(
    r"(?i)((?:postgres(?:ql)?|mysql|mariadb|mssql|oracle|redshift|snowflake|bigquery|clickhouse|trino|cockroachdb|mongodb)"
    r"(?:\+\w+)?)://"
)


@dataclass(frozen=True, slots=True)
class Item:
    """One thing the user pointed at.

    Parameters
    ----------
    split : str or None
        Told as ``name=path``.
    given : str
        The path or pattern as given, without the name.
    paths : tuple of str
        What it stands for: itself, or the sorted files of a pattern.
    is_folder : bool
    """

    split: str | None
    given: str
    paths: tuple[str, ...]
    is_folder: bool

    @property
    def name(self) -> str:
        """Last part of the path; of a table in a file the name of the table."""
        file, table = inside(self.given)
        return os.path.basename(storage.absolute(file)) if table is None else table


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be loaded.

    Parameters
    ----------
    items : tuple of Item
    config : Config
    root : str
        The one path given, or the common folder of several; uris are relative to it (of one file: to its folder).
    inventory : Inventory
        What lies in folders, read once for all layouts.
    heads : dict
        What the first rows of the files are, see `leakaudit.sources.readers.heads.head_of`.
    indexes : dict
        Pictures of folders by path, name and stem, see `leakaudit.sources.picture_index.index_of`.
    """

    items: tuple[Item, ...]
    config: Config
    root: str
    inventory: Inventory = field(default_factory=Inventory, compare=False, repr=False)
    heads: dict[str, object] = field(default_factory=dict, compare=False, repr=False)
    indexes: dict[str, object] = field(default_factory=dict, compare=False, repr=False)

    @property
    def folder(self) -> str | None:
        """The folder, where one folder without a split name was given."""
        item = self.items[0]
        return item.given if len(self.items) == 1 and item.is_folder and item.split is None else None

    @property
    def whole(self) -> str | None:
        """The folder that the user named, where the data set was looked for in all of it."""
        return self.root if self.folder is not None else None

    @property
    def base(self) -> str:
        """The folder that uris are relative to."""
        if len(self.items) == 1 and not self.items[0].is_folder and self.root == self.items[0].given:
            return storage.parent(self.root) or "."
        return self.root

    @property
    def shown(self) -> str:
        """The root as people read it."""
        return display(self.root or ".")

    def relative(self, path: str) -> str:
        """A path relative to `base` where it lies below it (empty for `base` itself), else the absolute path.

        ``/``-separated.
        """
        base, path = storage.absolute(self.base), storage.absolute(path)
        if path == base:
            return ""
        below = f"{base}/" if storage.is_remote(base) else os.path.join(base, "")
        return path[len(below) :].replace(os.sep, "/") if path.startswith(below) else path

    def uri(self, path: str) -> str:
        """What people read for a path: relative to `base` where it lies below it."""
        return uri_of(os.fsencode(self.relative(path)))


@dataclass(frozen=True, slots=True)
class NotThis:
    """Why a layout was not recognised.

    Parameters
    ----------
    reason : str
        One phrase, with the option that would say it.
    nearly : bool, default False
        It is this layout, but for one thing (a single split): the message then says this alone.
    unless_below : bool, default False
        Of those, one that gives way to a data set in a folder below.
    """

    reason: str
    nearly: bool = False
    unless_below: bool = False


@dataclass(frozen=True, slots=True)
class DataLayout:
    """One way in which data lie on disk.

    Parameters
    ----------
    name : str
        Slug, as in ``--layout`` and in `leakaudit.model.Layout`.
    sniff : callable
        ``sniff(request)`` looks at names and heads of files only; it gives what `load` needs, or `NotThis`.
    load : callable
        ``load(request, sniffed) -> Dataset``.
    takes : callable
        ``takes(request, sniffed)`` gives the files and folders that are samples or go with them; see
        `leakaudit.sources.claims`.
    lines : bool, default False
        Its text files hold a sample a line.
    fallback : bool, default False
        Takes whatever is there, and so only what no other layout knows better.
    """

    name: str
    sniff: Callable[[Request], Any]
    load: Callable[[Request, Any], Dataset]
    takes: Callable[[Request, Any], Iterable[str]]
    lines: bool = False
    fallback: bool = False


def read_request(paths: Sequence[str | os.PathLike[str]], config: Config) -> Request:
    """Look at what the user pointed at.

    ``name=path`` names a split where the part before the first ``=`` is a plain word and nothing is called like the
    whole.

    Raises
    ------
    InputError
        Nothing given, nothing there, no permission, or neither a file nor a folder.
    """
    remote.forget()
    items = tuple(_item(os.fspath(path)) for path in paths)
    if not items:
        raise InputError("no path given: name a folder, a manifest, or split files (train=… val=…)")
    return Request(items, config, items[0].given if len(items) == 1 else _common_folder(items))


def _item(told: str) -> Item:
    split, path = None, told
    named = re.fullmatch(r"(\w[\w-]*)=(.+)", told, flags=re.DOTALL)
    if named and not os.path.lexists(told):
        split, path = canonical(named[1]), named[2]
    if path.startswith("file://"):
        from urllib.request import url2pathname

        path = url2pathname(path.removeprefix("file://").removeprefix("localhost"))
    path = _database_file(path)
    file, table = inside(path)
    if table is not None:
        item = _item(file)
        if item.is_folder:
            raise InputError(f"{display(file)}: a folder; {INSIDE} goes between a file and a table in it")
        return replace(item, split=split, given=path, paths=tuple(join_inside(each, table) for each in item.paths))
    if storage.is_remote(path):
        return _remote_item(split, path)
    try:
        mode = os.stat(path).st_mode
    except (FileNotFoundError, NotADirectoryError) as error:
        if (shards := expand_braces(path)) is not None:
            return Item(split, path, _all_there(path, shards), is_folder=False)
        found = tuple(sorted(_files(path))) if glob.has_magic(path) else ()
        if found:
            return Item(split, path, found, is_folder=False)
        raise InputError(f"{display(path)}: {_why_absent(path)}") from error
    except (OSError, ValueError) as error:
        raise InputError(f"{display(path)}: {why(error)}") from error
    if stat.S_ISDIR(mode):
        return Item(split, path, (path,), is_folder=True)
    if not stat.S_ISREG(mode):
        raise InputError(f"{display(path)}: neither a file nor a folder, but {node_kind(mode)}")
    return Item(split, path, (path,), is_folder=False)


def _database_file(path: str) -> str:
    """The file that the address of a database means (``sqlite:///data.db``, ``sqlite:////all/of/the/path.db``).

    Raises
    ------
    InputError
        A database behind a server; the address, which may hold a password, is not repeated.
    """
    if found := re.fullmatch(r"(?i)(?:sqlite|duckdb)(?:\+\w+)?:///(.+)", path, flags=re.DOTALL):
        return found[1]
    if found := re.match(_SERVERS, path):
        raise InputError(
            f"{found[1]}://…: the address of a database server, which is not asked: export the tables as parquet and "
            "name them (train=FILE test=FILE); files are read as they are (sqlite:///FILE)"
        )
    return path


def _remote_item(split: str | None, address: str) -> Item:
    addresses.check_address(address)
    try:
        if (shards := expand_braces(address)) is not None:
            return Item(split, address, _all_there(address, shards), is_folder=False)
        is_folder = remote.resolve(address)
        if is_folder is not None:
            address = addresses.cleaned(address)
            return Item(split, address, (address,), is_folder)
        found = tuple(remote.matching(address)) if glob.has_magic(address) else ()
    except OSError as error:
        raise InputError(f"{display(address)}: {why(error)}") from error
    if found:
        return Item(split, address, found, is_folder=False)
    absent = "no object matches this pattern" if glob.has_magic(address) else "no such object or folder"
    raise InputError(f"{display(address)}: {absent}")


def expand_braces(path: str) -> tuple[str, ...] | None:
    """The paths of a range as WebDataset writes it; None where there is no range.

    Raises
    ------
    InputError
        More than a million.

    >>> expand_braces("train-{008..010}.tar"), expand_braces("train.tar")
    (('train-008.tar', 'train-009.tar', 'train-010.tar'), None)
    """
    found = re.search(r"\{(\d{1,18})\.\.(\d{1,18})\}", path)
    if found is None:
        return None
    first, last = int(found[1]), int(found[2])
    if last - first >= MOST_SHARDS:
        raise InputError(f"{display(path)}: a range of more than {MOST_SHARDS:,} files")
    numbers = (f"{number:0{len(found[1])}}" for number in range(first, last + 1))
    paths = [f"{path[: found.start()]}{number}{path[found.end() :]}" for number in numbers]
    return tuple(one for each in paths for one in (expand_braces(each) or (each,)))


def _all_there(pattern: str, paths: Sequence[str]) -> tuple[str, ...]:
    if not paths:
        raise InputError(f"{display(pattern)}: an empty range")
    if storage.is_remote(pattern):
        remote.check_folder(os.path.dirname(addresses.cleaned(paths[0])))
    absent = [path for path in paths if not storage.is_file(path)]
    if absent:
        which = f"{len(absent):,} of {len(paths):,} files are not there, the first is {display(absent[0])}"
        raise InputError(f"{display(pattern)}: {which}")
    return tuple(paths)


def _files(pattern: str) -> list[str]:
    return [path for path in glob.glob(pattern, recursive=True) if os.path.isfile(path)]


def _why_absent(path: str) -> str:
    if os.path.lexists(path):
        return "a broken symbolic link"
    if os.path.exists(path.rstrip("/\\") + ".dvc"):
        return "only its DVC pointer is there: run dvc pull"
    if glob.has_magic(path):
        return "no file matches this pattern"
    return "no such file or folder"


def _common_folder(items: Sequence[Item]) -> str:
    folders = [item.given if item.is_folder else os.path.dirname(item.paths[0]) for item in items]
    if any(map(storage.is_remote, folders)):
        return addresses.common_folder(folders) if all(map(storage.is_remote, folders)) else ""
    if any(os.path.isabs(folder) or ".." in folder for folder in folders):
        folders = [os.path.abspath(folder) for folder in folders]
    try:
        return os.path.commonpath([folder or "." for folder in folders]) or "."
    except ValueError:  # two drives
        return ""
