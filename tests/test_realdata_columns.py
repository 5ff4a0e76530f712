"""LA203 to LA205, LA301 and LA302 on public data sets."""

from __future__ import annotations

import numpy as np
import pytest

from leakaudit import audit

pytestmark = pytest.mark.realdata

CODES = ("LA203", "LA204", "LA205", "LA301", "LA302")


def of_random_split(rows, n_val, seed=0, **options):
    order = np.random.default_rng(seed).permutation(len(rows))
    train, val = rows.iloc[order[n_val:]], rows.iloc[order[:n_val]]
    return audit(train=train, val=val, use_cache=False, jobs=1, **({"select": CODES} | options))


def found(report, *severities):
    return [
        (f.code, f.effect.get("column")) for f in report.findings if f.severity in (severities or ("error", "warning"))
    ]


def test_titanic_alive_equals_survived(shared_data):
    import pandas as pd

    rows = pd.read_csv(shared_data / "tabular" / "titanic.csv")
    report = of_random_split(rows, 200, label="survived")
    assert found(report) == [("LA301", "alive")]
    (finding,) = [finding for finding in report.findings if finding.code == "LA301"]
    assert (finding.severity, finding.effect["gain"]) == ("error", 1)
    assert finding.effect["without"] < 0.7


def test_titanic_class_equals_pclass(shared_data):
    import pandas as pd

    rows = pd.read_csv(shared_data / "tabular" / "titanic.csv")
    report = of_random_split(rows, 200, label="class")
    (finding,) = [f for f in report.findings if f.code == "LA301" and f.effect["column"] == "pclass"]
    assert (finding.severity, finding.effect["gain"]) == ("error", 1)


def test_adult_as_published_and_at_random(shared_data):
    files = [f"{split}={shared_data}/tabular/adult-{split}.csv" for split in ("train", "test")]
    report = audit(*files, use_cache=False, select=CODES)
    assert found(report) == []
    assert [outcome.status for outcome in report.outcomes] == ["passed"] * len(CODES)


def test_parkinsons_published_split(shared_data):
    path = shared_data / "tabular" / "parkinsons-with-split.csv"
    report = audit(path, use_cache=False, select=CODES, label="total_UPDRS", group="subject#")
    assert found(report, "error") == []
    assert not [code for code, _ in found(report) if code in ("LA203", "LA204", "LA205")]


def test_diamonds_sorted_by_price_and_cut_there(shared_data):
    import pandas as pd

    rows = pd.read_csv(shared_data / "tabular" / "diamonds.csv")
    assert found(of_random_split(rows, 5_000, label="price", select=("LA203", "LA301", "LA302"))) == []
    by_price = rows.sort_values("price")
    report = audit(
        train=by_price.iloc[:40_000], val=by_price.iloc[40_000:], use_cache=False, select=("LA203",), label="price"
    )
    (finding,) = report.findings
    columns = {row[0] for row in finding.evidence.breakdown.rows}
    assert {"carat", "price", "x", "y", "z"} <= columns


@pytest.mark.parametrize("text", ["banking77", "gsm8k"])
def test_texts_as_published(shared_data, text):
    report = audit(shared_data / "text" / text, use_cache=False, select=CODES)
    assert found(report, "error") == []
    assert not [code for code, _ in found(report) if code in ("LA204", "LA205", "LA301")]


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer", "digits"])
def test_strong_features_of_classic_sets_are_no_leaks(name):
    from sklearn import datasets

    rows = getattr(datasets, f"load_{name}")(as_frame=True).frame
    assert found(of_random_split(rows, len(rows) // 5, label="target")) == []
    for one in sorted(set(rows["target"]))[:3]:
        binary = rows.assign(target=np.where(rows["target"] == one, "yes", "no"))
        assert found(of_random_split(binary, len(rows) // 5, label="target", select=("LA301", "LA302"))) == []


def test_a_leak_in_a_classic_set():
    from sklearn import datasets

    rows = datasets.load_breast_cancer(as_frame=True).frame
    rows["stage"] = np.where(rows["target"] == 1, "B", "M")
    assert found(of_random_split(rows, 100, label="target")) == [("LA301", "stage")]
