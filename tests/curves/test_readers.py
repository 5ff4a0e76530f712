"""Every format on a file that its own library wrote, or of its documented shape."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from leakaudit.curves import READERS, read
from leakaudit.curves.options import Options
from leakaudit.errors import ConfigError, InputError


def only(path, **options):
    (found,) = read(path, Options(**options))
    return found


@pytest.mark.parametrize(
    ("name", "format_", "n", "kind", "val_last"),
    [
        ("keras.csv", "keras-csv", 8, "epoch_mean", 0.69554),
        ("keras-history.json", "keras-json", 8, "epoch_mean", 0.69554),
        ("tb-keras", "tensorboard", 8, "epoch_mean", 0.69554),
        ("fastai.csv", "fastai-csv", 6, "ema", 0.45740),
        ("timm-summary.csv", "timm-csv", 6, "epoch_mean", 0.3),
        ("skorch.json", "skorch-json", 6, "epoch_mean", 0.62031),
        ("xgboost-native.json", "boosting-json", 12, "eval_end", 0.49668),
        ("lightgbm.json", "boosting-json", 12, "eval_end", 0.49707),
        ("lightgbm-validation-only.json", "boosting-json", 6, "eval_end", 0.57556),
        ("catboost-evals.json", "boosting-json", 12, "eval_end", 0.55791),
        ("catboost_training.json", "catboost-json", 12, "eval_end", 0.55791),
        ("mlruns", "mlflow", 8, "epoch_mean", 0.365),
        ("tb-tensor", "tensorboard", 8, "epoch_mean", 0.225),
        ("tb-x", "tensorboard", 8, "window_mean", 0.21236),
    ],
)
def test_files_of_real_libraries(samples, name, format_, n, kind, val_last):
    found = only(samples / name)
    assert (found.format, len(found), found.train_loss_kind) == (format_, n, kind)
    assert found.val_loss[-1] == pytest.approx(val_last, abs=2e-5)
    assert (np.diff(found.epoch) > 0).all()
    if name != "lightgbm-validation-only.json":
        assert np.isfinite(found.train_loss).all()


def test_the_three_records_of_one_keras_run_agree(samples):
    csv, js, board = (only(samples / name) for name in ("keras.csv", "keras-history.json", "tb-keras"))
    for other in (js, board):
        for name in ("train_loss", "val_loss", "train_accuracy", "val_accuracy"):
            np.testing.assert_allclose(getattr(other, name), getattr(csv, name), rtol=1e-6)
    np.testing.assert_allclose(board.lr, js.lr)


def test_percentages_and_error_rates_become_accuracies(samples):
    assert only(samples / "timm-summary.csv").val_accuracy[-1] == pytest.approx(0.8)
    lightgbm = only(samples / "lightgbm.json")
    assert lightgbm.train_accuracy[-1] == pytest.approx(0.99)
    assert lightgbm.unit == "iteration"


def test_timm_says_beside_the_summary_whether_it_validated_averaged_weights(samples, tmp_path):
    shutil.copy(samples / "timm-summary.csv", tmp_path / "summary.csv")
    assert only(tmp_path).val_weights == "raw"
    (tmp_path / "args.yaml").write_text("lr: 0.1\nmodel_ema: true\n")
    assert only(tmp_path).val_weights == "ema"


def test_the_training_set_of_xgboost_is_told_by_its_loss_and_else_asked_for(samples, tmp_path):
    path = samples / "xgboost-sklearn.json"
    values = json.loads(path.read_text())
    with pytest.raises(ConfigError, match="no such set"):
        read(path, Options(train_set="nonsense"))
    for found in (only(path), only(path, train_set="validation_0")):
        np.testing.assert_array_equal(found.train_loss, values["validation_0"]["logloss"])
        np.testing.assert_array_equal(found.val_loss, values["validation_1"]["logloss"])
        np.testing.assert_allclose(found.val_accuracy, 1 - np.array(values["validation_1"]["error"]))
    assert any("validation_0 is taken for the training set" in note for note in only(path).notes)
    both = read(path, Options(val_sets=("validation_0", "validation_1")))
    assert [history.val_set for history in both] == ["validation_0", "validation_1"]
    alike = tmp_path / "alike.json"
    alike.write_text(json.dumps({"validation_0": {"logloss": [0.6, 0.5]}, "validation_1": {"logloss": [0.6, 0.51]}}))
    with pytest.raises(ConfigError, match=r"validation_0, validation_1.*--train-set"):
        read(alike)


def test_boosting_metric_of_choice(tmp_path):
    path = tmp_path / "evals.json"
    path.write_text(json.dumps({"train": {"auc": [0.9], "rmse": [2.0]}, "eval": {"auc": [0.8], "rmse": [3.0]}}))
    assert only(path).val_loss.tolist() == [3.0]
    with pytest.raises(ConfigError, match="no such metric"):
        read(path, Options(columns={"val_loss": "mae"}))
    path.write_text(json.dumps({"train": {"auc": [0.9]}, "eval": {"auc": [0.8]}}))
    with pytest.raises(InputError, match="none of its metrics"):
        read(path)


def test_ultralytics_pads_its_headers_and_splits_its_losses(tmp_path):
    path = tmp_path / "results.csv"
    path.write_text(
        "                  epoch,         train/box_loss,         train/cls_loss,   metrics/precision(B),"
        "           val/box_loss,           val/cls_loss,                 lr/pg0\n"
        "                      1,                 1.5000,                 2.5000,                0.50000,"
        "                 1.2500,                 2.0000,               0.0010\n"
        "                      2,                 1.2500,                 2.0000,                0.60000,"
        "                 1.1250,                 1.5000,               0.0020\n"
    )
    found = only(tmp_path)
    assert found.train_loss.tolist() == [4.0, 3.25]
    assert found.val_loss.tolist() == [3.25, 2.625]
    assert found.lr.tolist() == [0.001, 0.002]
    assert found.val_weights == "ema"
    assert found.format == "ultralytics-csv"


def test_wandb_parquet_is_sparse(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table(
        {
            "_step": [0, 1, 2, 3],
            "_runtime": [1.0, 2.0, 3.0, 4.0],
            "epoch": [0, 0, 1, 1],
            "train/loss": [1.0, None, 0.5, None],
            "val/loss": [None, 1.1, None, 0.7],
            "val/accuracy": [None, 0.5, None, 0.6],
            "gradients": [["x"], ["y"], None, None],
        }
    )
    pq.write_table(table, tmp_path / "0000.parquet")
    found = only(tmp_path / "0000.parquet")
    assert found.epoch.tolist() == [0.0, 1.0]
    assert found.train_loss.tolist() == [1.0, 0.5]
    assert found.val_loss.tolist() == [1.1, 0.7]
    assert found.val_accuracy.tolist() == [0.5, 0.6]


def test_any_csv_with_columns(tmp_path):
    path = tmp_path / "mine.tsv"
    path.write_text("runde\tfehler_a\tfehler_b\tq\n10\t0.5\t0.6\t0.9\n20\t0.4\t0.55\t0.91\n")
    with pytest.raises(InputError, match="no column is recognised"):
        read(path)
    columns = {"epoch": "runde", "train_loss": "fehler_a", "val_loss": "fehler_b", "val_accuracy": "q"}
    found = only(path, columns=columns)
    assert found.epoch.tolist() == [10.0, 20.0]
    assert found.val_loss.tolist() == [0.6, 0.55]
    assert found.val_accuracy.tolist() == [0.9, 0.91]
    with pytest.raises(ConfigError, match="no such name"):
        read(path, Options(columns={"val_loss": "nowhere"}))


def test_csv_by_its_names_with_decimal_commas_and_a_byte_order_mark(tmp_path):
    path = tmp_path / "log.csv"
    path.write_bytes("\ufeffEpoch;Train Loss;Val Loss;Val Acc\n1;0,5;0,6;81%\n2;0,25;0,5;90%\n".encode())
    found = only(path)
    assert found.train_loss.tolist() == [0.5, 0.25]
    np.testing.assert_allclose(found.val_accuracy, [0.81, 0.9])
    assert any("mean over the epoch" in note for note in found.notes)
    assert only(path, train_loss_kind="eval_end").train_loss_kind == "eval_end"


def test_keras_json_shapes(tmp_path):
    path = tmp_path / "h.json"
    shapes = [
        {"loss": [1.0, 0.5], "val_loss": [1.1, 0.7]},
        {"loss": {"0": 1.0, "1": 0.5}, "val_loss": {"0": 1.1, "1": 0.7}},
        [{"loss": 1.0, "val_loss": 1.1}, {"loss": 0.5, "val_loss": 0.7}],
        {"history": {"loss": [1.0, 0.5], "val_loss": [1.1, 0.7]}, "params": {"epochs": 2}},
    ]
    for shape in shapes:
        path.write_text(json.dumps(shape))
        assert only(path).val_loss.tolist() == [1.1, 0.7], shape
    path.write_text(json.dumps({"a": shapes[0], "b": shapes[2]}))
    assert [history.run for history in read(path)] == ["a", "b"]


def test_options_that_do_not_apply_are_an_error(samples):
    with pytest.raises(ConfigError, match="--train-set does not apply"):
        read(samples / "keras.csv", Options(train_set="x"))
    with pytest.raises(ConfigError, match="no such name here"):
        read(samples / "keras-history.json", Options(columns={"val_loss": "x"}))
    with pytest.raises(ConfigError, match="--val-set g7"):
        read(samples / "keras.csv", Options(val_sets=("g7",)))


def test_readers_are_complete_and_have_names_of_their_own():
    names = [reader.name for reader in READERS]
    assert len(set(names)) == len(names) == 19
    assert all(reader.looks_for for reader in READERS)


def test_mlflow_runs_are_told_apart(samples, tmp_path):
    store = tmp_path / "mlruns"
    shutil.copytree(samples / "mlruns", store)
    run = next((store / "1").glob("0*"))
    shutil.copytree(run, store / "1" / "fedcba9876543210fedcba9876543210")
    found = read(store)
    assert len(found) == 2
    assert len({history.run for history in found}) == 2
    assert len(read(run)) == 1


def test_tensorboard_folders_are_runs(samples, tmp_path):
    for name in ("tb-tensor", "tb-x", "tb-keras"):
        shutil.copytree(samples / name, tmp_path / name)
    found = read(tmp_path)
    assert [history.run for history in found] == ["tb-keras", "tb-tensor", "tb-x"]


def test_tensorboard_stops_where_a_file_is_cut_off(samples, tmp_path):
    data = next((samples / "tb-tensor").iterdir()).read_bytes()
    path = tmp_path / "events.out.tfevents.1"
    path.write_bytes(data[:-20])
    found = only(path)
    assert len(found) in (7, 8)
    assert any("cut off" in note for note in found.notes)
