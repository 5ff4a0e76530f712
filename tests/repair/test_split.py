"""``leakaudit split``: what it writes has no copy and no group on two sides, and the user's files stay as they are."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from sklearn.model_selection import cross_val_score
from sklearn.tree import DecisionTreeClassifier

import leakaudit
from leakaudit.cli import cli
from leakaudit.config import Config
from leakaudit.errors import ConfigError, InputError
from leakaudit.repair.kept import Kept, read_kept
from shards import picture

COPIES = ("LA101", "LA102", "LA103", "LA104", "LA105", "LA106", "LA107", "LA108")


def frame(n=400, seed=0):
    """Rows of 60 patients, a tenth of them there a second time."""
    rng = np.random.default_rng(seed)
    rows = pd.DataFrame(rng.normal(size=(n, 5)).round(4), columns=list("abcde"))
    rows["patient"] = [f"p{each}" for each in rng.integers(0, 60, n)]
    rows["y"] = rng.choice(["x", "y", "z"], n, p=[0.6, 0.3, 0.1])
    return pd.concat([rows, rows.sample(n // 10, random_state=1)], ignore_index=True)


def pictures(folder, n=40):
    """Pictures of two classes in one folder each; every fifth is there twice."""
    for at in range(n):
        place = folder / ("cats", "dogs")[at % 2] / f"{at}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(picture(at))
        if at % 5 == 0:
            shutil.copy(place, place.with_name(f"copy-of-{at}.png"))


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def run(*arguments):
    return CliRunner().invoke(cli, list(map(str, arguments)), standalone_mode=False)


def scan(path, **settings):
    return leakaudit.audit(path, use_cache=False, select=COPIES, **settings)


def copies_and_groups(report):
    return [finding.message for finding in report.findings if finding.code in COPIES]


@pytest.fixture
def rows_csv(tmp_path):
    path = tmp_path / "data" / "all.csv"
    path.parent.mkdir()
    frame().to_csv(path, index=False)
    return path


def test_rows_of_a_csv(tmp_path, rows_csv):
    before = rows_csv.read_bytes()
    result = run("split", rows_csv, "--to", tmp_path / "new", "--label", "y", "--group", "patient")
    assert result.return_value == 0, result.output
    assert "nothing of one split is in another" in " ".join(result.output.split())
    parts = {path.stem: pd.read_csv(path) for path in (tmp_path / "new").glob("*.csv")}
    assert sorted(parts) == ["test", "train", "val"]
    again = pd.concat(parts.values()).sort_values(list("abcde"), kind="stable").reset_index(drop=True)
    pd.testing.assert_frame_equal(again, frame().sort_values(list("abcde"), kind="stable").reset_index(drop=True))
    people = [set(part["patient"]) for part in parts.values()]
    assert not people[0] & people[1] | people[0] & people[2] | people[1] & people[2]
    assert copies_and_groups(scan(tmp_path / "new", label="y", group="patient")) == []
    assert abs(len(parts["train"]) / 440 - 0.8) < 0.02
    assert rows_csv.read_bytes() == before


def test_the_same_rows_at_random_do_leak(tmp_path):
    """The twin: what the test above would find if the split were not made well."""
    rows = frame().sample(frac=1, random_state=3)
    report = leakaudit.audit(train=rows[:350], test=rows[350:], label="y", group="patient", select=COPIES)
    assert {"LA104", "LA108"} <= {finding.code for finding in report.findings}


def test_pictures_in_a_manifest_and_in_folders(tmp_path):
    pictures(tmp_path / "data")
    for how in ("manifest", "link", "copy"):
        to = tmp_path / how
        result = run("split", tmp_path / "data", "--to", to, "--shares", "train=0.7,test=0.3", "--pictures", how)
        assert result.return_value == 0, result.output
        report = scan(to)
        assert copies_and_groups(report) == []
        assert sum(info.n for info in report.splits.values()) == 48
        assert {name: set(info.labels) for name, info in report.splits.items()} == {
            "train": {"cats", "dogs"},
            "test": {"cats", "dogs"},
        }
    assert next((tmp_path / "link" / "train" / "cats").iterdir()).is_symlink()
    assert len(list((tmp_path / "data").rglob("*.png"))) == 48


def test_lines_of_json_stay_as_they_are_byte_by_byte(tmp_path):
    lines = [
        json.dumps({"text": f"number {at} of many words {at * 7}", "y": at % 2}) + " " * (at % 3) for at in range(80)
    ]
    (tmp_path / "all.jsonl").write_text("\n".join(lines) + "\n")
    assert run("split", tmp_path / "all.jsonl", "--to", tmp_path / "new", "--label", "y").return_value == 0
    got = [line for path in (tmp_path / "new").glob("*.jsonl") for line in path.read_text().splitlines()]
    assert sorted(got) == sorted(lines)


def test_parquet_keeps_its_types(tmp_path):
    rows = frame().assign(when=pd.Timestamp("2020-01-01"), raw=[b"\x00\xff"] * 440)
    rows.to_parquet(tmp_path / "all.parquet")
    assert run("split", tmp_path / "all.parquet", "--to", tmp_path / "new", "--label", "y").return_value == 0
    got = pd.concat([pd.read_parquet(path) for path in (tmp_path / "new").glob("*.parquet")])
    assert got.dtypes.to_dict() == rows.dtypes.to_dict()
    assert len(got) == 440


def test_folds_are_one_table_with_a_column(tmp_path, rows_csv):
    result = run("split", rows_csv, "--to", tmp_path / "new", "--label", "y", "--group", "patient", "--folds", 4)
    assert result.return_value == 0, result.output
    rows = pd.read_csv(tmp_path / "new" / "data.csv")
    assert rows.groupby("patient")["fold"].nunique().max() == 1
    assert rows["fold"].value_counts().between(100, 120).all()


def test_an_earlier_split_of_the_data_is_forgotten(tmp_path):
    rows = frame()
    rows[:300].to_csv(tmp_path / "train.csv", index=False)
    rows[300:].to_csv(tmp_path / "test.csv", index=False)
    new = leakaudit.split(tmp_path, config=Config(label="y", group="patient"))
    assert len(new.whole) == 440
    assert new.sizes["train"] == pytest.approx(352, abs=8)


def test_by_time_nothing_of_the_past_is_held_out(tmp_path):
    rows = frame().assign(day=pd.date_range("2020-01-01", periods=440, freq="h").astype(str))
    rows = rows.sample(frac=1, random_state=0).drop(columns="patient")
    rows.to_csv(tmp_path / "all.csv", index=False)
    arguments = ("--time", "day", "--gap", 36_000, "--shares", "train=0.8,test=0.2", "--label", "y")
    assert run("split", tmp_path / "all.csv", "--to", tmp_path / "new", *arguments).return_value == 0
    train, test = (pd.to_datetime(pd.read_csv(tmp_path / "new" / f"{name}.csv")["day"]) for name in ("train", "test"))
    assert test.min() - train.max() > pd.Timedelta(hours=10)


def test_the_same_seed_gives_the_same_split_whatever_the_order_of_the_files(tmp_path):
    rows = frame()
    (tmp_path / "a").mkdir()
    rows[:200].to_csv(tmp_path / "a" / "train.csv", index=False)
    rows[200:].to_csv(tmp_path / "a" / "test.csv", index=False)
    files = [f"{name}={tmp_path}/a/{name}.csv" for name in ("train", "test")]
    config = Config(label="y", group="patient")

    def by_name(new):
        names = [Path(name).name for name in new.whole.names]
        return dict(zip(names, new.of.tolist(), strict=True))

    one, other = (by_name(leakaudit.split(*order, config=config, seed=4)) for order in (files, files[::-1]))
    assert one == other
    assert one != by_name(leakaudit.split(*files, config=config, seed=5))


def test_more_samples_move_none_of_the_old_ones(tmp_path, rows_csv):
    assert run("split", rows_csv, "--to", tmp_path / "old", "--label", "y", "--group", "patient").return_value == 0
    more = pd.concat([frame(), frame(n=100, seed=9).assign(patient=lambda rows: "new" + rows["patient"])])
    more.to_csv(rows_csv, index=False)
    new = leakaudit.split(rows_csv, keep=read_kept(tmp_path / "old"), config=Config(label="y", group="patient"))
    old = read_kept(tmp_path / "old").assignment
    where = {name: new.names[at] for name, at in zip(new.whole.names, new.of.tolist(), strict=True)}
    assert all(where[name] == split for split, names in old.items() for name in names)
    assert new.kept == 440
    assert new.sizes["val"] == pytest.approx(55, abs=8)
    assert new.is_proven


def test_a_split_to_keep_that_leaks_is_refused():
    rows = frame()
    kept = Kept({"train": [f"data#{at}" for at in range(0, 440, 2)], "test": [f"data#{at}" for at in range(1, 440, 2)]})
    with pytest.raises(InputError, match=r"tears .* units apart"):
        leakaudit.split(data=rows, keep=kept, shares={"train": 0.5, "test": 0.5}, config=Config(group="patient"))


def test_a_unit_larger_than_a_split_is_named():
    rows = frame().assign(patient=["one" if at < 300 else f"p{at}" for at in range(440)])
    new = leakaudit.split(data=rows, config=Config(label="y", group="patient"))
    assert any("larger than the smallest split" in note for note in new.notes)
    assert new.is_proven


def test_splitters_stand_in_for_those_of_scikit_learn():
    rows = frame()
    X, y = rows[list("abcde")], rows["y"]  # noqa: N806
    folds = leakaudit.LeakFreeKFold(n_splits=4, random_state=1)
    held_out = [test for _, test in folds.split(X, y, rows["patient"])]
    assert sorted(np.concatenate(held_out).tolist()) == list(range(440))
    assert all(not set(rows["patient"][a]) & set(rows["patient"][b]) for a in held_out for b in held_out if a is not b)
    assert len(cross_val_score(DecisionTreeClassifier(), X.to_numpy(), y, cv=folds)) == 4
    ((train, test),) = leakaudit.LeakFreeSplit(0.25).split(X.to_numpy(), y.to_numpy(), rows["patient"].to_numpy())
    assert len(test) == pytest.approx(110, abs=8)
    assert not set(rows["patient"][train]) & set(rows["patient"][test])
    with pytest.raises(ConfigError, match="groups has 3 values for 440 rows"):
        next(folds.split(X, y, [1, 2, 3]))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--shares", "train=0.8,test=0.1"), "add up to 0.9"),
        (("--shares", "train=1"), "at least two splits"),
        (("--shares", "train"), "not NAME=SHARE"),
        (("--folds", "1"), "at least 2"),
        (("--folds", "90", "--group", "patient"), "too few"),
        (("--keep", "nowhere.json"), "no such file"),
        (("--time", "a", "--gap", "99"), "leaves nothing"),
        (("--label", "nothing"), "no column 'nothing'"),
    ],
)
def test_impossible_wishes(tmp_path, rows_csv, arguments, said):
    result = run("split", rows_csv, "--to", tmp_path / "new", *arguments)
    assert said in str(result.exception)
    assert names_in(tmp_path) == ["data"]


def test_targets(tmp_path, rows_csv):
    for to, said in (
        (rows_csv.parent / "new", "lies inside the data"),
        (tmp_path / "no" / "new", "does not exist"),
        (tmp_path / "mine", "exists"),
    ):
        (tmp_path / "mine").mkdir(exist_ok=True)
        (tmp_path / "mine" / "precious").touch()
        result = run("split", rows_csv.parent, "--to", to, "--label", "y")
        assert isinstance(result.exception, ConfigError)
        assert said in str(result.exception)
    result = run("split", rows_csv, "--to", tmp_path / "mine", "--force")
    assert "no split that leakaudit wrote" in str(result.exception)
    assert (tmp_path / "mine" / "precious").exists()
    for _ in range(2):
        assert run("split", rows_csv, "--to", tmp_path / "new", "--label", "y", "--force").return_value == 0


def test_a_list_in_one_file(tmp_path, rows_csv):
    assert run("split", rows_csv, "--to", tmp_path / "list.csv", "--label", "y").return_value == 0
    listed = pd.read_csv(tmp_path / "list.csv")
    assert list(listed.columns) == ["name", "label", "split", "unit"]
    assert listed.groupby("unit")["split"].nunique().max() == 1


def test_a_kill_leaves_the_target_absent_or_whole(tmp_path, rows_csv):
    command = [sys.executable, "-m", "leakaudit", "split", rows_csv, "--to", tmp_path / "new", "--label", "y"]
    for wait in (0.3, 1.5, 2.5):
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            time.sleep(wait)
            process.send_signal(signal.SIGKILL)
        if (tmp_path / "new").exists():
            assert names_in(tmp_path / "new") == ["split.json", "test.csv", "train.csv", "val.csv"]
            shutil.rmtree(tmp_path / "new")
