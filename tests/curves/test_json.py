"""JSON lists under any usual names, and JSON lines."""

from __future__ import annotations

import json

import numpy as np
import pytest

from leakaudit.curves import read
from leakaudit.errors import InputError

TRAIN, VAL = [1.0, 0.5, 0.4], [1.1, 0.7, 0.65]
ACC, VAL_ACC = [0.5, 0.6, 0.7], [0.4, 0.5, 0.6]


def only(tmp_path, value, name="h.json"):
    path = tmp_path / name
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    (found,) = read(path)
    return found


def lines(rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


@pytest.mark.parametrize(
    "value",
    [
        {"train_losses": TRAIN, "val_losses": VAL},
        {"trainLoss": TRAIN, "validLoss": VAL},
        {"tr_loss": TRAIN, "val_loss": VAL},
        {"train": {"loss": TRAIN, "accuracy": ACC}, "val": {"loss": VAL, "accuracy": VAL_ACC}},
        {"loss": {"train": TRAIN, "val": VAL}, "accuracy": {"train": ACC, "val": VAL_ACC}},
        {"train": [{"loss": t} for t in TRAIN], "val": [{"loss": v} for v in VAL]},
        {
            "config": {"lr": 0.1},
            "history": [{"epoch": i, "train_loss": TRAIN[i], "val_loss": VAL[i]} for i in range(3)],
        },
        {str(i): {"train_loss": TRAIN[i], "val_loss": VAL[i]} for i in range(3)},
        [{"epoch": i, "train": {"loss": TRAIN[i]}, "valid": {"loss": VAL[i]}} for i in range(3)],
        {"train_loss": [[i, t] for i, t in enumerate(TRAIN)], "val_loss": [[i, v] for i, v in enumerate(VAL)]},
    ],
)
def test_shapes(tmp_path, value):
    found = only(tmp_path, value)
    assert found.train_loss.tolist() == TRAIN
    assert found.val_loss.tolist() == VAL
    assert found.unit == "epoch"
    if "accuracy" in json.dumps(value):
        assert found.train_accuracy.tolist() == ACC
        assert found.val_accuracy.tolist() == VAL_ACC


def test_nested_lists_are_boosting_only_where_they_say_so(tmp_path):
    network = only(tmp_path, {"train": {"loss": TRAIN}, "val": {"loss": VAL}})
    trees = only(tmp_path, {"train": {"logloss": TRAIN}, "val": {"logloss": VAL}})
    assert (network.format, network.unit, network.train_loss_kind) == ("json", "epoch", "epoch_mean")
    assert (trees.format, trees.unit, trees.train_loss_kind) == ("boosting-json", "iteration", "eval_end")


def test_every_column_that_is_not_used_is_named(tmp_path):
    found = only(tmp_path, {"loss": TRAIN, "val_loss": VAL, "mae": TRAIN, "temperature": VAL})
    assert "not used: mae, temperature" in found.notes


def test_a_third_set_is_kept(tmp_path):
    found = only(tmp_path, {"train_loss": TRAIN, "val_loss": VAL, "test_loss": [2.0, 1.9, 1.8], "test_acc": VAL_ACC})
    assert found.test_loss.tolist() == [2.0, 1.9, 1.8]
    assert found.test_accuracy.tolist() == VAL_ACC
    assert found.val_loss.tolist() == VAL


def test_detectron_logs_by_iteration(tmp_path):
    rows = [
        {
            "iteration": 20 * i + 19,
            "total_loss": 2.0 - i / 10,
            "loss_cls": 1.0,
            "fast_rcnn/cls_accuracy": 0.9,
            "lr": 0.1,
        }
        for i in range(6)
    ]
    rows[2]["validation_loss"] = rows[5]["validation_loss"] = 1.9
    found = only(tmp_path, lines(rows), "metrics.json")
    assert found.unit == "step"
    np.testing.assert_allclose(found.train_loss, [1.9, 1.6])
    assert np.isnan(found.train_accuracy).all()
    assert any("loss_cls, fast_rcnn/cls_accuracy" in note for note in found.notes)


def test_lines_that_say_their_split(tmp_path):
    rows: list[dict] = [{"env_info": "x", "seed": 1}]
    for i in range(3):
        rows += [{"mode": "train", "epoch": i + 1, "iter": k, "loss": TRAIN[i] + k / 1000} for k in (-10, 10)]
        rows.append({"mode": "val", "epoch": i + 1, "iter": 5, "loss": VAL[i], "accuracy_top-1": 100 * VAL_ACC[i]})
    found = only(tmp_path, lines(rows), "x.log.json")
    np.testing.assert_allclose(found.train_loss, TRAIN)
    np.testing.assert_allclose(found.val_loss, VAL)
    np.testing.assert_allclose(found.val_accuracy, VAL_ACC)
    assert found.train_loss_kind == "window_mean"


def test_validation_lines_without_an_epoch_belong_to_the_one_before(tmp_path):
    rows = []
    for i in range(3):
        rows += [
            {"epoch": i + 1, "iter": 50, "step": 50 * (i + 1), "loss": TRAIN[i]},
            {"coco/bbox_mAP": VAL_ACC[i], "step": i},
        ]
    found = only(tmp_path, lines(rows), "scalars.json")
    assert found.epoch.tolist() == [1, 2, 3]
    assert found.metric == "mAP"
    assert found.val_accuracy.tolist() == VAL_ACC


def test_detr_and_its_error_rate_in_per_cent(tmp_path):
    rows = [
        {
            "train_loss": TRAIN[i],
            "train_class_error": 100 - 100 * ACC[i],
            "test_loss": VAL[i],
            "epoch": i,
            "n_parameters": 9,
        }
        | {"test_class_error": 100 - 100 * VAL_ACC[i], "test_coco_eval_bbox": [0.1, 0.2]}
        for i in range(3)
    ]
    found = only(tmp_path, lines(rows), "log.txt")
    np.testing.assert_allclose(found.train_accuracy, ACC)
    np.testing.assert_allclose(found.val_accuracy, VAL_ACC)
    assert any("rate of errors" in note for note in found.notes)


def test_a_line_that_breaks_off_is_said(tmp_path):
    rows = [{"epoch": i, "train_loss": TRAIN[i], "val_loss": VAL[i]} for i in range(3)]
    found = only(tmp_path, lines(rows) + '{"epoch": 3, "train_l', "log.jsonl")
    assert len(found) == 3
    assert "1 line no valid JSON, left out" in found.notes


def test_json_without_a_history(tmp_path):
    with pytest.raises(InputError, match="no training history that is known"):
        only(tmp_path, {"a": [1, 2], "b": {"c": 3}})


def test_lines_of_mmengine_without_a_learning_rate_are_evaluations(tmp_path):
    path = tmp_path / "scalars.json"
    lines = []
    for i in range(1, 6):
        lines.append({"lr": 0.01, "data_time": 0.1, "loss": 1 / i, "epoch": i, "iter": 10 * i, "step": 10 * i})
        lines.append({"accuracy/top1": 50.0 + i, "loss": 2 / i, "data_time": 0.1, "step": i})
    path.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    (found,) = read(path)
    np.testing.assert_allclose(found.train_loss, 1 / np.arange(1, 6))
    np.testing.assert_allclose(found.val_loss, 2 / np.arange(1, 6))
    np.testing.assert_allclose(found.val_accuracy, (50 + np.arange(1, 6)) / 100)
