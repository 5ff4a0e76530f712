"""The catalogue is whole, its documentation is there, and everything generated from it is fresh."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from leakaudit.checks import CHECKS
from leakaudit.checks.base import SECTIONS, parse_docstring

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("listed", CHECKS, ids=lambda listed: listed.code)
def test_the_catalogue_says_what_the_check_says(listed):
    check = listed.load()
    entry = listed.entry
    said = (check.code, check.slug, check.family, check.kinds, check.in_train)
    assert (entry.code, entry.slug, entry.family, entry.kinds, entry.in_train) == said


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.code)
def test_every_check_documents_itself(check):
    info = check.load().info
    assert info.title
    assert len(info.title) <= 100
    assert tuple(info.sections) == SECTIONS
    assert all(len(text) > 30 for text in info.sections.values())


def test_codes_and_slugs_are_unique_and_sorted():
    codes = [check.code for check in CHECKS]
    assert codes == sorted(set(codes))
    assert len({check.slug for check in CHECKS}) == len(CHECKS)


def test_a_check_is_one_file_named_after_its_code_and_slug():
    files = {path.stem for path in (ROOT / "leakaudit/checks").glob("la*.py") if path.stem != "labels"}
    assert files == {f"{check.code.lower()}_{check.slug.replace('-', '_')}" for check in CHECKS}


def test_generated_documentation_is_fresh():
    done = subprocess.run(
        [sys.executable, ROOT / "docs" / "generate.py", "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_docstrings_are_split_at_the_known_sections_only():
    title, sections = parse_docstring(
        "Title.\n\nWhat it does\n------------\nText\n\nOther\n-----\nmore\n\nFix\n---\nMend it.\n"
    )
    assert title == "Title"
    assert sections == {"What it does": "Text\n\nOther\n-----\nmore", "Fix": "Mend it."}
