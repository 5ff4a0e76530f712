"""Modules that earlier documents named are still where they were."""

from __future__ import annotations

import importlib

import pytest

FORMER = {
    "leakaudit.search.hamming": ("leakaudit.analysis.copies.pictures.hamming", "near_hashes"),
    "leakaudit.search.near_align": ("leakaudit.analysis.copies.pictures.align", "detail_area"),
    "leakaudit.search.near_null": ("leakaudit.analysis.copies.pictures.null", "measure"),
    "leakaudit.search.neighbours_torch": ("leakaudit.analysis.copies.pictures.neighbours_torch", "QUERY_BLOCK"),
}


@pytest.mark.parametrize("former", FORMER)
def test_former_paths_lead_to_the_same_thing(former):
    module, name = FORMER[former]
    assert getattr(importlib.import_module(former), name) is getattr(importlib.import_module(module), name)
