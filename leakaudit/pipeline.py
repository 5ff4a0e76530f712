"""From paths or data frames to a report: load, fingerprint once, run the checks, judge."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from functools import cache, partial
from time import perf_counter
from typing import TYPE_CHECKING, Any

from leakaudit import __version__, gate, stored
from leakaudit.checks import CHECKS, Check
from leakaudit.config import Config
from leakaudit.engines.progress import Progress, silent
from leakaudit.errors import ConfigError, MissingExtraError, UserError
from leakaudit.fingerprints.cache import refuse_inside
from leakaudit.model import PROBLEMS_LISTED, Coverage, Dataset, Outcome, Report
from leakaudit.search.context import Context
from leakaudit.stored import Stored

if TYPE_CHECKING:
    import pyarrow as pa

PREVIEWED_FINDINGS = 400
"""Findings whose pictures get a preview: more than a page shows, few enough for a page to carry."""


def audit(
    *paths: str | os.PathLike[str],
    config: Config | None = None,
    progress: Progress = silent,
    **named: Any,
) -> Report:
    """Audit the splits of a data set.

    Parameters
    ----------
    *paths : str or path-like
        A folder, a manifest, or split files, as on the command line.
    config : Config, optional
        All settings; fields of it may also be given by name: ``label="y"``, ``within=True``.
    progress : Progress, default silent
        Told how far the work is.
    **named
        Fields of `Config`, and splits: ``train=frame, val=frame`` (pandas, Arrow, or anything with the Arrow
        interchange protocol), or ``train="a.csv", val="b.csv"``.

    Returns
    -------
    Report
        With its verdict; ``.findings``, ``.to_frame()``, and a table in notebooks.

    Raises
    ------
    InputError
        When the data cannot be used: nothing recognised, one split only, an unreadable table.
    ConfigError
        When a setting means nothing here.

    Examples
    --------
    >>> import pandas as pd
    >>> train = pd.DataFrame({"x": [1, 2, 3, 4], "y": ["a", "b", "a", "b"]})
    >>> report = audit(train=train, val=train.iloc[:1], label="y", select=("LA104",))
    >>> [(finding.code, finding.n_samples) for finding in report.findings]
    [('LA104', 1)]
    """
    known = {field.name for field in fields(Config)}
    config = replace(config or Config(), **{name: value for name, value in named.items() if name in known})
    splits = {name: value for name, value in named.items() if name not in known}
    dataset = _load(paths, splits, config)
    if dataset.kind == "image":
        refuse_inside((*paths, *splits.values()), config)
    where = stored.place(dataset, config)
    found = stored.load(where) if where else None
    if found is None:
        found, context = _examine(dataset, config, progress)
        if where and not context.met_problems and not found.notes:
            stored.save(where, found)
        outcomes = found.outcomes
    else:
        outcomes = _with_pairs(found, dataset, config)
    return _report(dataset, config, replace(found, outcomes=outcomes))


def _load(paths: Sequence[str | os.PathLike[str]], splits: Mapping[str, Any], config: Config) -> Dataset:
    from leakaudit.sources import from_frames, load

    if paths and splits:
        unknown = ", ".join(sorted(splits))
        raise ConfigError(f"give either paths or named splits, not both (or is {unknown} a misspelt setting?)")
    if all(isinstance(value, str | os.PathLike) for value in splits.values()):
        return load([*paths, *(f"{name}={os.fspath(value)}" for name, value in splits.items())], config)
    return from_frames(splits, config)


def _fingerprint(dataset: Dataset, config: Config, progress: Progress) -> Context:
    if dataset.kind == "image":
        from leakaudit.fingerprints.image_scan import fingerprint_images

        assert dataset.samples is not None
        images = fingerprint_images(dataset.samples, config, progress, splits=dataset.splits)
        return Context(dataset, config, images=images, progress=progress)
    from leakaudit.fingerprints.rows import fingerprint_rows

    return Context(dataset, config, rows=fingerprint_rows(dataset, config, progress), progress=progress)


def _examine(dataset: Dataset, config: Config, progress: Progress) -> tuple[Stored, Context]:
    """Fingerprint once, run every check that fits, and count what was looked at."""
    chosen = [check for check in CHECKS if config.selects(check.code)]
    if not chosen:
        raise ConfigError("no check is left: look at --select and --ignore (`leakaudit checks` lists the codes)")
    fitting = [check for check in chosen if dataset.kind in check.kinds]
    context = _fingerprint(dataset, config, progress)
    outcomes = [_run(check, context) for check in fitting]
    not_run = {outcome.code: outcome.reason for outcome in outcomes if outcome.status == "skipped"}
    not_run |= {check.code: "left out by --select or --ignore" for check in CHECKS if check not in chosen}
    problems = context.problems
    coverage = Coverage(
        n_read=context.n_read,
        n_unreadable=context.n_unreadable,
        n_pointers=context.n_pointers,
        n_unsupported=sum(problem.kind == "unsupported" for problem in problems),
        n_other_files=dataset.n_other_files,
        problems=problems[:PROBLEMS_LISTED],
        skipped_checks=dict(sorted(not_run.items())),
        not_applicable=tuple(check.code for check in chosen if check not in fitting),
        sampled=tuple(f"{outcome.code}: {sentence}" for outcome in outcomes for sentence in outcome.sampled),
    )
    with_pairs = frozenset(outcome.code for outcome in outcomes if outcome.pairs)
    notes = context.images.notes if context.images is not None else ()
    return Stored(tuple(outcomes), context.splits, coverage, with_pairs, notes), context


def _with_pairs(found: Stored, dataset: Dataset, config: Config) -> tuple[Outcome, ...]:
    """Stored outcomes; those that can list every pair run their check again, if and when somebody asks for it."""
    by_code = {check.code: check for check in CHECKS}

    @cache
    def context() -> Context:
        return _fingerprint(dataset, config, silent)

    def pairs_of(code: str) -> Iterator[pa.RecordBatch]:
        check = by_code[code]
        again = check.run(context(), check.params)
        return again.pairs() if again.pairs else iter(())

    return tuple(
        replace(outcome, pairs=partial(pairs_of, outcome.code)) if outcome.code in found.with_pairs else outcome
        for outcome in found.outcomes
    )


def _report(dataset: Dataset, config: Config, found: Stored) -> Report:
    from leakaudit.render.html import notebook_html

    return Report(
        version=__version__,
        root=dataset.root,
        kind=dataset.kind,
        layout=dataset.layout,
        splits=found.splits,
        coverage=found.coverage,
        outcomes=found.outcomes,
        checks={check.code: check.info for check in CHECKS},
        verdict=gate.judge(found.outcomes, found.coverage, config),
        notes=(*dataset.notes, *found.notes),
        previews=_previews(dataset, config, found.outcomes) if config.previews and dataset.kind == "image" else {},
        display=notebook_html,
    )


def _run(check: Check, context: Context) -> Outcome:
    if "pair" in check.needs and not context.pairs_of_splits:
        return Outcome(check.code, check.slug, "skipped", "needs two splits; --within looks inside each one alone")
    if "label" in check.needs and not context.has_labels:
        return Outcome(check.code, check.slug, "skipped", "no labels are known: name their column with --label")
    start = perf_counter()
    try:
        outcome = check.run(context, check.params)
    except (UserError, MemoryError):
        raise
    except MissingExtraError as error:
        outcome = Outcome(check.code, check.slug, "skipped", str(error))
    except Exception as error:  # noqa: BLE001  one broken check must not take the other findings with it
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        outcome = Outcome(check.code, check.slug, "errored", f"the check crashed, please report it: {reason}")
    return replace(outcome, seconds=round(perf_counter() - start, 3)) if context.config.timings else outcome


def _previews(dataset: Dataset, config: Config, outcomes: Sequence[Outcome]) -> dict[str, bytes]:
    import pyarrow as pa
    import pyarrow.compute as pc

    from leakaudit.fingerprints.previews import previews

    samples = dataset.samples
    assert samples is not None
    shown = {
        side.uri
        for outcome in outcomes
        for finding in outcome.findings[:PREVIEWED_FINDINGS]
        for pair in finding.evidence.pairs
        for side in (pair.a, pair.b)
    }
    uris = pa.array(sorted(shown), pa.string())
    at = pc.index_in(uris, samples.uri)
    made = previews(samples.path.take(at), config)
    return {uri: picture for uri, picture in zip(uris.to_pylist(), made, strict=True) if picture}
