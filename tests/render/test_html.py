from __future__ import annotations

import re
import shutil
import subprocess
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from io import BytesIO, TextIOWrapper

import pytest

from leakaudit.render import FORMATS
from leakaudit.render.html import notebook_html, to_html
from leakaudit.render.plain import plain
from leakaudit.render.prose import blocks, spans
from reports import HOSTILE, REPORTS, image_report, many_findings, table_report

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
VOID = {"meta", "img", "br", "link", "input", "hr"}


class Page(HTMLParser):
    """Elements, attributes and text of a page, and whether its tags nest."""

    def __init__(self, source):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.attributes, self.text, self.style = [], [], [], [], ""
        self.feed(source)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
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
    assert "script" not in page.tags
    assert not {"link", "iframe", "object", "form", "base"} & set(page.tags)
    assert not [a for a in page.attributes if a[1].startswith("on") or a[1] == "style"]
    assert all(value.startswith("data:image/") for _, name, value in page.attributes if name == "src")
    assert "url(" not in page.style
    assert "@import" not in page.style
    policy = next(v for _, name, v in page.attributes if name == "content" and "default-src" in v)
    digest = b64encode(sha256(page.style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in policy
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


@pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")
def test_a_browser_sees_the_same_text(image_page, tmp_path):
    path = tmp_path / "report.html"
    path.write_text(image_page, encoding="utf-8")
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
    done = subprocess.run([*command, "--dump-dom", path.as_uri()], capture_output=True, timeout=120, check=True)
    page = Page(done.stdout.decode())
    assert "script" not in page.tags
    assert plain(f"test/{HOSTILE[0]}") in page.text
    assert [tag for tag in page.tags if tag not in ("tbody",)] == [
        t for t in Page(image_page).tags if t not in ("tbody",)
    ]


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


def test_totals_are_exact_and_lists_capped():
    page = to_html(many_findings(1000))
    assert Page(page).tags.count("figure") == 2 * 60
    assert "940 more pairs in the JSON" in page
    assert "1,000 of 2,000 test pictures (50.0\u00a0%)" in page


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
