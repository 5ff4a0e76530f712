from __future__ import annotations

import doctest

import pyarrow as pa
import pytest

from leakaudit.analysis.columns import identifiers
from leakaudit.analysis.columns.identifiers import many_and_small, name_things, pattern_of


@pytest.mark.parametrize(
    ("name", "texts", "expected"),
    [
        ("source", ["a/rec_01.wav", "b/rec_02.wav"], "file name"),
        ("file", ["0001", "0002"], "file name"),
        ("contact", ["ann@mail.org", "bob@mail.org"], "e-mail"),
        ("ref", ["P012", "P440"], "number"),
        ("ref", ["8f3a9c2d", "00c1b2a3"], "number"),
        ("ref", ["P12", "P4404"], None),
        ("store", ["S012", "S440"], None),
        ("drug", ["CC(C)OC=O", "c1ccc2c(c1)ccc3ccccc32", "[Na+].[Cl-]", "CCBr"], "molecule"),
        ("chain", ["MKTAYIAKQRQISFVKSHFSRQ", "GSHMASMTGGQQMGRGSEFELRRQ"], "sequence"),
        ("read", ["ACGTACGTACGTACGTACGTA", "TTTTACGTACGTACGTACGTA"], "sequence"),
        ("level", ["C1", "C2", "B1", "B2"], None),
        ("phone", ["(555)123-4567", "(555)765-4321"], None),
        ("range", ["10-20", "20-30"], None),
        ("answer", ["no", "yes", "soon"], None),
        ("make", ["BOSCH", "COSINUS", "SONOS"], None),
        ("size", ["S(M)", "L", "XL"], None),
    ],
)
def test_patterns(name, texts, expected):
    assert pattern_of(name, pa.array(texts)) == expected


def test_names_of_things_and_kinds():
    assert doctest.testmod(identifiers).failed == 0
    ids = [f"K{i:03d}" for i in range(100)]
    assert name_things("ref", ids, 100, 900)
    assert not name_things("ref", ids[:20], 20, 900)  # few values with many rows each are kinds
    assert name_things("source", [f"{each}.wav" for each in ids[:20]], 20, 900)
    assert not name_things("source", ["a.csv", "b.csv"], 2, 900)
    assert [many_and_small(n, 1000) for n in (49, 50, 500)] == [False, True, True]
    assert not many_and_small(50, 1001)
