"""Do all formats say the same of a report? Import as ``from agreement import assert_formats_agree``."""

from __future__ import annotations

import csv
import json
import re
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path
from xml.etree import ElementTree as ET

import pyarrow.parquet as pq
from markdown_it import MarkdownIt

from leakaudit.model import Report
from leakaudit.render import FORMATS
from leakaudit.render.data.pairs import write_pairs
from leakaudit.render.html.page import notebook_html
from leakaudit.render.words.plain import plain
from leakaudit.render.words.summary import headline


def written(name: str, report: Report) -> str:
    stream = StringIO()
    FORMATS[name](report, stream)
    return stream.getvalue()


def assert_formats_agree(report: Report, folder: Path) -> None:
    """Every format can be written, and they agree on the exit code, the headline, and the checks that found something.

    What a format has no place for (GitLab's list of issues has none for a headline) is not asked of it.
    """
    codes = {finding.code for finding in report.findings if not finding.accepted}
    failing = {finding.code for finding in report.findings if finding.id in report.verdict.failing}
    said = {name: said_by(written(name, report)) for name, said_by in READERS.items()}
    assert {name: each["codes"] for name, each in said.items() if "codes" in each} == dict.fromkeys(
        [name for name, each in said.items() if "codes" in each], codes
    )
    assert said["sarif"]["all codes"] == said["json"]["all codes"] == {finding.code for finding in report.findings}
    assert said["junit"]["failing"] == failing
    exits = {name: each["exit"] for name, each in said.items() if "exit" in each}
    assert set(exits.values()) == {report.verdict.exit_code}, exits
    is_incomplete = report.verdict.status == "incomplete"
    assert {name: each["incomplete"] for name, each in said.items() if "incomplete" in each} == dict.fromkeys(
        ["junit", "github", "gitlab"], is_incomplete
    )
    line = _flat(plain(headline(report).line))
    for name, each in said.items():
        if "headline" in each:
            assert _flat(each["headline"]) == line, name
    assert line.startswith("Incomplete:") == is_incomplete
    assert _flat(_Text(notebook_html(report)).text).startswith(line)
    _assert_pairs(report, folder)


def _assert_pairs(report: Report, folder: Path) -> None:
    write_pairs(report, folder / "pairs.csv")
    write_pairs(report, folder / "pairs.parquet")
    with (folder / "pairs.csv").open(encoding="utf-8", newline="") as file:
        as_csv = [row["code"] for row in csv.DictReader(file)]
    assert as_csv == pq.read_table(folder / "pairs.parquet")["code"].to_pylist()
    assert set(as_csv) <= {finding.code for finding in report.findings}


# --- what each format says ------------------------------------------------------------------------------------


def _text(source: str) -> dict[str, object]:
    """The headline is the first paragraph, its lines broken; a check begins a line with a mark."""
    first = source.split("\n\n", 1)[0]
    return {"headline": first[2:], "codes": set(re.findall(r"^[✗⚠·] (LA\d\d\d) ", source.split("\n\n", 1)[1], re.M))}


def _json(source: str) -> dict[str, object]:
    report = json.loads(source)
    return {
        "headline": report["verdict"]["headline"],
        "exit": report["verdict"]["exit_code"],
        "codes": {finding["code"] for finding in report["findings"] if "accepted" not in finding},
        "all codes": {finding["code"] for finding in report["findings"]},
    }


class _Text(HTMLParser):
    """Text of a page, of its first heading, and the articles in it."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.articles: set[str] = set()
        self.text, self.heading, self.inside = "", "", ""
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.inside = tag
        if tag == "article":
            self.articles.add(dict(attrs).get("id") or "")

    def handle_data(self, data: str) -> None:
        if self.inside == "h1":
            self.heading += data
        if self.inside != "style":
            self.text += data

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""


def _html(source: str) -> dict[str, object]:
    page = _Text(source)
    exit_code = re.search(r"exit code (\d)", source)
    assert exit_code is not None
    return {"headline": page.heading, "exit": int(exit_code[1]), "codes": page.articles}


def _markdown(source: str) -> dict[str, object]:
    head, *lines = source.splitlines()
    page = _Text(MarkdownIt().render(head))
    codes = {match[1] for line in lines if (match := re.match(r"\| [^|]+ \| `(LA\d\d\d)`", line))}
    return {"headline": page.text.partition("leakaudit: ")[2], "codes": codes}


def _sarif(source: str) -> dict[str, object]:
    (run,) = json.loads(source)["runs"]
    open_ones = (result for result in run["results"] if "suppressions" not in result)
    return {
        "headline": run["properties"]["headline"],
        "exit": run["invocations"][0]["exitCode"],
        "codes": {result["ruleId"] for result in open_ones},
        "all codes": {result["ruleId"] for result in run["results"]},
    }


def _junit(source: str) -> dict[str, object]:
    suite = ET.fromstring(source).find("testsuite")
    assert suite is not None
    failed = {case.get("name", "").split()[0] for case in suite.findall("testcase") if case.find("failure") is not None}
    properties = {each.get("name"): each.get("value", "") for each in suite.findall("properties/property")}
    assert int(suite.get("tests", "")) == len(suite.findall("testcase"))
    return {
        "headline": properties["headline"],
        "exit": int(properties["exit code"]),
        "failing": failed - {"coverage"},
        "incomplete": "coverage" in failed,
    }


def _github(source: str) -> dict[str, object]:
    lines = source.splitlines()
    titles = [match[1] for line in lines if (match := re.match(r"::\w+ .*?title=([^:]*)", line))]
    return {
        "headline": lines[-1].removeprefix("leakaudit: "),
        "codes": {title.split()[0] for title in titles if title.startswith("LA")},
        "incomplete": any("incomplete" in title for title in titles),
    }


def _gitlab(source: str) -> dict[str, object]:
    issues = json.loads(source)
    incomplete = [issue for issue in issues if issue["severity"] == "blocker"]
    return {
        "codes": {issue["check_name"].split()[0] for issue in issues if issue not in incomplete},
        "incomplete": bool(incomplete),
    }


def _flat(text: str) -> str:
    """Without white space: lines are broken where a screen ends."""
    return "".join(text.split())


READERS = {
    "text": _text,
    "json": _json,
    "html": _html,
    "markdown": _markdown,
    "sarif": _sarif,
    "junit": _junit,
    "github": _github,
    "gitlab": _gitlab,
}
"""One for each of `FORMATS`."""
