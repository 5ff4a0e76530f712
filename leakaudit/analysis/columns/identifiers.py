"""Texts that name one thing: files, e-mail addresses, numbers of a register, molecules and sequences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leakaudit.sources.names import PATH_NAMES, plain, words

Pattern: TypeAlias = Literal["file name", "e-mail", "number", "molecule", "sequence"]

MOSTLY = 0.95
"""Least share of the distinct texts of a column that have its pattern."""

FEWEST_NAMED = 10
"""Least number of distinct file names and addresses: fewer are sources or kinds, which rows share on purpose."""

MANY, FEW_EACH = 50, 20
"""Least number of names, and most rows of one in the mean, for names of things: kinds are few with many rows each."""

_FILE = r"(?i)^[^\t\n]*[^\t\n/\\.]\.[a-z][a-z0-9]{1,4}$"
_E_MAIL = r"(?i)^[^@\s]+@[^@\s]+\.[a-z]{2,}$"
_UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_NUMBER = rf"(?i)^(?:[a-z]{{1,12}}[-_#:]?[0-9]{{2,12}}|(?:[a-z]{{1,8}}[-_])?(?:[0-9a-f]{{8,64}}|{_UUID}))$"
_SMILES = r"^(?:Cl|Br|[BCNOPSFI]|[bcnops]|\[[0-9]{0,3}[A-Za-z][^\]\s]*\]|[-=#$:/\\.~*()%0-9])+$"
_ATOMS, _BONDS = r"[BCNOPSFIbcnops\]]", r"[(=#\[].*[A-Za-z\]]|[A-Za-z\]][0-9].*[A-Za-z\]][0-9]"
_RESIDUES = r"^[ACDEFGHIKLMNPQRSTVWYBXZUO*]{20,}$|^[ACGTUN]{20,}$"
_LOOKS: Mapping[Pattern, tuple[tuple[str, float], ...]] = {
    "e-mail": ((_E_MAIL, MOSTLY),),
    "file name": ((_FILE, MOSTLY),),
    "number": ((_NUMBER, MOSTLY),),
    "sequence": ((_RESIDUES, MOSTLY),),
    "molecule": ((_SMILES, MOSTLY), (_ATOMS, MOSTLY), (_BONDS, 0.5)),
}
"""What texts look like, the first that fits: a register's number (``P012``, ``user_00017``) or hexadecimal digits as
sessions have; proteins and nucleic acids in the letters of IUPAC; molecules as SMILES write them (Weininger, Journal of
Chemical Information and Computer Sciences 28, 1988), half of them with a bond, a branch or a ring."""

_KINDS = frozenset(
    [
        "product",
        "item",
        "article",
        "sku",
        "code",
        "zip",
        "postcode",
        "postal",
        "plate",
        "flight",
        "route",
        "model",
        "version",
        "icd",
        "gene",
        "ticker",
        "symbol",
        "zone",
        "area",
        "region",
        "city",
        "country",
        "store",
        "shop",
    ]
)  # columns of such names hold kinds of things, which splits share on purpose


def pattern_of(name: str, texts: pa.Array) -> Pattern | None:
    """The pattern that nearly all texts of a column have, if they name things.

    Parameters
    ----------
    name : str
        Of the column: codes of products or places have the looks of identifiers, and name kinds.
    texts : pyarrow.StringArray
        Its distinct texts, or some of them.

    >>> pattern_of("ref", pa.array(["P012", "P440"])), pattern_of("zip", pa.array(["A12", "B44"]))
    ('number', None)
    >>> pattern_of("drug", pa.array(["CC(C)OC=O", "c1ccccc1"])), pattern_of("note", pa.array(["no", "yes"]))
    ('molecule', None)
    """
    if not len(texts) or _KINDS & {*words(name)}:
        return None
    for pattern, least in _LOOKS.items():
        if all(_share(texts, looks) >= share for looks, share in least):
            return pattern if pattern != "number" or _one_length(texts) else None
    return "file name" if plain(name) in PATH_NAMES and plain(name) != "name" and _share(texts, "[0-9]") == 1 else None


def name_things(name: str, texts: Sequence[str], n_distinct: float, n: float) -> bool:
    """Whether the texts of a column are identifiers though they repeat: each names one thing, not a kind of things.

    Parameters
    ----------
    name : str
    texts : sequence of str
        Some distinct texts of the column.
    n_distinct, n : float
        Distinct texts of the whole column, and its texts.
    """
    pattern = pattern_of(name, pa.array(texts, pa.string()))
    if pattern in ("file name", "e-mail"):
        return n_distinct >= FEWEST_NAMED
    return pattern == "number" and many_and_small(n_distinct, n)


def many_and_small(n_distinct: float, n: float) -> bool:
    """Whether a column has so many values, of so few rows each, that they name things and no kinds."""
    return n_distinct >= MANY and n <= FEW_EACH * n_distinct


def _share(texts: pa.Array, pattern: str) -> float:
    return float(pc.match_substring_regex(texts, pattern).to_numpy(zero_copy_only=False).mean())


def _one_length(texts: pa.Array) -> bool:
    """Ids of one register are padded to one length; model names and codes of places seldom are."""
    lengths = pc.utf8_length(texts).to_numpy(zero_copy_only=False)
    return len(lengths) > 1 and len(np.unique(lengths)) == 1
