from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from leakaudit.analysis.context import Context
from leakaudit.checks import la109_time_overlap as la109
from leakaudit.config import Config
from leakaudit.errors import ConfigError
from leakaudit.fingerprints.rows.fingerprint import fingerprint_rows
from leakaudit.sources.objects.frames import from_frames
from pictures import picture_context, records


def outcome(splits, **settings):
    config = Config(jobs=1, **settings)
    dataset = from_frames(splits, config)
    return la109.run(Context(dataset, config, rows=fingerprint_rows(dataset, config)), la109.CHECK.params)


def halves(rows, held):
    return {"train": rows[~held], "val": rows[held]}


def at_random(rows, share=0.2, seed=0):
    return halves(rows, np.random.default_rng(seed).random(len(rows)) < share)


def last(rows, share=0.2):
    return halves(rows, np.arange(len(rows)) >= (1 - share) * len(rows))


def series(n=600, step="1h", seed=0):
    rng = np.random.default_rng(seed)
    level = np.zeros(n)
    for i in range(1, n):
        level[i] = 0.9 * level[i - 1] + rng.normal()
    return pd.DataFrame(
        {
            "when": pd.date_range("2024-01-01", periods=n, freq=step).strftime("%Y-%m-%d %H:%M:%S"),
            "load": level.round(4),
            "noise": rng.normal(size=n).round(4),
            "y": (level > 0).astype(int),
        }
    )


def spelt(rows, how):
    moments = pd.to_datetime(rows["when"])
    other = {
        "native": {"when": moments},
        "epoch": {"time": moments.astype("datetime64[s]").astype("int64")},
        "epoch ms": {"timestamp": moments.astype("datetime64[ms]").astype("int64")},
        "parts": {"year": moments.dt.year, "month": moments.dt.month, "day": moments.dt.day, "hour": moments.dt.hour},
        "date and hour": {"day": moments.dt.strftime("%d/%m/%Y"), "hr": moments.dt.hour},
        "date and clock": {"date": moments.dt.strftime("%d.%m.%Y"), "time": moments.dt.strftime("%H.%M.%S")},
        "eight digits": {"stamp": moments.dt.strftime("%Y%m%d%H%M%S").astype("int64")},
        "counter": {"t": np.arange(len(rows))},
    }[how]
    return pd.DataFrame({**other, **{name: rows[name] for name in ("load", "noise", "y")}})


SPELLINGS = ["native", "epoch", "epoch ms", "parts", "date and hour", "date and clock", "eight digits", "counter"]


@pytest.mark.parametrize("how", SPELLINGS)
def test_a_random_split_of_a_series_is_found_however_its_time_is_written(how):
    rows = spelt(series(), how)
    (finding,) = outcome(at_random(rows), label="y").findings
    assert finding.severity == "warning"
    assert finding.effect["pattern"] == "shuffled"
    assert finding.effect["changes_of_random"] == pytest.approx(1, abs=0.15)
    assert finding.effect["alike_share"] > 0.6
    assert finding.effect["nearest_gap"] == finding.effect["sampling_step"] == (1 if how == "counter" else 3600)
    assert outcome(last(rows), label="y").status == "passed"


def test_a_finding_says_ranges_gaps_and_neighbours():
    (finding,) = outcome(at_random(series()), label="y").findings
    assert "2024-01-01" in finding.message
    assert "1 hour away (median), at a sampling step of 1 hour" in finding.message
    assert [row[0] for row in finding.evidence.breakdown.rows] == ["train", "val"]
    assert len(finding.evidence.pairs) == 5
    json.dumps(dict(finding.effect))


def test_declared_time_is_an_error_wherever_validation_is_not_after():
    rows = series()
    for held in (np.arange(600) < 100, (np.arange(600) >= 200) & (np.arange(600) < 300), np.arange(600) % 7 == 0):
        (finding,) = outcome(halves(rows, held), label="y", time="when").findings
        assert finding.severity == "error"
        assert finding.n_samples == held[: 600 if held[-1] else 599].sum()
    assert outcome(last(rows), label="y", time="when").status == "passed"


