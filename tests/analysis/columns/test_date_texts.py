from __future__ import annotations

import math
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leakaudit.analysis.columns.date_texts import month_number, read_clock, read_dates, times_among
from leakaudit.analysis.series.words import show_duration, show_instant

MOMENT = datetime(2021, 3, 25, 17, 6, 7, tzinfo=UTC)

MOMENTS = st.datetimes(min_value=datetime(1800, 1, 1), max_value=datetime(2199, 12, 31))


def seconds(*texts):
    return read_dates(pa.array(texts, pa.string())).seconds.tolist()


@given(MOMENTS.map(lambda moment: moment.replace(tzinfo=UTC)))
def test_iso_texts_are_read_as_python_reads_them(moment):
    expected = (moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()
    spellings = [moment.isoformat(), moment.isoformat(sep=" "), moment.replace(tzinfo=None).isoformat()]
    assert seconds(*spellings) == pytest.approx([expected] * 3, abs=1e-4)


@pytest.mark.parametrize(
    "text",
    [
        "2021-03-25T17:06:07Z",
        "2021-03-25 18:06:07+01:00",
        "2021/03/25 12:06:07 -0500",
        "20210325T170607Z",
        "20210325170607",
        "25.03.2021 17:06:07",
        "03/25/2021 5:06:07 PM",
        "25/03/21 17:06:07",
        "Thu, 25 Mar 2021 17:06:07 +0000",
        "25/Mar/2021:17:06:07 +0000",
        "March 25th, 2021 17:06:07",
        "Thu Mar 25 17:06:07 2021",
        " 2021-03-25 22:36:07.000+0530 ",
    ],
)
def test_usual_spellings(text):
    assert seconds(text) == [MOMENT.timestamp()]


@pytest.mark.parametrize(
    ("text", "month", "day"),
    [("2021-03", 3, 1), ("Mar 2021", 3, 1), ("2021Q3", 7, 1), ("2021-W13", 3, 29), ("2021-W13-7", 4, 4)],
)
def test_coarse_spellings(text, month, day):
    assert seconds(text) == [datetime(2021, month, day, tzinfo=UTC).timestamp()]


@pytest.mark.parametrize("text", ["2021-02-30", "1.2.10", "12:30", "P012", "2021-13-01", "25:61", "2021-01-01 25:00"])
def test_other_texts_are_no_times(text):
    assert math.isnan(seconds(text)[0])


def test_the_order_of_day_and_month_is_decided_over_the_column():
    assert read_dates(pa.array(["3/4/2021", "25/4/2021"])).how == "day, month, year"
    assert read_dates(pa.array(["3/4/2021", "4/25/2021"])).how == "month, day, year"
    assert read_dates(pa.array(["1/2/2021", "1/3/2021"])).how == "day, month, year"  # the first of each month
    assert read_dates(pa.array(["3/4/2021", "5/6/2021"])).unclear
    both = read_dates(pa.array(["25/4/2021", "4/25/2021"]))
    assert both.n_other == 1
    assert not both.are_times


def test_missing_values_are_passed_over_and_others_are_counted():
    read = read_dates(pa.array(["2021-03-25", None, "", "NA", "n/a", "soon"]))
    assert read.n_other == 1
    assert not read.are_times
    assert times_among(["2021-03-25"] * 19 + ["NA"])


def test_clocks_months_and_words_for_people():
    assert read_clock(pa.array(["18:05", "6:05 pm", "18.05.30", "x"])).tolist()[:3] == [65_100, 65_100, 65_130]
    assert month_number(pa.array(["Jan", "december", None])).tolist()[:2] == [1, 12]
    assert show_instant(MOMENT.timestamp()) == "2021-03-25 17:06:07"
    assert (show_duration(1.0), show_duration(7200)) == ("1 second", "2 hours")


@given(st.lists(st.text(max_size=20), max_size=10))
def test_no_text_breaks_it(texts):
    assert len(read_dates(pa.array(texts, pa.string())).seconds) == len(texts)
