"""Which argument is which split, and what is said of arguments that are none."""

from __future__ import annotations

from typing import get_args, get_origin, get_type_hints

import numpy as np
import pandas as pd
import pytest

import leakaudit
from leakaudit.config import Config, Override, Settings
from leakaudit.errors import ConfigError, InputError, LayoutError
from leakaudit.model import Report
from leakaudit.typed import hints_of
from reports_alike import said


def audit(*data: object, **named: object) -> Report:
    return leakaudit.audit(*data, **{"select": ("LA104",), "use_cache": False, "jobs": 1, **named})


def frame(start: int, stop: int) -> pd.DataFrame:
    at = np.arange(start, stop)
    return pd.DataFrame({"a": at * 0.37, "b": at * at % 101, "y": at % 2})


def test_one_two_and_three_data_sets_are_train_val_test():
    train, val, test = frame(0, 50), frame(45, 70), frame(70, 90)
    report = audit(train, val, test)
    assert [(name, info.n) for name, info in report.splits.items()] == [("train", 50), ("val", 25), ("test", 20)]
    assert said(report) == said(audit(train=train, val=val, test=test))
    assert said(report) == said(audit({"train": train, "dev": val, "test": test}))
    assert said(audit(train, val)) == said(audit(train=train, val=val, test=None))


def test_splits_of_other_names():
    assert list(audit({"berlin": frame(0, 40), "ulm": frame(40, 60)}).splits) == ["berlin", "ulm"]
    assert list(audit(berlin=frame(0, 40), ulm=frame(40, 60)).splits) == ["berlin", "ulm"]
    assert list(audit(validation=frame(40, 60), train=frame(0, 40)).splits) == ["train", "val"]


def test_a_mapping_of_columns_is_one_frame():
    columns = frame(0, 40).assign(split=["train"] * 30 + ["test"] * 10).to_dict("list")
    assert list(audit(columns).splits) == ["train", "test"]
    assert list(audit({"train": list("abc"), "test": list("cd")}, select=("LA106",)).splits) == ["train", "test"]


def test_paths_whose_names_say_no_split_are_train_and_val(tmp_path):
    for name, each in (("2019", frame(0, 40)), ("2020", frame(36, 60)), ("2021", frame(60, 80))):
        each.to_csv(tmp_path / f"{name}.csv", index=False)
    paths = [tmp_path / f"{name}.csv" for name in ("2019", "2020", "2021")]
    report = audit(*paths, label="y")
    assert [(name, info.n) for name, info in report.splits.items()] == [("train", 40), ("val", 24), ("test", 20)]
    assert said(report) == said(audit(train=paths[0], val=str(paths[1]), test=paths[2], label="y"))
    (tmp_path / "2020.csv").rename(tmp_path / "train.csv")
    (tmp_path / "2021.csv").rename(tmp_path / "test.csv")
    named = audit(tmp_path / "test.csv", tmp_path / "train.csv", label="y")
    assert (named.splits["train"].n, named.splits["test"].n) == (24, 20)


@pytest.mark.parametrize(
    ("data", "named", "error", "message"),
    [
        (("here.csv", frame(0, 5)), {}, InputError, "train is a path and val pandas.DataFrame: give all splits as"),
        ((), {"train": "here.csv", "val": frame(0, 5)}, InputError, "train is a path and val pandas.DataFrame"),
        ((frame(0, 9), frame(0, 9).a), {}, InputError, "the second argument is one value a sample, as labels are"),
        ((frame(0, 9),) * 5, {}, LayoutError, "5 data sets without names: name them"),
        ((np.zeros((4, 2)),) * 4, {}, InputError, "four data sets of which it is not clear what belongs together"),
        ((frame(0, 9),), {"val": frame(0, 9)}, ConfigError, "give either data in order or named splits, not both"),
        ((), {"train": None}, ConfigError, "train: None, and so no data"),
        ((), {"train": frame(0, 9), "valid": frame(0, 9), "val": frame(9, 12)}, LayoutError, "two data sets are the"),
        ((frame(0, 9),) * 2, {"lable": "y"}, ConfigError, "there is no setting 'lable'; did you mean 'label'\\?"),
        ((frame(0, 9),) * 2, {"group_by": "y"}, ConfigError, "there is no setting 'group_by'; did you mean 'group"),
        ((frame(0, 9),) * 2, {"fail-on": "error"}, ConfigError, "there is no setting 'fail-on'; did you mean 'fail_on"),
        ((frame(0, 9),) * 2, {"verbose": True}, ConfigError, "there is no setting 'verbose'"),
        ((frame(0, 9),) * 2, {"fail_on": "eror"}, ConfigError, "fail_on: must be one of .*; did you mean 'error'"),
        ((frame(0, 9),) * 2, {"select": "LA104"}, ConfigError, "select: must be a list of texts, not the text 'LA104'"),
        ((frame(0, 9),) * 2, {"jobs": 0}, ConfigError, "jobs: must be a whole number of at least 1"),
        ((frame(0, 9),) * 2, {"group": "who"}, ConfigError, "group='who': there is no such column"),
        ((frame(0, 9),) * 2, {"ignore_columns": ["q"]}, ConfigError, "ignore_columns='q': there is no such column"),
        ((frame(0, 9),) * 2, {"select": ["LA999"]}, ConfigError, "no check is left: look at select=… and ignore=…"),
        (("/nowhere/at/all",), {}, InputError, "/nowhere/at/all: no such file or folder"),
    ],
)
def test_every_wrong_argument_is_one_line_in_the_words_of_python(data, named, error, message):
    with pytest.raises(error, match=f"^{message}") as caught:
        audit(*data, **named)
    assert "\n" not in str(caught.value)
    assert "--" not in str(caught.value)


def test_nothing_given_is_named():
    with pytest.raises(InputError, match=r"^no data given: say audit"):
        leakaudit.audit()


def test_settings_are_the_fields_of_the_configuration_and_of_their_types():
    declared, given = hints_of(Config), get_type_hints(Settings)
    assert list(given) == list(declared)

    def kinds(hint: object) -> set[object]:
        if get_origin(hint) is None or get_origin(hint) in (tuple, dict) or "Literal" in str(get_origin(hint)):
            return {hint}
        if "Mapping" in str(get_origin(hint)) or get_origin(hint) is list:
            return {hint}
        return {each for arg in get_args(hint) for each in kinds(arg) if not hasattr(arg, "least")}

    for name, hint in declared.items():
        more = kinds(given[name]) - kinds(hint)
        assert kinds(hint) <= kinds(given[name]), name
        # What one may say more shortly: a list in place of a tuple, a text in place of a path.
        assert all(each is str or get_origin(each) is list for each in more), name


def test_a_list_a_path_and_an_override_are_taken_as_they_are(tmp_path):
    override = Override(("val",), ignore=("LA104",))
    report = audit(
        frame(0, 50), frame(45, 60), select=["LA104"], cache_dir=tmp_path, overrides=[override],
    )  # fmt: skip
    assert report.verdict.status == "clean"
