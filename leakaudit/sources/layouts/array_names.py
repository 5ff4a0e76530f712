"""What an array is by its name: X_train, train_images, trainX, t10k-labels-idx1-ubyte, test/data."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

from leakaudit.sources.names import GROUP_NAMES, SPLIT_NAMES, split_of

Role = Literal["data", "label", "group"]

_DATA = ("x", "xs", "data", "image", "images", "img", "imgs", "picture", "pictures", "pixels", "feature", "features")
_DATA_TOO = ("input", "inputs", "sample", "samples", "frames", "arr", "array", "signal", "signals")
_LABEL = ("y", "ys", "label", "labels", "target", "targets", "class", "classes", "category", "categories")
ROLES: Mapping[str, Role] = {
    **dict.fromkeys((*_DATA, *_DATA_TOO), "data"),
    **dict.fromkeys(_LABEL, "label"),
    **dict.fromkeys((*GROUP_NAMES, "groups", "subjects", "patients", "speakers"), "group"),
}
"""Words that say what an array holds."""

_SPLITS: Mapping[str, str] = {**SPLIT_NAMES, "tr": "train", "te": "test", "t10k": "test"}
"""Usual names of splits, and those that only arrays have: ``Xtr``, ``Yte``, the 10,000 test digits of MNIST."""

_SHORT = ("tr", "te")


class Name(NamedTuple):
    """What a name says."""

    split: str | None
    role: Role | None


def read_name(name: str, told: Mapping[str, str]) -> Name:
    """The split and the role that the words of a name say; None where none does, or two contradict each other.

    >>> [tuple(read_name(name, {})) for name in ("X_train", "t10k-labels-idx1-ubyte", "trainX", "Yte")]
    [('train', 'data'), ('test', 'label'), ('train', 'data'), ('test', 'label')]
    >>> [tuple(read_name(name, {})) for name in ("valid_images", "testset/target", "train_set_y", "weights", "test")]
    [('val', 'data'), ('test', 'label'), ('train', 'label'), (None, None), ('test', None)]
    """
    whole = split_of(name, told)
    found = list(_words(name))
    roles = [ROLES[word] for word in found if word in ROLES]
    known = [_SPLITS[word] for word in found if word in _SPLITS and (word not in _SHORT or roles)]
    split = whole or (known[0] if len(set(known)) == 1 else None)
    return Name(split, _role(roles))


def _role(roles: list[Role]) -> Role | None:
    """``image_labels`` are labels, ``data_x`` is data: the last word says what it is."""
    return roles[-1] if roles else None


def _words(name: str) -> Iterator[str]:
    """The words of a name in lower case; those that are written as one are taken apart."""
    for part in re.findall(r"t10k|[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name):
        word = part.lower()
        if word in ROLES or word in _SPLITS:
            yield word
            continue
        yield from _apart(word)


def _apart(word: str) -> tuple[str, ...]:
    """``xtrain`` as x and train, ``testlabels`` as test and labels."""
    for at in range(1, len(word)):
        first, second = word[:at], word[at:]
        if (first in ROLES and second in _SPLITS) or (first in _SPLITS and second in ROLES):
            return first, second
    return (word,)