def test_one_row_of_a_declared_time_is_enough_and_equal_times_are_none():
    rows = series()
    held = np.arange(600) >= 500
    held[[490, 510]] = held[[510, 490]]
    (finding,) = outcome(halves(rows, held), time="when").findings
    assert finding.n_samples == 11
    days = series(step="1D").assign(when=lambda rows: np.repeat(rows["when"].to_numpy()[:300], 2))
    assert outcome(halves(days, np.arange(600) >= 501), time="when").status == "passed"


def test_validation_wholly_before_train_is_a_warning():
    rows = series()
    (finding,) = outcome(halves(rows, np.arange(600) < 100), label="y").findings
    assert (finding.severity, finding.effect["pattern"], finding.n_samples) == ("warning", "before", 100)


def test_blocks_within_the_range_of_train_are_left_alone_unless_declared():
    rows = series()
    held = (np.arange(600) // 60) % 5 == 2
    assert outcome(halves(rows, held), label="y").status == "passed"
    assert outcome(halves(rows, held), label="y", time="when").findings[0].effect["pattern"] == "in blocks"


def test_validation_after_train_with_a_share_of_rows_exchanged_is_a_warning():
    rows = series(1500)
    held = np.arange(1500) >= 1200
    moved = np.random.default_rng(0).random(1500) < 0.25
    held[moved] = np.random.default_rng(1).permutation(held[moved])
    found = outcome(halves(rows, held), label="y")
    (finding,) = found.findings
    alone = held[1:-1] & ~held[:-2] & ~held[2:]
    assert (finding.severity, finding.effect["pattern"], finding.n_samples) == ("warning", "mixed", int(alone.sum()))
    assert f"{finding.n_samples} of them right between two of train" in finding.message
    # where neighbours are not alike, nothing is filled in
    unlike = rows.assign(load=np.random.default_rng(2).normal(size=1500), y=rows["y"].sample(frac=1, random_state=0))
    assert [finding.severity for finding in outcome(halves(unlike, held), label="y").findings] == ["info"]
    # a few rows are no mixture
    few = np.arange(1500) >= 1200
    few[[100, 500, 900]] = True
    assert outcome(halves(rows, few), label="y").status == "passed"


@pytest.mark.parametrize("size", [(50, 400), (200, 1001), (1000, 1000)])
def test_dates_of_independent_rows_are_worth_knowing_and_no_more(size):
    n_val, n = size[0], sum(size)
    fired = 0
    for seed in range(6):
        rng = np.random.default_rng(seed)
        day = rng.integers(0, 700, n)
        rows = pd.DataFrame(
            {
                "admitted": (np.datetime64("2020-01-01") + day).astype(str),
                "birth_date": (np.datetime64("1950-01-01") + rng.integers(0, 20_000, n)).astype(str),
                "age": rng.normal(40, 10, n) + day / 100,
                "weekday": day % 7,
                "cook_time": rng.exponential(30, n).round(1),
                "built": rng.integers(1900, 2020, n),
                "y": rng.integers(0, 2, n),
            }
        )
        held = np.zeros(n, dtype=bool)
        held[rng.choice(n, n_val, replace=False)] = True
        found = outcome(halves(rows, held), label="y").findings
        fired += any(finding.severity != "info" for finding in found)
        (finding,) = found
        assert "'admitted'" in finding.message
        assert finding.n_samples >= 0.9 * n_val
        assert "if the model is to predict the future, split by time" in finding.message
    assert fired <= 1


def test_events_with_clock_times_are_found_although_neighbours_differ():
    rng = np.random.default_rng(0)
    when = np.datetime64("2024-01-01") + rng.integers(0, 10**6, 500).astype("timedelta64[s]")
    rows = pd.DataFrame({"when": when.astype(str), "x": rng.normal(size=500), "y": rng.integers(0, 2, 500)})
    (finding,) = outcome(at_random(rows), label="y").findings
    assert finding.severity == "warning"
    assert "not measurably alike" in finding.message


def subjects(n=20, each=30):
    parts = [series(each, seed=i).assign(subject=f"s{i}", offset=i) for i in range(n)]
    return pd.concat(parts, ignore_index=True)


def test_each_group_has_a_time_of_its_own():
    rows = subjects()
    place = np.tile(np.arange(30), 20)
    by_subject = outcome(halves(rows, rows["offset"].to_numpy() < 4), label="y")
    late = outcome(halves(rows, place >= 24), label="y")
    assert by_subject.status == late.status == "passed"
    assert "column 'subject'" in by_subject.reason
    (finding,) = outcome(at_random(rows), label="y").findings
    assert finding.effect["share_not_after"] > 0.8


def ratings(n_users=60, each=8, seed=0):
    """Users who come and go over two years; each rates something on some days."""
    rng = np.random.default_rng(seed)
    start = rng.integers(0, 600, n_users)
    day = np.concatenate([np.sort(rng.choice(100, each, replace=False)) + first for first in start])
    return pd.DataFrame(
        {
            "user": np.repeat([f"u{i:03d}" for i in range(n_users)], each),
            "date": (np.datetime64("2022-01-01") + day).astype(str),
            "stars": rng.integers(1, 6, n_users * each),
        }
    )


def test_the_last_row_of_every_user_is_in_order_within_users_only():
    rows = ratings()
    held = np.tile(np.arange(8) == 7, 60)
    (finding,) = outcome(halves(rows, held), label="stars").findings
    assert (finding.severity, finding.effect["pattern"]) == ("info", "within groups only")
    assert f"{finding.n_samples} of 60 val samples are earlier than the last train sample of all" in finding.message
    assert finding.n_samples >= 55
    declared = outcome(halves(rows, held), label="stars", time="date")
    assert [found.severity for found in declared.findings] == ["info"]
    (overall,) = outcome(halves(rows, held), label="stars", time="date", time_order="global").findings
    assert (overall.severity, overall.n_samples) == ("error", finding.n_samples)
    cut = (rows["date"] >= "2023-06-01").to_numpy()
    for how in ("group", "global"):
        assert outcome(halves(rows, cut), label="stars", time="date", time_order=how).status == "passed"
    # steps of each group's own have no order over all
    steps = rows.assign(date=np.tile(np.arange(8), 60)).rename(columns={"date": "timestep"})
    assert outcome(halves(steps, held), label="stars", time="timestep").status == "passed"


def test_lines_of_one_order_have_no_time_of_their_own():
    rows = series(600)
    lines = pd.concat([rows, rows.assign(noise=-rows["noise"])]).assign(order_id=np.tile(np.arange(600), 2) + 70_000)
    (finding,) = outcome(at_random(lines), label="y").findings
    assert (finding.severity, finding.effect["pattern"]) == ("warning", "shuffled")
    place = np.tile(np.arange(600), 2)
    assert outcome(halves(lines, place >= 480), label="y").status == "passed"


@pytest.mark.parametrize("step", ["1h", "1D"])
def test_two_cuts_of_one_series_that_overlap(step):
    rows = series(600, step).sample(frac=1, random_state=0)
    place = rows.index.to_numpy()
    revised = rows.assign(load=rows["load"] + 0.05 * np.random.default_rng(1).normal(size=600).round(4))
    cuts = {"train": rows[place < 500], "val": revised[place >= 440]}
    (finding,) = outcome(cuts, label="y").findings
    assert (finding.severity, finding.n_samples, finding.effect["pattern"]) == ("warning", 60, "same times")
    assert "60 of 160 val samples have the time of a train sample" in finding.message
    assert outcome({"train": rows[place < 500], "val": revised[place >= 500]}, label="y").status == "passed"
    # days on which many rows fall are shared by any two splits
    days = series(600, "1D").assign(when=lambda rows: np.repeat(rows["when"].to_numpy()[:60], 10))
    assert outcome(halves(days, np.arange(600) >= 505), label="y").status == "passed"


def test_another_axis_may_order_the_splits():
    rows = series().assign(signed_up=lambda rows: np.random.default_rng(1).permutation(rows["when"].to_numpy()))
    assert outcome(last(rows), label="y").status == "passed"


def test_few_rows_are_inconclusive():
    assert outcome(at_random(series(60), 0.15), label="y").status == "inconclusive"


def test_day_and_month_that_cannot_be_told_apart_are_said():
    rows = series().assign(when=[f"{1 + i % 12:02d}/{1 + i // 60:02d}/2024" for i in range(600)])
    declared = outcome(at_random(rows), label="y", time="when")
    assert declared.status == "inconclusive"
    assert "day and month" in declared.reason
    assert not outcome(at_random(rows), label="y").findings


def test_a_declared_column_without_times_is_an_error_of_the_user():
    rows = series().assign(colour="red")
    with pytest.raises(ConfigError, match=r"--time: column 'colour' holds neither times nor numbers, such as 'red'"):
        outcome(at_random(rows), time="colour")


def test_a_table_without_times_is_skipped():
    assert outcome(at_random(series()[["load", "y"]]), label="y").status == "skipped"


def test_windows_that_overlap_are_a_warning_and_a_gap_is_clean():
    values = np.lib.stride_tricks.sliding_window_view(series(700)["load"].to_numpy(), 13)
    rows = pd.DataFrame(values, columns=[*(f"lag_{i}" for i in range(12)), "y"])
    (finding,) = outcome(at_random(rows), label="y").findings
    assert finding.effect["pattern"] == "overlapping windows"
    assert finding.n_samples == len(at_random(rows)["val"])
    order = np.arange(len(rows))
    assert outcome({"train": rows[order < 500], "val": rows[order >= 500]}, label="y").findings[0].n_samples == 6
    assert outcome({"train": rows[order < 500], "val": rows[order >= 512]}, label="y").findings == ()


def test_pictures_of_a_camera_run():
    made = records(300, scenes=np.arange(300) // 10)
    times = [f"2024-05-01 {8 + i // 60:02d}:{i % 60:02d}:00" for i in range(300)]
    names = [f"{i}.jpg" for i in range(300)]

    def run(made, splits, **settings):
        context = picture_context(made, names, splits, times=times, config=Config(**settings))
        return la109.run(context, la109.CHECK.params)

    shuffled = np.where(np.random.default_rng(0).random(300) < 0.3, "val", "train").tolist()
    ordered = np.where(np.arange(300) >= 200, "val", "train").tolist()
    (finding,) = run(made, shuffled).findings
    assert (finding.severity, finding.effect["alike"]) == ("warning", "the pictures")
    assert run(made, shuffled, time="taken").findings[0].severity == "error"
    assert run(made, ordered).status == "passed"
    assert [finding.severity for finding in run(records(300), shuffled).findings] == ["info"]


# --- real data --------------------------------------------------------------------------------------------------


@pytest.mark.realdata
@pytest.mark.parametrize(("name", "by"), [("taxis", ["pickup"]), ("pollution", ["year", "month", "day", "hour"])])
def test_time_stamped_tables(shared_data, name, by):
    rows = pd.read_csv(shared_data / "tabular" / f"{name}.csv").sort_values(by, ignore_index=True)
    for seed in range(3):
        splits = at_random(rows, seed=seed)
        (finding,) = outcome(splits).findings
        assert finding.severity == "warning"
        assert finding.n_samples >= 0.99 * len(splits["val"])
    assert outcome(last(rows)).status == "passed"


@pytest.mark.realdata
@pytest.mark.parametrize("name", ["titanic", "diamonds", "winequality-red", "winequality-white", "fmri"])
def test_tables_that_are_no_series_are_silent(shared_data, name):
    rows = pd.read_csv(shared_data / "tabular" / f"{name}.csv")
    for seed in range(5):
        assert outcome(at_random(rows, seed=seed)).findings == ()


@pytest.mark.realdata
def test_parkinsons_published_split(shared_data):
    rows = pd.read_csv(shared_data / "tabular" / "parkinsons-with-split.csv")
    splits = {split: rows[rows.published_split == split] for split in ("train", "test")}
    assert outcome(splits).status == "passed"
    assert outcome(splits, time="test_time", group="subject#").status == "passed"
