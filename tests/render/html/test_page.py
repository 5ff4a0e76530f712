from __future__ import annotations

import json
import re
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser
from io import BytesIO, TextIOWrapper

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leakaudit.model import (
    Acceptance,
    AcceptedUse,
    Excerpt,
    Outcome,
    ProbeReport,
    Sample,
    SamplePair,
    TextOverlap,
)
from leakaudit.render import FORMATS
from leakaudit.render.html import cards as html_cards
from leakaudit.render.html.cards import CARDS_AT_ONCE, shares
from leakaudit.render.html.evidence import Pictures, shown_pairs
from leakaudit.render.html.page import notebook_html, to_html
from leakaudit.render.html.prose import blocks, spans
from leakaudit.render.html.templating import differing
from leakaudit.render.words.plain import plain
from reports import HOSTILE, REPORTS, finding, image_report, many_findings, picture, probe_report, table_report

VOID = {"meta", "img", "br", "link", "input", "hr"}


class Page(HTMLParser):
    """Elements, attributes and text of a page, and whether its tags nest."""

    def __init__(self, source):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.attributes, self.text, self.style = [], [], [], [], ""
        self.scripts = []
        self.feed(source)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag == "script":
            self.scripts.append([dict(attrs).get("type"), ""])
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] == "style":
            self.style += data
        elif self.open and self.open[-1] == "script":
            self.scripts[-1][1] += data
        else:
            self.text.append(data)


@pytest.fixture(scope="module")
def image_page():
    return to_html(image_report())


@pytest.mark.parametrize("name", REPORTS)
def test_tags_nest_and_ids_are_unique(name):
    page = Page(to_html(REPORTS[name]()))
    ids = [value for _, attribute, value in page.attributes if attribute == "id"]
    assert len(ids) == len(set(ids))
    targets = {value[1:] for _, attribute, value in page.attributes if attribute == "href" and value.startswith("#")}
    assert targets <= set(ids)
    assert page.tags.count("h1") == page.tags.count("main") == 1


