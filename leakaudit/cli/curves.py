"""``leakaudit curves FILE...``: diagnose training histories."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import fields, replace
from importlib import import_module
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, TextIO, get_args

import click

from leakaudit.config import FailOn
from leakaudit.history import CurvesReport, Modality, TrainLossKind, ValWeights

if TYPE_CHECKING:
    from leakaudit.curves.settings import Holdout
    from leakaudit.curves.thresholds import Thresholds
    from leakaudit.history import Diagnosis, Measured


def _columns(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    del ctx, param
    from leakaudit.curves.options import FIELDS

    found = {}
    for part in (part for value in values for part in value.split(",") if part.strip()):
        key, equals, name = part.strip().partition("=")
        if not equals or key not in FIELDS:
            raise click.BadParameter(f"{part.strip()!r} is not FIELD=COLUMN with FIELD one of {', '.join(FIELDS)}")
        found[key] = name
    return found


def _thresholds(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> Thresholds:
    del ctx, param
    from leakaudit.curves.thresholds import Thresholds

    defaults = Thresholds()
    kinds = {field.name: type(getattr(defaults, field.name)) for field in fields(defaults)}
    changed = {}
    for value in values:
        name, _, number = value.partition("=")
        if name not in kinds:
            raise click.BadParameter(f"{value!r} is not NAME=NUMBER with NAME one of {', '.join(kinds)}")
        try:
            changed[name] = kinds[name](number)
        except ValueError as error:
            raise click.BadParameter(f"{value!r}: {number!r} is no {kinds[name].__name__}") from error
    return replace(defaults, **changed)


def _holdouts(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> tuple[Holdout, ...]:
    del ctx, param
    from leakaudit.curves.holdout import read_holdout

    found = []
    for value in values:
        name, equals, told = value.partition("=")
        if not equals or not name or not told:
            raise click.BadParameter(f"{value!r} is not NAME=SCORE, NAME=SCORE:SAMPLES or NAME=FILE")
        found.append(read_holdout(name, told))
    return tuple(found)


def _grouped(paths: tuple[str, ...]) -> list[tuple[str, str]]:
    """GROUP=PATH taken apart; a path that exists as it stands is one, whatever signs it holds."""
    found = []
    for text in paths:
        group, equals, path = text.partition("=")
        found.append((group, path) if equals and path and not Path(text).exists() else ("", text))
    return found


@click.command(epilog="Example: leakaudit curves runs/seed-*/metrics.csv --html curves.html")
@click.argument("paths", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--columns",
    multiple=True,
    callback=_columns,
    metavar="FIELD=COLUMN,...",
    help="Of any csv or log: train_loss=…,val_loss=…,epoch=…",
)
@click.option("--train-set", metavar="NAME", help="Which evaluation set is the training set (XGBoost).")
@click.option(
    "--val-set", "val_sets", multiple=True, metavar="NAME", help="Evaluation sets to report; default: the others."
)
@click.option(
    "--holdout",
    "holdouts",
    multiple=True,
    callback=_holdouts,
    metavar="NAME=SCORE|FILE",
    help="Score on data kept aside: test=0.71[:samples], or a file.",
)
@click.option("--val-size", type=click.IntRange(1), metavar="N", help="Samples in the validation set, for intervals.")
@click.option("--modality", type=click.Choice(get_args(Modality)), help="What the samples are; advice fits it.")
@click.option("--train-loss-kind", type=click.Choice(get_args(TrainLossKind)), help="What the training loss is.")
@click.option("--val-weights", type=click.Choice(get_args(ValWeights)), help="Which weights were validated.")
@click.option("--val-is-test", is_flag=True, help="The validation set is the test set.")
@click.option(
    "--patience", type=click.IntRange(1), default=8, show_default=True, help="Of the early stopping replayed."
)
@click.option("--min-delta", type=float, default=0.0, show_default=True, help="Of the early stopping replayed.")
@click.option(
    "--threshold",
    "thresholds",
    multiple=True,
    callback=_thresholds,
    metavar="NAME=NUMBER",
    help="Another limit, such as overfit_gap=0.08.",
)
@click.option(
    "--fail-on",
    type=click.Choice(["error", "warning", "info", "never"]),
    default="error",
    show_default=True,
    help="Least severity that exits 1.",
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json", "html"]),
    default="text",
    show_default=True,
    help="What is printed.",
)
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Also write the report as JSON.")
@click.option("--html", "html_path", type=click.Path(path_type=Path), help="Also write a page with the curves.")
def curves(
    paths: tuple[str, ...],
    *,
    columns: dict[str, str],
    train_set: str | None,
    val_sets: tuple[str, ...],
    holdouts: tuple[Holdout, ...],
    val_size: int | None,
    modality: Modality | None,
    train_loss_kind: TrainLossKind | None,
    val_weights: ValWeights | None,
    val_is_test: bool,
    patience: int,
    min_delta: float,
    thresholds: Thresholds,
    fail_on: FailOn,
    format_: str,
    json_path: Path | None,
    html_path: Path | None,
) -> int:
    """Diagnose training histories that you already have.

    FILE is what Keras, Lightning, Hugging Face, Ultralytics, fastai, timm,
    skorch, XGBoost, LightGBM, CatBoost, TensorBoard, MLflow or W&B wrote or
    printed: a log, the text of a console, JSON lines, a notebook, any csv with
    --columns; - reads what is piped in. Several files are compared as runs;
    NAME=FILE puts a run into a group.
    """
    from leakaudit import __version__
    from leakaudit.cli import output
    from leakaudit.config import Config
    from leakaudit.curves.options import Options
    from leakaudit.curves.replay import EarlyStopping
    from leakaudit.curves.report import curves_report
    from leakaudit.curves.settings import Settings

    for path in filter(None, (json_path, html_path)):
        output.check_target(path)
    options = Options(columns, train_set, val_sets, train_loss_kind, val_weights)
    settings = Settings(
        val_is_test,
        EarlyStopping(patience, min_delta),
        thresholds=thresholds,
        holdouts=holdouts,
        n_val=val_size,
        modality=modality,
    )
    report = _with_measured(curves_report(_grouped(paths), __version__, options, settings))
    if json_path:
        _write(report, "json", json_path)
    if html_path:
        _write(report, "html", html_path)
    _renderer(format_)(report, sys.stdout)
    worst = report.worst
    return int(worst is not None and Config(fail_on=fail_on).fails(worst))


def _with_measured(report: CurvesReport) -> CurvesReport:
    """The report with what the callbacks of leakaudit measured, where a file is theirs."""
    from leakaudit.curves.recorded import FORMAT

    if not any(diagnosis.history.format == FORMAT for diagnosis in report.diagnoses):
        return report
    diagnoses = tuple(
        _answered(diagnosis) if diagnosis.history.format == FORMAT else diagnosis for diagnosis in report.diagnoses
    )
    return replace(report, diagnoses=diagnoses)


def _answered(diagnosis: Diagnosis) -> Diagnosis:
    """The diagnosis with what was measured; where that answers why validation loss is lower, in place of the advice."""
    measured = _measured(diagnosis.history.source)
    if measured is None:
        return diagnosis
    from leakaudit.curves.diagnose import concluded

    low = diagnosis.outcome("low-validation-loss")
    if not low.metrics.get("unexplained"):
        return replace(diagnosis, measured=measured, steps=(*diagnosis.steps, *measured.advice))
    told = "; ".join(low.message.split("; ")[:2])
    answer = replace(
        low,
        message=f"{told}; the parts of the difference were measured in the run, at its last epoch",
        metrics={**low.metrics, "unexplained": 0, "measured": 1},
    )
    outcomes = tuple(answer if outcome is low else outcome for outcome in diagnosis.outcomes)
    found = concluded(diagnosis.history, outcomes)
    return replace(found, measured=measured, steps=(*found.steps, *measured.advice))


def _measured(path: str) -> Measured | None:
    """The attribution at the last epoch; None where its losses are not finite, which the rules say."""
    from leakaudit.errors import InputError
    from leakaudit.history import Measured, MeasuredTerm
    from leakaudit.own_model.recorded import read

    try:
        found = read(path)
    except InputError:
        return None
    terms = tuple(
        MeasuredTerm(f"{term.letter} {term.name}".strip(), term.value, term.low, term.high, term.meaning)
        for term in (*found.terms, found.remainder)
    )
    return Measured(found.gap, terms, found.advice, found.limits)


RENDERERS = {"text": "terminal.curves", "json": "data.curves_json", "html": "html.curves"}


def _renderer(form: str) -> Callable[[CurvesReport, TextIO], None]:
    write: Callable[[CurvesReport, TextIO], None] = import_module(f"leakaudit.render.{RENDERERS[form]}").write
    return write


def _write(report: CurvesReport, form: str, path: Path) -> None:
    """Write the report as UTF-8, or leave the old file as it was."""
    from leakaudit.render.atomic import replacing

    with replacing(path) as file:
        stream = TextIOWrapper(file, encoding="utf-8", newline="\n")
        _renderer(form)(report, stream)
        stream.flush()
        stream.detach()
