"""svmlight and libsvm: a label, then ``feature:value`` for the features that are not 0. Numbers, never a text.

Read with scikit-learn into a sparse matrix; rows become dense a batch at a time. Files that belong together get the
features of the widest of them (`settle`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from leakaudit.config import Config
from leakaudit.errors import InputError
from leakaudit.sources.inventory import why
from leakaudit.sources.readers.files import Source
from leakaudit.sources.readers.heads import HEAD_ROWS, Head, Reader

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

MOST_FEATURES = 10_000
"""Columns up to which sparse rows are laid out; a table of more is planned for minutes at every query."""

BATCH_CELLS = 1 << 22

_NUMBER = rb"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_LINE = re.compile(
    rb"\s*" + _NUMBER + rb"(?:," + _NUMBER + rb")*(?:[ \t]+qid:\d+)?(?:[ \t]+\d+:" + _NUMBER + rb")*\s*(?:#.*)?"
)


def recognises(first: bytes, name: str) -> bool:
    """Every complete line begins as one of svmlight, and most have a feature."""
    lines = [line for line in first.split(b"\n") if line.strip() and not line.startswith(b"#")]
    complete = lines[:-1] if len(lines) > 1 and not first.endswith(b"\n") else lines
    if len(lines) == 1 and not first.endswith(b"\n"):  # one long line, perhaps cut
        return re.match(rb"\s*" + _NUMBER + rb"(?:[ \t]+qid:\d+)?(?:[ \t]+\d+:" + _NUMBER + rb"){2}", first) is not None
    matched = [_LINE.fullmatch(line.rstrip(b"\r")) is not None for line in complete]
    return bool(matched) and all(matched) and sum(b":" in line for line in complete) > 0.5 * len(complete)


def head(source: Source, config: Config) -> Head:
    """Label, query where there is one, and features ``f1`` …

    Raises
    ------
    InputError
        A line that is no svmlight, or too many features.
    """
    features, labels, queries = _load(source)
    if features.shape[1] > MOST_FEATURES:
        raise InputError(
            f"{source.shown}: svmlight with {features.shape[1]:,} features, at most {MOST_FEATURES:,} are read: "
            "reduce them (hashing, truncated SVD) and save them as parquet"
        )
    first = next(_batches(features, labels, queries)).slice(0, HEAD_ROWS)
    columns = tuple(first.schema.names)
    rows = [tuple(map(str, row)) for row in zip(*(column.to_pylist() for column in first.columns), strict=True)]
    return Head(
        source.path,
        "stream",
        columns,
        rows,
        "svmlight, features that a row does not name are 0",
        is_empty=not rows,
        stream=lambda: _batches(*_load(source)),
        fill="0",
    )


def _load(source: Source) -> tuple[csr_matrix, list[str], Any]:
    from sklearn.datasets import load_svmlight_file

    path = source.local()
    try:
        with open(path, "rb") as file:
            start = file.read(1 << 16)
        ranked = re.search(rb"^\s*\S+[ \t]+qid:", start, re.MULTILINE) is not None
        several = re.match(rb"\s*[^\s:]+,", start) is not None
        # Not "auto", which would shift the numbers of a file that happens to use feature 0, and not those of the other.
        found = load_svmlight_file(path, zero_based=True, query_id=ranked, multilabel=several)
    except OSError as error:
        raise InputError(f"{source.shown}: {why(error)}") from error
    except (ValueError, OverflowError) as error:
        raise InputError(f"{source.shown}: a broken svmlight file ({str(error).splitlines()[0]})") from error
    labels = [_label(each) for each in found[1]]
    return found[0], labels, found[2] if ranked else None


def _label(value: Any) -> str:  # noqa: ANN401 - a number, or several
    if isinstance(value, tuple):
        return ",".join(f"{each:g}" for each in value)
    return f"{value:g}" if float(value).is_integer() else repr(float(value))


def _batches(features: csr_matrix, labels: list[str], queries: Any) -> Iterator[pa.RecordBatch]:  # noqa: ANN401
    n_rows, width = features.shape
    first = int(not features[:, :1].nnz)  # numbered from 1, as is the rule: there is no f0
    names = ["label", *([] if queries is None else ["qid"]), *(f"f{at}" for at in range(first, width))]
    step = max(1, BATCH_CELLS // max(width, 1))
    for at in range(0, max(n_rows, 1), step):
        dense = np.asarray(features[at : at + step].toarray(), dtype=np.float64)
        arrays = [pa.array(labels[at : at + step], pa.string())]
        if queries is not None:
            arrays.append(pa.array(queries[at : at + step], pa.int64()))
        arrays += [pa.array(dense[:, column]) for column in range(first, width)]
        yield pa.RecordBatch.from_arrays(arrays, names=names)


READER = Reader("svmlight", ("svm", "libsvm", "svmlight"), recognises, head)
