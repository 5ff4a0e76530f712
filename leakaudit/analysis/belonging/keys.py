"""Which keys could say that samples belong together: patterns in file names, and columns that are named like groups.

Nothing here decides that a key *is* a group: a prefix may be a person, a class, a hash or a running number.
`leakaudit.analysis.belonging.likeness` tests it, `leakaudit.analysis.belonging.overlap` counts what the splits share of
it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leakaudit.analysis.columns.labels import label_codes
from leakaudit.analysis.context import Context, once

if TYPE_CHECKING:
    from leakaudit.fingerprints.rows.table_column import TableColumn
    from leakaudit.model import IntArray

SEPARATORS = r"_\-. ()\[\]=,+@"
"""What stands between the fields of a file name, as a regular-expression class."""

_FIELD, _GAP = f"[^{SEPARATORS}]+", f"[{SEPARATORS}]+"
_DATE = r"(?:19|20)[0-9]{2}[-_.]?(?:0[1-9]|1[0-2])[-_.]?(?:0[1-9]|[12][0-9]|3[01])"

PATTERNS: tuple[tuple[str, str], ...] = (
    ("the name up to its first separator", rf"^(?P<key>{_FIELD}){_GAP}.+$"),
    ("the name up to its second separator", rf"^(?P<key>{_FIELD}{_GAP}{_FIELD}){_GAP}.+$"),
    ("the name up to its last separator", rf"^(?P<key>.*[^{SEPARATORS}]){_GAP}{_FIELD}$"),
    ("the name up to its last number", r"^(?P<key>.*[^0-9])[0-9]+$"),
    ("the first number with what stands before it", r"^(?P<key>[^0-9]*[0-9]+)[^0-9].*$"),
    ("the second field of the name", rf"^{_FIELD}{_GAP}(?P<key>{_FIELD})(?:{_GAP}.*)?$"),
    ("the third field of the name", rf"^{_FIELD}{_GAP}{_FIELD}{_GAP}(?P<key>{_FIELD})(?:{_GAP}.*)?$"),
    ("the last field of the name", rf"^.+{_GAP}(?P<key>{_FIELD})$"),
    ("the last field of the name but one", rf"^.+{_GAP}(?P<key>{_FIELD}){_GAP}{_FIELD}$"),
    ("the date in the name", rf"^(?:.*[^0-9])?(?P<key>{_DATE})(?:[^0-9].*|[0-9]{{4}}|[0-9]{{6}})?$"),
    ("the whole name", r"^(?P<key>.+)$"),
    ("the start of the name, up to a separator if there is one", rf"^(?P<key>{_FIELD})(?:{_GAP}.*)?$"),
    ("the start of the name, up to the end of its first number", r"^(?P<key>[^0-9]*[0-9]+)(?:[^0-9].*)?$"),
)
"""What is taken for a key, in words, and the pattern (RE2) that takes it from a file name without its ending.

