"""Exports and tables with their traps: W&B charts, git conflicts, long rows, YOLO, what is piped in."""

from __future__ import annotations

import io
import sys

import numpy as np
import pytest

from leakaudit.curves import read
from leakaudit.curves.diagnose import diagnose
from leakaudit.errors import InputError


def written(tmp_path, text, name="log.csv"):
    path = tmp_path / name
    path.write_text(text)
    return path


def test_a_wandb_chart_holds_one_history_a_run_and_limits_that_are_none(tmp_path):
    names = ["Step"]
    for run in ("a", "brisk - sun-1"):
        names += [f"{run} - train/loss", f"{run} - train/loss__MIN", f"{run} - train/loss__MAX", f"{run} - val/loss"]
    rows = ["0,1,1,1,1.1,2,2,2,2.1", "1,.5,.5,.5,.6,1,1,1,1.2", "2,.4,.4,.4,.5,.9,.9,.9,1.1"]
    found = read(written(tmp_path, "\n".join([",".join(f'"{name}"' for name in names), *rows])))
    assert [history.run for history in found] == ["a", "brisk - sun-1"]
    assert found[0].train_loss.tolist() == [1, 0.5, 0.4]
    assert found[1].val_loss.tolist() == [2.1, 1.2, 1.1]
    assert any("4 columns __MIN and __MAX left out" in note for note in found[0].notes)


def test_a_wandb_chart_without_a_loss(tmp_path):
    with pytest.raises(InputError, match="none of its 1 runs"):
        read(written(tmp_path, '"Step","a - speed"\n"0","1"\n'))


def test_conflict_markers_and_the_repeated_epoch_are_said(tmp_path):
    text = "epoch,loss,val_loss\n0,1,1\n<<<<<<< HEAD\n1,.8,.9\n=======\n1,.7,.85\n>>>>>>> other\n2,.6,.8\n"
    (found,) = read(written(tmp_path, text))
    assert found.train_loss.tolist() == [1, 0.7, 0.6]
    assert any("git could not merge the file in one place" in note for note in found.notes)


def test_a_rule_of_equal_signs_is_no_conflict(tmp_path):
    (found,) = read(
        written(tmp_path, "=======\nepoch 1: loss 1.0 val_loss 1.1\nepoch 2: loss .9 val_loss 1\n", "a.txt")
    )
    assert not any("git" in note for note in found.notes)


def test_a_header_in_the_middle_is_another_run_appended(tmp_path):
    (first, second) = read(
        written(tmp_path, "epoch,loss,val_loss\n0,1,1\n1,.5,.6\nepoch,loss,val_loss\n0,2,2\n1,1,1\n")
    )
    assert second.train_loss.tolist() == [2, 1]
    assert any("the header stands again 1 time" in note for note in first.notes)


def test_rows_of_training_and_of_validation_in_turn(tmp_path):
    text = "epoch,phase,loss,acc\n1,train,1,.5\n1,val,1.1,.4\n2,train,.8,.6\n2,val,.9,.5\n"
    (found,) = read(written(tmp_path, text))
    assert found.train_loss.tolist() == [1, 0.8]
    assert found.val_loss.tolist() == [1.1, 0.9]
    assert found.val_accuracy.tolist() == [0.4, 0.5]


@pytest.mark.parametrize(
    ("metric", "rate"), [("metrics/mAP_0.5:0.95", "x/lr"), ("metrics/mAP50-95(B)", "lr/pg")], ids=["v5", "v8"]
)
def test_yolo(tmp_path, metric, rate):
    names = f"epoch, train/box_loss, metrics/precision, {metric}, val/box_loss, {rate}0, {rate}1"
    (found,) = read(written(tmp_path, f"{names}\n0, 1, .1, .2, 1.1, .09, .001\n1, .5, .2, .3, .8, .05, .002\n"))
    assert found.lr.tolist() == [0.001, 0.002]
    assert found.metric == "mAP50-95"
    assert found.val_accuracy.tolist() == [0.2, 0.3]
    assert "not used: metrics/precision" in found.notes
    assert "mAP50-95" in diagnose(found).outcome("overfitting").message


def test_an_index_without_a_name_and_other_errors_as_loss(tmp_path):
    (found,) = read(written(tmp_path, ",train_rmse,val_rmse,seconds\n0,1,1.1,3\n1,.5,.7,3\n"))
    assert found.val_loss.tolist() == [1.1, 0.7]
    assert "nothing is called a loss; RMSE is taken for it" in found.notes
    assert "not used: seconds" in found.notes


def test_standard_input(tmp_path, monkeypatch):
    data = b"epoch,loss,val_loss\n1,.5,.6\n2,.4,.5\n"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    (found,) = read("-")
    assert (found.source, len(found)) == ("standard input", 2)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    with pytest.raises(InputError, match="standard input: is empty"):
        read("-")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\x80\x04\x95abc", "pickle"),
        (b"\x89HDF\r\n\x1a\n\0\0", "HDF5"),
        (b"PK\x03\x04\0\0\0\0", "zip"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "Git LFS"),
    ],
)
def test_what_is_no_text_is_called_by_its_name(tmp_path, data, said):
    path = tmp_path / "history.bin"
    path.write_bytes(data)
    with pytest.raises(InputError, match=said):
        read(path)


def test_a_folder_above_mlruns_and_one_of_wandb(tmp_path, samples):
    import shutil

    shutil.copytree(samples / "mlruns", tmp_path / "project" / "mlruns")
    (found,) = read(tmp_path / "project")
    assert found.format == "mlflow"
    run = tmp_path / "wandb" / "run-1"
    run.mkdir(parents=True)
    (run / "run-1.wandb").write_bytes(b":W&B")
    with pytest.raises(InputError, match=r"W&B's own format.*export"):
        read(tmp_path)


def test_epochs_that_are_missing_are_named(tmp_path):
    (found,) = read(written(tmp_path, "epoch,loss,val_loss\n0,1,1\n1,.9,1\n4,.8,.9\n5,.7,.9\n"))
    assert "epochs 2, 3 not in the file" in found.notes
    assert np.isfinite(found.train_loss).all()
