"""The whole way: scan, review in a real browser, the server killed in the middle, finish."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install playwright")

from playwright.sync_api import expect

from leakaudit import accepted, audit
from leakaudit.cli import cli
from leakaudit.render.data.report_json import to_json
from reports import picture


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """Six pictures of val are in train, too, and the report of it."""
    root = tmp_path_factory.mktemp("review")
    for split, numbers in (("train", range(20)), ("val", [*range(6), *range(30, 36)])):
        (root / "data" / split / "cat").mkdir(parents=True)
        for n in numbers:
            (root / "data" / split / "cat" / f"{n:02}.png").write_bytes(picture(n, 40))
    found = audit(root / "data", select=("LA101",), use_cache=False)
    path = root / "report.json"
    path.write_text(to_json(found), encoding="utf-8")
    return path


@pytest.fixture
def start(report):
    """Start the command; it gives the address."""
    running = []

    def run(*options):
        command = [sys.executable, "-m", "leakaudit", "review", str(report), "--no-open", *options]
        env = {**os.environ, "PYTHONUNBUFFERED": "1"}
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env, cwd=report.parent)
        running.append(process)
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("http://127.0.0.1:"):
                return process, line.strip()
        raise AssertionError("no address")

    yield run
    for process in running:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture
def opened(browser):
    contexts, wrong = [], []

    def go(address, expect_trouble=False):
        context = browser.new_context(viewport={"width": 1200, "height": 900})
        contexts.append(context)
        page = context.new_page()
        if not expect_trouble:
            page.on("console", lambda message: wrong.append(message.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        host = address.split("/")[2]
        page.on("request", lambda sent: None if host in sent.url or sent.url == "data:," else wrong.append(sent.url))
        page.goto(address)
        expect(page.locator("#pair img")).to_have_count(2)
        return page

    yield go
    for context in contexts:
        context.close()
    assert wrong == []


def test_nothing_is_lost_when_the_server_is_killed(start, opened, report, axe):
    journal = report.with_name("report.json.review.jsonl")
    journal.unlink(missing_ok=True)
    process, address = start()
    page = opened(address, expect_trouble=True)
    progress = page.locator("#progress")
    expect(progress).to_have_text("Pair 1 of 6 · 0 marked: 0 leak, 0 fine, 0 unsure")
    widths = "Promise.all([...document.images].map(async image => { await image.decode(); return image.naturalWidth }))"
    assert page.evaluate(widths) == [40, 40]
    page.keyboard.press("l")
    expect(progress).to_contain_text("Pair 2 of 6 · 1 marked")
    page.keyboard.press("f")
    expect(progress).to_contain_text("Pair 3 of 6 · 2 marked")
    page.keyboard.press("u")
    expect(progress).to_contain_text("Pair 4 of 6 · 3 marked: 1 leak, 1 fine, 1 unsure")
    page.keyboard.press("z")
    expect(progress).to_contain_text("Pair 3 of 6 · 2 marked: 1 leak, 1 fine, 0 unsure")
    page.keyboard.press("ArrowLeft")
    expect(page.locator('[data-mark="fine"]')).to_have_attribute("aria-pressed", "true")
    found = page.evaluate(f"(() => {{ {axe}; return axe.run(document, {{ resultTypes: ['violations'] }}) }})()")
    assert [each["id"] for each in found["violations"]] == []

    process.kill()
    process.wait()
    page.keyboard.press("l")
    expect(page.locator("#trouble")).to_contain_text("safe on disk")
    expect(progress).to_contain_text("2 marked")
    with journal.open("ab") as file:
        file.write(b'{"finding": "LA101-half a li')

    process, address = start()
    page = opened(address)
    progress = page.locator("#progress")
    expect(progress).to_have_text("Pair 3 of 6 · 2 marked: 1 leak, 1 fine, 0 unsure")
    for n in range(4):
        page.keyboard.press("f")
        expect(progress).to_contain_text(f"{n + 3} marked")
        expect(page.locator("#pair")).to_have_attribute("aria-busy", "false")
    assert page.locator("#unmarked").is_disabled()


def test_the_button_and_the_command_write_the_same(start, opened, report):
    test_folder = report.parent
    journal = report.with_name("report.json.review.jsonl")
    journal.unlink(missing_ok=True)
    files = ("--accepted", "by-button.toml", "--removals", "by-button.csv")
    _, address = start(*files)
    page = opened(address)
    for key in "lffuf":
        before = page.locator("#progress").inner_text()
        page.keyboard.press(key)
        expect(page.locator("#progress")).not_to_have_text(before)
        expect(page.locator("#pair")).to_have_attribute("aria-busy", "false")
    page.click("#finish")
    expect(page.locator("#finished p")).to_have_count(2)
    assert "3 findings accepted in by-button.toml" in page.inner_text("#finished")
    assert "1 sample to remove in by-button.csv" in page.inner_text("#finished")
    runner = CliRunner()
    named = ["--accepted", str(test_folder / "by-command.toml"), "--removals", str(test_folder / "by-command.csv")]
    done = runner.invoke(cli, ["review", str(report), "--finish", *named])
    assert done.exit_code == 0, done.output
    assert "marked: 1 leak, 3 fine, 1 unsure; 1 without a mark" in done.output
    for kind in ("toml", "csv"):
        texts = [(test_folder / f"by-{how}.{kind}").read_text() for how in ("button", "command")]
        assert texts[0] == texts[1]
    (line,) = (test_folder / "by-command.csv").read_text().splitlines()[1:]
    assert line.startswith("train,train/cat/")
    again = audit(
        test_folder / "data", select=("LA101",), use_cache=False, accepted=Path(test_folder / "by-command.toml")
    )
    assert sum(finding.accepted is not None for finding in again.findings) == 3
    assert len(accepted.load(test_folder / "by-command.toml")) == 3


def test_usage(report, tmp_path):
    runner = CliRunner()
    nothing = tmp_path / "nothing.json"
    nothing.write_text(
        '{"schema": "leakaudit-report/1", "tool": {"version": "1"}, "dataset": {"root": ".", "splits": {}}, '
        '"outcomes": [], "findings": []}'
    )
    assert "nothing to review" in runner.invoke(cli, ["review", str(nothing)]).output
    assert not nothing.with_name("nothing.json.review.jsonl").exists()
    assert "--accepted" in runner.invoke(cli, ["review", str(report), "--finish"]).output
    moved = tmp_path / "moved.json"
    moved.write_text(report.read_text().replace(str(report.parent / "data"), "/nowhere"))
    done = runner.invoke(cli, ["review", str(moved), "--no-open"])
    assert done.exit_code != 0
    assert "--data" in str(done.exception)
