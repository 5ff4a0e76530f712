"""The file of the callbacks: written, read back, read by `leakaudit curves`; other files are refused."""

from __future__ import annotations

import numpy as np
import pytest

import leakaudit
from leakaudit.curves import read as read_history
from leakaudit.errors import InputError
from leakaudit.own_model import recorded


def rows():
    rng = np.random.default_rng(0)
    return [
        recorded.row(
            epoch,
            {"train_loss": 1.0 - 0.1 * epoch, "val_loss": 0.8 - 0.1 * epoch},
            [
                rng.uniform(0.8, 1.0, 50) - 0.1 * epoch,
                rng.uniform(0.6, 0.7, 50) - 0.1 * epoch,
                rng.uniform(0.7, 0.9, 40),
            ],
        )
        for epoch in range(3)
    ]


def test_what_is_written_is_read_back(tmp_path):
    path = tmp_path / "run.csv"
    recorded.write(path, rows())
    found = leakaudit.attribute(history=path)
    last = rows()[-1]
    assert found.term("a").value == pytest.approx(last["train_loss"] - last["sample_train_mode"])
    assert found.gap == pytest.approx(0.2)
    assert found.term("b").low > 0
    first = leakaudit.attribute(history=path, epoch=0)
    assert first.term("a").value == pytest.approx(1.0 - rows()[0]["sample_train_mode"])


def test_curves_reads_it_too(tmp_path):
    path = tmp_path / "run.csv"
    recorded.write(path, rows())
    (history,) = read_history(path)
    np.testing.assert_allclose(history.train_loss, [1.0, 0.9, 0.8])
    np.testing.assert_allclose(history.val_loss, [0.8, 0.7, 0.6])
    np.testing.assert_allclose(history.epoch, [0, 1, 2])


def test_losses_that_were_not_logged(tmp_path):
    path = tmp_path / "run.csv"
    levels = [np.ones(3), np.zeros(3), np.full(3, 0.5)]
    recorded.write(path, [recorded.row(4, {}, levels)])
    found = leakaudit.attribute(history=path)
    assert [term.letter for term in found.terms] == ["b"]
    assert found.gap == pytest.approx(0.5)
    assert sum("is not measured" in limit for limit in found.limits) == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"epoch,loss\n1,2\n", "not written by"),
        (b"", "not written by"),
        ((",".join(recorded.COLUMNS) + "\n").encode(), "has no rows"),
        ((",".join(recorded.COLUMNS) + "\n1,a,b,c,d,e,f,g,h\n").encode(), "not finite"),
        ((",".join(recorded.COLUMNS) + "\n1\n").encode(), "not finite"),
        (b"\xff\xfe\x00", "cannot be read|not written by"),
    ],
)
def test_other_files(tmp_path, content, message):
    path = tmp_path / "run.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        leakaudit.attribute(history=path)


def test_no_file_and_no_such_epoch(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        leakaudit.attribute(history=tmp_path / "none.csv")
    recorded.write(tmp_path / "run.csv", rows())
    with pytest.raises(InputError, match="no epoch 9"):
        leakaudit.attribute(history=tmp_path / "run.csv", epoch=9)
