"""Cross-validation by a splitter or by rows: what each fold sees, of data in memory.

Every fold is a data set of two splits, its training part and what it holds out; rows in neither (a gap, a purge) are
left out. The rows themselves are not copied: a column says what they are in this fold.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from leakaudit.config import Config
from leakaudit.errors import ConfigError, InputError
from leakaudit.model import Dataset, Layout, TableFile
from leakaudit.sources.objects.arguments import ONE
from leakaudit.sources.objects.arrays import free_name
from leakaudit.sources.objects.frames import arrow_of, one_split, splitting_column
from leakaudit.sources.objects.kinds import call_of, is_array, is_frame, is_series, is_sparse
from leakaudit.sources.objects.labels import labels_of, texts_of
from leakaudit.sources.objects.load import dataset_of, features_part
from leakaudit.sources.objects.parts import Part, Rows

if TYPE_CHECKING:
    from leakaudit.model import IntArray

MOST_FOLDS = 50
"""Each fold is audited by itself; repeated ten-fold validation has fewer, leaving one out has as many as samples."""

HELD_OUT, TRAIN = "held out", "train"
"""As `leakaudit.folds` calls them."""


def cross_validated(
    x: Any,  # noqa: ANN401 - whatever `leakaudit.audit` takes
    y: Any,  # noqa: ANN401
    cv: Any,  # noqa: ANN401
    groups: Any,  # noqa: ANN401
    config: Config,
    folder: str,
) -> tuple[Dataset, list[Dataset]]:
    """The data set as a whole, and as each fold sees it.

    Parameters
    ----------
    x : object
        The samples.
    y : array-like or None
        Their labels.
    cv : splitter, int, or iterable of (train, test)
        Something with ``split(X, y, groups)``; a number of folds, stratified where y are classes; or rows (numbers or
        a mask) of the training part and the held-out part of each fold.
    groups : array-like or None
        Of each sample; they are declared groups in the audit.
    config : Config
    folder : str
        Temporary folder.

    Raises
    ------
    InputError
        Data that are not read; rows that are not there, or both trained on and held out.
    ConfigError
        Something that is no splitter, one that cannot split these data, or too many folds.
    """
    if isinstance(x, tuple) and len(x) == 2 and y is None:
        x, y = x
    part = features_part(ONE, x, y, folder)
    n = part.n
    group = None if groups is None else texts_of(labels_of("groups", _listed(groups), n)[1])
    if groups is not None and group is None:
        raise InputError("groups: one group a sample is needed")
    labels = _labels_for_split(x, y, config)
    splitter = _splitter(cv, labels, n)
    folds = _folds(_pairs(splitter, x, labels, groups, n), n)
    dataset = _whole(part, group, config, folder)
    columns = dataset.layout.why.rpartition("; ")[2]
    dataset = replace(
        dataset,
        layout=Layout("folds", f"{_said(splitter, len(folds))}; {columns}"),
        notes=(*dataset.notes, *_notes(folds, n)),
    )
    one = _fold_of_rows if dataset.samples is None else _fold_of_samples
    return dataset, [one(dataset, train, held_out) for train, held_out in folds]


def _listed(groups: Any) -> Any:  # noqa: ANN401
    return groups if is_array(groups) or is_series(groups) or is_frame(groups) else list(groups)


# --- which rows are in which fold -----------------------------------------------------------------------------


def _folds(pairs: Iterable[Any], n: int) -> list[tuple[IntArray, IntArray]]:
    found: list[tuple[IntArray, IntArray]] = []
    for number, pair in enumerate(pairs, 1):
        if number > MOST_FOLDS:
            raise ConfigError(f"cv: more than {MOST_FOLDS} folds, each of which is audited by itself: take fewer")
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise ConfigError(f"cv: fold {number} is {call_of(pair)}, not a pair (train rows, test rows)")
        train = _rows(pair[0], n, f"cv: fold {number}: train")
        held_out = _rows(pair[1], n, f"cv: fold {number}: test")
        both = np.intersect1d(train, held_out)
        if len(both):
            raise InputError(
                f"cv: fold {number}: {len(both):,} samples are both in its training part and held out, the first is "
                f"{both[0]:,}"
            )
        found.append((train, held_out))
    if not found:
        raise ConfigError("cv: no fold")
    return found


def _splitter(cv: Any, labels: Any, n: int) -> Any:  # noqa: ANN401
    """What splits, or the rows of all folds; a number of folds is stratified where labels are classes."""
    if isinstance(cv, int | np.integer) and not isinstance(cv, bool):
        from sklearn.model_selection import check_cv
        from sklearn.utils.multiclass import type_of_target

        if not 2 <= cv <= n:
            raise ConfigError(f"cv: {cv} folds of {n:,} samples: from 2 to as many as there are samples")
        classes = labels is not None and type_of_target(labels) in ("binary", "multiclass")
        return check_cv(int(cv), labels, classifier=classes)
    if isinstance(cv, bool | str | bytes | dict) or not (hasattr(cv, "split") or hasattr(cv, "__iter__")):
        raise ConfigError(
            f"cv: {call_of(cv)} is no splitter: give KFold(5) or the like, a number of folds, or [(train, test), …]"
        )
    return cv


def _pairs(cv: Any, x: Any, labels: Any, groups: Any, n: int) -> Iterable[Any]:  # noqa: ANN401
    if not hasattr(cv, "split"):
        return cv  # type: ignore[no-any-return]
    shown = x if is_array(x) or isinstance(x, list) or is_sparse(x) or "pandas" in call_of(x) else np.zeros((n, 1))
    with _random_numbers_kept(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The groups parameter is ignored", category=UserWarning)
        try:
            return list(islice(cv.split(shown, labels, groups), MOST_FOLDS + 1))
        except (ValueError, TypeError, IndexError) as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise ConfigError(f"cv: {type(cv).__name__} cannot split these data: {reason}") from error


def _labels_for_split(x: Any, y: Any, config: Config) -> Any:  # noqa: ANN401
    """What a splitter stratifies by: y, or the column of a frame that was named as the label."""
    if y is not None or config.label is None or not is_frame(x):
        return y
    table = arrow_of(ONE, x)
    return table.column(config.label).to_pylist() if config.label in table.column_names else None


@contextmanager
def _random_numbers_kept() -> Iterator[None]:
    """A splitter that draws from NumPy's global generator draws the same folds again when it is next used."""
    state = np.random.get_state()
    try:
        yield
    finally:
        np.random.set_state(state)


