"""What is printed is what is read."""

from __future__ import annotations

import json
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consoles import HOLDS, hugging_face, keras3, lightgbm, nanogpt
from leakaudit.curves import read
from leakaudit.curves.console.pairs import parse
from leakaudit.curves.console.screen import shown
from leakaudit.curves.options import Options
from leakaudit.errors import ConfigError, InputError, UserError

ARRAYS = {"t": ("train_loss", 0), "v": ("val_loss", 1), "a": ("train_accuracy", 2), "b": ("val_accuracy", 3)}
LOSSES = st.integers(300, 50_000).map(lambda n: n / 10_000)
SHARES = st.integers(1_000, 9_900).map(lambda n: n / 10_000)
ROWS = st.lists(st.tuples(LOSSES, LOSSES, SHARES, SHARES), min_size=3, max_size=12)


def only(path, **options):
    (found,) = read(path, Options(**options))
    return found


def written(tmp_path, text, name="run.txt"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8", newline="")
    return path


@pytest.mark.parametrize("framework", HOLDS, ids=lambda f: f.__name__)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(rows=ROWS)
def test_values_come_back(framework, rows, tmp_path):
    if framework.__name__ == "catboost":  # says whether its metric is a loss only by falling
        rows = [(9.0, *rows[0][1:]), *rows[1:]]
    found = only(written(tmp_path, framework(rows)))
    assert len(found) == len(rows)
    for letter, (name, at) in ARRAYS.items():
        values = getattr(found, name)
        if letter in HOLDS[framework]:
            np.testing.assert_allclose(values, [row[at] for row in rows], atol=6e-5, err_msg=name)
        else:
            assert np.isnan(values).all(), name


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                "loss",
                "val_loss",
                "Epoch",
                "epoch",
                " 3/10",
                ": ",
                "=",
                "0.5",
                "nan",
                "\r",
                "\x08\x08",
                "\x1b[31m",
                "\n",
                "|",
                "[0]\t",
                "train-rmse:",
                "{'loss': 1}",
                "{",
                "'",
                "step 5",
                "%",
                "(",
                ")",
                "━━━",
                "best",
                " - ",
                "1e999",
            ]
        )
        | st.text(max_size=8),
        max_size=40,
    )
)
def test_random_text_is_read_or_refused_in_one_line(tmp_path, parts):
    path = written(tmp_path, "".join(parts))
    with suppress(UserError):
        assert all(len(history) for history in read(path))


def test_what_keras_evaluates_after_training_is_the_test_set(tmp_path):
    rows = [(1.0, 1.1, 0.5, 0.4), (0.8, 0.9, 0.6, 0.5), (0.7, 0.8, 0.7, 0.6)]
    found = only(written(tmp_path, keras3(rows)))
    assert found.train_loss[-1] == 0.7
    assert found.test_loss[-1] == 7.0
    assert found.test_accuracy[-1] == 0.5
    assert any("read as the test set" in note for note in found.notes)


def test_two_runs_in_one_console_are_two_histories(tmp_path):
    rows = [(1.0, 1.1, 0.5, 0.4), (0.8, 0.9, 0.6, 0.5), (0.7, 0.8, 0.7, 0.6)]
    found = read(written(tmp_path, keras3(rows) + "\n" + keras3(rows[:2])))
    assert [history.run for history in found] == ["part 1", "part 2"]
    assert [len(history) for history in found] == [3, 2]


def test_lines_that_were_cut_out_are_said(tmp_path):
    lines = [f"Epoch {i}: train loss {1 / i:.4f}, val loss {2 / i:.4f}" for i in range(1, 9) if i not in (4, 5)]
    found = only(written(tmp_path, "\n".join(lines)))
    assert "epochs 4, 5 not in the file" in found.notes


def test_nanogpt_estimates_both_losses_of_the_same_weights(tmp_path):
    found = only(written(tmp_path, nanogpt([(4.0, 4.1, 0, 0), (3.0, 3.2, 0, 0), (2.0, 2.4, 0, 0)])))
    assert (found.train_loss_kind, found.unit) == ("eval_end", "step")


def test_the_loss_of_a_whole_run_is_no_loss_of_its_end(tmp_path):
    found = only(written(tmp_path, hugging_face([(1.0, 1.1, 0, 0.5), (0.5, 0.7, 0, 0.6), (0.4, 0.6, 0, 0.7)])))
    assert found.train_loss.tolist() == [1.0, 0.5, 0.4]
    assert found.format == "hf-console"