def test_the_page_asks_nobody_for_anything(image_page):
    page = Page(image_page)
    assert not {"link", "iframe", "object", "form", "base"} & set(page.tags)
    assert not [a for a in page.attributes if a[1].startswith("on") or a[1] == "style"]
    assert all(value.startswith("data:image/") for _, name, value in page.attributes if name == "src")
    assert "url(" not in page.style
    assert "@import" not in page.style
    policy = next(v for _, name, v in page.attributes if name == "content" and "default-src" in v)
    digest = b64encode(sha256(page.style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in policy
    ((_, script),) = [each for each in page.scripts if each[0] is None]
    assert f"script-src 'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'" in policy
    assert not re.search("fetch|XMLHttpRequest|WebSocket|sendBeacon|import\\(|eval\\(|https?:", script)
    assert policy.startswith("default-src 'none'; img-src data:;")


def test_hostile_names_stay_text(image_page):
    page = Page(image_page)
    text = "\n".join(page.text)
    for name in HOSTILE:
        assert plain(f"test/{name}") in text, name
    assert "alert" not in "".join(page.tags)
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00-\x08\x0b-\x1f\x7f-\x9f]", image_page)
    alts = [value for tag, name, value in page.attributes if (tag, name) == ("img", "alt")]
    assert "test/" + plain(HOSTILE[1]) + ", test, label " + plain(HOSTILE[1]) in alts


def test_pictures_stand_side_by_side(image_page):
    page = Page(image_page)
    alts = [value for tag, name, value in page.attributes if (tag, name) == ("img", "alt")]
    at = alts.index("val/cat/0000.jpg, val, label cat")
    assert alts[at + 1] == "train/cat/0007.jpg, train, label cat"
    assert page.tags.count("img") == len(alts)


def test_rows_mark_the_cells_that_differ():
    page = to_html(table_report())
    assert "<mark>200000</mark>" in page
    assert "<mark>100000</mark>" in page
    assert "<mark>Private</mark>" not in page
    assert "2,586 of 16,281 test rows (15.9\u00a0%)" in page


def test_cards_at_once_and_later_are_all_there():
    page = Page(to_html(many_findings(1000)))
    held = json.loads(page.scripts[0][1])
    assert page.tags.count("figure") == 2 * CARDS_AT_ONCE + 3
    assert held["now"] == [CARDS_AT_ONCE]
    assert len(held["later"][0]) == 1000 - CARDS_AT_ONCE
    assert len(held["cards"]) == 1000
    assert "1,000 of 2,000 test pictures (50.0\u00a0%)" in "".join(page.text)


def test_totals_are_exact_and_pages_capped(monkeypatch):
    monkeypatch.setattr(html_cards, "CARDS", 500)
    page = Page(to_html(many_findings(1000)))
    assert len(json.loads(page.scripts[0][1])["cards"]) == 500
    assert "500 more pairs in the JSON" in "".join(page.text)
    monkeypatch.setattr(html_cards, "CARD_BYTES", 40_000)
    smaller = Page(to_html(many_findings(1000)))
    n = len(json.loads(smaller.scripts[0][1])["cards"])
    assert CARDS_AT_ONCE < n < CARDS_AT_ONCE + 60
    assert f"{1000 - n} more pairs in the JSON" in "".join(smaller.text)


@given(st.lists(st.integers(1, 400), min_size=1, max_size=8), st.integers(10, 500))
def test_shares_are_fair(counts, budget):
    taken = shares(counts, budget)
    assert all(1 <= n <= count for n, count in zip(taken, counts, strict=True))
    assert sum(taken) == min(sum(counts), budget) or sum(taken) <= max(budget, len(counts))
    left_out = [n for n, count in zip(taken, counts, strict=True) if n < count]
    assert not left_out or min(left_out) >= max(taken) - len(counts) - 1 or sum(taken) == sum(counts)
    more = shares(counts, budget + 7)
    assert all(a <= b for a, b in zip(taken, more, strict=True))


def test_pictures_are_capped_and_later_ones_are_held_once():
    one, other = picture(1), picture(2)
    pictures = Pictures({"a": one, "b": other, "c": b"GIF89a"}, left=2 * len(one) + len(other) - 1)
    assert pictures.of("c") is None
    assert pictures.of("missing") is None
    assert pictures.of("a").uri.startswith("data:image/png;base64,")
    pictures.apart = True
    assert [pictures.of("a").number, pictures.of("a").number] == [0, 0]
    assert pictures.of("b") is None
    assert len(pictures.listed) == 1


def test_what_was_not_looked_at(image_page):
    text = " ".join(" ".join(Page(image_page).text).split())
    assert "pip install 'leakaudit[probe]'" in text
    assert "JPEG ends early" in text
    assert "class-shift intervals from 2,000 resamples" in text


@pytest.mark.parametrize("name", REPORTS)
def test_equal_reports_give_equal_bytes(name):
    assert to_html(REPORTS[name]()) == to_html(REPORTS[name]())
    assert notebook_html(REPORTS[name]()) == notebook_html(REPORTS[name]())


def test_the_report_is_known_by_its_head(image_page):
    assert "leakaudit-report/1" in image_page[:4096]


def test_ascii_stream():
    raw = BytesIO()
    with TextIOWrapper(raw, encoding="ascii", newline="\n") as stream:
        FORMATS["html"](table_report(), stream)
        stream.flush()
        page = Page(raw.getvalue().decode("ascii"))
    assert page.text == Page(to_html(table_report())).text


@pytest.mark.parametrize("name", REPORTS)
def test_notebook_fragment_is_scoped_and_safe(name):
    page = Page(notebook_html(REPORTS[name]()))
    assert "script" not in page.tags
    assert not {"html", "head", "body", "meta"} & set(page.tags)
    selectors = [s.strip() for rule in re.findall(r"([^{}]+)\{", page.style) for s in rule.split(",")]
    assert all(selector.startswith(".leakaudit-report") for selector in selectors)


def test_prose():
    found = blocks(
        "One ``a`` and *b*,\nstill one.\n\n- x\n  more\n- y https://a.org/b.\n\nCode::\n\n    s = 1\n    t = 2"
    )
    assert [block.kind for block in found] == ["p", "ul", "p", "pre"]
    assert found[0].items[0] == (
        ("text", "One "),
        ("code", "a"),
        ("text", " and "),
        ("em", "b"),
        ("text", ", still one."),
    )
    assert found[1].items == ((("text", "x more"),), (("text", "y "), ("link", "https://a.org/b"), ("text", ".")))
    assert found[3].items == ((("text", "s = 1"),), (("text", "t = 2"),))
    assert spans("2 * 3 * 4") == (("text", "2 * 3 * 4"),)
    assert blocks("") == []


@given(st.text(st.sampled_from("ab \n"), max_size=60), st.text(st.sampled_from("ab \n"), max_size=60))
def test_the_parts_of_a_cell_are_the_cell(value, other):
    parts = differing(value, other)
    assert "".join(parts) == (value or "(empty text)")
    if value != other:
        assert parts[0] == (other or "(empty text)")[: len(parts[0])]
        assert (other or "(empty text)").endswith(parts[2])


def test_accepted_findings_are_shown_and_are_no_cards():
    report = image_report()
    first = replace(report.outcomes[3].findings[0], accepted=Acceptance("<reviewed>", "2027-01-31", "file.toml"))
    outcome = replace(report.outcomes[3], findings=(first, *report.outcomes[3].findings[1:]))
    outcomes = tuple(outcome if each.code == outcome.code else each for each in report.outcomes)
    text = to_html(replace(report, outcomes=outcomes, accepted=AcceptedUse(("file.toml",), 1, ("LA101-old",), ())))
    page = Page(text)
    assert len(json.loads(page.scripts[0][1])["cards"]) == 20
    said = " ".join(" ".join(page.text).split())
    assert "1 finding that a reviewed file accepts" in said
    assert "<reviewed> 2027-01-31" in said
    assert "LA101-old" in said


def test_the_probe_is_drawn():
    page = Page(to_html(probe_report()))
    said = " ".join(" ".join(page.text).split())
    assert "+0.290 [+0.220, +0.360] nats" in said
    assert "leakage what the validation samples known to be in training gain by it +0.210 [+0.180, +0.250]" in said
    assert "Loss of the quick model, 3 models" in said
    assert "<b>truck</b>" in page.text
    assert "<script>alert(1)</script>" in page.text
    nothing = to_html(replace(probe_report(), probe=ProbeReport(reason="no labels are known")))
    assert "Not measured: no labels are known" in nothing


def test_only_copies_have_cells_that_differ():
    pairs = [SamplePair(Sample("a#1", "val", None, {"x": 1}), Sample("b#2", "train", None, {"x": 2}))]
    copies = finding("LA104", "duplicate-rows", "error", pairs, "m")
    assert shown_pairs(copies).rows.marks
    assert not shown_pairs(replace(copies, code="LA108")).rows.marks


def test_texts_that_say_it_all_need_no_row():
    overlap = TextOverlap("text", Excerpt("hello", ((0, 5),)), Excerpt("Hello", ((0, 5),)))
    rows = ({"text": "hello", "label": "x"}, {"text": "Hello", "label": "x"})
    a, b = (Sample("a#1", "val", "x", rows[0]), Sample("b#1", "train", "x", rows[1]))
    text = finding("LA106", "duplicate-text", "error", [SamplePair(a, b, overlap=overlap)], "m")
    shown = shown_pairs(text)
    assert shown.rows is None
    assert len(shown.texts) == 1
    longer = replace(a, row={**rows[0], "id": 7})
    more = finding("LA106", "duplicate-text", "error", [SamplePair(longer, b, overlap=overlap)], "m")
    assert shown_pairs(more).rows is not None


def test_a_cell_is_no_longer_than_a_person_reads():
    row = {"essay": "word " * 10_000}
    pairs = [SamplePair(Sample("a#1", "test", None, row), Sample("b#2", "train", None, row))]
    report = table_report()
    outcome = Outcome("LA104", "d", "failed", "r", {}, (finding("LA104", "d", "error", pairs, "m"),))
    page = to_html(replace(report, outcomes=(outcome,)))
    assert "(50,000 characters)" in page
    assert len(page) < 100_000
