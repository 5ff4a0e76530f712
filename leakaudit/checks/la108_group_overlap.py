"""The same person, patient, recording or camera run on both sides of a split.

What it does
------------
Counts the groups that have samples in both splits, and the held-out samples in them. The group is what you declare
(``--group``, or ``--group-pattern`` for a key in file names), and the id (``--id``); else columns that are named like
one (``patient_id``, ``subject#``, ``customer``, ``session``), or that hold molecules (SMILES) or sequences of proteins
or nucleic acids; else a key in the file names or folders of pictures (a prefix, a field, the name up to its last
number, a date, camera numbers that run through the classes), in a column of file names of a table, or in a column of
e-mail addresses or of ids of one pattern (``P012``, ``sess-8f3a9c2d``), that turns out to hold groups; and, in tables
of several texts, a text that many rows share (a premise, a question, a passage, a source sentence, a prompt).

Why it matters
--------------
A model that knows the person recognises the person. Pictures of one patient, frames of one video and rows of one
subject are no copies of each other, yet scores on them say nothing about the next patient.

How it decides
--------------
*Declared*: any group, or id, on both sides is an *error*. *Column by its name*: any group on both sides is a *warning*
if there are at least 10 groups (``least_groups``) and none holds more than a quarter of the samples
(``largest_share``): few, large groups are kinds or sites, which splits share on purpose; an *info* where the held-out
rows of every group come after its own rows of train by dates, as when the last purchase of each is held out. Names
such as ``device``, ``account`` or ``order`` need values that say which one: with the looks of ids, or at least 50
with 20 rows or fewer each in the mean. Numbers with fractions, plurals that count (``members``) and running text are
no groups whatever their name. Of several such columns the one that affects most samples is reported, and the others
with it. Numbers that count the rows of every split anew (1, 2, 3, … on either side) are places in a file: they are
judged as keys in names are.
*Key in names or ids*: the same, with at least 10 groups on both sides, and the key has to be shown to be a group: a
held-out sample must be nearer to the reference samples of its own key than to as many others of the same classes
(pictures by thumbnails, light, colour, sharpness and size; rows by their numbers and categories; whitened within
classes). Words are keys only where they are at least 50 with 20 samples or fewer each in the mean, as names of persons
are; else they are kinds. A key without meaning comes out at 50 % of the comparisons whatever its sizes. It counts from
60 % (``smallest``: a standardised difference of 0.36, between Cohen's "small" and "medium"), which the lower confidence
bound over keys has to reach, at 5 % (``alpha``) divided by the number of keys tried (Bonferroni). A key that crosses
another one which the split keeps whole is not reported: a split by drawers cuts every character. *Shared text*: as a
column by its name; many rows share a text where a split has 1.5 rows or more for each distinct text of the column,
beside another column of text. Beside every count stands what an assignment of single samples at random would have cut;
a split by groups cuts none. *Warning*.

*Neighbours by number* (pictures without a declared group): series are names that are the same but for their last
number. The best agreement of a held-out picture (the evidence of LA103) with the reference picture numbered next to it
is compared with the best agreement with as many 20 to 60 numbers away: frames of a film, pictures of one camera. A
*warning* where the share that agrees clearly better (by 1) exceeds the share that agrees clearly worse by 0.3
(``numbers.more_alike``), an exact sign test says so at 0.1 % (``numbers.alpha``), 12 pictures at least
(``numbers.least``) were compared, and direct neighbours are torn apart at least half as often as by assigning single
pictures at random: a split into stretches is quiet. Films and fixed cameras have 0.5 to 0.99, fourteen other sets at
most 0.13. Made films and tiles of known truth: `benchmarks/scenes.py`.
*Tiles*: the last two numbers are places. Neighbouring tiles must have a window in common at one overlap (correlation
above 0.9 for half of them, for a tenth of other pairs at most), or go on in each other at their borders (clearly more
alike than other borders, by the same test).

What it cannot see
------------------
Groups that neither a column nor the names say (``--group`` names the column), groups whose samples do not resemble
each other, and fewer than 10 such groups on both sides. In tables, numbers in columns without a telling name, and ids
named like kinds (``product``, ``store``). Films whose names hold no numbers, and series of fewer than 20 numbers.
Neighbours in time (LA109) and copies (LA101 to LA106) are other checks.
``--pairs`` lists every held-out sample with the first reference sample of its group; all pairs would be their product.

Fix
---
Split by group: scikit-learn's ``GroupShuffleSplit`` or ``StratifiedGroupKFold``. Split films by film, or into
stretches with a gap between them, and tiles by the picture they were cut from. Where the key is not a group for your
task, accept the finding with that reason, or name the true one with ``--group``.

References
----------
- S. Saeb, L. Lonini, A. Jayaraman, D. Mohr, K. Kording, The need to approximate the use-case in clinical machine
  learning, GigaScience 6 (2017): record-wise against subject-wise splits.
- S. Kapoor, A. Narayanan, Leakage and the reproducibility crisis in machine-learning-based science, Patterns 4 (2023):
  leakage type L3.2, dependence between training and test samples.
- J. Cohen, Statistical Power Analysis for the Behavioral Sciences, 2nd ed. 1988.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from leakaudit.analysis.belonging.inferred import Candidates, Shared, not_the_label, shared_groups
from leakaudit.analysis.belonging.keys import Key, codes_of, key_of, name_keys
from leakaudit.analysis.belonging.likeness import Likeness, fit_embedding
from leakaudit.analysis.belonging.overlap import GroupCounts, count_groups, count_row_groups, partners
from leakaudit.analysis.belonging.row_keys import MOST_ROWS, hidden_keys, row_key
from leakaudit.analysis.belonging.row_likeness import row_places
from leakaudit.analysis.columns.group_columns import group_columns
from leakaudit.analysis.columns.labels import label_codes
from leakaudit.analysis.context import Context, once
from leakaudit.analysis.copies.pictures.overlays import overlays
from leakaudit.analysis.copies.texts.corpus import texts_of
from leakaudit.analysis.series.later import later_within
from leakaudit.checks.base import Check
from leakaudit.checks.duplicates import pair_batches
from leakaudit.checks.labels import class_codes
from leakaudit.checks.numbered_pictures import NumberParams, neighbours_by_number
from leakaudit.checks.row_pairs import row_pair_batches
from leakaudit.fingerprints.rows.columns import available, read_columns
from leakaudit.model import (
    Breakdown,
    Evidence,
    Finding,
    Outcome,
    Pairs,
    Sample,
    SamplePair,
    Scalar,
    Severity,
    finding_id,
)

if TYPE_CHECKING:
    from leakaudit.model import FloatArray, IntArray


NAME_SHOWN = 80
"""Characters of the name of a group that are shown: it may be a text."""


@dataclass(frozen=True)
class Params:
    """See *How it decides*; ``listed`` groups and ``shown`` pairs are kept of each finding."""

    least_groups: int = 10
    largest_share: float = 0.25
    smallest: float = 0.6
    alpha: float = 0.05
    numbers: NumberParams = field(default_factory=NumberParams)
    listed: int = 50
    shown: int = 12


@dataclass(eq=False, slots=True)
class _Found:
    """Findings, metrics and sentences so far; and the groups and the neighbours that two splits share, for
    ``--pairs``."""

    findings: list[Finding] = field(default_factory=list)
    metrics: dict[str, Mapping[str, Scalar]] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    shared: list[tuple[tuple[str, str], Callable[[], IntArray]]] = field(default_factory=list)
    neighbours: list[Pairs] = field(default_factory=list)


def run(context: Context, params: Params) -> Outcome:
    """Look for groups on both sides of every pair of splits."""
    found = _look(context, params)
    if not found.said:
        reason = "no column says which rows belong together: name it with --group"
        return Outcome(CHECK.code, CHECK.slug, "skipped", reason)
    findings, said = tuple(found.findings), "; ".join(found.said)
    if not findings:
        return Outcome(CHECK.code, CHECK.slug, "passed", said, found.metrics)
    pairs = partial(_pair_batches, context, found)
    return Outcome(CHECK.code, CHECK.slug, "failed", said, found.metrics, findings, pairs)


@once
def _look(context: Context, params: Params) -> _Found:
    found = _Found()
    if context.has_pictures:
        if context.dataset.kind == "image" and context.has_labels:
            _with_overlays(context, params, found)
        _in_pictures(context, params, found)
    if context.has_rows:
        _in_rows(context, params, found)
    return found


def cut_groups(context: Context) -> list[IntArray]:
    """Groups that findings are about: of each key the group of every sample, -1 for none, shape (n,)."""
    found = _look(context, Params())
    cut = {finding.splits for finding in found.findings}
    return [codes() for pair, codes in found.shared if pair in cut]


# --- groups that a column says ---------------------------------------------------------------------------------


def _in_rows(context: Context, params: Params, found: _Found) -> None:
    rows, roles = context.rows, context.dataset.columns
    told = tuple(dict.fromkeys(name for name in (roles.group, roles.id) if name in available(rows)))
    named = [name for name in group_columns(context) if name not in told] if roles.group is None else []
    if context.has_pictures:  # their group column is judged with them
        told = tuple(name for name in told if name != roles.group)
        named = [name for name in group_columns(context) if name not in (*told, roles.group)]
    doubtful: list[str] = []
    cut: dict[tuple[str, str], list[tuple[str, GroupCounts]]] = {}
    says_groups = roles.group is not None
    for column in (*told, *named):
        counts = count_row_groups(rows, column)
        for pair in context.pairs_of_splits:
            its, said = counts[pair], f"column {column!r}"
            if column != roles.group and its.n_cut and its.counted_anew:
                found.said.append(f"{said} counts the rows of {pair[0]} and of {pair[1]} anew, each from the first")
                doubtful += [column] if column not in doubtful else []
                continue
            _count(its, pair, said, params, found)
            says_groups |= column in named and _plausible(its, params)
            if its.n_cut and column in told:
                one = "id" if column == roles.id and column != roles.group else "group"
                layer: dict[str, Scalar] = {"layer": one} if one == "id" else {}
                found.findings.append(_finding(context, its, pair, said, "error", layer, params, one=one))
                found.shared.append((pair, partial(_column_codes, context, column)))
            elif its.n_cut and _plausible(its, params):
                cut.setdefault(pair, []).append((column, its))
    for pair, columns in cut.items():
        _one_of_named(context, pair, columns, params, found)
    if not context.has_pictures and (not says_groups or doubtful):
        _in_hidden_keys(context, doubtful, params, found)
    if roles.group is None:
        _in_shared_texts(context, params, found)


def _in_shared_texts(context: Context, params: Params, found: _Found) -> None:
    """Texts that many rows share: a premise, a question, a prompt."""
    texts = texts_of(context)
    for column in texts.keys if texts is not None else ():
        counts = count_row_groups(context.rows, column)
        for pair in context.pairs_of_splits:
            its, said = counts[pair], f"the text in column {column!r}, which many rows share"
            _count(its, pair, said, params, found)
            if its.n_cut and _plausible(its, params):
                found.findings.append(_finding(context, its, pair, said, "warning", {}, params))
                found.shared.append((pair, partial(_column_codes, context, column)))


def _one_of_named(
    context: Context,
    pair: tuple[str, str],
    columns: Sequence[tuple[str, GroupCounts]],
    params: Params,
    found: _Found,
) -> None:
    """Of columns named like groups, all of which the splits cut, the one with the most samples; the others with it.

    A patient and a visit, or the name of a molecule and its formula, are one matter.
    """
    column, counts = max(columns, key=lambda each: each[1].n_samples)
    others = [f"column {name!r} ({its.n_samples:,} samples)" for name, its in columns if name != column]
    effect: dict[str, Scalar] = {"also": "; ".join(others)} if others else {}
    made = _finding(context, counts, pair, f"column {column!r}", "warning", effect, params)
    if (axis := later_within(context, column, *pair)) is not None:
        own = (
            f"; all come after the rows of their own group in {pair[1]} by {axis}, as when the last of each are held "
            "out: right where the same groups will be met again"
        )
        made = replace(made, severity="info", message=made.message + own, effect={**made.effect, "later_by": axis})
    found.findings.append(made)
    found.shared.append((pair, partial(_column_codes, context, column)))


def _in_hidden_keys(context: Context, doubtful: Sequence[str], params: Params, found: _Found) -> None:
    """Keys without a telling name, and row numbers under one: groups only if samples of a key are alike."""
    keys, columns, labels, label_names = hidden_keys(context)
    judged = {f"column {name!r}" for name in group_columns(context)}
    keys = [key for key in keys if key.said not in judged]
    if len(context.rows) <= MOST_ROWS:
        keys += [row_key(context, name) for name in doubtful]
    if keys:
        place = partial(_row_places, context, labels, (*columns, *doubtful))
        _infer(context, Candidates(not_the_label(keys, labels, label_names), labels, place), params, found)


def _column_codes(context: Context, name: str) -> IntArray:
    (column,) = read_columns(context.rows, [name])
    return codes_of(column)


def _row_places(context: Context, labels: IntArray, columns: Sequence[str]) -> Callable[[IntArray], FloatArray]:
    place = row_places(context, labels, columns)
    return place if place is not None else lambda indices: np.zeros((len(indices), 1), dtype=np.float32)


def _count(counts: GroupCounts, pair: tuple[str, str], name: str, params: Params, found: _Found) -> None:
    """What is counted, into the metrics and in words."""
    found.metrics[f"{pair[0]} against {pair[1]}: {name}"] = _measured(counts)
    found.said.append(f"{name}: {counts.n_cut:,} of {len(counts.values):,} groups are in both {pair[0]} and {pair[1]}")
    if counts.n_cut and not _plausible(counts, params):
        found.said[-1] += ", which few and large groups may well be"


def _plausible(counts: GroupCounts, params: Params) -> bool:
    """Whether so many values, none of them of a large part of the rows, may be groups: few and large ones are kinds."""
    return len(counts.values) >= params.least_groups and counts.largest_share <= params.largest_share


# --- groups that names and ids hold ----------------------------------------------------------------------------


def _in_pictures(context: Context, params: Params, found: _Found) -> None:
    samples, images = context.samples, context.images
    if samples.group is not None:
        key = key_of("group column" if context.config.group_pattern is None else "group pattern", samples.group)
        declared = context.config.group is not None or context.config.group_pattern is not None
        for pair in context.pairs_of_splits:
            counts = count_groups(key, *map(context.in_split, pair))
            _count(counts, pair, key.said, params, found)
            if counts.n_cut and (declared or _plausible(counts, params)):
                severity: Severity = "error" if declared else "warning"
                found.findings.append(_finding(context, counts, pair, key, severity, {}, params))
            found.shared.append((pair, partial(_known, key.codes)))
        return
    classes = class_codes(context)
    labels = np.full(len(samples), -1, dtype=np.int64) if classes is None else classes
    keys = not_the_label(name_keys(context), labels, label_codes(context)[1])
    place = partial(_picture_places, images.records, labels, images.ok) if context.dataset.kind == "image" else _nowhere
    _infer(context, Candidates(keys, labels, place), params, found)
    if context.dataset.kind == "image":
        for pair in context.pairs_of_splits:
            torn = neighbours_by_number(context, pair, params.numbers, code=CHECK.code, slug=CHECK.slug)
            found.metrics |= torn.metrics
            if torn.finding is not None:
                found.findings.append(torn.finding)
                found.neighbours.append(torn.neighbours)
                found.said.append(f"{pair[0]} against {pair[1]}: {torn.said}")


def _with_overlays(context: Context, params: Params, found: _Found) -> None:
    """One picture with and without what its label is about."""
    for pair in context.pairs_of_splits:
        drawn = overlays(context, *pair)
        if not len(drawn):
            continue
        affected = np.unique(drawn.a)
        n = int(context.in_split(pair[0]).sum())
        both = list(zip(*(context.describe(each[: params.shown]) for each in (drawn.a, drawn.b)), strict=True))
        message = (
            f"{len(affected):,} of {n:,} {pair[0]} pictures are a picture of {pair[1]} but for one place, which goes"
            f" with the label ({both[0][0].label!r} against {both[0][1].label!r}): both have the same base"
        )
        found.findings.append(
            Finding(
                id=finding_id(CHECK.code, *pair, "base", *sorted(context.digests(affected))),
                code=CHECK.code,
                slug=CHECK.slug,
                severity="warning",
                message=message,
                splits=pair,
                n_samples=len(affected),
                effect={"key": "the same base", "n_pairs": len(drawn)},
                evidence=Evidence(
                    pairs=tuple(SamplePair(a, b, note="the same but for one place") for a, b in both),
                    n_pairs=len(drawn),
                    n_samples=len(affected),
                ),
            )
        )
        found.neighbours.append(drawn)
        found.said.append(f"{pair[0]} against {pair[1]}: {len(affected):,} pictures share their base")


def _picture_places(records: np.ndarray, labels: IntArray, ok: np.ndarray) -> Callable[[IntArray], FloatArray]:
    return fit_embedding(records, labels, ok).place


def _nowhere() -> Callable[[IntArray], FloatArray]:
    """Of files whose content says nothing about their likeness: then no key is more than chance."""
    return lambda indices: np.zeros((len(indices), 1), dtype=np.float32)


def _infer(context: Context, candidates: Candidates, params: Params, found: _Found) -> None:
    """Test every key for every pair of splits, and report the one that matters most."""
    n_tests = max(1, 2 * len(candidates.keys) * len(context.pairs_of_splits))
    for pair in context.pairs_of_splits:
        against = f"{pair[0]} against {pair[1]}"
        shared = shared_groups(
            candidates,
            *_sides(context, pair),
            confidence=1 - params.alpha / n_tests,
            least_groups=params.least_groups,
            largest_share=params.largest_share,
            smallest=params.smallest,
        )
        kept = shared.whole[0].said if shared.whole else None
        found.metrics[against] = {"n_keys": len(candidates.keys), "kept_together": kept}
        for key, counts, like in shared.tested:
            found.metrics[f"{against}: {key.said}"] = {**_measured(counts), **_said_alike(like)}
        if shared.real:
            key, counts, like = shared.real[0]
            others = [f"{other.said} ({its.n_cut:,} groups)" for other, its, _ in shared.real[1:]]
            effect = _said_alike(like) | ({"also": "; ".join(others)} if others else {})
            found.findings.append(_finding(context, counts, pair, key, "warning", effect, params))
            found.shared.append((pair, partial(_known, key.codes)))
        found.said.append(_said_of_names(against, len(candidates.keys), shared))


def _known(codes: IntArray) -> IntArray:
    return codes


def _sides(context: Context, pair: tuple[str, str]) -> tuple[np.ndarray, np.ndarray]:
    if context.has_pictures:
        return context.in_split(pair[0]), context.in_split(pair[1])
    rows, splits = context.rows, context.row_splits
    return splits == rows.splits.index(pair[0]), splits == rows.splits.index(pair[1])


def _said_of_names(against: str, n_keys: int, shared: Shared) -> str:
    start = f"{against}: no group declared; of {n_keys:,} keys in names, folders and ids "
    if shared.real:
        return start + f"{len(shared.real):,} hold groups that both splits share"
    kept = f", and the split keeps {shared.whole[0].said} together" if shared.whole else ""
    if not shared.tested:
        return start + f"none is shared by enough samples of both splits to be a group{kept}"
    best = max(shared.tested, key=lambda each: each[2].share)
    most_alike = f"most alike: {best[0].said}, {best[2].share:.0%} of comparisons"
    return start + f"none holds groups that both splits share{kept} ({most_alike})"


def _pair_batches(context: Context, found: _Found) -> Iterator[pa.RecordBatch]:
    """Every held-out sample of a shared group beside the first reference sample of it."""
    for pair, codes in found.shared:
        chunks = partners(codes(), *_sides(context, pair))
        if context.has_pictures:
            yield from pair_batches(context, CHECK.code, chunks)
        else:
            yield from row_pair_batches(context.rows, CHECK.code, chunks)
    yield from pair_batches(context, CHECK.code, iter(found.neighbours))


# --- telling it ------------------------------------------------------------------------------------------------


def _measured(counts: GroupCounts) -> dict[str, Scalar]:
    cut, samples = counts.expected()
    return {
        "n_groups": len(counts.values),
        "n_cut": counts.n_cut,
        "n_cut_at_random": round(cut, 1),
        "n_held_out": int(counts.held_out.sum()),
        "n_reference": int(counts.reference.sum()),
        "n_samples": counts.n_samples,
        "n_samples_at_random": round(samples, 1),
    }


def _said_alike(like: Likeness) -> dict[str, Scalar]:
    return {"alike_share": round(like.share, 4), "alike_low": round(like.low, 4), "n_keys_compared": like.n_keys}


def _finding(
    context: Context,
    counts: GroupCounts,
    pair: tuple[str, str],
    key: Key | str,
    severity: Severity,
    effect: Mapping[str, Scalar],
    params: Params,
    one: str = "group",
) -> Finding:
    held_out, reference = pair
    said = key if isinstance(key, str) else key.said
    at = np.flatnonzero(counts.cut)
    at = at[np.argsort(-counts.held_out[at], kind="stable")]
    listed = at[: params.listed]
    names = [_short(name) for name in counts.values.take(pa.array(listed)).to_pylist()]
    table = zip(names, counts.held_out[listed].tolist(), counts.reference[listed].tolist(), strict=True)
    _, at_random = counts.expected()
    n_held_out = int(counts.held_out.sum())
    message = (
        f"{counts.n_samples:,} of {n_held_out:,} {held_out} samples share their {one} with {reference} "
        f"({said}, such as {names[0]!r}): {counts.n_cut:,} of {len(counts.values):,} {one}s are on both sides; "
        f"samples assigned at random would make it {at_random:,.0f}, a split by {one}s 0"
    )
    return Finding(
        id=finding_id(CHECK.code, *pair, *_identity(context, counts, None if isinstance(key, str) else key, held_out)),
        code=CHECK.code,
        slug=CHECK.slug,
        severity=severity,
        message=message,
        splits=pair,
        n_samples=counts.n_samples,
        effect={"key": said, **_measured(counts), **effect},
        evidence=Evidence(
            pairs=_pairs(context, counts, listed[: params.shown], names),
            n_pairs=int((counts.held_out[at] * counts.reference[at]).sum()),
            n_samples=counts.n_samples,
            breakdown=Breakdown(("group", f"n {held_out}", f"n {reference}"), tuple(table)),
        ),
    )


def _short(name: str) -> str:
    return name if len(name) <= NAME_SHOWN else name[: NAME_SHOWN - 1] + "…"


def _identity(context: Context, counts: GroupCounts, key: Key | None, held_out: str) -> list[bytes]:
    """Digests of all affected held-out pictures, or the names of the groups in a table; sorted."""
    if key is None or not context.has_pictures:
        names = counts.values.filter(pa.array(counts.cut)).to_pylist()
        return sorted(str(name).encode("utf-8", "surrogatepass") for name in names)
    cut = np.zeros(len(key.values) + 1, dtype=bool)  # the last for pictures without a key, whose code is -1
    cut[key.codes[counts.example_held_out[counts.cut]]] = True
    return sorted(context.digests(np.flatnonzero(context.in_split(held_out) & cut[key.codes])))


def _pairs(context: Context, counts: GroupCounts, at: IntArray, names: Sequence[str]) -> tuple[SamplePair, ...]:
    sides: list[list[Sample]] = []
    for example in (counts.example_held_out[at], counts.example_reference[at]):
        sides.append(context.describe(example))
    return tuple(SamplePair(a, b, note=f"group {name}") for a, b, name in zip(*sides, names[: len(at)], strict=True))


CHECK = Check(
    code="LA108",
    slug="group-overlap",
    family="belonging",
    severity="error",
    kinds=("image", "table", "file"),
    needs=("pair",),
    params=Params(),
    run=run,
)
