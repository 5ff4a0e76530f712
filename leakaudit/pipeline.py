"""From paths or data frames to a report: load, fingerprint once, run the checks, judge."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, replace
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING, Any, Unpack

from leakaudit import __version__, gate, stored
from leakaudit.analysis.context import Context
from leakaudit.checks import CHECKS, Infos
from leakaudit.config import Config, Settings
from leakaudit.engines.choose import check_engine
from leakaudit.engines.progress import Progress, silent
from leakaudit.engines.workers import workers_kept
from leakaudit.errors import ConfigError, InputError, LayoutError, MissingExtraError, UserError
from leakaudit.fingerprints.cache.store import refuse_inside
from leakaudit.model import PROBLEMS_LISTED, AcceptedUse, Coverage, Dataset, Outcome, ProbeReport, Report
from leakaudit.settings.in_python import in_python, misspelt, translated, with_settings, wrong_name
from leakaudit.stored import Stored
from leakaudit.typed import Value

if TYPE_CHECKING:
    import pyarrow as pa

    from leakaudit.checks.base import Check

PREVIEWED_FINDINGS = 400
"""Findings whose pictures get a preview: more than a page shows, few enough for a page to carry."""


class Named(Settings, total=False):
    """What `audit` takes by name: every setting, and the usual splits."""

    train: object
    val: object
    test: object


@workers_kept()
def audit(
    *data: object,
    config: Config | None = None,
    progress: Progress = silent,
    cv: object = None,
    groups: object = None,
    **named: Unpack[Named],
) -> Report:
    """Audit the splits of a data set, in files or in memory.

    Parameters
    ----------
    *data : path or object
        Paths, as on the command line: a folder, a manifest, or split files. Or objects: ``audit(train, val)``,
        ``audit(train, val, test)``; one frame with a column that says the split or the fold; a ``DatasetDict`` or a
        mapping from names of splits to data; or the four of ``train_test_split``, ``audit(X_train, X_test, y_train,
        y_test)``, which is ``audit((X_train, y_train), (X_test, y_test))``.

        The data of a split are a data frame (pandas, PyArrow, Polars eager or lazy, whatever speaks Arrow), an array
        or tensor (one axis: values or texts; two: rows; more: pictures or series, as in ``.npy`` files), a sparse
        matrix, ``(X, y)`` of one of these with its labels, a series or list of texts, a list of pictures of Pillow, of
        names of pictures, of arrays, rows or records, a Hugging Face ``Dataset``, or a ``Dataset``, ``Subset`` or
        ``DataLoader`` of torch.
    config : Config, optional
        All settings; fields of it may also be given by name: ``label="y"``, ``within=True``.
    progress : Progress, default silent
        Told how far the work is.
    cv : splitter, int, or iterable of (train, test), optional
        Audit a cross-validation, ``audit(X, y, cv=KFold(5))``: a splitter of scikit-learn or the like, a number of
        folds, or the rows of each fold. Each fold is held out once, and all together get one verdict.
    groups : array-like of shape (n_samples,), optional
        With `cv`: who or what each sample belongs to, for the splitter and for LA108.
    **named
        Fields of `Config`, and splits by their names: ``train=frame, val=frame``, or ``train="a.csv", val="b.csv"``.

    Returns
    -------
    Report
        With its verdict; ``.findings``, ``.to_frame()``, and a table in notebooks.

    Raises
    ------
    InputError
        When the data cannot be used: nothing recognised, one split only, an unreadable table, X and y of different
        lengths.
    ConfigError
        When a setting means nothing here, or is misspelt.

    Notes
    -----
    No configuration file and no environment variable but ``LEAKAUDIT_CACHE`` is read: what a notebook finds must not
    hang on the folder that it runs in. Ask for a file: ``config=leakaudit.load_config("leakaudit.toml")``.

    Nothing of the caller's is changed. Pictures in memory are written to a temporary folder, uncompressed or nearly so,
    which is gone when the report is there.

    Examples
    --------
    >>> import pandas as pd
    >>> train = pd.DataFrame({"x": [1, 2, 3, 4], "y": ["a", "b", "a", "b"]})
    >>> report = audit(train, train.iloc[:1], label="y", select=("LA104",))
    >>> [(finding.code, finding.n_samples) for finding in report.findings]
    [('LA104', 1)]
    """
    try:
        given, config = _told(data, dict(named), config or Config())
        check_engine(config)
        with _dataset(given, config, cv, groups) as (dataset, folded, config):
            return _audited(dataset, folded, given, config, progress)
    except UserError as error:
        said = in_python(error)
        if said is error:
            raise
        raise said from error.__cause__


@workers_kept()
def audit_paths(
    paths: Sequence[str | os.PathLike[str]], config: Config | None = None, progress: Progress = silent
) -> Report:
    """Audit what lies in files, as the command line does: errors name its options.

    Parameters
    ----------
    paths : sequence of path
    config, progress
        As for `audit`.

    Raises
    ------
    InputError, ConfigError
        As `audit`.
    """
    config = config or Config()
    check_engine(config)
    return _audited(_load(paths, {}, config), None, paths, config, progress)


def _told(
    data: Sequence[object], named: dict[str, Any], config: Config
) -> tuple[Sequence[object] | dict[str, Any], Config]:
    """The data, in order or by the names of their splits; and the configuration.

    Raises
    ------
    ConfigError
        A name that is no setting, or data both by order and by name.
    """
    from leakaudit.sources.names import split_of
    from leakaudit.sources.objects.arguments import named as given
    from leakaudit.sources.objects.kinds import may_be_data

    known = {field.name for field in fields(Config)}
    config = with_settings(config, {name: value for name, value in named.items() if name in known})
    splits = {name: value for name, value in named.items() if name not in known}
    for name, value in splits.items():
        if split_of(name, config.splits) is None and (misspelt(name) is not None or not may_be_data(value)):
            raise wrong_name(name)
    if data and splits:
        unknown = ", ".join(sorted(splits))
        raise ConfigError(f"give either data in order or named splits, not both (or is {unknown} a misspelt setting?)")
    return given(splits) if splits else tuple(data), config


@contextmanager
def _dataset(
    given: Sequence[object] | dict[str, Any], config: Config, cv: object, groups: object
) -> Iterator[tuple[Dataset, Sequence[Dataset] | None, Config]]:
    """The data set, what each fold of a cross-validation sees, and the settings for it; files made here go at the end.

    Raises
    ------
    InputError, ConfigError
    """
    from leakaudit.sources.objects.arguments import check_alike, positional
    from leakaudit.sources.objects.kinds import is_path

    if cv is None and groups is not None:
        raise ConfigError("groups: goes with cv=…; a column that says the group is group='name'")
    values = list(given.values()) if isinstance(given, dict) else given
    if not values:
        raise InputError("no data given: say audit('data/') or audit(train, val)")
    if cv is None and all(map(is_path, values)):
        yield _of_paths(given, config), None, config
        return
    with TemporaryDirectory(prefix="leakaudit-", ignore_cleanup_errors=True) as folder:
        if cv is not None:
            dataset, folded = _folds(given, cv, groups, config, folder)
            # Each fold sees the same pictures: what one has read, the others need not.
            yield _in_words(dataset), folded, replace(config, cache_dir=Path(folder) / "cache", use_cache=True)
            return
        splits = given if isinstance(given, dict) else positional(given)
        check_alike(splits)
        if splits and all(map(is_path, splits.values())):
            yield _of_paths(splits, config), None, config
            return
        from leakaudit.sources.objects.load import objects_dataset

        dataset = _without_empty_columns(objects_dataset(splits, config, folder))
        if dataset.samples is not None and os.fsencode(folder) in dataset.samples.path[0].as_py():
            config = replace(config, use_cache=False)  # what lies there is never met again under its name
        yield _in_words(dataset), None, config


def _folds(
    given: Sequence[object] | dict[str, Any], cv: object, groups: object, config: Config, folder: str
) -> tuple[Dataset, list[Dataset]]:
    """The whole data set, and what each fold of a cross-validation sees.

    Raises
    ------
    InputError, ConfigError
    """
    from leakaudit.sources.objects.cross_validation import cross_validated

    if isinstance(given, dict) or len(given) > 2:
        raise ConfigError("cv: goes with the whole data set, audit(X, y, cv=…) or audit(frame, label=…, cv=…)")
    x, y = (*given, None)[:2]
    dataset, folded = cross_validated(x, y, cv, groups, config, folder)
    return dataset, [_without_empty_columns(each) for each in folded]


def _in_words(dataset: Dataset) -> Dataset:
    """What was recognised, as a caller in Python would say it."""
    why, notes = translated(dataset.layout.why), tuple(map(translated, dataset.notes))
    return replace(dataset, layout=replace(dataset.layout, why=why), notes=notes)


def _of_paths(given: Sequence[Any] | dict[str, Any], config: Config) -> Dataset:
    """As on the command line; two or three files whose names say no split are train, val, test.

    Raises
    ------
    InputError, ConfigError
    """
    from leakaudit.sources.objects.arguments import ORDER

    if isinstance(given, dict):
        return _load((), given, config)
    try:
        return _load(given, {}, config)
    except LayoutError:
        if not 2 <= len(given) <= len(ORDER) or any("=" in os.fspath(path) for path in given):
            raise
        return _load((), dict(zip(ORDER, given, strict=False)), config)


def _audited(
    dataset: Dataset,
    folded: Sequence[Dataset] | None,
    given: Sequence[Any] | dict[str, Any],
    config: Config,
    progress: Progress,
) -> Report:
    if dataset.kind == "image":
        values = given.values() if isinstance(given, dict) else given
        refuse_inside([path for path in values if isinstance(path, str | os.PathLike)], config)
    if folded is None and dataset.folds:
        from leakaudit.folds import each_fold

        folded = each_fold(dataset)
    where = stored.place(dataset, config) if folded is None else None
    found = stored.load(where) if where else None
    if folded is not None:
        names = dataset.splits if dataset.folds else [f"fold {number + 1}" for number in range(len(folded))]
        found = _examine_folds(dataset, folded, names, config, progress)
        outcomes = found.outcomes
    elif found is None:
        found, context = _examine(dataset, config, progress)
        interrupted = found.probe is not None and found.probe.interrupted
        if where and not context.met_problems and not found.notes and not interrupted:
            stored.save(where, found)
        outcomes = found.outcomes
    else:
        outcomes = _with_pairs(found, dataset, config)
    outcomes, use = _accept(outcomes, config)
    return _report(dataset, config, replace(found, outcomes=outcomes), use, Infos(listed.code for listed in CHECKS))


@workers_kept()
def audit_changed(
    files: Sequence[str | os.PathLike[str]],
    *paths: str | os.PathLike[str],
    config: Config | None = None,
    progress: Progress = silent,
) -> Report:
    """Audit what a few changed files bring into a data set: they alone against all others.

    Only the checks of `leakaudit.changed.CODES` run. Pictures that an earlier scan fingerprinted are not read again;
    tables are small in number, so where one has changed all of them are compared.

    Parameters
    ----------
    files : sequence of path
        What has changed; those that do not belong to the data set are passed over.
    *paths, config, progress
        As for `audit`.

    Raises
    ------
    InputError, ConfigError
        As `audit`.
    """
    from leakaudit import changed

    config = config or Config()
    chosen = tuple(code for code in changed.CODES if config.selects(code))
    config = replace(config, select=chosen, ignore=() if chosen else ("LA",))
    dataset = _load(paths, {}, config)
    if dataset.kind == "image":
        refuse_inside(paths, config)
    context = fingerprint(dataset, config, progress)
    note = "Only the overlap was looked at: a full scan does more."
    if dataset.kind == "image":
        n_all = len(context.images)
        context, n_changed = changed.around(context, files)
        few = f"{n_changed:,} changed picture{'' if n_changed == 1 else 's'}"
        note = f"Looked at {few} against {n_all - n_changed:,} others: a full scan does more."
    found = run_checks(context, "a full scan looks at it")
    outcomes, use = _accept(found.outcomes, config)
    found = replace(found, outcomes=outcomes, notes=(*found.notes, note))
    return _report(context.dataset, config, found, use, Infos(outcome.code for outcome in outcomes))


def _accept(outcomes: Sequence[Outcome], config: Config) -> tuple[tuple[Outcome, ...], AcceptedUse]:
    """Mark what reviewed files accept, and what an earlier report already found."""
    marked, use = tuple(outcomes), AcceptedUse()
    if config.accepted is None and config.new_since is None:
        return marked, use
    from datetime import date

    from leakaudit import accepted

    if config.accepted is not None:
        entries = accepted.load(config.accepted)
        marked, use = accepted.apply(marked, entries, date.today(), source=str(config.accepted))
    if config.new_since is not None:
        known = accepted.known_from(config.new_since)
        marked, old = accepted.apply(marked, known, date.today(), source=str(config.new_since), keep_unused=False)
        use = replace(use, sources=(*use.sources, *old.sources), n_findings=old.n_findings)
    return marked, use


def _load(
    paths: Sequence[str | os.PathLike[str]], splits: Mapping[str, str | os.PathLike[str]], config: Config
) -> Dataset:
    from leakaudit.sources.layouts import load

    named = [f"{name}={os.fspath(value)}" for name, value in splits.items()]
    return _without_empty_columns(load([*paths, *named], config))


def _without_empty_columns(dataset: Dataset) -> Dataset:
    """Pictures beside whose label no column says anything are pictures alone."""
    roles = dataset.columns
    known = {roles.label, roles.split, roles.id, *roles.ignore}
    if dataset.samples is None or any(set(table.columns) - known for table in dataset.tables):
        return dataset
    return replace(dataset, tables=())


def fingerprint(dataset: Dataset, config: Config, progress: Progress) -> Context:
    """Fingerprints of the pictures, of the rows, or of both, where samples are pictures with columns."""
    images = rows = None
    if dataset.samples is not None and dataset.kind == "file":
        from leakaudit.fingerprints.plain_files import fingerprint_plain_files

        images = fingerprint_plain_files(dataset.samples, config, progress, splits=dataset.splits)
    elif dataset.samples is not None:
        from leakaudit.fingerprints.pictures.scan import fingerprint_images

        images = fingerprint_images(dataset.samples, config, progress, splits=dataset.splits)
    if dataset.tables:
        from leakaudit.fingerprints.rows.fingerprint import fingerprint_rows

        rows = fingerprint_rows(dataset, config, progress)
    return Context(dataset, config, images=images, rows=rows, progress=progress)


def _applies(check: Check, dataset: Dataset) -> bool:
    """Whether a check is for samples of this kind."""
    if dataset.samples is not None and dataset.kind in check.kinds:
        return True
    whole = dataset.samples is None or "whole-row" not in check.needs
    if dataset.columns.texts and check.family == "copies" and "whole-row" in check.needs:
        return False  # a sample is its texts
    return bool(dataset.tables) and "table" in check.kinds and whole


def _examine(dataset: Dataset, config: Config, progress: Progress) -> tuple[Stored, Context]:
    """Fingerprint once, run every check that fits, and count what was looked at."""
    context = fingerprint(dataset, config, progress)
    return run_checks(context, "left out by --select or --ignore"), context


def _examine_folds(
    whole: Dataset, datasets: Sequence[Dataset], names: Sequence[str], config: Config, progress: Progress
) -> Stored:
    """What each fold sees, one after the other, and all of them told together."""
    from leakaudit import folds

    runs = [_examine(dataset, config, progress)[0] for dataset in datasets]
    by_check: dict[str, list[tuple[Outcome, int, str]]] = {}
    for run, fold in zip(runs, names, strict=True):
        for outcome in run.outcomes:
            if folds.is_asked(outcome.code):
                by_check.setdefault(outcome.code, []).append((outcome, run.splits[folds.HELD_OUT].n, fold))
    outcomes = tuple(folds.together(*zip(*each, strict=True)) for each in by_check.values())
    return replace(
        runs[0],
        outcomes=outcomes,
        splits=folds.splits_of([run.splits for run in runs]),
        coverage=replace(folds.coverage_of([run.coverage for run in runs]), unclaimed=whole.unclaimed),
        with_pairs=frozenset(),
        notes=tuple(dict.fromkeys(note for run in runs for note in run.notes)),
        probe=None,
    )


def run_checks(context: Context, left_out: str) -> Stored:
    """What the checks that are selected and fit say, and what was looked at."""
    config, dataset = context.config, context.dataset
    chosen = [check for check in CHECKS if config.selects(check.code)]
    if not chosen:
        raise ConfigError("no check is left: look at --select and --ignore (`leakaudit checks` lists the codes)")
    if unknown := sorted(config.checks.keys() - {check.code for check in CHECKS}):
        raise ConfigError(f"checks: there is no check {unknown[0]!r} (`leakaudit checks` lists the codes)")
    parts = {dataset.kind, *(("table",) if dataset.tables else ())}
    loaded = [listed.load() for listed in chosen if parts.intersection(listed.kinds)]
    fitting = [check for check in loaded if _applies(check, dataset)]
    applied = {check.code for check in fitting}
    outcomes = [_run(check, context) for check in fitting]
    not_run = {outcome.code: outcome.reason for outcome in outcomes if outcome.status == "skipped"}
    not_run |= {check.code: left_out for check in CHECKS if check not in chosen}
    problems = context.problems
    coverage = Coverage(
        n_read=context.n_read,
        n_unreadable=context.n_unreadable,
        n_pointers=context.n_pointers,
        blind_in=context.blind_in,
        n_unsupported=sum(problem.kind == "unsupported" for problem in problems),
        n_other_files=dataset.n_other_files,
        problems=problems[:PROBLEMS_LISTED],
        skipped_checks=dict(sorted(not_run.items())),
        not_applicable=tuple(check.code for check in chosen if check.code not in applied),
        unclaimed=dataset.unclaimed,
        sampled=tuple(f"{outcome.code}: {sentence}" for outcome in outcomes for sentence in outcome.sampled),
    )
    with_pairs = frozenset(outcome.code for outcome in outcomes if outcome.pairs)
    notes = (
        *(context.images.notes if context.has_pictures else ()),
        *(context.rows.notes if context.has_rows else ()),
    )
    return Stored(tuple(outcomes), context.splits, coverage, with_pairs, notes, _probe(fitting, context))


def _probe(fitting: Sequence[Check], context: Context) -> ProbeReport | None:
    """What the probe measured, where a check asked for it."""
    if context.config.probe == "off" or not any("probe" in check.needs for check in fitting):
        return None
    from leakaudit.probe.report import probe_report

    return probe_report(context)


def _with_pairs(found: Stored, dataset: Dataset, config: Config) -> tuple[Outcome, ...]:
    """Stored outcomes; those that can list every pair run their check again, if and when somebody asks for it."""
    by_code = {listed.code: listed for listed in CHECKS}

    @cache
    def context() -> Context:
        return fingerprint(dataset, config, silent)

    def pairs_of(code: str, *, every: bool = False) -> Iterator[pa.RecordBatch]:
        check = by_code[code].load()
        again = check.run(context(), _params(check, config))
        batches = (again.all_pairs if every else None) or again.pairs
        return batches() if batches else iter(())

    def again(outcome: Outcome) -> Outcome:
        return replace(
            outcome, pairs=partial(pairs_of, outcome.code), all_pairs=partial(pairs_of, outcome.code, every=True)
        )

    return tuple(again(outcome) if outcome.code in found.with_pairs else outcome for outcome in found.outcomes)


def _report(dataset: Dataset, config: Config, found: Stored, use: AcceptedUse, infos: Infos) -> Report:
    from leakaudit.render.html.page import notebook_html

    return Report(
        version=__version__,
        root=dataset.root,
        kind=dataset.kind,
        layout=dataset.layout,
        splits=found.splits,
        coverage=found.coverage,
        outcomes=found.outcomes,
        checks=infos,
        verdict=gate.judge(found.outcomes, found.coverage, config, found.splits),
        notes=(*dataset.notes, *found.notes),
        accepted=use,
        probe=found.probe,
        previews=_previews(dataset, config, found) if config.previews and dataset.kind == "image" else {},
        display=notebook_html,
    )


def _run(check: Check, context: Context) -> Outcome:
    if "pair" in check.needs and not context.pairs_of_splits:
        return Outcome(check.code, check.slug, "skipped", "needs two splits; --within looks inside each one alone")
    if "label" in check.needs and not context.has_labels:
        return Outcome(check.code, check.slug, "skipped", "no labels are known: name their column with --label")
    start = perf_counter()
    try:
        outcome = check.run(context, _params(check, context.config))
    except (UserError, MemoryError):
        raise
    except MissingExtraError as error:
        outcome = Outcome(check.code, check.slug, "skipped", str(error))
    except Exception as error:
        if damaged := _damaged(context):
            raise damaged from error
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        outcome = Outcome(check.code, check.slug, "errored", f"the check crashed, please report it: {reason}")
    return replace(outcome, seconds=round(perf_counter() - start, 3)) if context.config.timings else outcome


def _damaged(context: Context) -> InputError | None:
    """Whether a check failed because a file that it reads is broken."""
    if context.has_pictures:
        return None
    from leakaudit.sources.readers.duck_tables import damaged_file

    return damaged_file(context.rows.duck, context.dataset.tables)


def _params(check: Check, config: Config) -> Value:
    from leakaudit.checks.parameters import with_parameters

    return with_parameters(check, config.checks.get(check.code, {}), ("checks", check.code))


def _previews(dataset: Dataset, config: Config, found: Stored) -> dict[str, bytes]:
    """Small pictures of all samples that a page shows."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from leakaudit.fingerprints.pictures.previews import previews
    from leakaudit.render.html.evidence import shown_samples

    samples = dataset.samples
    assert samples is not None
    shown = {
        sample.uri
        for outcome in found.outcomes
        for finding in outcome.findings[:PREVIEWED_FINDINGS]
        for sample in shown_samples(finding.evidence)
    }
    if found.probe is not None:
        shown |= {sample.uri for sample in (*found.probe.hardest, *found.probe.memorised)}
    uris = pa.array(sorted(shown), pa.string())
    at = pc.index_in(uris, samples.uri)
    uris, at = uris.filter(at.is_valid()), at.drop_null()  # what is missing, or of no type that is read, is no sample
    made = previews(samples.path.take(at), config)
    return {uri: picture for uri, picture in zip(uris.to_pylist(), made, strict=True) if picture}