def _rows(given: Any, n: int, said: str) -> IntArray:  # noqa: ANN401
    rows = np.asarray(given)
    if rows.dtype == np.bool_ and rows.shape == (n,):
        rows = np.flatnonzero(rows)
    if rows.ndim != 1 or (rows.size and rows.dtype.kind not in "iu"):
        raise InputError(f"{said}: rows are numbers from 0, or a mask of {n:,} truth values")
    if not rows.size:
        raise InputError(f"{said}: no row")
    rows = np.unique(rows.astype(np.int64))
    if rows[0] < 0 or rows[-1] >= n:
        raise InputError(f"{said}: row {rows[0] if rows[0] < 0 else rows[-1]:,} of {n:,} samples, counted from 0")
    return rows


def _said(cv: Any, n_folds: int) -> str:  # noqa: ANN401
    by = f"by {type(cv).__name__}" if hasattr(cv, "split") else "as given"
    return f"cross-validation {by}: {n_folds} fold{'s' if n_folds > 1 else ''}, each held out against its training part"


def _notes(folds: Sequence[tuple[IntArray, IntArray]], n: int) -> list[str]:
    times = np.zeros(n, dtype=np.int64)
    for _, held_out in folds:
        times[held_out] += 1
    notes = []
    if never := int((times == 0).sum()):
        notes.append(f"{never:,} of {n:,} samples are held out in no fold.")
    if often := int((times > 1).sum()):
        notes.append(f"{often:,} of {n:,} samples are held out in several folds, and counted in each.")
    return notes


