from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from io import BytesIO, StringIO, TextIOWrapper
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from leakaudit.model import Coverage, Outcome, SplitInfo, Verdict
from leakaudit.render import FORMATS
from leakaudit.render.terminal.report import print_report
from leakaudit.render.terminal.screen import Screen, breaks
from leakaudit.render.words.plain import plain
from reports import (
    HOSTILE,
    REPORTS,
    clean_report,
    image_report,
    incomplete_report,
    many_findings,
    probe_report,
    table_report,
)


def printed(report, width=80, **options):
    stream = StringIO()
    print_report(report, Console(file=stream, width=width, **options))
    return stream.getvalue()


def encoded(report, encoding):
    raw = BytesIO()
    with TextIOWrapper(raw, encoding=encoding, newline="\n") as stream:
        FORMATS["text"](report, stream)
        stream.flush()
        return raw.getvalue().decode(encoding)


@pytest.mark.parametrize("name", REPORTS)
@pytest.mark.parametrize("width", [30, 50, 80, 200])
def test_no_line_is_wider_than_the_screen(name, width):
    lines = printed(REPORTS[name](), width).splitlines()
    assert max(map(cell_len, lines)) <= width
    assert not any(line != line.rstrip() for line in lines)


@pytest.mark.parametrize("name", REPORTS)
def test_a_pipe_gets_no_escape(name, monkeypatch):
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    text = printed(REPORTS[name]())
    hidden = {c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp")} - {"\n"}
    assert not hidden


def test_colour_only_on_a_terminal(monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    coloured = printed(image_report(), force_terminal=True)
    assert "\x1b[1;31m" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == printed(image_report())
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[1;31m" not in printed(image_report(), force_terminal=True)


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
@pytest.mark.parametrize("name", REPORTS)
def test_any_encoding(name, encoding, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    text = encoded(REPORTS[name](), encoding)
    first = text.splitlines()[0]
    assert first.startswith(("✗ ", "✓ ", "⚠ ") if encoding == "utf-8" else ("x ", "ok ", "! "))
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize(
    ("report", "line"),
    [
        (table_report, "✗ 23 of 16,281 test rows (0.14 %) are already in train"),
        (incomplete_report, "⚠ Incomplete: LA103 crashed: the audit cannot vouch for them"),
        (clean_report, "✓ No leak found among 4,000 train, 1,000 val and 1,000 test pictures (10 checks)"),
        (lambda: many_findings(1), "✗ 1 of 2 test pictures (50.0 %) is already in train"),
    ],
)
def test_the_first_line_is_the_verdict(report, line):
    first = printed(report(), 200).splitlines()[0]
    assert first.replace("\u00a0", " ") == line


def test_verdict_lines_of_other_outcomes():
    def first(**changes):
        return printed(replace(clean_report(), **changes), 200).splitlines()[0].replace("\u00a0", " ")

    blind = Coverage(n_read=388, n_unreadable=12)
    incomplete = Verdict("incomplete", 4, "12 of 400 samples were not looked at")
    outcomes = clean_report().outcomes[:3]
    said = first(coverage=blind, verdict=incomplete, outcomes=outcomes)
    assert said == "⚠ Incomplete: 12 of 400 pictures could not be read"
    two = {"train": SplitInfo(60_000, {}), "test": SplitInfo(10_000, {})}
    assert first(splits=two) == "✓ No leak found in 10,000 test × 60,000 train pictures (10 checks)"
    assert first(splits={"train": SplitInfo(9, {})}) == "✓ No leak found inside 9 train pictures (10 checks)"
    leaked = [outcome for outcome in image_report().outcomes if outcome.code == "LA101"]
    tolerated = first(outcomes=tuple(leaked))
    assert tolerated == "⚠ 6 of 1,000 val pictures (0.60 %) are already in train; tolerated by --fail-on"
    table = table_report()
    rows = next(outcome for outcome in table.outcomes if outcome.code == "LA104")
    masked = replace(rows, findings=tuple(f for f in rows.findings if f.severity == "warning"))
    strict = replace(
        table, outcomes=(masked,), verdict=Verdict("findings", 1, "7 findings at or above warning (LA104)")
    )
    said = printed(strict, 200).splitlines()[0].replace("\u00a0", " ")
    assert said == "✗ 2,586 of 16,281 test rows (15.9 %) look like rows of train"
    warned = [outcome for outcome in image_report().outcomes if outcome.code in ("LA102", "LA201")]
    assert "No leak found" in first(outcomes=tuple(warned))
    assert first(outcomes=tuple(warned), splits=two).endswith("(2 checks); 1 warning to look at")


def test_findings_come_worst_first_with_counts_examples_and_a_fix():
    text = printed(image_report()).replace("\u00a0", " ")
    order = [text.index(code) for code in ("LA101 ", "LA103 ", "LA110 ", "LA001 ", "LA111 ", "LA201 ")]
    assert order == sorted(order)
    assert "val vs train: 6 of 1,000 pictures (0.60 %)" in text
    assert "val/cat/0000.jpg ↔ train/cat/0007.jpg" in text
    assert "0.99, rotated by 90°" in text
    assert "dog ↔ cat" in text
    assert "… and 3 more" in text
    assert "fix: Remove the listed copies from train, keep the held-out ones" in text
    assert "leakaudit explain LA101" in text


def test_rows_show_what_differs():
    text = printed(table_report()).replace("\u00a0", " ")
    assert "fnlwgt: 200000 ↔ 100000" in text
    assert "age: 30; workclass: Private; fnlwgt: 77516; education: Bachelors; …" in text
    assert "test vs train, without fnlwgt: 2,586 of 16,281 rows (15.9 %)  warning" in text


def test_what_was_not_looked_at():
    text = " ".join(printed(image_report()).split())
    assert "2 files could not be read" in text
    assert "1 file of a type that is not read" in text
    assert "not run: LA205 needs an optional dependency: pip install 'leakaudit[probe]'" in text
    assert "sampled: class-shift intervals" in text
    assert "checks for rows, not for these data: LA104" in text
    assert "? LA003 split-too-small" in printed(table_report())
    assert "! LA103 near-duplicate-images" in printed(incomplete_report())


def test_hostile_names_are_text():
    outcomes = tuple(
        Outcome(f"LA{n:03d}", "a-slug", "inconclusive", f"read {name}") for n, name in enumerate(HOSTILE, start=101)
    )
    text = printed(replace(clean_report(), outcomes=outcomes), 1000)
    flat = "".join(text.split())
    for name in HOSTILE:
        assert "".join(plain(name).split()) in flat
    assert "[bold red]markup[/]" in text
    assert len(text.splitlines()) < 60


def test_a_long_uri_keeps_its_name():
    screen = Screen(40, "utf-8")
    assert screen.elided("train/a/very/long/way/down/to/picture.jpg", 24) == "train/a/ver…/picture.jpg"
    assert screen.elided("rows.csv#12", 20) == "rows.csv#12"
    assert screen.elided("x" * 50 + ".jpg", 20).endswith("x.jpg")
    assert cell_len(screen.elided("写真" * 30 + "/日本.jpg", 21)) <= 21


@given(st.text(st.sampled_from("ab 写é")), st.integers(4, 30), st.integers(4, 30))
def test_breaks_lose_nothing_and_fit(text, first, rest):
    offsets = breaks(text, first, rest)
    assert offsets == sorted(set(offsets))
    edges = [0, *offsets, len(text)]
    lines = [text[a:b] for a, b in pairwise(edges)]
    assert "".join(lines) == text
    for n, line in enumerate(lines):
        assert cell_len(line.rstrip(" ")) <= (first if n == 0 else rest)


def test_equal_reports_give_equal_text():
    assert printed(image_report()) == printed(image_report())


def test_the_probe_is_said_before_the_findings():
    text = " ".join(printed(probe_report()).split())
    assert "Training and validation loss val against train: Leakage and regularisation explain" in text
    assert "test against val: Validation loss is level." in text
    assert "mean loss of models that saw none of it 0.500 in train, 0.400 in val (nats)" in text
    assert "hardest tenth: cat (val), patient 7 (val)." in text
    assert "Training and validation loss" not in printed(image_report())
