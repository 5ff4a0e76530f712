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
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from leakaudit.errors import ConfigError
from leakaudit.model import Acceptance, AcceptedUse, Finding, Outcome
from leakaudit.report_file import read_report

FILE_NAME = "leakaudit-accepted.toml"
"""Where accepted findings are kept unless a setting says otherwise."""

HEADER = "# Findings that were reviewed and accepted. `leakaudit accept` adds to this file; edit it as you like.\n"

_KEYS = frozenset({"reason", "expires", "findings"})


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
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: {error}") from error
    if unknown := sorted(set(data) - {"accepted"}):
        raise ConfigError(f"{path}: unknown key {unknown[0]!r}: the file holds [[accepted]] blocks only")
    blocks = data.get("accepted", [])
    if not isinstance(blocks, list):
        raise ConfigError(f"{path}: write [[accepted]], with two brackets: there may be several")
    return tuple(entry for number, block in enumerate(blocks, 1) for entry in _block(block, f"{path}, block {number}"))


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


def save(path: Path, entries: Sequence[Entry]) -> None:
    """Write the entries, whole or not at all, findings with one reason and expiry together.

    Comments that were in the file are lost, except those beside findings that `entries` carry in ``about``.

    Raises
    ------
    ConfigError
        The file cannot be written.
    """
    partial = path.with_name(path.name + ".partial")
    try:
        partial.write_text(to_toml(entries), encoding="utf-8", newline="\n")
        partial.replace(path)
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        partial.unlink(missing_ok=True)


def to_toml(entries: Sequence[Entry]) -> str:
    """The file's text: equal entries give equal text."""
    blocks: dict[tuple[str, dt.date | None], dict[str, Entry]] = {}
    for entry in entries:
        blocks.setdefault((entry.reason, entry.expires), {})[entry.id] = entry
    lines = [HEADER]
    for (reason, expires), found in blocks.items():
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


def merged(old: Sequence[Entry], new: Sequence[Entry], comments: Mapping[str, str]) -> list[Entry]:
    """Both together; a finding that was accepted before gets the new reason and expiry.

    Parameters
    ----------
    comments : mapping of str to str
        Of the old entries, by id (`about`).
    """
    by_id = {entry.id: replace(entry, about=entry.about or comments.get(entry.id, "")) for entry in old}
    for entry in new:
        by_id.pop(entry.id, None)
        by_id[entry.id] = entry
    return list(by_id.values())


def about(path: Path) -> dict[str, str]:
    """The comments that stand beside the findings of a file, by id, so that rewriting it keeps them."""
    comments: dict[str, str] = {}
    if not path.exists():
        return comments
    for line in path.read_text(encoding="utf-8-sig").splitlines():
        before, mark, after = line.partition(",  # ")
        if mark and before.count('"') >= 2:
            comments[before.split('"')[1]] = after
    return comments


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
