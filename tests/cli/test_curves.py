"""``leakaudit curves`` from the shell's side."""

from __future__ import annotations

import json
import sys

import pytest

from leakaudit.cli import main

OVERFIT = "epoch,loss,val_loss,accuracy,val_accuracy\n" + "".join(
    f"{i},{1 / i},{0.5 + 0.1 * i},{0.9 + 0.009 * i},{0.75}\n" for i in range(1, 11)
)
HEALTHY = "epoch,loss,val_loss,accuracy,val_accuracy\n" + "".join(
    f"{i},{1 / i + 0.2},{1 / i + 0.25},{0.8 + 0.01 * i},{0.79 + 0.01 * i}\n" for i in range(1, 11)
)


@pytest.fixture
def curves(monkeypatch, capsys):
    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["leakaudit", "curves", *map(str, arguments)])
        with pytest.raises(SystemExit) as caught:
            main()
        streams = capsys.readouterr()
        return caught.value.code, streams.out, streams.err

    return call


@pytest.fixture
def files(tmp_path):
    for name, text in (("bad.csv", OVERFIT), ("good.csv", HEALTHY)):
        (tmp_path / name).write_text(text)
    return tmp_path


def test_warnings_fail_only_when_asked_to(curves, files):
    assert curves(files / "bad.csv")[0] == 0
    assert curves(files / "bad.csv", "--fail-on", "warning")[0] == 1
    assert curves(files / "good.csv", "--fail-on", "info")[0] == 0
    (files / "nan.csv").write_text("epoch,loss,val_loss\n1,1,1\n2,nan,nan\n")
    assert curves(files / "nan.csv")[0] == 1
    assert curves(files / "nan.csv", "--fail-on", "never")[0] == 0


def test_verdict_first(curves, files):
    _, out, err = curves(files / "bad.csv")
    assert out.splitlines()[0].startswith("⚠ Overfitting")
    assert err == ""


def test_json_and_html_files(curves, files):
    code, out, _ = curves(files / "bad.csv", "--json", files / "r.json", "--html", files / "r.html")
    assert code == 0
    assert "Overfitting" in out
    assert json.loads((files / "r.json").read_text("utf-8"))["schema"] == "leakaudit-curves/1"
    assert "<svg" in (files / "r.html").read_text("utf-8")
    assert curves(files / "bad.csv", "--json", files / "r.json", "--html", files / "r.html")[0] == 0
    code, _, err = curves(files / "bad.csv", "--html", files / "good.csv")
    assert code == 2
    assert "nothing is overwritten" in err


def test_formats_on_standard_output(curves, files):
    assert json.loads(curves(files / "bad.csv", "--format", "json")[1])["worst"] == "warning"
    assert curves(files / "bad.csv", "--format", "html")[1].startswith("<!DOCTYPE html>")


def test_several_files_are_compared_and_named_groups_contrasted(curves, files):
    for name in ("bad2", "good2"):
        (files / f"{name}.csv").write_text(OVERFIT if name == "bad2" else HEALTHY)
    code, out, _ = curves(
        *(f"plain={files}/{n}.csv" for n in ("bad", "bad2")), *(f"drop={files}/{n}.csv" for n in ("good", "good2"))
    )
    assert code == 0
    assert "4 histories: 2 overfitting, 2 healthy" in out
    assert "drop minus plain" in out


def test_a_path_with_an_equals_sign_is_a_path(curves, files):
    (files / "lr=0.1").mkdir()
    (files / "lr=0.1" / "metrics.csv").write_text(HEALTHY)
    assert curves(files / "lr=0.1")[0] == 0
    assert curves(files / "lr=0.1" / "metrics.csv")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere.csv"], "no such file"),
        (["--columns", "loss=x", "a.csv"], "FIELD"),
        (["--threshold", "nonsense=1", "a.csv"], "NAME=NUMBER"),
        (["--threshold", "rises=x", "a.csv"], "is no int"),
        (["--patience", "0", "a.csv"], "0"),
        ([], "FILE"),
    ],
)
def test_usage_errors_exit_2_with_one_line(curves, arguments, said):
    code, out, err = curves(*arguments)
    assert code == 2
    assert said in err
    assert out == ""
    assert "Traceback" not in err


def test_names_in_messages_cannot_act_on_the_terminal(curves, tmp_path):
    path = tmp_path / "x\x1b[31m.csv"
    path.write_text("a,b\n1,2\n")
    code, _, err = curves(path)
    assert code == 2
    assert "\x1b" not in err
    assert "\\x1b" in err


def test_options_reach_the_rules(curves, files):
    _, out, _ = curves(files / "good.csv", "--val-is-test", "--patience", "3")
    assert "selection-on-test" in out
    assert "early stopping with patience 3" in out
    code, _, _ = curves(files / "good.csv", "--threshold", "sustained_gap=0.005", "--fail-on", "warning")
    assert code == 1


def test_hold_out_and_modality(curves, files):
    code, out, _ = curves(files / "bad.csv", "--holdout", "test=0.5:1000", "--val-size", "1000", "--modality", "table")
    assert code == 0
    assert "on test" in out
    assert "rotation" not in out
    code, _, err = curves(files / "bad.csv", "--holdout", "test")
    assert code == 2
    assert "NAME=SCORE" in err


def test_the_file_of_a_callback_gives_what_attribute_gives(curves, tmp_path):
    import numpy as np

    import leakaudit
    from leakaudit.own_model import recorded

    rng = np.random.default_rng(0)
    levels = [rng.normal(0.9, 0.1, 200), rng.normal(0.6, 0.1, 200), rng.normal(0.7, 0.1, 200)]
    rows = [recorded.row(i, {"train_loss": 1.0 - i / 10, "val_loss": 0.7}, levels) for i in range(3)]
    path = tmp_path / "leakaudit.csv"
    recorded.write(path, rows)
    found = leakaudit.attribute(history=path)
    code, out, _ = curves(path)
    assert code == 0
    for term in (*found.terms, found.remainder):
        assert f"{term.value:+.3f} [{term.low:+.3f}, {term.high:+.3f}]" in out
        assert term.name in " ".join(out.split())
    assert found.advice[0].split("`")[0].strip() in " ".join(out.split())
    history = json.loads(curves(path, "--format", "json")[1])["histories"][0]
    assert history["measured"]["gap"] == found.gap
    assert [term["value"] for term in history["measured"]["terms"]] == [
        t.value for t in (*found.terms, found.remainder)
    ]
    page = tmp_path / "page.html"
    curves(path, "--html", page)
    assert "Measured at the last epoch" in page.read_text(encoding="utf-8")
