"""The accepted-findings file: what a person has looked at and decided to live with, why, and until when.

It is TOML, made to be reviewed: a block for each decision, the ids of the findings in it, and beside each id what it
was about::

    [[accepted]]
    reason = "the same product photo, on purpose"
    expires = 2027-03-31
    findings = [
      "LA101-0123456789abcdef",  # test/1.png is byte-identical to train/7.png
    ]

A finding's id is made from the contents of the samples, so an entry survives renamed files, reshuffled rows and a new
report; a cluster of duplicates that has grown by one sample has another id, and is a new finding.
"""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from leakaudit.errors import ConfigError
from leakaudit.model import Acceptance, AcceptedUse, Finding, Outcome
from leakaudit.report_file import read_report

FILE_NAME = "leakaudit-accepted.toml"
"""Where accepted findings are kept unless a setting says otherwise."""

HEADER = "# Findings that were reviewed and accepted. `leakaudit accept` adds to this file; edit it as you like.\n"

_KEYS = frozenset({"reason", "expires", "findings"})

_LINE = re.compile(
    r"""\s*(?:\{\s*id\s*=\s*)?["'](?P<id>[^"']+)["'](?:\s*,\s*groups\s*=\s*\d+\s*\})?\s*,?\s*(?:\#.*)?\n?""", re.DOTALL
)
"""A line that holds one entry and nothing else."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One accepted finding.

    Parameters
    ----------
    id : str
        Of the finding.
    reason : str
    expires : datetime.date or None
        The last day on which it counts.
    about : str
        What the finding said when it was accepted, as a comment of the file; empty where the file was read.
    groups : int or None
        For a finding that stands for groups which are not listed one by one: at most so many.
    """

    id: str
    reason: str
    expires: dt.date | None = None
    about: str = ""
    groups: int | None = None


def load(path: Path) -> tuple[Entry, ...]:
    """The entries of a file, in its order.

    Raises
    ------
    ConfigError
        The file cannot be read, is no TOML, or holds something else; the message names the place.
    """
    return parse(read(path), str(path))


