"""The HTML report in a real browser: filters, search, keys, pages, pictures, policy, accessibility, paper."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import pytest

pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install playwright")

from playwright.sync_api import expect

from leakaudit.render.html.page import to_html
from leakaudit.render.words.plain import plain
from reports import HOSTILE, REPORTS, image_report, many_findings, probe_report, table_report

REPORTS = {**REPORTS, "probe": probe_report}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("pages")


@pytest.fixture
def opened(browser, folder):
    """Open the page of a report; the test fails on any request, script error or violated policy."""
    contexts, wrong = [], []

    def open_page(report, *, wide=True, scheme="light", script=True):
        path = folder / "report.html"
        path.write_text(to_html(report), encoding="utf-8", newline="\n")
        size = {"width": 1200, "height": 900} if wide else {"width": 390, "height": 844}
        context = browser.new_context(viewport=size, color_scheme=scheme, java_script_enabled=script)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: wrong.append(message.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        own = path.as_uri()
        page.on(
            "request",
            lambda sent: None if sent.url.startswith(("data:", own)) else wrong.append(f"request: {sent.url}"),
        )
        page.goto(own)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert wrong == []


def cards(page):
    return page.locator("li.card:visible").count()


def test_a_finding_is_found_by_filters_and_search(opened):
    page = opened(image_report())
    assert page.locator("#count").inner_text() == "21 findings"
    page.select_option("#by-code", label="LA103 (11)")
    assert cards(page) == 11
    assert page.locator("article.check:visible").count() == 1
    page.select_option("#by-class", label="truck (9)")
    assert page.locator("#count").inner_text() == "8 of 21 findings"
    page.fill("#query", "test/truck/0003")
    expect(page.locator("li.card")).to_have_count(1)
    page.click("#clear")
    assert cards(page) == 21
    page.select_option("#by-severity", label="warning (3)")
    assert cards(page) == 3
    page.select_option("#by-severity", label="all")
    page.select_option("#by-splits", label="val vs train (7)")
    assert cards(page) == 7


def test_hostile_names_are_found_as_text(opened):
    page = opened(image_report())
    for name in HOSTILE:
        page.fill("#query", plain(name))
        expect(page.locator("#count")).to_have_text("1 of 21 findings")
        assert plain(f"test/{name}") in page.locator("li.card:visible").inner_text(), name
        page.fill("#query", "")
        expect(page.locator("#count")).to_have_text("21 findings")
    assert page.locator("script").count() == 3


def test_words_of_a_search_may_stand_anywhere_and_later_cards_are_searched(opened):
    page = opened(many_findings(1000))
    page.fill("#query", "TEST/987.jpg la101")
    expect(page.locator("li.card")).to_have_count(1)
    assert "test/987.jpg is byte-identical" in page.locator("li.card").inner_text()
    page.fill("#query", "nothing like it")
    expect(page.locator("li.card")).to_have_count(0)
    assert page.locator("#count").inner_text() == "0 of 1,000 findings"


def test_keys(opened):
    page = opened(many_findings(60))
    titles = [f"test/{n}.jpg" for n in range(60)]
    order = sorted(titles, key=lambda title: finding_order(60)[title])
    focused = "document.activeElement.querySelector('h4')?.textContent.split(' ')[0]"
    page.keyboard.press("j")
    assert page.evaluate(focused) == order[0]
    for _ in range(24):
        page.keyboard.press("j")
    assert page.evaluate(focused) == order[24]
    assert page.locator("#page").inner_text() == "Page 2 of 3"
    page.keyboard.press("k")
    assert page.evaluate(focused) == order[23]
    assert page.locator("#page").inner_text() == "Page 1 of 3"
    page.keyboard.press("n")
    assert page.locator("#page").inner_text() == "Page 2 of 3"
    page.keyboard.press("j")
    assert page.evaluate(focused) == order[24]
    page.keyboard.press("p")
    page.keyboard.press("/")
    page.keyboard.type("jk?/")
    assert page.input_value("#query") == "jk?/"
    expect(page.locator("li.card")).to_have_count(0)
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    assert page.input_value("#query") == ""
    expect(page.locator("li.card")).to_have_count(24)
    page.keyboard.press("?")
    assert page.locator("#keys").is_visible()
    page.keyboard.press("Escape")
    assert not page.locator("#keys").is_visible()


def finding_order(n):
    """Position of each finding on the page, by its held-out sample."""
    (outcome,) = many_findings(n).outcomes
    return {found.evidence.pairs[0].a.uri: at for at, found in enumerate(outcome.findings)}


def test_a_link_to_a_check_or_a_finding_finds_its_page(opened):
    page = opened(image_report())
    page.select_option("#by-code", label="LA101 (6)")
    page.locator(".overview a", has_text="LA201").click()
    assert page.locator("#LA201").is_visible()
    report = many_findings(300)
    wanted = report.outcomes[0].findings[280]
    page = opened(report)
    page.evaluate("name => { location.hash = name }", wanted.id)
    expect(page.locator("li.card:focus")).to_contain_text(wanted.id)


def test_pictures_larger_with_their_difference(opened):
    page = opened(image_report())
    page.locator("li.card", has_text="val/cat/0000.jpg").locator("button.enlarge").click()
    page.wait_for_selector("#closer[open]")
    assert "0.0 % on average" in page.locator("#closer-d-name").inner_text()
    assert page.locator("#closer-a-name").inner_text() == "val/cat/0000.jpg, val, label cat"
    page.keyboard.press("b")
    assert page.get_attribute("#closer-blink", "aria-pressed") == "true"
    page.keyboard.press("Escape")
    assert not page.locator("#closer").is_visible()


def test_a_turned_copy_is_turned_back_before_it_is_compared(opened):
    from io import BytesIO

    from PIL import Image

    report = image_report()
    first = report.outcomes[3].findings[0].evidence.pairs[0]
    with Image.open(BytesIO(report.previews[first.a.uri])) as picture:
        gradient = Image.linear_gradient("L").resize((72, 72)).convert("RGB")
        mixed = Image.blend(picture.convert("RGB"), gradient, 0.5)
    turned = {"": mixed, "b": mixed.transpose(Image.Transpose.ROTATE_90)}
    data = {}
    for name, each in turned.items():
        stream = BytesIO()
        each.save(stream, "PNG")
        data[name] = stream.getvalue()
    page = opened(replace(report, previews={**report.previews, first.a.uri: data[""], first.b.uri: data["b"]}))
    page.locator("li.card", has_text=first.a.uri).locator("button.enlarge").click()
    page.wait_for_selector("#closer[open]")
    said = page.locator("#closer-d-name").inner_text()
    assert "turned by 90°" in said
    assert float(said.split(": ")[1].split(" %")[0]) < 1


def test_ten_thousand_findings_open_at_once(opened):
    report = many_findings(10_000)
    start = time.perf_counter()
    page = opened(report)
    written = time.perf_counter() - start
    timing = json.loads(page.evaluate("JSON.stringify(performance.getEntriesByType('navigation')[0])"))
    assert timing["loadEventEnd"] < 5_000, "far beyond what a busy machine needs"
    assert page.evaluate("document.getElementsByTagName('*').length") < 2_000
    assert page.locator("#count").inner_text() == "10,000 findings"
    assert cards(page) == 24
    assert written < 60


def test_without_scripts_everything_can_be_read(opened):
    page = opened(image_report(), script=False)
    assert cards(page) == 21
    assert not page.locator("#filters").is_visible()
    assert not page.locator("#theme").is_visible()
    page = opened(many_findings(1000), script=False)
    assert cards(page) == 200
    assert "800 more findings of this check are shown when scripts run" in page.locator("main").inner_text()


def test_the_policy_holds(browser, folder):
    path = folder / "policy.html"
    text = to_html(image_report())
    path.write_text(text.replace("<main>", "<main><script>document.title='owned'</script><p style='color:red'>x</p>"))
    page = browser.new_page()
    said = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(path.as_uri())
    assert page.title() != "owned"
    assert sum("Content Security Policy" in text for text in said) == 2
    asked = page.evaluate("fetch('http://127.0.0.1:9/').then(() => 'sent', error => error.name)")
    assert asked == "TypeError"
    assert any("connect" in text.lower() or "default-src" in text for text in said[2:])
    page.close()


def test_themes(opened):
    page = opened(table_report(), scheme="dark")
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.click("#theme")
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert dark == "rgb(22, 22, 22)"
    assert light == "rgb(252, 251, 249)"
    assert page.locator("#theme").inner_text() == "Dark"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", REPORTS)
def test_accessible(opened, axe, name, scheme):
    wide = scheme == "light"
    page = opened(REPORTS[name](), wide=wide, scheme=scheme)
    page.evaluate("for (const more of document.querySelectorAll('details')) more.open = true")
    check = f"(() => {{ {axe}; return axe.run(document, {{ resultTypes: ['violations'] }}) }})()"
    found = page.evaluate(check)
    said = [
        (each["id"], node["target"], node["failureSummary"]) for each in found["violations"] for node in each["nodes"]
    ]
    assert said == []
    assert page.evaluate("document.documentElement.scrollWidth") <= (1200 if wide else 390)


def test_paper(opened):
    page = opened(many_findings(300))
    page.emulate_media(media="print", color_scheme="dark")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert cards(page) == 200
    assert not page.locator("#filters").is_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    page.emulate_media(media="screen")
    assert cards(page) == 24
    assert page.pdf()[:5] == b"%PDF-"
