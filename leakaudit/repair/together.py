"""What must stay together: copies as the checks know them, and groups that the user or a column names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from leakaudit.analysis.belonging.keys import key_of
from leakaudit.analysis.context import Context
from leakaudit.catalogue import code_of, codes_of
from leakaudit.checks.la108_group_overlap import cut_groups
from leakaudit.pipeline import fingerprint, run_checks
from leakaudit.repair.units import Links, same_value
from leakaudit.repair.whole import Whole, with_splits

if TYPE_CHECKING:
    import pyarrow as pa

    from leakaudit.config import Config
    from leakaudit.engines.progress import Progress
    from leakaudit.model import IntArray, Outcome

WITHIN = code_of("duplicates-within-split")
CONFLICTS = code_of("conflicting-labels")
GROUPS = code_of("group-overlap")

ASKED = (*(code for code in codes_of("copies") if code not in (WITHIN, CONFLICTS)), GROUPS)
"""Checks that a new split must pass: every check that finds samples of one split in another, and that of groups."""


def links_within(whole: Whole, config: Config, progress: Progress) -> tuple[Context, list[Links]]:
    """Links that are known before there is a split: copies inside the whole set, declared groups."""
    config = replace(config, within=True, select=(WITHIN,), ignore=(), require=(), probe="off")
    context = fingerprint(whole.dataset, config, progress)
    found = run_checks(context, "not asked")
    place = _places(whole)
    links = [_links_of(outcome, place, least=("error", "warning")) for outcome in found.outcomes]
    return context, [*(link for link in links if len(link.a)), *declared_groups(whole, config)]


def declared_groups(whole: Whole, config: Config) -> list[Links]:
    """Samples of one declared group, or of one declared id."""
    samples, roles = whole.dataset.samples, whole.dataset.columns
    links = []
    if samples is not None and samples.group is not None:
        said = "group pattern" if config.group_pattern is not None else "group column"
        links.append(same_value(said, key_of(said, samples.group).codes))
    for name, said in ((roles.group, "group"), (roles.id, "id")):
        values = whole.column(name) if name is not None else None
        if values is not None:
            links.append(same_value(f"{said} column {name!r}", key_of(said, values).codes))
    return [link for link in links if len(link.a)]


def links_across(
    whole: Whole, first: Context, split: IntArray, names: Sequence[str], config: Config, progress: Progress
) -> tuple[tuple[Outcome, ...], list[Links]]:
    """What the checks say of a split, and what they find on both sides of it.

    Parameters
    ----------
    first : Context
        Of the whole: pictures are not fingerprinted a second time.
    """
    dataset = with_splits(whole, split, names)
    config = replace(config, within=False, select=ASKED, ignore=(), require=(), probe="off")
    if first.has_pictures:
        rows = fingerprint(replace(dataset, samples=None), config, progress).rows if dataset.tables else None
        context = Context(dataset, config, images=first.images, rows=rows, progress=progress)
    else:
        context = fingerprint(dataset, config, progress)
    outcomes = run_checks(context, "not asked").outcomes
    place = _places(whole)
    leaks = [outcome for outcome in outcomes if _is_leak(outcome)]
    links = [_links_of(outcome, place, least=("error", "warning")) for outcome in leaks]
    if any(outcome.code == GROUPS for outcome in leaks):  # whole groups, not only the samples that met
        links += [
            same_value(f"{GROUPS} group-overlap", _in_order(context, codes, len(whole)))
            for codes in cut_groups(context)
        ]
    return outcomes, [link for link in links if len(link.a)]


def _in_order(context: Context, codes: IntArray, n: int) -> IntArray:
    """Codes of rows in the order of the whole: tables of splits are read one after the other."""
    if context.has_pictures:
        return codes
    numbered = [table.row_uris for table in context.dataset.tables if table.row_uris is not None]
    order = [int(name) for names in numbered for name in names.to_pylist()]
    found = np.full(n, -1, np.int64)  # samples that are left out are in no table
    found[order] = codes
    return found


def _is_leak(outcome: Outcome) -> bool:
    """Errors of any check; of groups that are inferred, a warning too."""
    worst = {finding.severity for finding in outcome.findings}
    return "error" in worst or (outcome.code == GROUPS and "warning" in worst)


def _links_of(outcome: Outcome, place: Mapping[str, int], *, least: Sequence[str]) -> Links:
    why = f"{outcome.code} {outcome.slug}"
    none = np.zeros(0, np.int64)
    if outcome.pairs is None or not any(finding.severity in least for finding in outcome.findings):
        return Links(why, none, none)
    pairs = list(_pairs(outcome.pairs(), place))
    a = np.concatenate([each for each, _ in pairs]) if pairs else none
    b = np.concatenate([each for _, each in pairs]) if pairs else none
    return Links(why, a, b)


def _pairs(batches: Iterator[pa.RecordBatch], place: Mapping[str, int]) -> Iterator[tuple[IntArray, IntArray]]:
    for batch in batches:
        sides = [[place[uri] for uri in batch.column(name).to_pylist()] for name in ("uri_a", "uri_b")]
        yield np.array(sides[0], np.int64), np.array(sides[1], np.int64)


def _places(whole: Whole) -> dict[str, int]:
    """From what the checks call a sample to its index: rows of tables are numbered here."""
    if whole.dataset.samples is None:
        return {str(at): at for at in range(len(whole))}
    return {name: at for at, name in enumerate(whole.names)}
