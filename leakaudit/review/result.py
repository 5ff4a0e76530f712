"""What comes of the marks: findings that are accepted, and samples to remove."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Literal, TypeAlias

from leakaudit import accepted
from leakaudit.errors import ConfigError
from leakaudit.model import Finding, Sample
from leakaudit.render.atomic import replacing
from leakaudit.render.data.pairs import FORMULA, PLAIN_NUMBER
from leakaudit.review.journal import Marks
from leakaudit.review.pairs import ReviewPair, is_whole

REASON = "reviewed: fine"
"""Of the accepted findings; entries with another reason are left alone."""

COLUMNS = ("split", "uri", "finding")

Side: TypeAlias = Literal["reference", "held-out"]


@dataclass(frozen=True, slots=True)
class Result:
    """What the marks say.

    Parameters
    ----------
    fine : tuple of Finding
        Every pair is marked *fine*, and the pairs show every held-out sample.
    partly : tuple of Finding
        All listed pairs are *fine*, but the report lists too few to accept the finding by them.
    revoked : frozenset of str
        Ids of findings that were looked at and are not fine.
    removals : tuple of (Sample, str)
        Samples to remove, each once, with the id of the first finding that says so.
    n_partly_removed : int
        Findings with a *leak* whose further pairs the report does not list.
    """

    fine: tuple[Finding, ...]
    partly: tuple[Finding, ...]
    revoked: frozenset[str]
    removals: tuple[tuple[Sample, str], ...]
    n_partly_removed: int


def result(pairs: Sequence[ReviewPair], marks: Marks, side: Side = "reference") -> Result:
    """Weigh the marks.

    Parameters
    ----------
    side : {"reference", "held-out"}, default "reference"
        What to remove of a leaking pair: the sample in the reference split, which is train where train is compared, or
        the held-out one. Inside one split it is always the extra copy.
    """
    by_finding: dict[str, list[ReviewPair]] = {}
    for each in pairs:
        by_finding.setdefault(each.finding.id, []).append(each)
    fine: list[Finding] = []
    partly: list[Finding] = []
    revoked: set[str] = set()
    removals: dict[tuple[str, str], tuple[Sample, str]] = {}
    cut = 0
    for id_, mine in by_finding.items():
        finding, said = mine[0].finding, [marks.of.get(each.key) for each in mine]
        if all(mark == "fine" for mark in said):
            (fine if is_whole(finding) else partly).append(finding)
        elif any(mark is not None for mark in said):
            revoked.add(id_)
        for each, mark in zip(mine, said, strict=True):
            if mark == "leak":
                sample = each.pair.a if side == "held-out" or len(finding.splits) == 1 else each.pair.b
                removals.setdefault((sample.split, sample.uri), (sample, id_))
        cut += "leak" in said and finding.evidence.n_pairs > len(finding.evidence.pairs)
    return Result(tuple(fine), tuple(partly), frozenset(revoked), tuple(removals.values()), cut)


def save_accepted(path: Path, found: Result) -> None:
    """Add the findings that are fine to an accepted-findings file, and drop those that a review no longer finds fine.

    Raises
    ------
    ConfigError
        The file cannot be read or written.
    """
    text = accepted.read(path) if path.exists() else ""
    old = {entry.id for entry in accepted.parse(text, str(path)) if entry.reason == REASON}
    new = accepted.from_findings(found.fine, REASON, None)
    if new or old & found.revoked:
        whole = accepted.updated(text, old & found.revoked, new, str(path))
        with replacing(path) as stream:
            stream.write(whole.encode())


def save_removals(path: Path, found: Result) -> None:
    """Write the samples to remove as csv, over an earlier list only.

    A cell that a spreadsheet would take for a formula gets a leading apostrophe, as in ``--pairs``.

    Raises
    ------
    ConfigError
        Something else is there, or the file cannot be written.
    """
    check_removals(path)
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(_neutral((sample.split, sample.uri, id_)) for sample, id_ in found.removals)
    with replacing(path) as stream:
        stream.write(text.getvalue().encode("utf-8", "backslashreplace"))


def check_removals(path: Path) -> None:
    """Make sure that a list of removals may be written there.

    Raises
    ------
    ConfigError
        A file that is no list of removals is there, or there is no such folder.
    """
    if not path.absolute().parent.is_dir():
        raise ConfigError(f"{path}: the folder {path.absolute().parent} does not exist; make it first")
    if path.is_dir():
        raise ConfigError(f"{path} is a folder")
    if path.is_file():
        with path.open("rb") as file:
            head = file.read(len(_HEAD))
        if head and head != _HEAD:
            raise ConfigError(f"{path} exists and is no list of removals: choose another name, nothing is overwritten")


def sentences(found: Result, accepted_path: Path | None, removals_path: Path | None) -> list[str]:
    """What was written and what was not, for people."""
    said = []
    if accepted_path:
        said.append(f"{_n(len(found.fine), 'finding')} accepted in {accepted_path} ({REASON})")
    if removals_path:
        said.append(f"{_n(len(found.removals), 'sample')} to remove in {removals_path}")
    if found.partly:
        said.append(
            f"{_n(len(found.partly), 'finding')} not accepted: the report lists too few of the pairs to tell; "
            "look at --pairs of the scan, then use `leakaudit accept --id`"
        )
    if found.n_partly_removed:
        many = _n(found.n_partly_removed, "finding")
        said.append(f"{many} with a leak have more pairs than the report lists: scan again after the removal")
    return said


_HEAD = ",".join(COLUMNS).encode() + b"\n"


def _neutral(cells: Iterable[str]) -> list[str]:
    return [f"'{cell}" if re.match(FORMULA, cell) and not re.match(PLAIN_NUMBER, cell) else cell for cell in cells]


def _n(n: int, what: str) -> str:
    return f"{n:,} {what}{'' if n == 1 else 's'}"
