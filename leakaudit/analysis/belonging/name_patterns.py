"""What file names look like when their numbers, and the words that name a class, are taken out of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt
    import pyarrow as pa

FREQUENT = 0.01
"""Least share of the names that a pattern must have to be told apart from the others."""

MANY = 16
"""With more frequent patterns than these, names name finer things (breeds, products), not sources."""


def name_patterns(uris: pa.Array, classes: Sequence[str]) -> npt.NDArray[np.str_]:
    """The pattern of each file name: ``IMG_1234.JPG`` and ``img_77.JPG`` are both ``img_#.JPG``.

    Parameters
    ----------
    uris : pyarrow.StringArray, shape (n,)
    classes : sequence of str
        Words that spell one of these, or part of it, or begin and abbreviate it, are dropped: a name may name the
        class; no picture model reads it.

    Returns
    -------
    ndarray of str, shape (n,)
        ``other`` for patterns that are rare; everywhere, where more than `MANY` are frequent.
    """
    import pyarrow.compute as pc

    names = pc.replace_substring_regex(uris, r"^.*/", "")
    # hexadecimal digests and other runs of letters and digits mean as little as numbers
    stems = pc.utf8_lower(pc.replace_substring_regex(names, r"\.[^.]*$", ""))
    shapes = pc.replace_substring_regex(stems, r"[a-z]*[0-9][a-z0-9]{7,}", "#")
    shapes = pc.replace_substring_regex(shapes, r"[0-9]+", "#")
    endings = pc.replace_substring_regex(names, r"^.*\.|^[^.]*$", "")
    encoded = pc.binary_join_element_wise(shapes, endings, ".").dictionary_encode()
    codes = encoded.indices.to_numpy(zero_copy_only=False)
    patterns = encoded.dictionary.to_pylist()
    counts = np.bincount(codes, minlength=len(patterns))
    frequent = np.flatnonzero(counts >= max(FREQUENT * len(codes), 2))
    if len(frequent) > MANY:
        return np.full(len(codes), "other")
    words = np.full(len(patterns), "other", dtype=object)
    plain = [re.sub(r"[^a-z0-9]", "", name.lower()) for name in classes]
    for at in frequent.tolist():
        words[at] = _without_classes(patterns[at], plain)
    return np.asarray(words[codes], dtype=np.str_)


def spells(word: str, name: str) -> bool:
    """Whether a word of a file name may stand for this class.

    >>> spells("cats", "cat"), spells("mel", "melanoma"), spells("pnm", "pneumonia"), spells("dsc", "cat")
    (True, True, True, False)
    """
    if not word or not name:
        return False
    if word in name or (len(name) > 2 and name in word) or (len(word) > 2 and word[:3] == name[:3]):
        return True
    rest = iter(name)
    return word[0] == name[0] and all(letter in rest for letter in word)


def _without_classes(pattern: str, classes: Sequence[str]) -> str:
    stem, _, ending = pattern.rpartition(".")
    kept = re.sub(r"[^\W\d_]+", lambda word: "" if any(spells(word[0], name) for name in classes) else word[0], stem)
    kept = re.sub(r"[^\w#]+|_+", "_", kept).strip("_")
    return f"{re.sub('#+', '#', kept)}.{ending}"
