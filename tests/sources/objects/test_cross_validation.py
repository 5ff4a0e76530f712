"""Cross-validation by a splitter or by rows: one verdict over all folds, as of a column of folds."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import GroupKFold, KFold, LeaveOneOut, ShuffleSplit, StratifiedKFold, TimeSeriesSplit

import leakaudit
from leakaudit.errors import ConfigError, InputError
from leakaudit.model import Report
from reports_alike import codes, said


def audit(*data: object, **named: object) -> Report:
    return leakaudit.audit(*data, use_cache=False, jobs=1, **{"select": ("LA104",), **named})


def samples(n_copies: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(90, 4)), rng.integers(0, 2, 90)
    x[60 : 60 + n_copies], y[60 : 60 + n_copies] = x[:n_copies], y[:n_copies]
    return x, y


@pytest.mark.parametrize("n_copies", [0, 12])
def test_a_splitter_is_a_column_of_folds(n_copies):
    x, y = samples(n_copies)
    fold = np.zeros(90, dtype=int)
    for number, (_, held_out) in enumerate(KFold(3).split(x)):
        fold[held_out] = number
    frame = pd.DataFrame(x, columns=["x0", "x1", "x2", "x3"]).assign(y=y)
    by_column = said(audit(frame.assign(fold=fold), label="y"))
    reports = [audit(x, y, cv=KFold(3))]
    if n_copies:
        reports.append(audit((x, y), cv=list(KFold(3).split(x))))
        reports.append(audit(x, y, cv=[(fold != at, fold == at) for at in range(3)]))
    assert all(said(report) == by_column for report in reports)
    assert codes(reports[0]) == ({"LA104": 2 * n_copies} if n_copies else {})
    assert reports[0].splits["held out"].n == 90
    assert "cross-validation by KFold: 3 folds" in reports[0].layout.why


def test_a_column_of_other_folds_hides_no_copy():
    x, y = samples(12)
    frame = pd.DataFrame(x).assign(y=y, fold=np.arange(90) // 23)
    assert codes(audit(frame, label="y", cv=KFold(3))) == {"LA104": 24}


def test_a_number_of_folds_is_stratified_for_classes_alone():
    x, y = samples(0)
    assert "by StratifiedKFold: 4 folds" in audit(x, y, cv=4).layout.why
    assert "by KFold: 4 folds" in audit(x, y + 0.37 * np.arange(90), cv=4).layout.why
    frame = pd.DataFrame(x).assign(label=np.repeat(["a", "b"], 45))
    report = audit(frame, label="label", cv=StratifiedKFold(3))
    assert report.splits["held out"].labels == {"a": 45, "b": 45}


@pytest.mark.parametrize("leaks", [False, True])
def test_groups_are_declared_groups(leaks):
    x, y = samples(0)
    groups = np.arange(90) % 18
    cv = KFold(3) if leaks else GroupKFold(3)
    report = audit(x, y, cv=cv, groups=[f"patient {each}" for each in groups], select=("LA108",))
    assert bool(codes(report)) == leaks
    (outcome,) = report.outcomes
    assert outcome.status == ("failed" if leaks else "passed")


def test_rows_in_neither_part_are_left_out_and_said():
    x, y = samples(12)
    report = audit(x, y, cv=TimeSeriesSplit(3, gap=5))
    assert any("held out in no fold" in note for note in report.notes)
    assert report.splits["train"].n < 60
    shuffled = audit(x, y, cv=ShuffleSplit(4, test_size=30, random_state=0))
    assert any("held out in several folds" in note for note in shuffled.notes)
    assert (shuffled.splits["train"].n, shuffled.splits["held out"].n) == (60, 120)


def test_pictures_in_folds():
    x = np.random.default_rng(3).integers(0, 256, (24, 12, 12, 3), dtype=np.uint8)
    y = np.arange(24) % 2
    clean = audit(x, y, cv=KFold(3), select=("LA102",))
    assert (clean.kind, codes(clean)) == ("image", {})
    x[20:23] = x[:3]
    report = audit(x, y, cv=KFold(3), groups=np.arange(24) // 8, select=("LA102",))
    assert codes(report) == {"LA102": 6}


def test_numpy_draws_the_same_folds_again():
    x, y = samples(0)
    np.random.seed(4)
    expected = np.random.rand()
    np.random.seed(4)
    audit(x, y, cv=KFold(3, shuffle=True))
    assert np.random.rand() == expected


@pytest.mark.parametrize(
    ("cv", "error", "message"),
    [
        (LeaveOneOut(), ConfigError, "cv: more than 50 folds"),
        (1, ConfigError, "cv: 1 folds of 90 samples"),
        ("five", ConfigError, "cv: str is no splitter: give KFold"),
        (True, ConfigError, "cv: bool is no splitter"),
        (3.5, ConfigError, "cv: float is no splitter"),
        ([], ConfigError, "cv: no fold"),
        ([1, 2], ConfigError, "cv: fold 1 is int, not a pair"),
        ([([0, 1], [1, 2])], InputError, "cv: fold 1: 1 samples are both in its training part and held out"),
        ([([0, 1], [90])], InputError, "cv: fold 1: test: row 90 of 90 samples"),
        ([([0, 1], [])], InputError, "cv: fold 1: test: no row"),
        ([([0.5], [1])], InputError, "cv: fold 1: train: rows are numbers from 0, or a mask of 90"),
        (GroupKFold(3), ConfigError, "cv: GroupKFold cannot split these data: The 'groups' parameter should not be"),
    ],
)
def test_what_splits_nothing_is_one_line(cv, error, message):
    with pytest.raises(error, match=f"^{message}"):
        audit(*samples(0), cv=cv)


def test_data_and_groups_that_do_not_go_together():
    x, y = samples(0)
    with pytest.raises(InputError, match=r"^data: X has 90 samples and y 5 labels"):
        audit(x, y[:5], cv=3)
    with pytest.raises(InputError, match=r"^groups: X has 90 samples and y 5 labels"):
        audit(x, y, cv=3, groups=np.arange(5))
    with pytest.raises(ConfigError, match=r"^groups: goes with cv=…"):
        audit((x, y), (x, y), groups=np.arange(90))
    with pytest.raises(ConfigError, match=r"^cv: goes with the whole data set"):
        audit(train=(x, y), cv=3)
    with pytest.raises(ConfigError, match=r"^groups and group='x0' both say the group"):
        audit(pd.DataFrame({"x0": x[:, 0]}), y, cv=3, groups=np.arange(90), group="x0")
