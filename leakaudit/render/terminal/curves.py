"""Histories in a terminal: the verdict first, the curves as one line each, what was found, what to do next."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TextIO

from rich.console import Console
from rich.text import Text

from leakaudit.history import Comparison, CurvesReport, Diagnosis, History
from leakaudit.render.terminal.screen import Part, Screen
from leakaudit.render.terminal.sparkline import scale, sparkline
from leakaudit.render.words.curves import (
    Tone,
    beyond,
    capital,
    contrast_text,
    headline,
    interval_text,
    known,
    not_judged,
    number,
    read_as,
    report_tone,
    series,
    term_text,
    tests_text,
    tone,
)

WIDEST = 100
SPARK = 36
"""Columns of a curve at most."""

ICONS: dict[Tone, str] = {"error": "✗", "warning": "⚠", "info": "·", "passed": "✓", "muted": "?"}
STYLES: dict[Tone, str] = {
    "error": "bold red",
    "warning": "bold yellow",
    "info": "bold cyan",
    "passed": "bold green",
    "muted": "bold",
}
COLOURS = {"train": "cyan", "val": "magenta", "test": "yellow"}

LABEL = 13
"""Columns of the labels."""

NARROW = 12
"""Columns below which a curve takes the place of remarks beside it."""

QUANTITY = 34
"""Columns of the names of compared quantities; on a narrow terminal they stand on a line of their own."""


def write(report: CurvesReport, stream: TextIO) -> None:
    """Print the report to a stream; colour where it is a terminal that wants it."""
    print_curves(report, Console(file=stream, highlight=False, markup=False, emoji=False))


def print_curves(report: CurvesReport, console: Console) -> None:
    """Print the report.

    Parameters
    ----------
    report : CurvesReport
    console : rich.console.Console
        Its width, encoding and colour decide the layout; no markup is ever interpreted.
    """
    screen = Screen(min(console.width, WIDEST), console.encoding)
    for line in _lines(report, screen):
        line.rstrip()
        console.print(line, no_wrap=True, overflow="ignore", crop=False, highlight=False)


def _lines(report: CurvesReport, screen: Screen) -> Iterator[Text]:
    if len(report.diagnoses) > 1:
        top = report_tone(report)
        yield from screen.wrapped((f"{ICONS[top]} {headline(report)}", STYLES[top]), hanging=2)
    told: dict[tuple[str, ...], str] = {}
    for diagnosis in report.diagnoses:
        if len(report.diagnoses) > 1:
            yield Text()
        yield from _diagnosis(diagnosis, screen)
        yield from _steps(diagnosis, told, screen)
        told.setdefault(diagnosis.steps, diagnosis.history.name or _file_name(diagnosis.history.source))
    if report.comparisons:
        yield Text()
        yield from _comparisons(report, screen)


def _diagnosis(diagnosis: Diagnosis, screen: Screen) -> Iterator[Text]:
    history = diagnosis.history
    mood = tone(diagnosis)
    top = f"{ICONS[mood]} {capital(diagnosis.verdict)}"
    group = f" ({history.group})" if history.group else ""
    named = history.name or screen.elided(history.source, screen.width - len(top) - len(group) - 4)
    yield from screen.wrapped((top, STYLES[mood]), (f"  {named}{group}", "bold"), hanging=2)
    yield from screen.wrapped(capital(diagnosis.summary), indent=2)
    if history.name:
        yield screen.line(
            ("file".ljust(LABEL), "dim"), (screen.elided(history.source, screen.width - 17), "dim"), indent=2
        )
    yield from _curves(diagnosis, screen)
    yield from _measured(diagnosis, screen)
    yield from _labelled("read as", read_as(history), screen, "dim")
    for note in history.notes:
        yield from _labelled("note", note, screen, "dim")
    for outcome in diagnosis.findings:
        icon, style = ICONS[outcome.severity], STYLES[outcome.severity]
        code = f"{outcome.code} {outcome.rule}" if outcome.code else outcome.rule
        more = beyond(diagnosis, outcome)
        said = (f"  {more}",) if more else ()
        yield from screen.wrapped((f"{icon} ", style), (code, "bold"), *said, indent=2, hanging=4)
    for outcome in diagnosis.outcomes:
        if outcome.status == "noted" and (more := beyond(diagnosis, outcome)):
            yield from screen.wrapped("· ", (outcome.rule, "bold"), f"  {more}", indent=2, hanging=4)
    for outcome in not_judged(diagnosis):
        yield from screen.wrapped(
            "? ", (outcome.rule, "bold"), (f"  not judged: {outcome.message}", "dim"), indent=2, hanging=4
        )


def _labelled(label: str, text: str, screen: Screen, style: str = "") -> Iterator[Text]:
    yield from screen.wrapped((label.ljust(LABEL), "dim"), (text, style), indent=2, hanging=2 + LABEL)


def _measured(diagnosis: Diagnosis, screen: Screen) -> Iterator[Text]:
    """What a callback measured, each term with its interval."""
    if diagnosis.measured is None:
        return
    gap = f"training minus validation loss {diagnosis.measured.gap:+.3f} at the last epoch, of which"
    yield from _labelled("measured", gap, screen)
    for term in diagnosis.measured.terms:
        yield from screen.wrapped((f"{term_text(term)}  ", "bold"), term.name, indent=2 + LABEL, hanging=4 + LABEL)


def _curves(diagnosis: Diagnosis, screen: Screen) -> Iterator[Text]:
    """Both losses on one scale, both accuracies on another; first and last value beside them."""
    for quantity in ("loss", "accuracy"):
        curves = [
            (split, curve)
            for split in ("train", "val", "test")
            if known(curve := series(diagnosis.history, f"{split}_{quantity}"))
        ]
        on = scale(*(curve for _, curve in curves))
        if on is None:
            continue
        lowest = [_lowest(curve) if (split, quantity) == ("val", "loss") else "" for split, curve in curves]
        taken = max(len(_ends(curve)) + len(extra) for (_, curve), extra in zip(curves, lowest, strict=True))
        room = min(SPARK, screen.width - LABEL - taken - 4)
        if room < NARROW:
            lowest = [""] * len(curves)
            room = max(4, screen.width - LABEL - max(len(_ends(curve)) for _, curve in curves) - 4)
        for (split, curve), extra in zip(curves, lowest, strict=True):
            label = f"{split} {_short(diagnosis.history, quantity)}".ljust(LABEL)
            parts: list[Part] = [(label, "dim")]
            if len(known(curve)) > 1:
                spark = sparkline(curve, on, room, screen.encoding)
                parts.append((f"{spark}  ", COLOURS[split]))
            yield screen.line(*parts, _ends(curve), (extra, "dim"), indent=2)
        if on.log:
            yield screen.line((f"{'':{LABEL}}(logarithmic scale)", "dim"), indent=2)


def _short(history: History, quantity: str) -> str:
    """What a curve is called beside it."""
    if quantity == "loss":
        return "loss"
    return "acc" if history.metric == "accuracy" else history.metric[: LABEL - 6]


def _ends(curve: list[float]) -> str:
    """First and last value."""
    values = known(curve)
    return number(values[0]) if len(values) == 1 else f"{number(values[0])} → {number(values[-1])}"


def _lowest(curve: list[float]) -> str:
    values = known(curve)
    return f", lowest {number(min(values))}" if min(values) < values[-1] else ""


def _steps(diagnosis: Diagnosis, told: dict[tuple[str, ...], str], screen: Screen) -> Iterator[Text]:
    if not diagnosis.steps:
        return
    if diagnosis.steps in told:
        yield screen.line(("Next  ", "bold"), (f"as for {told[diagnosis.steps]}", "dim"), indent=2)
        return
    yield screen.line(("Next", "bold"), indent=2)
    for at, step in enumerate(diagnosis.steps, 1):
        yield from screen.wrapped(f"{at}. {step}", indent=4, hanging=7)


def _file_name(source: str) -> str:
    return source.replace("\\", "/").rstrip("/").rpartition("/")[2] or source


def _comparisons(report: CurvesReport, screen: Screen) -> Iterator[Text]:
    heading = f"  mean [{report.confidence:.0%} t interval over runs]"
    yield from screen.wrapped(("Runs compared", "bold"), (heading, "dim"), hanging=2)
    for comparison in report.comparisons:
        yield from _comparison(comparison, screen)
    for note in report.comparison_notes:
        yield from screen.wrapped((f"note: {note}", "dim"), indent=2, hanging=8)


def _comparison(comparison: Comparison, screen: Screen) -> Iterator[Text]:
    wide = screen.width >= 2 * QUANTITY
    at = QUANTITY + 2 if wide else 4
    label = comparison.label.ljust(QUANTITY)
    if not wide:
        yield screen.line(comparison.label, indent=2)
    for group, interval in comparison.groups.items():
        named = f"{group}: " if group else ""
        yield from screen.wrapped(
            label if wide else "", named, interval_text(interval), indent=2 if wide else at, hanging=at
        )
        label = " " * QUANTITY
    if comparison.zero_test is not None and (text := tests_text(comparison.zero_test)):
        first = next(iter(comparison.groups))
        of_group = f" of {first}" if first else ""
        yield from screen.wrapped((f"against 0{of_group}: {text}", "dim"), indent=at, hanging=at + 2)
    for contrast in comparison.contrasts:
        yield from screen.wrapped((contrast_text(contrast), "dim"), indent=at, hanging=at + 2)