def test_evaluations_within_epochs(tmp_path):
    lines = []
    for step in range(1, 13):
        lines.append(f"{{'loss': {3 - step / 6:.4f}, 'learning_rate': 1e-5, 'epoch': {step / 4}}}")
        if step % 2 == 0:
            lines.append(f"{{'eval_loss': {4 - step / 6:.4f}, 'epoch': {step / 4}}}")
    found = only(written(tmp_path, "\n".join(lines)))
    assert found.epoch.tolist() == [0.5, 1, 1.5, 2, 2.5, 3]
    assert found.train_loss[0] == pytest.approx((3 - 1 / 6 + 3 - 2 / 6) / 2, abs=1e-4)


def test_boosting_rounds_and_the_repeated_best_one(tmp_path):
    rows = [(1.0, 1.1, 0, 0), (0.8, 0.9, 0, 0), (0.7, 0.95, 0, 0)]
    found = only(written(tmp_path, lightgbm(rows)))
    assert (found.unit, found.train_loss_kind) == ("iteration", "eval_end")
    assert found.epoch.tolist() == [1, 2, 3]
    with pytest.raises(ConfigError, match="no such set"):
        read(written(tmp_path, lightgbm(rows)), Options(train_set="x"))


def test_options_for_boosting_say_where_there_is_none(tmp_path):
    with pytest.raises(ConfigError, match="--train-set does not apply"):
        read(
            written(tmp_path, "epoch 1: loss 0.5 val_loss 0.6\nepoch 2: loss 0.4 val_loss 0.5"), Options(train_set="x")
        )


@pytest.mark.parametrize(
    ("line", "pairs"),
    [
        ("val_loss did not improve from 0.52", []),
        ("Validation loss decreased (0.58 --> 0.55).  Saving model ...", []),
        ("Best val Acc: 0.94", []),
        ("lr: 1e-4, loss: nan", [("lr", 1e-4), ("loss", np.inf)]),
        ("12:30:01 loss: .5", [("loss", 0.5)]),
        ("Accuracy: 98/100 (98%)", [("Accuracy", 0.98)]),
        ("we saw a loss of 0.5 there", []),
        ("Loss 2.1 (2.4)", [("Loss", 2.4)]),
        ("loss: tensor(0.25, grad_fn=<NllLossBackward0>)", [("loss", 0.25)]),
        ("391/391 - 26s - 66ms/step - loss: 1.6", [("loss", 1.6)]),
    ],
)
def test_pairs_of_a_line(line, pairs):
    assert [(pair.name, pair.value) for pair in parse(line).pairs] == pairs


def test_the_last_state_of_a_bar_stays():
    assert shown("a: 10%|# | 1/2\ra: 100%|##| 2/2\rdone\nnext") == ["a: 100%|##| 2/2", "done", "next"]
    assert shown("one\r\ntwo\r\n") == ["one", "two", ""]


def notebook(tmp_path, *cells):
    value = {
        "nbformat": 4,
        "cells": [{"cell_type": "code", "source": [], "outputs": list(outputs)} for outputs in cells],
    }
    return written(tmp_path, json.dumps(value), "train.ipynb")


def test_notebooks_are_read_cell_by_cell(tmp_path):
    rows = [(1.0, 1.1, 0.5, 0.4), (0.8, 0.9, 0.6, 0.5), (0.7, 0.8, 0.7, 0.6)]
    table = "<table><tr><th>epoch</th><th>train_loss</th><th>valid_loss</th><th>accuracy</th><th>time</th></tr>"
    table += "".join(
        f"<tr><td>{i}</td><td>{t}</td><td>{v}</td><td>{b}</td><td>00:03</td></tr>"
        for i, (t, v, _, b) in enumerate(rows)
    )
    printed = [{"output_type": "stream", "text": keras3(rows).splitlines(keepends=True)}]
    shown_table = [{"output_type": "display_data", "data": {"text/html": [table + "</table>"], "text/plain": ["<x>"]}}]
    found = read(notebook(tmp_path, printed, [{"output_type": "stream", "text": "hello"}], shown_table))
    assert [history.run for history in found] == ["cell 1", "cell 3"]
    assert [history.format for history in found] == ["keras-console", "fastai-table"]
    assert found[1].train_loss.tolist() == [1.0, 0.8, 0.7]
    assert found[1].val_accuracy.tolist() == [0.4, 0.5, 0.6]
    with pytest.raises(InputError, match="outputs were cleared"):
        read(notebook(tmp_path, []))


def test_a_single_epoch_is_read_by_its_steps(tmp_path):
    found = only(written(tmp_path, "\n".join(f"Epoch:  0 step: {i:2d} loss: {2 - i / 10}" for i in range(8))))
    assert len(found) == 8


def test_how_long_training_took_is_no_split(tmp_path):
    lines = [f"Epoch {i:02} loss {1 / i:.4f} | val 2.1s | Acc 9.32%" for i in range(1, 5)]
    assert np.isnan(only(written(tmp_path, "\n".join(lines))).val_accuracy).all()
