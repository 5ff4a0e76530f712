"""Points and lengths of time as people write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

DAY = 86_400.0


def show_instant(seconds: float) -> str:
    """Seconds since 1970 as people write them, as short as they are exact.

    >>> show_instant(86400), show_instant(60), show_instant(1.5)
    ('1970-01-02', '1970-01-01 00:01', '1970-01-01 00:00:01')
    """
    try:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=round(seconds // 1))
    except OverflowError:
        return f"{seconds:.6g} s"
    form = "%Y-%m-%d" if seconds % DAY == 0 else "%Y-%m-%d %H:%M" if seconds % 60 == 0 else "%Y-%m-%d %H:%M:%S"
    return f"{moment.year:04d}" + moment.strftime(form.removeprefix("%Y"))


def show_duration(seconds: float) -> str:
    """A length of time in the largest unit of which there is one.

    >>> show_duration(90), show_duration(3600), show_duration(200000)
    ('1.5 minutes', '1 hour', '2.31 days')
    """
    for unit, size in (("day", DAY), ("hour", 3600.0), ("minute", 60.0), ("second", 1.0)):
        if abs(seconds) >= size or unit == "second":
            return f"{seconds / size:.3g} {unit}{'' if seconds == size else 's'}"
    raise AssertionError
