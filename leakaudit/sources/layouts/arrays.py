"""Arrays with the splits in their names: ``x_train, y_train, x_test, y_test`` in one file or in one each.

NumPy (``.npy``, ``.npz``), IDX as MNIST comes, HDF5 and MATLAB. Slices of three and more axes are pictures, rows of two
are rows of numbers; a file is only opened where its name or first bytes say what it is, and nothing is unpickled.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from leakaudit.errors import InputError
from leakaudit.model import Dataset, Layout, Samples, TableFile
from leakaudit.sources import storage
from leakaudit.sources.base import DataLayout, NotThis, Request
from leakaudit.sources.claims import SAMPLE_KINDS
from leakaudit.sources.kinds import data_kind
from leakaudit.sources.layouts.array_names import Role, read_name
from leakaudit.sources.layouts.array_parts import (
    Split,
    by_split,
    checked,
    group_texts,
    label_texts,
    say_array,
)
from leakaudit.sources.listing import display, entries_of
from leakaudit.sources.names import canonical
from leakaudit.sources.parts import folder_parts, list_folder, say_names
from leakaudit.sources.readers.array_pictures import Form, channels_of, look_at, scale_of
from leakaudit.sources.readers.arrays import ArrayInfo, arrays_in, is_array_name, open_array
from leakaudit.sources.rows import tables_dataset
from leakaudit.sources.storage.inside import Slice, slice_path

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

ONLY = "all"
MOST_FILES = 64
"""With more files of arrays in a folder each is a sample, not a split."""

MOST_COLUMNS = 20_000
"""Numbers of one sample that are taken for columns of a row."""

MOST_SERIES = 4_096
"""Numbers of a sample of two axes that may be a piece of a series rather than a picture."""

_PICKLES = tuple(b"\x80" + bytes([protocol]) for protocol in range(2, 6))


@dataclass(frozen=True, slots=True)
class Sniffed:
    """Arrays by split, and those that were not used."""

    splits: tuple[Split, ...]
    unused: tuple[ArrayInfo, ...]


def sniff(request: Request) -> Sniffed | NotThis:
    """Look for arrays whose names, or whose files' names, say the split.

    Raises
    ------
    InputError
        A file that cannot be read, or whose arrays do not go together.
    """
    files = _named(request) if request.folder is None else _in_folder(request, request.folder)
    if not files:
        return _pickles(request) or NotThis("no arrays named like splits (x_train y_train x_test y_test)")
    if len(files) > MOST_FILES:
        return NotThis(f"{len(files):,} files of arrays, which do not say their splits by their names")
    told = request.config.splits
    named: list[tuple[str | None, Role | None, ArrayInfo]] = []
    for path, split in files:
        stem = _stem(path)
        of_file = read_name(stem, told)
        for info in arrays_in(path):
            own = read_name(info.name, told)
            named.append((split or own.split or of_file.split, own.role or of_file.role, info))
    found, unused = by_split(named)
    if len(found) < 2 and not request.config.within:
        if found or any(role == "data" for _, role, _ in named):
            only = found[0].name if found else "none"
            return NotThis(
                f"arrays of one split only ({only}): name another (train=FILE test=FILE), or add --within",
                nearly=bool(found),
            )
        return NotThis("arrays whose names say neither split nor content (x_train y_train x_test y_test)")
    if not found:
        data = [info for _, role, info in named if role == "data" or (role is None and len(info.shape) > 1)]
        labels = [info for _, role, info in named if role == "label"]
        groups = [info for _, role, info in named if role == "group"]
        if not data:
            return NotThis("no array of samples")
        found, unused = by_split([(ONLY, "data", each) for each in data] + [(ONLY, "label", each) for each in labels]
                                 + [(ONLY, "group", each) for each in groups])  # fmt: skip
    return Sniffed(tuple(map(checked, found)), tuple(unused))


def _named(request: Request) -> list[tuple[str, str | None]]:
    """Files of arrays that the user named, with the split that he said."""
    found = []
    for item in request.items:
        told = canonical(request.config.splits.get(item.split, item.split)) if item.split else None
        for path in item.paths:
            if item.is_folder:
                names = [name for name in entries_of(request.inventory, path)[1] if is_array_name(name)]
                found += [(os.path.join(path, name), told) for name in names]
            elif is_array_name(path):
                found.append((path, told))
            else:
                return []
    return found


def _in_folder(request: Request, folder: str) -> list[tuple[str, str | None]]:
    """Files of arrays in a folder, or else in folders named like splits."""
    folders, files = list_folder(request.inventory, folder)
    here: list[tuple[str, str | None]] = [(os.path.join(folder, name), None) for name in files if is_array_name(name)]
    if here:
        return here
    for part in folder_parts(folder, folders, request.config):
        names = entries_of(request.inventory, part.paths[0])[1]
        here += [(os.path.join(part.paths[0], name), part.split) for name in names if is_array_name(name)]
    return here


def _stem(path: str) -> str:
    name = os.path.basename(path)
    return name[:-3] if name.lower().endswith("-ubyte.gz") else name.partition(".")[0]


def _pickles(request: Request) -> NotThis | None:
    """Where nothing but pickles lies there, what they are: that alone is then worth saying."""
    if request.folder is None:
        return None
    kinds = request.inventory.tally(os.fsencode(request.folder))
    if any(kind in kinds for kind in SAMPLE_KINDS):
        return None
    _, files = list_folder(request.inventory, request.folder)
    for name in files[:MOST_FILES]:
        path = os.path.join(request.folder, name)
        kind = data_kind(os.fsencode(name))
        try:
            is_pickle = kind == "other" and storage.first_bytes(os.fsencode(path), 2) in _PICKLES
        except OSError:
            continue
        if kind == "pickle" or is_pickle:
            return NotThis(
                f"{display(path)} is a pickle (or a checkpoint that holds one), which is never loaded, because loading "
                "it would run whatever it holds: save its arrays as .npz (x_train, y_train, x_test, y_test) or its "
                "table as parquet",
                nearly=True,
            )
    return None


def load(request: Request, sniffed: Sniffed) -> Dataset:
    """Samples of all splits: pictures, or rows of numbers.

    Raises
    ------
    InputError
        A file that cannot be read, or splits of two kinds.
    """
    try:
        looked = {
            split.name: look_at(open_array(split.data.file, split.data.name), split.axis) for split in sniffed.splits
        }
        labels = {split.name: label_texts(split) for split in sniffed.splits}
        groups = {split.name: group_texts(split) for split in sniffed.splits}
        are_pictures = {split.name: _are_pictures(split.sample_shape, looked[split.name]) for split in sniffed.splits}
        if len(set(are_pictures.values())) > 1:
            odd = [f"{split.name} ({say_array(split.data)})" for split in sniffed.splits]
            raise InputError(f"arrays of pictures in one split and of rows in another: {', '.join(odd)}")
        if all(are_pictures.values()):
            return _pictures(request, sniffed, looked, labels, groups)
        return _rows(request, sniffed, labels, groups)
    except (OSError, ValueError, EOFError, MemoryError) as error:
        files = say_names(sorted({split.data.file for split in sniffed.splits}), 2)
        raise InputError(f"{files}: {str(error) or 'does not fit in memory'}") from error


def _are_pictures(shape: Sequence[int], some: np.ndarray) -> bool:
    """Slices of three axes, or of two with the numbers of a picture: neither below 0 nor beyond 255.

    Others of two axes are pieces of series, unless they are larger than any.
    """
    if channels_of(shape) is None:
        return False
    if len(shape) == 3 or some.dtype.kind in "bu":
        return True
    low, high, _ = scale_of(some)
    return (low, high) in ((0.0, 1.0), (0.0, 255.0)) or shape[0] * shape[1] > MOST_SERIES


def _pictures(
    request: Request,
    sniffed: Sniffed,
    looked: dict[str, np.ndarray],
    labels: dict[str, tuple[list[str | None] | None, str]],
    groups: dict[str, list[str | None] | None],
) -> Dataset:
    import numpy as np
    import pyarrow as pa

    scales = {name: scale_of(some) for name, some in looked.items()}
    usual = [scale[:2] for scale in scales.values() if scale[:2] in ((0.0, 1.0), (0.0, 255.0))]
    if len(usual) < len(scales):  # numbers of another kind: what is black and white must be the same in all splits
        low, high = min(each[0] for each in scales.values()), max(each[1] for each in scales.values())
        scales = dict.fromkeys(scales, (low, high, False))
    uris: list[str] = []
    paths: list[bytes] = []
    mtimes: list[int] = []
    for split in sniffed.splits:
        channels = channels_of(split.sample_shape)
        assert channels is not None
        form = str(Form(split.axis, channels, *scales[split.name]))
        uri, file = _uri(request, split.data), os.fsencode(split.data.file)
        uris += [f"{uri}#{row}" for row in range(split.n)]
        paths += [slice_path(Slice(file, split.data.name, form, row)) for row in range(split.n)]
        mtimes += [storage.stat(split.data.file).st_mtime_ns] * split.n
    sizes = [split.n for split in sniffed.splits]
    label = _joined([labels[split.name][0] for split in sniffed.splits], sizes)
    group = _joined([groups[split.name] for split in sniffed.splits], sizes)
    return Dataset(
        root=request.shown,
        kind="image",
        layout=Layout(LAYOUT.name, _said(request, sniffed, labels, "pictures")),
        splits=tuple(split.name for split in sniffed.splits),
        samples=Samples(
            uri=pa.array(uris, pa.string()),
            path=pa.array(paths, pa.binary()),
            split=np.repeat(np.arange(len(sizes), dtype=np.int16), sizes),
            label=None if label is None else pa.array(label, pa.string()),
            group=None if group is None else pa.array(group, pa.string()),
            size=np.full(len(uris), -1, dtype=np.int64),
            mtime_ns=np.array(mtimes, dtype=np.int64),
            are_files=False,
        ),
        notes=_notes(sniffed),
    )


def _rows(
    request: Request,
    sniffed: Sniffed,
    labels: dict[str, tuple[list[str | None] | None, str]],
    groups: dict[str, list[str | None] | None],
) -> Dataset:
    import pyarrow as pa

    files = []
    for split in sniffed.splits:
        array = open_array(split.data.file, split.data.name)
        rows = array.take(0, split.n, split.axis).reshape(split.n, -1)
        if rows.shape[1] > MOST_COLUMNS:
            raise InputError(f"{say_array(split.data)}: {rows.shape[1]:,} numbers a sample are neither picture nor row")
        columns: dict[str, pa.Array] = {f"x{at}": pa.array(rows[:, at].copy()) for at in range(rows.shape[1])}
        if (label := labels[split.name][0]) is not None:
            columns["y"] = _typed(label)
        if (group := groups[split.name]) is not None:
            columns["group"] = _typed(group)
        table = pa.table(columns)
        uri = _uri(request, split.data)
        files.append(TableFile(uri, split.name, "arrow", tuple(table.column_names), table=table))
    said = _said(request, sniffed, {}, "rows of numbers")
    return tables_dataset(request.shown, LAYOUT.name, said, files, request.config, notes=_notes(sniffed))


def _typed(values: Sequence[str | None]) -> pa.Array:
    """Numbers where all of them are, else text."""
    import pyarrow as pa

    texts = pa.array(values, pa.string())
    for kind in (pa.int64(), pa.float64()):
        try:
            return texts.cast(kind)
        except pa.ArrowInvalid:
            continue
    return texts


def _joined(parts: Sequence[list[str | None] | None], sizes: Sequence[int]) -> list[str | None] | None:
    if all(part is None for part in parts):
        return None
    return [each for part, n in zip(parts, sizes, strict=True) for each in (part or [None] * n)]


def _uri(request: Request, info: ArrayInfo) -> str:
    uri = request.uri(info.file)
    return f"{uri}/{info.name}" if info.name else uri


def _said(request: Request, sniffed: Sniffed, labels: dict[str, tuple[list[str | None] | None, str]], what: str) -> str:
    parts = ", ".join(
        f"{split.name} ({_uri(request, split.data)}, {split.n:,} of {' × '.join(map(str, split.sample_shape))})"
        for split in sniffed.splits
    )
    said = [f"arrays with {what}: {parts}"]
    if labels:
        phrases = list(dict.fromkeys(phrase for _, phrase in labels.values()))
        said.append("; ".join(phrases))
    if what == "pictures" and any(channels_of(split.sample_shape) == "stacked" for split in sniffed.splits):
        said.append("channels are shown one below the other")
    return "; ".join(said)


def _notes(sniffed: Sniffed) -> tuple[str, ...]:
    if not sniffed.unused:
        return ()
    return (f"Arrays that were not looked at: {say_names([say_array(each) for each in sniffed.unused])}.",)


def takes(_request: Request, sniffed: Sniffed) -> Iterable[str]:
    """The files in which the arrays are."""
    used = [
        each.file for split in sniffed.splits for each in (split.data, split.label, split.group) if each is not None
    ]
    return list(dict.fromkeys(used))


LAYOUT = DataLayout("arrays", sniff, load, takes)
