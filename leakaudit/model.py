"""The nouns: what is audited, what a check says about it, and what a report holds.

Everything is a frozen dataclass over plain values, NumPy or Arrow. Nothing here reads a file, decides or prints.
Data flows one way::

    sources -> Dataset -> fingerprints -> analysis -> checks -> Outcome (Finding, Evidence) -> Report -> gate, render
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd
    import pyarrow as pa

    IntArray: TypeAlias = npt.NDArray[np.int64]
    FloatArray: TypeAlias = npt.NDArray[np.float32]

Kind = Literal["image", "table", "file"]
"""What the samples are: pictures, rows of a table (a text is a row with a prose column), or files that are compared by
their bytes alone, as sounds are."""

Family = Literal["coverage", "quality", "copies", "belonging", "shift", "shortcut", "fitted", "probe"]
"""What a check is about: what was not looked at; a split by itself; the same thing twice; what belongs together; splits
not drawn alike; what gives the target away; preprocessing that saw both sides; what a quick model shows."""

Severity = Literal["error", "warning", "info"]
Status = Literal["passed", "failed", "inconclusive", "skipped", "errored"]
ProblemKind = Literal["unreadable", "missing", "pointer", "unsupported", "duplicate-path"]
Scalar: TypeAlias = str | int | float | bool | None
Metrics: TypeAlias = Mapping[str, Scalar | Mapping[str, Scalar]]

SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")
"""From worst to least."""

REFERENCE_ORDER = ("train", "val", "test")
"""Splits in the order in which a model meets them; other names come after, sorted."""


# --- the data -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Layout:
    """How the data set lies on disk.

    Parameters
    ----------
    name : str
        Slug of the layout, as in `leakaudit.sources.layouts.LAYOUTS`.
    why : str
        One sentence: what was recognised, by what evidence, and every guess that was made (label, header, splits).
    """

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Problem:
    """A blind spot: something that belongs to the data set and was not looked at.

    Parameters
    ----------
    uri : str
        As in `Samples.uri`.
    kind : {"unreadable", "missing", "pointer", "unsupported", "duplicate-path"}
        ``pointer`` is a Git-LFS or DVC pointer file in place of the data; ``unsupported`` a file of a type that is
        not read.
    reason : str
        One phrase for people: "JPEG ends early", "Git LFS pointer: run git lfs pull".
    split : str or None
        The split it would have belonged to, where known.
    """

    uri: str
    kind: ProblemKind
    reason: str
    split: str | None = None


@dataclass(frozen=True, eq=False, slots=True)
class Samples:
    """One picture (or other file) a row; all columns have the same length n.

    Parameters
    ----------
    uri : pyarrow.StringArray, shape (n,)
        What people read: relative to `Dataset.root`, ``/``-separated; bytes that are not UTF-8 appear as ``\\xNN``.
    path : pyarrow.BinaryArray, shape (n,)
        ``os.fsencode`` of the path to open: a file, the address of an object, a member of a tar shard
        (`leakaudit.sources.storage.members`), a cell or a slice of an array (`leakaudit.sources.storage.inside`).
    split : ndarray of int16, shape (n,)
        Index into `Dataset.splits`.
    label, group, time : pyarrow.StringArray, shape (n,), or None
        None where the layout does not know the column; null where a sample lacks the value.
    size, mtime_ns : ndarray of int64, shape (n,), or None
        Bytes and modification time (nanoseconds since the epoch) as seen while listing; what the cache is keyed by.
        Of an object, a number below 2^60 that changes with its ETag stands for the time. Of a cell or slice, the size
        is -1 (it is known once it is read), and the time that of its file.
    are_files : bool, default True
        Each has the bytes of a file, wherever they lie; a slice of an array has only numbers.
    """

    uri: pa.Array
    path: pa.Array
    split: npt.NDArray[np.int16]
    label: pa.Array | None = None
    group: pa.Array | None = None
    time: pa.Array | None = None
    size: npt.NDArray[np.int64] | None = None
    mtime_ns: npt.NDArray[np.int64] | None = None
    are_files: bool = True

    def __len__(self) -> int:
        return len(self.uri)


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column of a table means what; None where there is none. Names as in `TableFile.columns`.

    Parameters
    ----------
    label, group, time, split, id : str or None
    ignore : tuple of str
        Columns that are no part of a row's identity.
    texts : tuple of str
        Columns that are texts because the format says so, whatever they look like. Where there are any, a sample is its
        texts, and copies are found as texts rather than as rows.
    split_values : mapping of str to str, default {}
        With `split`: cell value (without surrounding white space) to split name. Rows with any other value belong to no
        split and are left out; `Dataset.notes` says how many.
    """

    label: str | None = None
    group: str | None = None
    time: str | None = None
    split: str | None = None
    id: str | None = None
    ignore: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    split_values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False, slots=True)