def read(path: Path) -> str:
    """The text of a file. Raises `ConfigError` where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror or error}") from error
    except ValueError as error:
        raise ConfigError(f"{path}: {error}") from error


def parse(text: str, path: str) -> tuple[Entry, ...]:
    """The entries of a text; `path` is its name in messages. Raises `ConfigError`."""
    try:
        data = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: {error}") from error
    if unknown := sorted(set(data) - {"accepted"}):
        raise ConfigError(f"{path}: unknown key {unknown[0]!r}: the file holds [[accepted]] blocks only")
    found = data.get("accepted", [])
    if not isinstance(found, list):
        raise ConfigError(f"{path}: write [[accepted]], with two brackets: there may be several")
    return tuple(entry for number, block in enumerate(found, 1) for entry in _block(block, f"{path}, block {number}"))


def _block(block: object, where: str) -> Iterable[Entry]:
    if not isinstance(block, dict):
        raise ConfigError(f"{where}: a block has the keys reason, expires and findings")
    if unknown := sorted(set(block) - _KEYS):
        raise ConfigError(f"{where}: unknown key {unknown[0]!r}: a block has the keys reason, expires and findings")
    reason, expires, findings = block.get("reason"), block.get("expires"), block.get("findings")
    if not isinstance(reason, str) or not reason.strip():
        raise ConfigError(f'{where}: say why, as reason = "…"')
    if isinstance(expires, dt.datetime):
        expires = expires.date()
    if expires is not None and not isinstance(expires, dt.date):
        raise ConfigError(f"{where}: expires is a date without quotes, such as 2027-03-31")
    if not isinstance(findings, list):
        raise ConfigError(f"{where}: findings is a list of finding ids")
    for item in findings:
        yield _entry(item, reason, expires, where)


def _entry(item: object, reason: str, expires: dt.date | None, where: str) -> Entry:
    if isinstance(item, str):
        return Entry(item, reason, expires)
    if isinstance(item, dict) and isinstance(item.get("id"), str) and type(item.get("groups")) is int:
        return Entry(item["id"], reason, expires, groups=item["groups"])
    raise ConfigError(f'{where}: a finding is an id in quotes, or {{ id = "…", groups = 5 }}; this is {item!r}')


def updated(text: str, drop: Collection[str], new: Sequence[Entry], where: str) -> str:
    """A file's text with other entries; whatever else a person wrote into it stays as it is.

    Parameters
    ----------
    text : str
        Of the file; empty for a new one.
    drop : collection of str
        Ids of entries to take out. Those of `new` are taken out as well: a finding has one reason and one expiry.
    new : sequence of Entry
        Put at the end, a block for each reason and expiry.
    where : str
        Name of the file, for messages.

    Raises
    ------
    ConfigError
        The text is no accepted-findings file, or an entry to take out has no line of its own.
    """
    gone = {*drop, *(entry.id for entry in new)}
    kept = [entry for entry in parse(text, where) if entry.id not in gone]
    lines = [
        line for line in text.splitlines(keepends=True) if not ((at := _LINE.fullmatch(line)) and at["id"] in gone)
    ]
    whole = "".join(lines) or HEADER
    whole += ("" if whole.endswith("\n") else "\n") + blocks(new)
    added = [replace(entry, about="") for entry in new]
    if sorted(parse(whole, where), key=_order) != sorted([*kept, *added], key=_order):
        raise ConfigError(f"{where}: give every finding a line of its own, so that one can be taken out")
    return whole


def blocks(entries: Sequence[Entry]) -> str:
    """The entries as TOML, a block for each reason and expiry: equal entries give equal text."""
    decisions: dict[tuple[str, dt.date | None], dict[str, Entry]] = {}
    for entry in entries:
        decisions.setdefault((entry.reason, entry.expires), {})[entry.id] = entry
    lines: list[str] = []
    for (reason, expires), found in decisions.items():
        lines.append("\n[[accepted]]\n")
        lines.append(f"reason = {_quoted(reason)}\n")
        if expires:
            lines.append(f"expires = {expires.isoformat()}\n")
        lines.append("findings = [\n")
        for entry in sorted(found.values(), key=lambda entry: entry.id):
            value = _quoted(entry.id)
            if entry.groups is not None:
                value = f"{{ id = {value}, groups = {entry.groups} }}"
            lines.append(f"  {value},{'  # ' + _printable(entry.about) if entry.about else ''}\n")
        lines.append("]\n")
    return "".join(lines)


def from_findings(findings: Iterable[Finding], reason: str, expires: dt.date | None) -> list[Entry]:
    """Entries that accept these findings."""
    return [Entry(f.id, reason, expires, f.message, groups_of(f)) for f in findings]


def groups_of(finding: Finding) -> int | None:
    """How many groups a finding stands for that are not listed one by one; None for any other finding."""
    groups, evidence = finding.effect.get("n_groups"), finding.evidence
    listed = evidence.pairs or evidence.samples or evidence.breakdown
    return int(groups) if isinstance(groups, int) and not listed else None


def known_from(path: Path) -> tuple[Entry, ...]:
    """Entries that accept whatever an older report already found.

    Raises
    ------
    InputError
        The file is no report.
    """
    past = read_report(path)
    return tuple(from_findings(past.findings, f"already in {path.name}", None))


def apply(
    outcomes: Sequence[Outcome], entries: Sequence[Entry], today: dt.date, *, source: str, keep_unused: bool = True
) -> tuple[tuple[Outcome, ...], AcceptedUse]:
    """Mark the findings that are accepted.

    Parameters
    ----------
    outcomes : sequence of Outcome
    entries : sequence of Entry
    today : datetime.date
        Entries that expired before this day mark nothing.
    source : str
        Name of the file, for people.
    keep_unused : bool, default True
        Report entries without a finding (`AcceptedUse.vanished`): of checks that came to a result only.

    Returns
    -------
    outcomes : tuple of Outcome
        The same findings in the same order, those that are accepted with `Finding.accepted`.
    use : AcceptedUse
    """
    by_id = {entry.id: entry for entry in entries}
    valid = {id_: entry for id_, entry in by_id.items() if entry.expires is None or entry.expires >= today}
    marked = tuple(
        replace(outcome, findings=tuple(_mark(f, valid, source) for f in outcome.findings)) for outcome in outcomes
    )
    present = {finding.id for outcome in outcomes for finding in outcome.findings}
    ran = {outcome.code for outcome in outcomes if outcome.status in ("passed", "failed", "inconclusive")}
    gone = [id_ for id_ in by_id if id_ not in present and id_.rpartition("-")[0] in ran] if keep_unused else []
    use = AcceptedUse(
        sources=(source,),
        n_findings=sum(f.accepted is not None for outcome in marked for f in outcome.findings),
        expired=tuple(sorted(id_ for id_ in by_id if id_ not in valid and id_ in present)),
        vanished=tuple(sorted(gone)),
    )
    return marked, use


def _mark(finding: Finding, valid: Mapping[str, Entry], source: str) -> Finding:
    entry = valid.get(finding.id)
    if entry is None or finding.accepted:
        return finding
    groups = groups_of(finding)
    if groups is not None and (entry.groups is None or groups > entry.groups):
        return finding
    expires = entry.expires.isoformat() if entry.expires else None
    return replace(finding, accepted=Acceptance(entry.reason, expires, source))


def _quoted(text: str) -> str:
    """A TOML basic string."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else _escape(c) for c in escaped) + '"'


def _escape(character: str) -> str:
    return f"\\u{ord(character):04X}" if ord(character) <= 0xFFFF else f"\\U{ord(character):08X}"


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)


def _order(entry: Entry) -> tuple[str, str, str, int]:
    return entry.id, entry.reason, str(entry.expires), -1 if entry.groups is None else entry.groups