The last two join ``12.jpg`` and ``12-with-mask.jpg``; where all names have a separator, or none has, they say what
another pattern says and are dropped."""

FOLDERS = 3
"""Enclosing folders whose names are keys, from the innermost outwards."""

WITH_DIGITS = 0.9
"""Least share of the values of a key that join samples and contain a digit, unless there are many small groups."""

MANY_WORDS, FEW_OF_A_WORD = 50, 20
"""Least number of words, and most samples of one in the mean, for words to be a key: names of persons are many with few
pictures each, classes few with many."""

PROBED = 2_000
"""Names on which a pattern is tried first."""


@dataclass(frozen=True, eq=False, slots=True)
class Key:
    """A way to put samples into groups.

    Parameters
    ----------
    said : str
        What it is, in words: "the name up to its last separator", "column 'patient_id'".
    codes : ndarray of int64, shape (n,)
        Equal for samples of one group, numbered by first appearance; -1 where the sample has no key.
    values : pyarrow.StringArray
        The key behind each code.
    """

    said: str
    codes: IntArray
    values: pa.Array


def key_of(said: str, column: pa.Array) -> Key:
    """The key that a column of text holds; empty cells are no key."""
    column = pc.if_else(pc.equal(pc.utf8_trim_whitespace(column), ""), None, column)
    encoded = pc.dictionary_encode(column)
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    return Key(said, codes, encoded.dictionary)


def codes_of(column: TableColumn) -> IntArray:
    """Equal numbers for equal values of a column, shape (n,); -1 where missing."""
    if column.codes is not None:
        return column.codes
    assert column.numbers is not None
    codes = np.unique(column.numbers, return_inverse=True)[1].reshape(-1)
    return np.where(column.missing, -1, codes).astype(np.int64)


@once
def name_keys(context: Context) -> list[Key]:
    """Keys that the file names and folders of the pictures hold, whatever they may mean."""
    return keys_in_names(context.samples.uri, *label_codes(context))


def keys_in_names(uris: pa.Array, labels: IntArray, label_names: Sequence[str]) -> list[Key]:
    """All keys that file names and folders hold, no two of them the same partition.

    Parameters
    ----------
    uris : pyarrow.StringArray, shape (n,)
        As in `leakaudit.model.Samples`.
    labels : ndarray of int64, shape (n,)
        Index into `label_names`; negative where unknown.
    label_names : sequence of str

    Returns
    -------
    list of Key
        Keys with at least two values, on more than one sample each in the mean. Nine values in ten must contain a
        digit, because a word in a name is a class or a source far more often than a person; or there are at least
        `MANY_WORDS` with at most `FEW_OF_A_WORD` samples each in the mean, as persons have.
    """
    names = pc.replace_substring_regex(uris, r"^.*/", "")
    stems = pc.utf8_lower(pc.replace_substring_regex(names, r"\.[^.]*$", ""))
    columns = [(said, stems, pattern) for said, pattern in PATTERNS]
    for depth in range(1, FOLDERS + 1):
        pattern = r"^(?:.*/)?(?P<key>[^/]+)" + r"/[^/]+" * depth + r"$"
        which = {1: "the folder", 2: "the folder above"}.get(depth, f"the folder {depth - 1} levels above")
        columns.append((which, uris, pattern))
    cycle = _cycle_key(stems, labels, label_names)
    found = [] if cycle is None else [cycle]
    seen = set()
    for said, texts, pattern in columns:
        if not _extract(texts.take(_probe(len(texts))), pattern).drop_null():
            continue
        key = key_of(said, _extract(texts, pattern))
        same = key.codes.tobytes()
        if 2 <= len(key.values) < (key.codes >= 0).sum() and same not in seen and _may_be_key(key):
            seen.add(same)
            found.append(key)
    return found


def _extract(texts: pa.Array, pattern: str) -> pa.Array:
    return pc.struct_field(pc.extract_regex(texts, pattern), "key")


def _probe(n: int) -> pa.Array:
    """Some indices, evenly spread: most patterns do not occur at all in the names of most data sets."""
    return pa.array(np.unique(np.linspace(0, max(n - 1, 0), min(n, PROBED)).astype(np.int64)))


def _may_be_key(key: Key) -> bool:
    """By the values that join samples: ``img`` and ``dsc`` beside a thousand names of their own are no persons."""
    sizes = np.bincount(key.codes[key.codes >= 0], minlength=len(key.values))
    joins = sizes > 1
    if not joins.any():
        return False
    digits = pc.match_substring_regex(key.values.filter(pa.array(joins)), "[0-9]").to_numpy(zero_copy_only=False)
    many_small = len(digits) >= MANY_WORDS and int(sizes[joins].sum()) <= FEW_OF_A_WORD * len(digits)
    return many_small or float(digits.mean()) >= WITH_DIGITS


def within_labels(key: Key, labels: IntArray) -> Key:
    """The key counted anew in each class: ``01`` of one class folder and ``01`` of another are two groups."""
    both = np.where((key.codes >= 0) & (labels >= 0), labels * len(key.values) + key.codes, -1)
    values, codes = np.unique(both, return_inverse=True)
    codes = codes.reshape(-1).astype(np.int64)
    if len(values) and values[0] == -1:
        codes, values = codes - 1, values[1:]
    return Key(f"{key.said}, in each class", codes, key.values.take(pa.array(values % max(len(key.values), 1))))


def determines(fine: Key, coarse: Key) -> bool:
    """Whether samples of equal `fine` key always have equal `coarse` keys: sessions determine patients."""
    known = (fine.codes >= 0) & (coarse.codes >= 0)
    both = np.unique(fine.codes[known] * (len(coarse.values) + 1) + coarse.codes[known])
    return len(both) == len(np.unique(fine.codes[known]))


def _cycle_key(stems: pa.Array, labels: IntArray, label_names: Sequence[str]) -> Key | None:
    """Persons who went through all classes in order in front of a camera that counts: number less class.

    Taken only where such runs hold at least half the classes on average; labels that have nothing to do with the
    numbers leave runs of about two.
    """
    n_labels = len(label_names)
    if n_labels < 4:
        return None
    fields = pc.extract_regex(stems, r"^(?P<before>.*?)(?P<number>[0-9]{1,12})[^0-9]*$")
    before = pc.dictionary_encode(pc.struct_field(fields, "before")).indices
    before = before.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    number = pc.cast(pc.struct_field(fields, "number"), pa.int64()).fill_null(-1).to_numpy(zero_copy_only=False)
    known = (before >= 0) & (labels >= 0)
    if not known.any():
        return None
    start = number - _label_steps(label_names)[np.maximum(labels, 0)]
    runs = np.stack([before[known], start[known]], axis=1)
    values, at, counts = np.unique(runs, axis=0, return_inverse=True, return_counts=True)
    at = at.reshape(-1)
    distinct = len(np.unique(np.stack([at, number[known]], axis=1), axis=0))
    if counts[at].mean() < max(3.0, n_labels / 2) or distinct < known.sum():
        return None
    codes = np.full(len(labels), -1, dtype=np.int64)
    codes[known] = at
    return Key("number in the name less class", codes, pa.array([str(value) for value in values[:, 1].tolist()]))


def _label_steps(label_names: Sequence[str]) -> IntArray:
    """Class numbers where the classes are small whole numbers, else the place of each class in the alphabet."""
    if all(name.isascii() and name.isdigit() and len(name) < 7 for name in label_names):
        return np.array([int(name) for name in label_names], dtype=np.int64)
    return np.argsort(np.argsort(np.array(label_names, dtype=object), kind="stable"), kind="stable").astype(np.int64)