# --- what a fold sees -----------------------------------------------------------------------------------------


def _whole(part: Part, group: pa.Array | None, config: Config, folder: str) -> Dataset:
    config = replace(config, within=True)
    if group is not None and config.group is not None:
        raise ConfigError(f"groups and group={config.group!r} both say the group: keep one of them")
    if isinstance(part, Rows):
        table = part.table
        if table is None:
            import pyarrow.parquet as pq

            table = pq.read_table(part.path, memory_map=True)
        if (split := splitting_column(ONE, table, config)) is not None:
            config = replace(config, split_column=None, ignore_columns=(*config.ignore_columns, split))
        if group is not None:
            called = free_name("group", table.column_names)
            table = table.append_column(called, group)
            config = replace(config, group=called)
        return one_split(ONE, replace(part, table=table, path=None, columns=tuple(table.column_names)), config)
    dataset = dataset_of({ONE: part}, config, folder)
    if dataset.samples is None:
        if any(table.table is None for table in dataset.tables):
            raise InputError("cv: of a Hugging Face data set without pictures, give a frame: dataset.to_pandas()")
        return dataset if group is None else _with_group_column(dataset, group)
    return dataset if group is None else replace(dataset, samples=replace(dataset.samples, group=group))


def _with_group_column(dataset: Dataset, group: pa.Array) -> Dataset:
    (file,) = dataset.tables
    assert file.table is not None
    called = free_name("group", list(file.columns))
    table = file.table.append_column(called, group)
    tables = (replace(file, table=table, columns=tuple(table.column_names)),)
    return replace(dataset, tables=tables, columns=replace(dataset.columns, group=called))


def _fold_of_rows(dataset: Dataset, train: IntArray, held_out: IntArray) -> Dataset:
    """The rows with a column that says what each is in this fold."""
    (file,) = dataset.tables
    assert file.table is not None
    code = np.zeros(file.table.num_rows, dtype=np.int8)
    code[train], code[held_out] = 1, 2
    values = pa.DictionaryArray.from_arrays(pa.array(code), pa.array(["", TRAIN, HELD_OUT])).dictionary_decode()
    column = free_name("fold", list(file.columns))
    table = file.table.append_column(column, values)
    columns = replace(dataset.columns, split=column, split_values={TRAIN: TRAIN, HELD_OUT: HELD_OUT})
    tables = (replace(file, split=None, table=table, columns=tuple(table.column_names)),)
    return replace(dataset, splits=(TRAIN, HELD_OUT), tables=tables, columns=columns)


def _fold_of_samples(dataset: Dataset, train: IntArray, held_out: IntArray) -> Dataset:
    """The samples of this fold, those of the training part first, and the columns beside them."""
    samples = dataset.samples
    assert samples is not None
    rows = np.concatenate([train, held_out])
    at = pa.array(rows)

    def some(column: pa.Array | None) -> pa.Array | None:
        return None if column is None else column.take(at)

    taken = replace(
        samples,
        uri=some(samples.uri),
        path=some(samples.path),
        split=np.repeat(np.array([0, 1], dtype=np.int16), [len(train), len(held_out)]),
        label=some(samples.label),
        group=some(samples.group),
        time=some(samples.time),
        size=None if samples.size is None else samples.size[rows],
        mtime_ns=None if samples.mtime_ns is None else samples.mtime_ns[rows],
    )
    tables: list[TableFile] = []
    for file in dataset.tables:
        assert file.table is not None
        for split, mine in ((TRAIN, train), (HELD_OUT, held_out)):
            tables.append(replace(file, uri=split, split=split, table=file.table.take(pa.array(mine))))
    return replace(dataset, splits=(TRAIN, HELD_OUT), samples=taken, tables=tuple(tables))
