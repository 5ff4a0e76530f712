"""Which files of rows are which split: train.csv and test.csv, adult-train.csv and adult-test.csv, shards."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass

from leakaudit.config import Config
from leakaudit.errors import InputError
from leakaudit.sources import storage
from leakaudit.sources.base import NotThis, Request
from leakaudit.sources.inside import join_inside
from leakaudit.sources.listing import display, entries_of
from leakaudit.sources.names import SPLIT_NAMES, distinct, split_of, split_word
from leakaudit.sources.parts import Part, absent_data, folder_parts, in_order, item_parts, list_folder, say_names, stem
from leakaudit.sources.readers import is_container_name, tables_in, tables_of_folder
from leakaudit.sources.readers.arrays import is_array_name
from leakaudit.sources.readers.files import suffix_of

_ENDINGS = {
    **dict.fromkeys(("data", "trn", "tra", "train"), "train"),
    **dict.fromkeys(("test", "tst", "tes"), "test"),
    **dict.fromkeys(("val", "valid", "dev"), "val"),
}
"""Endings that say the split, of files that have the same name."""


@dataclass(frozen=True, slots=True)
class TableParts:
    """Files of rows by split, and the tables beside them that were not used."""

    parts: tuple[Part, ...]
    unused: tuple[str, ...] = ()


def find_table_parts(request: Request) -> TableParts | NotThis:
    """Look for split files: as the user named them, in a folder, or one folder down."""
    if request.folder is None:
        return _named_files(request)
    folders, files = list_folder(request.inventory, request.folder)
    found = _in_folder(request, request.folder, folders, files)
    if not isinstance(found, NotThis) or found.nearly:
        return found
    below = []
    for name in folders:
        inner = os.path.join(request.folder, name)
        try:
            below.append(_in_folder(request, inner, *entries_of(request.inventory, inner)))
        except OSError:
            continue
    recognised = [each for each in below if isinstance(each, TableParts)]
    if len(recognised) == 1:
        return recognised[0]
    if recognised:
        return NotThis(
            "several folders hold split files: name one of them, or the files: train=FILE test=FILE", nearly=True
        )
    return found


def _named_files(request: Request) -> TableParts | NotThis:
    if len(request.items) == 1 and request.items[0].split is None and len(request.items[0].paths) == 1:
        inner = _inside(request.items[0].paths[0], request.config)
        if inner is not None:
            return inner
        return NotThis("one file is no set of split files (add its partner: train=FILE test=FILE)")
    if all(is_array_name(path) for item in request.items for path in item.paths):
        return NotThis("files of arrays, which are no tables")
    parts = []
    for part in item_parts(request):
        files: list[str] = []
        for path in part.paths:
            if storage.is_folder(path):
                shards = tables_of_folder(path, list_folder(request.inventory, path)[1])
                if not shards:
                    return NotThis(f"{display(path)} holds neither pictures nor tables", nearly=True)
                files += [os.path.join(path, name) for name in shards]
            else:
                files.append(path)
        parts.append(Part(part.split, tuple(files), part.called))
    if len(parts) < 2 and not request.config.within:
        return NotThis(f"only one split, {parts[0].split}: name another (val=FILE), or add --within", nearly=True)
    return TableParts(tuple(parts))


def _inside(path: str, config: Config) -> TableParts | NotThis | None:
    """Tables in one file that are called like splits; None for a file that is one table, or that cannot be read."""
    try:
        names = tables_in(path, config)
    except InputError:
        return None  # said by the layout that reads it
    if names is None or len(names) < 2:
        return None
    families = {key: found for key, found in _families(names, config).items() if len(found) > 1}
    exact = {key: found for key, found in families.items() if key[0] == "{}"} or families
    if len(exact) != 1:
        which = " ".join(
            f"{split}={display(join_inside(path, name))}" for split, name in zip(("train", "test"), names, strict=False)
        )
        return NotThis(
            f"{display(os.path.basename(path))} holds {len(names):,} tables ({say_names(names)}), and their names do "
            f"not say one set of splits: say which: {which}",
            nearly=True,
        )
    ((_, splits),) = exact.items()
    used = {name for found in splits.values() for name in found}
    parts = [
        Part(split, tuple(join_inside(path, name) for name in found), say_names(found, 2))
        for split, found in splits.items()
    ]
    return TableParts(tuple(in_order(parts)), tuple(join_inside(path, name) for name in names if name not in used))


def _in_folder(request: Request, folder: str, folders: Sequence[str], files: Sequence[str]) -> TableParts | NotThis:
    config = request.config
    for name, split in absent_data((*folders, *files), config):
        return NotThis(f"of the split {split} only the pointer {display(name)}.dvc is there: run dvc pull", nearly=True)
    tables = tables_of_folder(folder, files)
    if len(tables) == 1 and is_container_name(tables[0]):
        inner = _inside(os.path.join(folder, tables[0]), config)
        if inner is not None:
            return inner
    families = _families(tables, config)
    enough = 1 if config.within else 2
    family = _one_family(families, tables, enough)
    if isinstance(family, NotThis):
        return family
    if family is not None:
        splits, unused = family
        parts = [
            Part(split, tuple(os.path.join(folder, name) for name in names), say_names(names, 2))
            for split, names in splits.items()
        ]
        return TableParts(tuple(in_order(parts)), unused)
    shards = _shards(request, folder, folders)
    if len(shards) < enough and not config.within:
        shards = _by_ending(folder, files)
    if len(shards) >= enough:
        return TableParts(tuple(in_order(shards)))
    if len(families) == 1 and len(tables) == 1:
        reason = f"only one split file, {display(tables[0])}: add --within, or name another: val=FILE"
    else:
        reason = "no tables named like splits (train.csv test.csv, data-train.parquet …; or train=FILE test=FILE)"
    return NotThis(reason)


def _one_family(
    families: dict[tuple[str, str], dict[str, list[str]]], tables: Sequence[str], enough: int
) -> tuple[dict[str, list[str]], tuple[str, ...]] | NotThis | None:
    """The one set of split files, and the tables that are not in it; None where there is no set."""
    whole = {key: splits for key, splits in families.items() if len(splits) >= enough}
    exact = {key: splits for key, splits in whole.items() if key[0] == "{}"}
    chosen = exact or whole
    shared = _shared_train(families, chosen)
    if shared:
        used = {name for names in shared.values() for name in names}
        return shared, tuple(name for name in tables if name not in used)
    if len(chosen) > 1:
        sets = "; ".join(
            say_names([name for names in splits.values() for name in names], 3) for splits in chosen.values()
        )
        return NotThis(f"several sets of split files ({sets}): {_say_it(chosen)}", nearly=True)
    if not chosen:
        return None
    ((key, splits),) = chosen.items()
    used = {name for names in splits.values() for name in names}
    unused = tuple(name for name in tables if name not in used)
    if unused and key[0] != "{}":
        return NotThis(f"split files beside other tables ({say_names(unused, 3)}): {_say_it(chosen)}", nearly=True)
    return splits, unused


def _shared_train(
    families: dict[tuple[str, str], dict[str, list[str]]], chosen: dict[tuple[str, str], dict[str, list[str]]]
) -> dict[str, list[str]]:
    """One ``train.tsv`` for held-out files of several kinds (``dev_matched.tsv dev_mismatched.tsv``), which keep their
    own names; nothing where another file is for training, too.
    """
    alone = {key: splits for key, splits in families.items() if key[0] == "{}" and "train" in splits}
    if len(alone) != 1 or not chosen or any("train" in splits for splits in chosen.values()):
        return {}
    ((key, splits),) = alone.items()
    found = {"train": splits["train"]}
    for (_, suffix), others in chosen.items():
        if suffix != key[1]:
            return {}
        for names in others.values():
            for name in names:
                found.setdefault(stem(name), []).append(name)
    return found


def _by_ending(folder: str, files: Sequence[str]) -> list[Part]:
    """Files of one name whose endings say the split, as the UCI repository has them: ``adult.data adult.test``."""
    named: dict[str, dict[str, str]] = {}
    for name in files:
        base, _, ending = name.rpartition(".")
        if base and (split := _ENDINGS.get(ending.lower())):
            named.setdefault(base, {}).setdefault(split, name)
    sets = [splits for splits in named.values() if "train" in splits and len(splits) > 1]
    if len(sets) != 1:
        return []
    return [Part(split, (os.path.join(folder, name),), name) for split, name in sets[0].items()]


def _shards(request: Request, folder: str, folders: Sequence[str]) -> list[Part]:
    """Split folders that hold tables."""
    shards = []
    for part in folder_parts(folder, folders, request.config):
        try:
            names = [
                os.path.join(path, name)
                for path in part.paths
                for name in tables_of_folder(path, entries_of(request.inventory, path)[1])
            ]
        except OSError:
            continue
        if names:
            shards.append(Part(part.split, tuple(names), part.called))
    return shards


def _families(tables: Sequence[str], config: Config) -> dict[tuple[str, str], dict[str, list[str]]]:
    """Tables that differ in nothing but the split in their name (and the number of a shard)."""
    found: dict[tuple[str, str], dict[tuple[str, str], list[str]]] = {}
    for name in tables:
        base = stem(name)
        told = split_of(name, config.splits) or split_of(base, config.splits)
        whole = re.sub(r"[-_.]?\d+(?:-of-\d+)?$", "", base)
        split = told or split_of(whole, {}) or split_word(base)
        if split is None:
            continue
        pattern = "|".join(sorted(SPLIT_NAMES, key=len, reverse=True))
        template = "{}" if told or split_of(whole, {}) else re.sub(rf"(?i)(?:{pattern})", "{}", whole, count=1)
        stems = found.setdefault((template, suffix_of(name)), {})
        stems.setdefault((base if told else whole, split), []).append(name)
    families: dict[tuple[str, str], dict[str, list[str]]] = {}
    for key, stems in found.items():
        for each, (_, split) in zip(stems, distinct(list(stems)), strict=True):
            families.setdefault(key, {}).setdefault(split, []).extend(stems[each])
    return families


def _say_it(families: dict[tuple[str, str], dict[str, list[str]]]) -> str:
    splits = next(iter(families.values()))
    return "say which: " + " ".join(f"{split}={display(names[0])}" for split, names in splits.items())
