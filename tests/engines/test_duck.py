from __future__ import annotations

import gc
import re
from pathlib import Path

import duckdb
import pytest

from leakaudit.config import Config
from leakaudit.engines.duck import open_duck, quote_text
from leakaudit.errors import ConfigError
from tables import csv_file


@pytest.fixture
def spilled(tmp_path, monkeypatch):
    """An empty folder in place of the system's temporary folder."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


def test_only_the_files_of_the_scan_can_be_read(tmp_path):
    told = csv_file(tmp_path / "it's; told.csv", "train", "a\n1\n")
    (tmp_path / "other.csv").write_text("a\n2\n")
    duck = open_duck(Config(jobs=1), [told])
    assert duck.rows(f"SELECT count(*) FROM read_csv({quote_text(str(told.path))})") == [(1,)]
    for sql in (
        f"SELECT * FROM read_csv({quote_text(str(tmp_path / 'other.csv'))})",
        "SELECT * FROM glob('/*')",
        f"COPY (SELECT 1) TO {quote_text(str(tmp_path / 'written.csv'))}",
        f"ATTACH {quote_text(str(tmp_path / 'written.db'))}",
        "INSTALL httpfs",
    ):
        with pytest.raises(duckdb.Error):
            duck.rows(sql)
    with pytest.raises(duckdb.Error, match="locked"):
        duck.rows("SET threads = 2")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["it's; told.csv", "other.csv"]


def test_python_variables_are_not_tables():
    duck = open_duck(Config(jobs=1), [])
    secret = [1]  # noqa: F841
    with pytest.raises(duckdb.Error):
        duck.rows("SELECT * FROM secret")


def test_it_spills_into_a_folder_that_goes_with_it(spilled):
    duck = open_duck(Config(jobs=1, memory_limit="60MB"), [])
    duck.rows("CREATE TABLE big AS SELECT md5(range::VARCHAR) || md5((range + 1)::VARCHAR) AS x FROM range(1500000)")
    assert [path for path in spilled.rglob("*") if path.is_file()]
    duck.close()
    assert not list(spilled.iterdir())


def test_the_folder_goes_when_the_connection_is_forgotten(spilled):
    duck = open_duck(Config(jobs=1), [])
    assert list(spilled.iterdir())
    del duck
    gc.collect()
    assert not list(spilled.iterdir())


@pytest.mark.parametrize("limit", ["much", ""])
def test_a_memory_limit_that_means_nothing_is_a_configuration_error(limit, spilled):
    with pytest.raises(ConfigError, match="memory_limit"):
        open_duck(Config(memory_limit=limit), [])
    assert not list(spilled.iterdir())


def test_names_of_temporary_folders_say_whose_they_are(spilled):
    duck = open_duck(Config(jobs=1), [])
    assert re.match("leakaudit-", next(spilled.iterdir()).name)
    duck.close()
    assert isinstance(spilled, Path)