class TableFile:
    """One file (or data frame) of rows, and how an engine must read it.

    Parameters
    ----------
    uri : str
        As in `Samples.uri`; a row of it is ``uri#row`` with the 0-based data row.
    split : str or None
        None where the column `Columns.split` says it row by row.
    format : {"csv", "jsonl", "parquet", "arrow"}
        ``arrow``: the rows are in `table` already (data frames, parallel text files, encodings no engine reads).
    columns : tuple of str
        Names in file order, after naming headerless columns ``column_1`` …
    path : str or None
        File to open; None for ``arrow``.
    delimiter, quote, header, encoding, skip_rows, compression
        For ``csv`` (the last also for ``jsonl``): as sniffed or as told. ``skip_rows`` counts lines before the header.
    table : pyarrow.Table or None
        For ``arrow`` only.
    row_uris : pyarrow.StringArray or None
        Names of the rows, where they have better ones than ``uri#row``: the pictures that they describe.
    decimal_marks : mapping of str to {",", "."}
        For ``csv``: columns that are numbers with decimal commas, or with commas between thousands.
    """

    uri: str
    split: str | None
    format: Literal["csv", "jsonl", "parquet", "arrow"]
    columns: tuple[str, ...]
    path: str | None = None
    delimiter: str = ","
    quote: str = '"'
    header: bool = True
    encoding: str = "utf-8"
    skip_rows: int = 0
    compression: Literal["none", "gzip", "zstd"] = "none"
    table: pa.Table | None = None
    row_uris: pa.Array | None = None
    decimal_marks: Mapping[str, Literal[",", "."]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Unclaimed:
    """Files beside the data set that could have held samples, and that nothing accounts for.

    Parameters
    ----------
    kind : str
        "picture", "sound", "array", "table", …, see `leakaudit.sources.kinds.DataKind`.
    n, n_bytes : int
    example : str
        The first of them by path.
    is_blind_spot : bool
        Enough files of a kind that holds nothing but samples: the audit is incomplete without them.
    """

    kind: str
    n: int
    n_bytes: int
    example: str
    is_blind_spot: bool


@dataclass(frozen=True, eq=False, slots=True)
class Dataset:
    """Samples in splits, and how they were found.

    Parameters
    ----------
    root : str
        As the user gave it.
    kind : {"image", "table", "file"}
    splits : tuple of str
        In the order of `REFERENCE_ORDER`, then by name. Never empty.
    samples : Samples or None
        For pictures and other files.
    tables : tuple of TableFile
        For rows. Beside `samples`: the columns of the pictures, one in-memory table a split, in the order of `splits`,
        its rows in the order of the pictures of that split, so that row i is picture i.
    problems : tuple of Problem
        Met while listing; what fails while reading is added by the fingerprints.
    n_other_files : int
        Files beside the samples that are no samples (read-me files, annotations); stated, never a finding.
    notes : tuple of str
        Further sentences worth saying about how the data were read.
    unclaimed : tuple of Unclaimed
        What lies beside the data set and was not looked at, by kind.
    folds : bool
        The splits are folds of a cross-validation: each is held out once against all others.
    fold_sets : tuple of Dataset
        Of folds that say their own training part (lists or folders a fold): the splits of each, one data set a fold.
        The data set itself then has the held-out samples alone.
    """

    root: str
    kind: Kind
    layout: Layout
    splits: tuple[str, ...]
    samples: Samples | None = None
    tables: tuple[TableFile, ...] = ()
    columns: Columns = field(default_factory=Columns)
    problems: tuple[Problem, ...] = ()
    n_other_files: int = 0
    notes: tuple[str, ...] = ()
    unclaimed: tuple[Unclaimed, ...] = ()
    folds: bool = False
    fold_sets: tuple[Dataset, ...] = ()


def ordered_splits(names: Sequence[str]) -> tuple[str, ...]:
    """Distinct split names: train, val, test, then the others sorted."""
    known = [name for name in REFERENCE_ORDER if name in names]
    return (*known, *sorted(set(names) - set(known)))


def split_pairs(splits: Sequence[str]) -> list[tuple[str, str]]:
    """Every (held-out, reference) pair to compare, those against train first.

    >>> split_pairs(("train", "val", "test"))
    [('val', 'train'), ('test', 'train'), ('test', 'val')]
    """
    order = ordered_splits(splits)
    return [(held_out, reference) for i, reference in enumerate(order) for held_out in order[i + 1 :]]


# --- what is found in it --------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False, slots=True)
class Pairs:
    """Pairs of samples, each verified; sorted by (a, b), no pair twice.

    Parameters
    ----------
    a, b : ndarray of int64, shape (m,)
        Sample indices; a on the held-out side, b on the reference side (within one split: a < b).
    score : ndarray of float32, shape (m,)
        Similarity, 1 for identical.
    """

    a: IntArray
    b: IntArray
    score: FloatArray

    def __len__(self) -> int:
        return len(self.a)

    def first(self, n: int) -> Pairs:
        """The first `n` of them: all three columns are cut together, or a list beside a shorter one breaks whoever
        walks both."""
        return Pairs(self.a[:n], self.b[:n], self.score[:n])


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample as a report shows it. `row` holds the cells of a table row, `reason` what is the matter with it."""

    uri: str
    split: str
    label: str | None = None
    row: Mapping[str, Scalar] | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A part of a text, and the runs of characters in it (start, stop) that it shares with another; ascending."""

    text: str
    marks: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class TextOverlap:
    """What two texts share: the column they are from, and an excerpt of each."""

    column: str
    a: Excerpt
    b: Excerpt


@dataclass(frozen=True, slots=True)
class SamplePair:
    """Two samples side by side: `a` held out, `b` from the reference split. `note`: "rotated by 90°", "other label"."""

    a: Sample
    b: Sample
    score: float | None = None
    note: str | None = None
    overlap: TextOverlap | None = None


@dataclass(frozen=True, slots=True)
class Breakdown:
    """A small table of numbers, such as class shares by split."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Scalar, ...], ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a person can look at: capped examples, exact totals.

    `n_pairs` and `n_samples` count all of them, listed here or not.
    """

    pairs: tuple[SamplePair, ...] = ()
    n_pairs: int = 0
    samples: tuple[Sample, ...] = ()
    n_samples: int = 0
    breakdown: Breakdown | None = None


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Why a finding does not count: `reason`, the last day it holds (ISO date or None), and the file that says so."""

    reason: str
    expires: str | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class AcceptedUse:
    """What the accepted-findings files did in this scan.

    Parameters
    ----------
    sources : tuple of str
        The files, for people.
    n_findings : int
        Findings that are accepted.
    expired : tuple of str
        Ids of findings that were accepted until a day that has passed: they count again.
    vanished : tuple of str
        Ids of accepted findings that the checks no longer find.
    """

    sources: tuple[str, ...] = ()
    n_findings: int = 0
    expired: tuple[str, ...] = ()
    vanished: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong.

    Parameters
    ----------
    id : str
        Stable: made from the content digests of what is affected (`finding_id`), so that it survives renames and
        reshuffles.
    code, slug, severity
        Of the check; the severity may differ from the check's default.
    message : str
        One sentence that names the samples or the numbers.
    splits : tuple of str
        (held-out, reference), or the one split.
    n_samples : int
        Distinct samples affected on the held-out side; within one split: the extra copies.
    effect : mapping
        The measured size of it, in named units.
    accepted : Acceptance or None
        Set where a reviewed file accepts it: it is shown, and fails nothing.
    """

    id: str
    code: str
    slug: str
    severity: Severity
    message: str
    splits: tuple[str, ...]
    n_samples: int
    effect: Mapping[str, Scalar] = field(default_factory=dict)
    evidence: Evidence = field(default_factory=Evidence)
    accepted: Acceptance | None = None


def finding_id(code: str, *parts: str | bytes) -> str:
    """``CODE-`` and 16 hex digits of a BLAKE2b digest over the length-prefixed parts."""
    from hashlib import blake2b

    digest = blake2b(digest_size=8)
    for part in (code, *parts):
        raw = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        digest.update(len(raw).to_bytes(8, "little"))
        digest.update(raw)
    return f"{code}-{digest.hexdigest()}"


PairBatches: TypeAlias = "Callable[[], Iterator[pa.RecordBatch]]"
"""Yields every verified pair with the columns of `PAIR_COLUMNS`."""

PAIR_COLUMNS = ("code", "split_a", "uri_a", "label_a", "split_b", "uri_b", "label_b", "score")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one check says.

    Parameters
    ----------
    status : {"passed", "failed", "inconclusive", "skipped", "errored"}
        ``failed`` when there is at least one finding of any severity.
    reason : str
        One sentence with denominators, whatever the status: "compared 10,000 × 60,000 pictures: 0 identical files".
    metrics : mapping
        What was measured, always with its denominators; present when passed, too.
    findings : tuple of Finding
        Worst first.
    pairs : callable or None
        Every verified pair behind the findings, uncapped, for ``--pairs``; inside one split, where k copies make
        k(k - 1)/2 pairs, each copy beside the first one.
    all_pairs : callable or None
        Where `pairs` leaves some out: all of them, for ``--all-pairs``.
    sampled : tuple of str
        Sentences on what was measured on a subsample; never duplicate detection.
    seconds : float or None
        Wall time; None unless timings were asked for, because reports are byte-identical from run to run.
    """

    code: str
    slug: str
    status: Status
    reason: str
    metrics: Metrics = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    pairs: PairBatches | None = None
    all_pairs: PairBatches | None = None
    sampled: tuple[str, ...] = ()
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class CheckInfo:
    """The metadata of a check that reports and documentation show. Sections are the check's docstring, by title."""

    code: str
    slug: str
    title: str
    severity: Severity
    sections: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SplitInfo:
    """Size and label counts of one split, over readable samples. `labels` is empty where labels are unknown."""

    n: int
    labels: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Coverage:
    """What was looked at, and what was not.

    Parameters
    ----------
    n_read : int
        Samples read and fingerprinted.
    n_unreadable : int
        Samples that exist or are named, and could not be read (missing files included).
    n_pointers : int
        Git-LFS or DVC pointers in place of samples.
    blind_in : mapping of str to int
        Of both, those of each split that lost any; of some the split is unknown.
    n_unsupported : int
        Files of types that are not read.
    n_other_files : int
        Files that are no samples.
    problems : tuple of Problem
        Capped at `PROBLEMS_LISTED`; the counts are exact.
    skipped_checks : mapping of str to str
        Code to reason, for checks that should have run and did not.
    not_applicable : tuple of str
        Codes of checks for another kind of data.
    sampled : tuple of str
        Sentences on everything that was measured on a subsample.
    unclaimed : tuple of Unclaimed
        As in `Dataset`.
    """

    n_read: int
    n_unreadable: int = 0
    n_pointers: int = 0
    n_unsupported: int = 0
    n_other_files: int = 0
    blind_in: Mapping[str, int] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    skipped_checks: Mapping[str, str] = field(default_factory=dict)
    not_applicable: tuple[str, ...] = ()
    sampled: tuple[str, ...] = ()
    unclaimed: tuple[Unclaimed, ...] = ()

    @property
    def n_blind(self) -> int:
        """Samples that belong to the data set and were not looked at."""
        return self.n_unreadable + self.n_pointers


PROBLEMS_LISTED = 1_000


@dataclass(frozen=True, slots=True)
class Loss:
    """Samples that were not looked at: `n_blind` of `n`, of one split or (None) of all together."""

    split: str | None
    n_blind: int
    n: int

    @property
    def share(self) -> float:
        """From 0 to 1."""
        return self.n_blind / self.n if self.n else 0.0


def largest_loss(splits: Mapping[str, SplitInfo], blind_in: Mapping[str, int], n_blind: int, n_read: int) -> Loss:
    """Where the largest share was not looked at: 40 unreadable pictures of a small test split weigh more than 40 of
    all. The first split in a tie; all together where it is unknown which split lost them.

    Parameters
    ----------
    splits : mapping of str to SplitInfo
        Samples that were read.
    blind_in : mapping of str to int
        As in `Coverage`.
    n_blind, n_read : int
        Of all, those of no known split included.
    """
    losses = [Loss(name, blind_in[name], blind_in[name] + info.n) for name, info in splits.items() if name in blind_in]
    return max([*losses, Loss(None, n_blind, n_blind + n_read)], key=lambda loss: loss.share)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the gate says: ``clean`` (0), ``findings`` (1) or ``incomplete`` (4), and one sentence why.

    Parameters
    ----------
    failing : frozenset of str
        Ids of the findings that fail the gate: severe enough, and not accepted.
    """

    status: Literal["clean", "findings", "incomplete"]
    exit_code: int
    reason: str
    failing: frozenset[str] = frozenset()


# --- what the probe measured ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ProbeTerm:
    """One part of the gap between training and validation loss; the bounds are those of a 95 % interval, if any."""

    letter: str
    name: str
    value: float
    low: float | None
    high: float | None
    meaning: str


@dataclass(frozen=True, slots=True)
class ProbeTest:
    """One test of the attribution; `p` and `p_adjusted` (Holm) are None where it could not be done, for `reason`."""

    name: str
    effect: float | None
    p: float | None
    p_adjusted: float | None
    detectable: float | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ProbeCurve:
    """One full model in training, one value an epoch or boosting round; NaN where a value means nothing."""

    seed: int
    epoch: tuple[float, ...]
    train_loss: tuple[float, ...]
    val_loss: tuple[float, ...]
    train_accuracy: tuple[float, ...]
    val_accuracy: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class LossHistogram:
    """Out-of-fold losses of both sides: `edges` of the bins, one more than there are counts."""

    edges: tuple[float, ...]
    train: tuple[int, ...]
    val: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class DifficultyPart:
    """A class, or a group, of a split.

    Parameters
    ----------
    name : str
    n : int
        Samples of the split that are of it.
    mean : float
        Their mean out-of-fold loss.
    easiest, hardest : int
        How many of them are among the easiest, and the hardest, of the split.
    over : {"", "easiest", "hardest", "both"}
        Where it is over-represented.
    """

    name: str
    n: int
    mean: float
    easiest: int
    hardest: int
    over: str


@dataclass(frozen=True, slots=True)
class SplitDifficulty:
    """How hard the samples of one split are for models that saw none of them.

    Parameters
    ----------
    split : str
    n : int
    mean : float
        Out-of-fold loss.
    quantiles : tuple of float
        At 0.1, 0.25, 0.5, 0.75 and 0.9.
    easiest, hardest : int
        Samples that are easier than the easiest tenth of the training split, and harder than its hardest tenth.
    classes, groups : tuple of DifficultyPart
        Hardest first; groups of five samples and more.
    """

    split: str
    n: int
    mean: float
    quantiles: tuple[float, ...]
    easiest: int
    hardest: int
    classes: tuple[DifficultyPart, ...] = ()
    groups: tuple[DifficultyPart, ...] = ()


@dataclass(frozen=True, slots=True)
class ProbePair:
    """What the probe found on a further pair of splits; as in `ProbeReport`."""

    splits: tuple[str, ...]
    n_train: int
    n_val: int
    n_leaked: int
    gap: float | None
    gap_low: float | None
    gap_high: float | None
    terms: tuple[ProbeTerm, ...]
    tests: tuple[ProbeTest, ...]
    summary: str
    sampled: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ProbeReport:
    """What the probe measured, as plain data.

    Parameters
    ----------
    splits : tuple of str
        (held-out, reference).
    model, unit : str
        The quick model, and what a loss of 1 is.
    train_loss_kind : str
        As in `leakaudit.history.TrainLossKind`, of the curves.
    n_train, n_val, n_leaked : int
        Samples that were looked at; those of the held-out side that are known to be in the reference split.
    n_seeds, n_repeats, n_folds : int
        Full models; fold repeats and folds of each.
    gap, gap_low, gap_high : float or None
        Reported training loss minus reported validation loss of the probe's own models.
    terms, regularisers : tuple of ProbeTerm
        What the gap is made of, in the order a, b, c, d, e, r, o; and the parts of b.
    tests : tuple of ProbeTest
    summary : str
        What explains the gap, in one sentence or two.
    curves : tuple of ProbeCurve
    losses : LossHistogram or None
    classes : tuple of str
        Names of the rows and columns of `confusion`; empty for a quantity or too many classes.
    confusion : tuple of tuple of int
        Held-out samples by true class (rows) and the class that the first full model says (columns).
    hardest, memorised : tuple of Sample
        Held-out samples with the largest out-of-fold loss; those that full models know best beyond what fold models do.
    sampled, notes : tuple of str
        What was left out; what must be read with the figures.
    difficulty : tuple of SplitDifficulty
        Of the reference split and every held-out split that was compared with it.
    others : tuple of ProbePair
        Further pairs of splits.
    interrupted : bool
        The user stopped it; then there are no figures.
    reason : str
        Why there are no figures; "" where there are.
    """

    splits: tuple[str, ...] = ()
    model: str = ""
    unit: str = ""
    train_loss_kind: str = ""
    n_train: int = 0
    n_val: int = 0
    n_leaked: int = 0
    n_seeds: int = 0
    n_repeats: int = 0
    n_folds: int = 0
    gap: float | None = None
    gap_low: float | None = None
    gap_high: float | None = None
    terms: tuple[ProbeTerm, ...] = ()
    regularisers: tuple[ProbeTerm, ...] = ()
    tests: tuple[ProbeTest, ...] = ()
    summary: str = ""
    curves: tuple[ProbeCurve, ...] = ()
    losses: LossHistogram | None = None
    classes: tuple[str, ...] = ()
    confusion: tuple[tuple[int, ...], ...] = ()
    hardest: tuple[Sample, ...] = ()
    memorised: tuple[Sample, ...] = ()
    difficulty: tuple[SplitDifficulty, ...] = ()
    others: tuple[ProbePair, ...] = ()
    sampled: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    interrupted: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """Everything a renderer needs, and nothing that it would have to compute.

    Parameters
    ----------
    accepted : AcceptedUse
        What was accepted by reviewed files, and what of these files is out of date.
    probe : ProbeReport or None
        What the quick model measured; None where it was not asked for.
    previews : mapping of str to bytes
        Sample uri to a small PNG or JPEG, for the pictures in the evidence; filled only where a renderer asked for it.
    display : callable or None
        Makes the HTML that a notebook shows; injected, because the model knows no renderer.
    """

    version: str
    root: str
    kind: Kind
    layout: Layout
    splits: Mapping[str, SplitInfo]
    coverage: Coverage
    outcomes: tuple[Outcome, ...]
    checks: Mapping[str, CheckInfo]
    verdict: Verdict
    notes: tuple[str, ...] = ()
    accepted: AcceptedUse = field(default_factory=AcceptedUse)
    probe: ProbeReport | None = None
    previews: Mapping[str, bytes] = field(default_factory=dict)
    display: Callable[[Report], str] | None = field(default=None, repr=False, compare=False)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All findings, worst first, then by code, most samples first, then by id."""
        found = (finding for outcome in self.outcomes for finding in outcome.findings)
        return tuple(sorted(found, key=lambda f: (SEVERITIES.index(f.severity), f.code, -f.n_samples, f.id)))

    def to_frame(self) -> pd.DataFrame:
        """One row a finding: id, code, slug, severity, splits, n_samples, message, effect."""
        import pandas as pd

        columns = ["id", "code", "slug", "severity", "splits", "n_samples", "message", "effect"]
        rows = [[getattr(finding, name) for name in columns] for finding in self.findings]
        return pd.DataFrame(rows, columns=columns)

    def _repr_html_(self) -> str | None:
        return self.display(self) if self.display else None
