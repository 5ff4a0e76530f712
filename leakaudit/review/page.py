"""What the browser is given: the page, and one pair at a time as markup that is escaped already."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache, cached_property, partial
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from leakaudit.model import Evidence
from leakaudit.render.html.evidence import Thumbnail, shown_pairs
from leakaudit.render.html.templating import digest, environment, resource
from leakaudit.render.words.plain import plain
from leakaudit.review.journal import MARKS, Marks
from leakaudit.review.pairs import ReviewPair, is_picture, is_whole

if TYPE_CHECKING:
    from jinja2 import Template

STYLES = ("report.css", "cards.css")


@dataclass(frozen=True)
class Page:
    """The page of a review.

    Parameters
    ----------
    name : str
        Of the report, for people.
    finish : str
        What the page says about finishing: the command that does it.
    can_finish : bool
        Whether the files to write were named, so that a button can do it.
    """

    name: str
    finish: str
    can_finish: bool

    @cached_property
    def style(self) -> str:
        """The style sheet of reports with that of this page."""
        return "".join(map(resource, STYLES)) + _own("review.css")

    @cached_property
    def script(self) -> str:
        """The script of this page."""
        return _own("review.js")

    @cached_property
    def policy(self) -> str:
        """The content security policy: this page's own style, script, pictures and answers, and nothing else."""
        return (
            f"default-src 'none'; style-src '{digest(self.style)}'; script-src '{digest(self.script)}'; "
            "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )

    def html(self) -> str:
        """The page."""
        return _template("review.html.j2").render(page=self, marks=MARKS)


def pair_json(pairs: tuple[ReviewPair, ...], at: int, marks: Marks) -> dict[str, Any]:
    """One pair as the page's script wants it."""
    each = pairs[at]
    finding = each.finding
    return {
        "at": at,
        "mark": marks.of.get(each.key),
        "finding": plain(finding.id),
        "html": _drawn(each, at),
    }


def progress_json(pairs: tuple[ReviewPair, ...], marks: Marks) -> dict[str, Any]:
    """How far the review is, and the first pair without a mark."""
    said = [marks.of.get(each.key) for each in pairs]
    return {
        "n": len(pairs),
        "marked": {mark: said.count(mark) for mark in MARKS},
        "next": next((at for at, mark in enumerate(said) if mark is None), None),
    }


def _drawn(each: ReviewPair, at: int) -> str:
    pair = each.pair
    shown = shown_pairs(replace(each.finding, evidence=Evidence(pairs=(pair,), n_pairs=1)))
    return _template("pair.html.j2").render(
        finding=each.finding,
        pair=pair,
        is_picture=is_picture(pair.a) and is_picture(pair.b),
        is_whole=is_whole(each.finding),
        table=shown.rows,
        thumbnail=partial(_picture, {pair.a.uri: f"picture/{at}/a", pair.b.uri: f"picture/{at}/b"}),
        report=_Pictures("image" if is_picture(pair.a) else "table"),
    )


@dataclass(frozen=True, slots=True)
class _Pictures:
    """What the shared templates ask a report for."""

    kind: str


def _picture(addresses: dict[str, str], uri: str) -> Thumbnail | None:
    return Thumbnail(addresses[uri], small=False) if uri in addresses else None


@cache
def _template(name: str) -> Template:
    return environment().from_string(_own(name))


def _own(name: str) -> str:
    return files("leakaudit.review").joinpath("templates", name).read_text(encoding="utf-8")
