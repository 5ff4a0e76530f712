"""The report in a terminal: a verdict first, then findings worst first, then what was not looked at and what to do.

Everything is laid out here, for 80 columns or what the terminal has (at most `WIDEST`), and printed line by line: a
pipe, a CI log and an ASCII terminal get the same lines without colour, and nothing that a name or a cell holds can move
the cursor, open a colour or start a new line.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TextIO

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from leakaudit.model import (
    Breakdown,
    Evidence,
    Excerpt,
    Finding,
    Outcome,
    ProbeReport,
    Problem,
    Report,
    Sample,
    SamplePair,
)
from leakaudit.render.terminal.screen import Part, Screen
from leakaudit.render.words.summary import (
    FailedCheck,
    SplitFindings,
    Tone,
    acceptance,
    beyond_all_checks,
    cell,
    classes,
    failed_checks,
    headline,
    labels_differ,
    next_step,
    of_total,
    place,
    score_text,
    share,
    sizes,
    skipped,
    unlike_cells,
)

EXAMPLES = 3
"""Shown of each check and pair of splits."""

PROBLEMS = 3
"""First problems shown of each kind."""

CLASSES = 5
"""Rows shown of a breakdown."""

CELLS = 4
"""Cells shown of a row."""

LEAST_ROOM = 16
"""Columns for the beginning of a sentence, without which it is written out below its heading."""

WIDEST = 100
"""Columns beyond which lines are no longer comfortable to read (typographic practice asks for less)."""

ICONS: dict[Tone, str] = {"error": "✗", "warning": "⚠", "info": "·", "passed": "✓"}
STYLES: dict[Tone, str] = {"error": "bold red", "warning": "bold yellow", "info": "bold cyan", "passed": "bold green"}


def write(report: Report, stream: TextIO) -> None:
    """Print the report to a stream; colour where it is a terminal that wants it."""
    print_report(report, Console(file=stream, highlight=False, markup=False, emoji=False))


def print_report(report: Report, console: Console) -> None:
    """Print the report.

    Parameters
    ----------
    report : Report
    console : rich.console.Console
        Its width, encoding and colour decide the layout; no markup is ever interpreted.
    """
    screen = Screen(min(console.width, WIDEST), console.encoding)
    for line in _lines(report, screen):
        line.rstrip()
        console.print(line, no_wrap=True, overflow="ignore", crop=False, highlight=False)


def _lines(report: Report, screen: Screen) -> Iterator[Text]:
    top = headline(report)
    yield from screen.wrapped((f"{ICONS[top.tone]} {top.text}", STYLES[top.tone]), hanging=2)
    yield Text()
    yield from _data(report, screen)
    if report.probe is not None and not report.probe.reason:
        yield from _section("Training and validation loss", _probe(report.probe, screen))
    for check in failed_checks(report):
        yield Text()
        yield from _check(report, check, screen)
    yield from _section("Passed", _outcomes(report, screen, "passed"))
    yield from _section(
        "Not decided", [*_outcomes(report, screen, "inconclusive"), *_outcomes(report, screen, "errored")]
    )
    yield from _section("Accepted", (line for said in acceptance(report) for line in screen.wrapped(said, indent=2)))
    yield from _section("Not looked at", _blind_spots(report, screen))
    yield from _section("Next", _next(report, screen))


def _section(title: str, lines: Iterable[Text]) -> Iterator[Text]:
    lines = list(lines)
    if lines:
        yield Text()
        yield Text(title, "bold")
        yield from lines


def _data(report: Report, screen: Screen) -> Iterator[Text]:
    yield from screen.wrapped(("Data    ", "dim"), f"{report.root}: {report.layout.why}", indent=2, hanging=10)
    told = [*sizes(report), *([kind] if (kind := classes(report)) else [])]
    yield from screen.wrapped(("Splits  ", "dim"), " · ".join(told), indent=2, hanging=10)
    for note in report.notes:
        yield from screen.wrapped(("Note    ", "dim"), note, indent=2, hanging=10)


def _probe(probe: ProbeReport, screen: Screen) -> Iterator[Text]:
    """What explains the gap of each pair of splits, and how hard the samples of each split are."""
    pair = f"{' against '.join(probe.splits)}: " if probe.others else ""
    yield from screen.wrapped(f"{pair}{probe.summary}", indent=2)
    for other in probe.others:
        yield from screen.wrapped(f"{' against '.join(other.splits)}: {other.summary}", indent=2)
    if not probe.difficulty:
        return
    means = ", ".join(f"{split.mean:.3f} in {split.split}" for split in probe.difficulty)
    said = f"Difficulty: mean loss of models that saw none of it {means} ({probe.unit})."
    over = [
        f"{part.name} ({split.split})"
        for split in probe.difficulty
        for part in (*split.classes, *split.groups)
        if part.over in ("hardest", "both")
    ]
    if over:
        more = f" and {len(over) - CLASSES} more" if len(over) > CLASSES else ""
        said += f" Over-represented among the hardest tenth: {', '.join(over[:CLASSES])}{more}."
    yield from screen.wrapped(said, indent=2)


def _check(report: Report, check: FailedCheck, screen: Screen) -> Iterator[Text]:
    icon = (f"{ICONS[check.severity]} ", STYLES[check.severity])
    yield from screen.wrapped(
        icon, (f"{check.info.code} {check.info.slug}", "bold"), (f"  {check.info.title}", "dim"), hanging=2
    )
    for group in check.groups:
        yield from _group(report, check, group, screen)
    if (fix := next_step(check)) is not None:
        yield from screen.wrapped(("fix: ", "bold"), fix, indent=4, hanging=9)


def _group(report: Report, check: FailedCheck, group: SplitFindings, screen: Screen) -> Iterator[Text]:
    listed = [finding for finding in group.findings if finding.evidence.pairs]
    softer: list[Part] = [(f"  {group.severity}", STYLES[group.severity])] if group.severity != check.severity else []
    if not listed:
        for finding in group.findings[:EXAMPLES]:
            # the message about a list of samples names its first one, which is shown below anyway
            said = check.outcome.reason if finding.evidence.samples and check.n_findings == 1 else finding.message
            yield from screen.wrapped(said, *softer, indent=4)
            yield from _evidence(finding.evidence, screen)
        if (more := len(group.findings) - EXAMPLES) > 0:
            yield screen.line((f"… and {more:,} more", "dim"), indent=4)
        return
    at = f"{place(group)}: " if place(group) else ""
    counted = of_total(group.n_samples, group.n_total, "", report)
    yield from screen.wrapped((at, "bold"), counted, *softer, indent=4, hanging=6)
    pairs = _examples(listed)
    yield from _pairs(pairs, screen)
    shown = len({pair.a.uri for pair in pairs})
    if group.n_samples > shown:
        yield screen.line((f"… and {group.n_samples - shown:,} more", "dim"), indent=6)


def _examples(findings: list[Finding]) -> list[SamplePair]:
    """The first pair of the first findings; where there are too few findings, their further pairs."""
    pairs = [finding.evidence.pairs[0] for finding in findings[:EXAMPLES]]
    further = (pair for finding in findings[:EXAMPLES] for pair in finding.evidence.pairs[1:])
    while len(pairs) < EXAMPLES and (pair := next(further, None)) is not None:
        pairs.append(pair)
    return pairs


def _pairs(pairs: list[SamplePair], screen: Screen) -> Iterator[Text]:
    """Pairs in columns where all fit on one line each, else the partner on a line of its own."""
    indent = 6
    arrow = screen.fit("↔ ")
    sides = [(screen.fit(pair.a.uri), screen.fit(pair.b.uri), screen.fit(_remark(pair))) for pair in pairs]
    left = max(cell_len(a) for a, _, _ in sides)
    right = max(cell_len(b) for _, b, _ in sides)
    remark = max(cell_len(text) for _, _, text in sides)
    in_one = indent + left + 1 + cell_len(arrow) + right + (2 + remark if remark else 0) <= screen.width
    for pair, (a, b, text) in zip(pairs, sides, strict=True):
        if in_one:
            room_a, room_b = " " * (left - cell_len(a) + 1), " " * (right - cell_len(b) + 2)
            yield screen.line(a, room_a, (arrow, "dim"), b, (room_b + text, "dim"), indent=indent)
        else:
            yield screen.line(screen.elided(pair.a.uri, screen.width - indent), indent=indent)
            yield from _partner(pair.b.uri, text, arrow, screen, indent)
        if pair.overlap is not None:
            for excerpt in (pair.overlap.a, pair.overlap.b):
                yield from _excerpt(excerpt, screen, indent + 2)
        elif (cells := _cells(pair, screen, screen.width - indent - 2)) is not None:
            yield screen.line((cells, "dim"), indent=indent + 2)


def _excerpt(excerpt: Excerpt, screen: Screen, indent: int) -> Iterator[Text]:
    """The beginning of an excerpt on at most two lines, what the other text has, too, in brackets and bold."""
    room = 2 * (screen.width - indent) - 8
    parts: list[Part] = ['"']
    at = 0
    for start, stop in excerpt.marks:
        if start < room:
            parts += [(excerpt.text[at:start], "dim"), "[", (excerpt.text[start : min(stop, room)], "bold"), "]"]
            at = min(stop, room)
    parts += [(excerpt.text[at:room], "dim"), '"' if len(excerpt.text) <= room else '…"']
    yield from screen.wrapped(*parts, indent=indent, hanging=indent + 1)


def _partner(uri: str, remark: str, arrow: str, screen: Screen, indent: int) -> Iterator[Text]:
    """The other side of a pair, with the remark behind it where both fit, else below it."""
    room = screen.width - indent - cell_len(arrow)
    beside = room - cell_len(remark) - 2
    if not remark or cell_len(screen.fit(uri)) <= beside or beside >= screen.width // 3:
        yield screen.line((arrow, "dim"), screen.elided(uri, beside), (f"  {remark}", "dim"), indent=indent)
    else:
        yield screen.line((arrow, "dim"), screen.elided(uri, room), indent=indent)
        yield from screen.wrapped((remark, "dim"), indent=indent + cell_len(arrow))


def _remark(pair: SamplePair) -> str:
    """Score, note and unlike labels of a pair, as one short remark."""
    parts = [score_text(pair.score), pair.note]
    if labels_differ(pair.a, pair.b):
        parts.append(f"{pair.a.label} ↔ {pair.b.label}")
    return ", ".join(part for part in parts if part)


def _cells(pair: SamplePair, screen: Screen, width: int) -> str | None:
    """The cells that differ between two rows, as many as fit; where none does, the first ones."""
    a, b = pair.a.row, pair.b.row
    if a is None or b is None:
        return None
    if unlike := unlike_cells(a, b):
        cells = [f"{name}: {_short(a.get(name), screen)} ↔ {_short(b.get(name), screen)}" for name in unlike]
    else:
        cells = [f"{name}: {_short(value, screen)}" for name, value in a.items()]
    dots = screen.fit("; …")
    line = screen.cut(cells[0], width - cell_len(dots)) if cells else ""
    for n, more in enumerate(cells[1:CELLS], start=2):
        longer = f"{line}; {screen.fit(more)}"
        if cell_len(longer) + (cell_len(dots) if n < len(cells) else 0) > width:
            return line + dots
        line = longer
    return line + (dots if len(cells) > CELLS else "")


def _short(value: str | int | float | bool | None, screen: Screen) -> str:
    return screen.cut(cell(value, exact=True), 24)


def _evidence(evidence: Evidence, screen: Screen) -> Iterator[Text]:
    """Samples with what is the matter with them, and the first rows of a breakdown."""
    for sample in evidence.samples[:EXAMPLES]:
        yield from _named(sample.uri, _why(sample), screen, indent=6)
    if evidence.samples and (more := evidence.n_samples - EXAMPLES) > 0:
        yield screen.line((f"… and {more:,} more", "dim"), indent=6)
    if evidence.breakdown is not None:
        yield from _breakdown(evidence.breakdown, screen)


def _why(sample: Sample) -> str:
    return sample.reason or (f"label {sample.label}" if sample.label is not None else "")


def _named(uri: str, why: str, screen: Screen, indent: int) -> Iterator[Text]:
    """A uri and a remark on one line where both fit, else on two."""
    remark = screen.fit(why)
    room = screen.width - indent - cell_len(remark) - 2
    if cell_len(screen.fit(uri)) <= room or room >= screen.width // 2:
        yield screen.line(screen.elided(uri, room), (f"  {remark}", "dim"), indent=indent)
    else:
        yield screen.line(screen.elided(uri, screen.width - indent), indent=indent)
        yield from screen.wrapped((remark, "dim"), indent=indent + 2)


def _breakdown(table: Breakdown, screen: Screen) -> Iterator[Text]:
    """The first rows of a small table, numbers to the right; columns that do not fit are left out."""
    percent = [name.startswith("share") for name in table.columns]
    body = [
        [_number(value, is_share) for value, is_share in zip(row, percent, strict=True)] for row in table.rows[:CLASSES]
    ]
    grid = [[screen.cut(text, 24) for text in row] for row in (list(table.columns), *body)]
    widths = [max(cell_len(row[i]) for row in grid) for i in range(len(table.columns))]
    while len(widths) > 1 and 6 + sum(widths) + 2 * (len(widths) - 1) > screen.width:
        widths.pop()
    for n, row in enumerate(grid):
        padded = [
            text + " " * (width - cell_len(text)) if i == 0 else " " * (width - cell_len(text)) + text
            for i, (text, width) in enumerate(zip(row, widths, strict=False))
        ]
        yield screen.line(("  ".join(padded), "dim" if n == 0 else ""), indent=6)
    if (more := len(table.rows) - CLASSES) > 0:
        yield screen.line((f"… and {more:,} more", "dim"), indent=6)


def _number(value: str | int | float | bool | None, is_share: bool) -> str:
    if is_share and isinstance(value, int | float):
        return share(round(value * 1_000_000), 1_000_000)
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else cell(value)


def _outcomes(report: Report, screen: Screen, status: str) -> Iterator[Text]:
    icons: dict[str, tuple[str, str]] = {
        "passed": ("✓", STYLES["passed"]),
        "inconclusive": ("?", STYLES["warning"]),
        "errored": ("!", STYLES["error"]),
    }
    icon, style = icons[status]
    for outcome in sorted(report.outcomes, key=lambda outcome: outcome.code):
        if outcome.status == status:
            yield from _outcome(outcome, (f"{icon} ", style), screen)


def _outcome(outcome: Outcome, icon: Part, screen: Screen) -> Iterator[Text]:
    """One line for what is well, which has its full sentence in the JSON report; all of it for what is not."""
    name = f"{outcome.code} {outcome.slug}"
    room = screen.width - cell_len(screen.fit(f"  {icon[0]}{name}  "))
    if outcome.status == "passed" and room >= LEAST_ROOM:
        yield screen.line(icon, name, (f"  {screen.cut(outcome.reason, room)}", "dim"), indent=2)
        return
    yield from screen.wrapped(icon, name, (f"  {outcome.reason}", "dim"), indent=2, hanging=10)


def _blind_spots(report: Report, screen: Screen) -> Iterator[Text]:
    coverage = report.coverage
    counts = {
        "could not be read": coverage.n_unreadable,
        "only Git LFS or DVC pointers": coverage.n_pointers,
        "of a type that is not read": coverage.n_unsupported,
    }
    kinds = {
        "could not be read": ("unreadable", "missing"),
        "only Git LFS or DVC pointers": ("pointer",),
        "of a type that is not read": ("unsupported",),
        "named twice": ("duplicate-path",),
    }
    of_kind = Counter(problem.kind for problem in coverage.problems)
    counts["named twice"] = of_kind["duplicate-path"]
    named = {sample.uri for finding in report.findings for sample in finding.evidence.samples}
    for what, count in counts.items():
        if count:
            listed = [problem for problem in coverage.problems if problem.kind in kinds[what]]
            shown = bool(listed) and listed[0].uri in named  # above, among the findings
            are_rows = report.kind == "table" and bool(listed) and all("#" in problem.uri for problem in listed)
            yield from _problems(count, "row" if are_rows else "file", what, listed, screen, shown=shown)
    for reason, codes in skipped(report).items():
        yield from screen.wrapped(f"not run: {', '.join(codes)}", (f"  {reason}", "dim"), indent=2, hanging=4)
    for sentence in beyond_all_checks(report):
        yield from screen.wrapped("not seen: ", (sentence, "dim"), indent=2, hanging=4)
    for sentence in coverage.sampled:
        yield from screen.wrapped("sampled: ", sentence, indent=2, hanging=4)
    if coverage.n_other_files:
        yield from screen.wrapped((f"{coverage.n_other_files:,} other files are no samples", "dim"), indent=2)
    if coverage.not_applicable:
        other = {"image": "rows", "table": "pictures", "file": "pictures and rows"}[report.kind]
        unfit = ", ".join(sorted(coverage.not_applicable))
        yield from screen.wrapped((f"checks for {other}, not for these data: {unfit}", "dim"), indent=2, hanging=4)


def _problems(
    count: int, noun: str, what: str, listed: list[Problem], screen: Screen, *, shown: bool
) -> Iterator[Text]:
    yield from screen.wrapped((f"{count:,} {noun}{'s' if count != 1 else ''} {what}", STYLES["warning"]), indent=2)
    if shown:
        return
    for problem in listed[:PROBLEMS]:
        yield from _named(problem.uri, problem.reason, screen, indent=4)
    if listed and (more := count - PROBLEMS) > 0:
        yield screen.line((f"… and {more:,} more", "dim"), indent=4)


def _next(report: Report, screen: Screen) -> Iterator[Text]:
    failed = failed_checks(report)
    if not failed:
        return
    steps = [(f"leakaudit explain {failed[0].info.code}", "how the check decides, how to fix it")]
    if any(finding.evidence.pairs for finding in report.findings):
        steps += [("--html report.html", "all of it side by side"), ("--pairs pairs.csv", "every verified pair")]
    else:
        steps += [("--html report.html", "all of it on a page")]
    width = max(len(command) for command, _ in steps)
    for command, why in steps:
        yield from screen.wrapped((command.ljust(width), "bold"), (f"  {why}", "dim"), indent=2, hanging=4)
