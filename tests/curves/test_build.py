"""Rows as they were logged become rows in order."""

from __future__ import annotations

import numpy as np
import pytest

from leakaudit.curves import read
from leakaudit.errors import InputError


def written(tmp_path, text):
    path = tmp_path / "log.csv"
    path.write_text(text)
    return path


def test_a_resumed_run_keeps_the_later_rows(tmp_path):
    rows = "0,.5,.6\n1,.4,.5\n2,.3,.4\n1,.41,.51\n2,.31,.41\n3,.2,.3\n"
    (found,) = read(written(tmp_path, f"epoch,loss,val_loss\n{rows}"))
    assert found.epoch.tolist() == [0, 1, 2, 3]
    assert found.train_loss.tolist() == [0.5, 0.41, 0.31, 0.2]
    assert any("resumed" in note for note in found.notes)


def test_a_second_run_in_the_same_file_is_a_history_of_its_own(tmp_path):
    rows = "0,.5,.6\n1,.4,.5\n0,.45,.55\n1,.35,.5\n"
    found = read(written(tmp_path, f"epoch,loss,val_loss\n{rows}"))
    assert [history.run for history in found] == ["part 1", "part 2"]
    assert found[1].train_loss.tolist() == [0.45, 0.35]


def test_unsorted_rows_are_sorted_and_said(tmp_path):
    (found,) = read(written(tmp_path, "epoch,loss,val_loss\n3,.3,.4\n1,.5,.6\n2,.4,.5\n"))
    assert found.train_loss.tolist() == [0.5, 0.4, 0.3]
    assert any("sorted" in note for note in found.notes)


def test_rows_of_one_epoch_are_merged(tmp_path):
    (found,) = read(written(tmp_path, "epoch,loss,val_loss\n1,.5,\n1,,.6\n2,.4,\n2,,.5\n"))
    assert found.train_loss.tolist() == [0.5, 0.4]
    assert found.val_loss.tolist() == [0.6, 0.5]


def test_ragged_rows_and_words_are_counted(tmp_path):
    (found,) = read(written(tmp_path, "epoch,loss,val_loss\n1,0.5\n2,0.4,0.5,7\n3,abc,0.45\nx,1,1\n"))
    assert len(found) == 3
    assert np.isnan(found.train_loss[2])
    assert {"2 rows of another width than the header", "1 cell of loss not a number, counted as missing"} <= set(
        found.notes
    )
    assert "1 row without an epoch number left out" in found.notes


def test_numbers_too_large_to_compute_with_are_infinite(tmp_path):
    (found,) = read(written(tmp_path, "epoch,loss,val_loss\n1,1e308,-1e308\n2,1e400,5\n1e300,1,1\n"))
    assert len(found) == 2
    assert np.isposinf(found.train_loss).all()


def test_no_row_at_all(tmp_path):
    with pytest.raises(InputError, match="not one row"):
        read(written(tmp_path, "epoch,loss,val_loss\n"))
    with pytest.raises(InputError, match="not one row"):
        read(written(tmp_path, "epoch,loss,val_loss\n1,NA,\n"))
