"""Samples that are pictures with columns beside them: the checks of both run, in one report."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from leakaudit import Config
from leakaudit.engines.progress import silent
from leakaudit.model import Columns, Dataset, Layout, TableFile
from leakaudit.pipeline import _examine
from leakaudit.sources.inventory import Inventory
from leakaudit.sources.listing import list_pictures, make_samples

N_TRAIN, N_VAL = 60, 40


def pictures(root, leaky):
    rng = np.random.default_rng(3)
    for split, n in (("train", N_TRAIN), ("val", N_VAL)):
        (root / split).mkdir(parents=True)
        for at in range(n):
            coarse = Image.fromarray(rng.integers(0, 256, (6, 8, 3), dtype=np.uint8))
            coarse.resize((64, 48), Image.Resampling.BICUBIC).save(root / split / f"{at:03d}.png")
    for at in range(3 if leaky else 0):
        (root / "val" / f"{at:03d}.png").write_bytes((root / "train" / f"{at:03d}.png").read_bytes())


def dataset(root, *, shifted):
    rng = np.random.default_rng(4)
    listings = [list_pictures(Inventory(), str(root), split) for split in ("train", "val")]
    labels = [("a", "b")[at % 2] for at in range(N_TRAIN + N_VAL)]
    samples = make_samples(str(root), ("train", "val"), [listing.rows for listing in listings], labels)
    tables = []
    for split, n, start in (("train", N_TRAIN, 0), ("val", N_VAL, N_TRAIN)):
        uris = samples.uri.slice(start, n)
        table = pa.table(
            {
                "file": uris,
                "age": rng.normal(50 + (15 if shifted and split == "val" else 0), 10, n).round(1),
                "site": [f"s{i}" for i in rng.integers(0, 4, n)],
                "patient": [f"{split if not shifted else ''}{i // 2}" for i in range(n)],
                "label": labels[start : start + n],
            }
        )
        tables.append(TableFile("meta.csv", split, "arrow", tuple(table.column_names), table=table, row_uris=uris))
    return Dataset(
        root=str(root),
        kind="image",
        layout=Layout("made-up", "made up"),
        splits=("train", "val"),
        samples=samples,
        tables=tuple(tables),
        columns=Columns(label="label", ignore=("file",)),
    )


def outcomes(data, tmp_path, **settings):
    found, _ = _examine(data, Config(cache_dir=tmp_path / "cache", **settings), silent)
    return {outcome.code: outcome for outcome in found.outcomes}, found


def test_checks_of_pictures_and_of_columns_run_in_one_report(tmp_path):
    pictures(tmp_path / "data", leaky=True)
    found, stored = outcomes(dataset(tmp_path / "data", shifted=True), tmp_path)
    assert not [code for code, outcome in found.items() if outcome.status == "errored"]
    assert {code: found[code].status for code in ("LA101", "LA203", "LA108")} == {
        "LA101": "failed",
        "LA203": "failed",
        "LA108": "failed",
    }
    (finding,) = found["LA203"].findings
    assert "age" in finding.message
    assert "patient" in found["LA108"].findings[0].message
    assert sum(finding.n_samples for finding in found["LA101"].findings) == 3
    # The picture is what is copied, so rows of coarse columns are no copies of each other.
    assert not {"LA104", "LA105", "LA302"} & found.keys()
    assert {"LA104", "LA105"} <= set(stored.coverage.not_applicable)


def test_a_clean_set_of_both_is_quiet(tmp_path):
    pictures(tmp_path / "data", leaky=False)
    found, _ = outcomes(dataset(tmp_path / "data", shifted=False), tmp_path)
    loud = {f.code for outcome in found.values() for f in outcome.findings if f.severity != "info"}
    assert loud <= {"LA003"}  # forty pictures are few
    assert {"LA101", "LA203", "LA108", "LA301"} <= found.keys()


@pytest.mark.parametrize("leaky", [True, False])
def test_columns_change_nothing_of_what_the_pictures_say(tmp_path, leaky):
    pictures(tmp_path / "data", leaky=leaky)
    data = dataset(tmp_path / "data", shifted=False)
    both, _ = outcomes(data, tmp_path)
    alone, _ = outcomes(replace(data, tables=()), tmp_path)
    for code in ("LA101", "LA102", "LA103", "LA110", "LA111", "LA201", "LA207", "LA303"):
        assert both[code].findings == alone[code].findings
        assert both[code].reason == alone[code].reason


def test_findings_about_columns_name_the_pictures(tmp_path):
    pictures(tmp_path / "data", leaky=False)
    found, _ = outcomes(dataset(tmp_path / "data", shifted=True), tmp_path, select=("LA108",))
    (finding,) = found["LA108"].findings
    assert all(pair.a.uri.startswith("val/") and pair.b.uri.startswith("train/") for pair in finding.evidence.pairs)
