"""The templates of the HTML pages, and how user data gets into them: written out, then escaped."""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from hashlib import sha256
from importlib.resources import files
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from leakaudit.model import Sample, Scalar
from leakaudit.render.html.prose import blocks
from leakaudit.render.words import summary
from leakaudit.render.words.plain import plain

if TYPE_CHECKING:
    from jinja2 import Environment

LONGEST_CELL = 300
"""Characters of a cell that are shown; JSON holds the rest."""

SHORT_CELL = 20
"""Characters below which a cell that differs is marked as a whole."""


@cache
def environment() -> Environment:
    """The environment of all pages: every value is made visible (`plain`), then escaped."""
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    made = Environment(
        loader=FunctionLoader(resource),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_final,
    )
    made.globals.update(
        alt=_alt,
        blocks=blocks,
        cell=_cell,
        differing=differing,
        next_step=summary.next_step,
        of_group=summary.of_group,
        place=summary.place,
        score_text=summary.score_text,
        share=summary.share,
        sizes=summary.sizes,
        splits_of=summary.splits_of,
        unlike=summary.unlike_cells,
        where=summary.where,
    )
    return made


def resource(name: str) -> str:
    """The text of a template, a style sheet or a script of the package."""
    return files("leakaudit.render.html").joinpath("templates", name).read_text(encoding="utf-8")


def digest(text: str) -> str:
    """What a content security policy calls an inline style sheet or script by."""
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def _alt(sample: Sample) -> str:
    return f"{sample.uri}, {sample.split}" + (f", label {sample.label}" if sample.label is not None else "")


def differing(value: Scalar, other: Scalar) -> tuple[str, str, str]:
    """A cell in three parts, of which the middle one is not in the other cell: whole words, all of a short cell.

    >>> differing("There are a few transactions.", "There are many transactions.")
    ('There are ', 'a few', ' transactions.')
    >>> differing("Private", "State-gov")
    ('', 'Private', '')
    """
    text, beside = _cell(value), _cell(other)
    if not (isinstance(value, str) and isinstance(other, str)) or min(len(text), len(beside)) < SHORT_CELL:
        return "", text, ""
    before = _n_same(text, beside)
    after = _n_same(text[before:][::-1], beside[before:][::-1])
    if before + after < min(len(text), len(beside)) / 2:
        return "", text, ""
    start, stop = before, len(text) - after
    while start and not text[start - 1].isspace():
        start -= 1
    while stop < len(text) and not text[stop].isspace():
        stop += 1
    return text[:start], text[start:stop], text[stop:]


def _n_same(a: str, b: str) -> int:
    """Characters at the beginning that are the same."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(a, b, strict=False)))


def _cell(value: Scalar) -> str:
    """A cell of a row, exact, but no longer than a person reads."""
    text = summary.cell(value, exact=True)
    return text if len(text) <= LONGEST_CELL else f"{text[:LONGEST_CELL]} … ({len(text):,} characters)"


def _final(value: Any) -> Any:  # noqa: ANN401  whatever a template prints
    """Text with its invisible characters written out; markup as it is."""
    return plain(value) if type(value) is str else value
