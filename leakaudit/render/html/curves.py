"""Histories as one page with learning curves: no network, no script, the same bytes for the same report."""

from __future__ import annotations

import codecs
import math
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING, TextIO

from leakaudit.curves.speech import unit
from leakaudit.history import CurvesReport, Diagnosis, History
from leakaudit.render.data.curves_json import SCHEMA
from leakaudit.render.html.chart import Chart, Curve, chart, overlay, strip
from leakaudit.render.html.prose import spans
from leakaudit.render.words import curves as say
from leakaudit.render.words.plain import plain

if TYPE_CHECKING:
    from jinja2 import Environment

COLOURS = 10
"""Colours of runs; further runs begin again."""

MOST_RUNS_LABELLED = 12


@dataclass(frozen=True, slots=True)
class Panel:
    """A diagnosis with its charts, and whether its steps were told before."""

    diagnosis: Diagnosis
    tone: str
    charts: tuple[Chart, ...]
    told_at: int | None


def to_html(report: CurvesReport) -> str:
    """The page."""
    style = "".join(map(_resource, ("report.css", "charts.css", "curves.css")))
    digest = b64encode(sha256(style.encode()).digest()).decode()
    return (
        _environment()
        .get_template("curves.html.j2")
        .render(
            report=report,
            schema=SCHEMA,
            style=style,
            style_hash=f"sha256-{digest}",
            tone=say.report_tone(report),
            headline=say.headline(report),
            panels=_panels(report),
            runs=_runs(report),
            say=say,
            strip=strip,
            spans=spans,
        )
    )


def write(report: CurvesReport, stream: TextIO) -> None:
    """Write the page; a stream that is not Unicode gets character references."""
    page = to_html(report)
    if not codecs.lookup(getattr(stream, "encoding", None) or "utf-8").name.startswith("utf"):
        page = page.encode("ascii", "xmlcharrefreplace").decode()
    stream.write(page)


def _panels(report: CurvesReport) -> list[Panel]:
    panels: list[Panel] = []
    told: dict[tuple[str, ...], int] = {}
    for at, diagnosis in enumerate(report.diagnoses, 1):
        charts = tuple(found for found in (_losses(diagnosis), _accuracies(diagnosis.history)) if found is not None)
        panels.append(Panel(diagnosis, say.tone(diagnosis), charts, told.get(diagnosis.steps)))
        told.setdefault(diagnosis.steps, at)
    return panels


def _losses(diagnosis: Diagnosis) -> Chart | None:
    history = diagnosis.history
    curves = [
        Curve("train", "train", history.train_loss.tolist()),
        Curve("validation", "val", history.val_loss.tolist()),
        *_third(history, "test_loss"),
        Curve("", "shifted", diagnosis.corrected_train_loss.tolist()),
    ]
    shifted = any(map(math.isfinite, curves[-1].values))
    note = f"dashed: training shifted to the end of each {unit(history)}" if shifted else ""
    tip = _tip(history, "loss")
    return chart("Loss", unit(history), history.epoch.tolist(), curves, _marks(diagnosis), tip, note)


def _third(history: History, name: str) -> list[Curve]:
    """The curve of a third set, where there is one."""
    values = say.series(history, name)
    return [Curve("test", "test", values)] if say.known(values) else []


def _accuracies(history: History) -> Chart | None:
    curves = [
        Curve("train", "train", history.train_accuracy.tolist()),
        Curve("validation", "val", history.val_accuracy.tolist()),
        *_third(history, "test_accuracy"),
    ]
    return chart(
        say.capital(history.metric), unit(history), history.epoch.tolist(), curves, (), _tip(history, "accuracy")
    )


def _marks(diagnosis: Diagnosis) -> list[tuple[float, str, str]]:
    metrics = diagnosis.outcome("early-stopping").metrics
    best, stop = metrics.get("lowest_at"), metrics.get("stop_at")
    marks = []
    if isinstance(best, float):
        marks.append((best, f"lowest, {best:g}", "best"))
    if isinstance(stop, float):
        marks.append((stop, f"stop, {stop:g}", "stop"))
    return marks


def _tip(history: History, quantity: str) -> Callable[[int], str]:
    train, val = getattr(history, f"train_{quantity}"), getattr(history, f"val_{quantity}")

    def text(row: int) -> str:
        both = ((train[row], "train"), (val[row], "validation"))
        known = [f"{name} {say.number(float(value))}" for value, name in both if math.isfinite(value)]
        return f"{unit(history)} {history.epoch[row]:g}: {', '.join(known) or 'not logged'}"

    return text


def _runs(report: CurvesReport) -> Chart | None:
    """Validation losses of all runs in one chart, coloured by group, or each by itself."""
    if not report.comparisons:
        return None
    histories = [diagnosis.history for diagnosis in report.diagnoses]
    groups = list(dict.fromkeys(history.group for history in histories))
    labels = _labels(histories)
    runs = []
    for at, (history, label) in enumerate(zip(histories, labels, strict=True)):
        colour = groups.index(history.group) if len(groups) > 1 else at
        shown = label if len(histories) <= MOST_RUNS_LABELLED else ""
        runs.append((history.epoch.tolist(), Curve(shown, f"run r{colour % COLOURS}", history.val_loss.tolist())))
    return overlay("Validation loss of all runs", unit(histories[0]), runs)


def _labels(histories: Sequence[History]) -> list[str]:
    """Short labels: the group on its first run, else the number of the history on the page."""
    seen: set[str] = set()
    labels = []
    for at, history in enumerate(histories, 1):
        labels.append(("" if history.group in seen else history.group) if history.group else f"{at}")
        seen.add(history.group)
    return labels


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    return Environment(
        loader=FunctionLoader(_resource),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: plain(value) if type(value) is str else value,
    )


@cache
def _resource(name: str) -> str:
    return files("leakaudit.render.html").joinpath("templates", name).read_text(encoding="utf-8")
