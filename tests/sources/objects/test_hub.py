"""Data sets of Hugging Face ``datasets``: as the same rows in parquet files of the Hub."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

import leakaudit
from leakaudit.errors import InputError, LayoutError
from leakaudit.model import Report
from reports_alike import codes, said

datasets = pytest.importorskip("datasets", reason="needs datasets: pip install datasets")


def audit(*data: object, **named: object) -> Report:
    return leakaudit.audit(*data, use_cache=False, jobs=1, **{"select": ("LA101", "LA102", "LA104", "LA106"), **named})


@pytest.fixture(scope="module")
def photos() -> object:
    numbers = np.random.default_rng(0).integers(0, 256, (30, 16, 18, 3), dtype=np.uint8)
    made = [Image.fromarray(each) for each in numbers]
    features = datasets.Features({
        "image": datasets.Image(), "label": datasets.ClassLabel(names=["cat", "dog"]), "age": datasets.Value("int64"),
    })  # fmt: skip
    columns = {"image": made, "label": [at % 2 for at in range(30)], "age": list(range(30))}
    return datasets.Dataset.from_dict(columns, features=features)


@pytest.fixture(scope="module")
def texts() -> object:
    words = [f"the {at * 7919 % 9973} words of number {at} were {at * 31 % 97} and no others" for at in range(40)]
    turns = [
        [{"role": "user", "content": f"why {at}?"}, {"role": "assistant", "content": f"so {at}"}] for at in range(40)
    ]
    return datasets.Dataset.from_dict({"text": words, "messages": turns, "label": [at % 2 for at in range(40)]})


@pytest.mark.parametrize("n_shared", [0, 3])
def test_pictures_are_those_of_parquet_files_of_the_hub(tmp_path, photos, n_shared):
    both = {"train": photos.select(range(20)), "test": photos.select(range(20 - n_shared, 30))}
    for name, each in both.items():
        each.to_parquet(tmp_path / f"{name}.parquet")
    report = audit(datasets.DatasetDict(both))
    assert said(report) == said(audit(tmp_path))
    assert codes(report) == ({"LA101": n_shared} if n_shared else {})
    assert report.splits["test"].labels.keys() == {"cat", "dog"}


def test_order_and_format_of_the_object_are_heeded(photos):
    turned = photos.shuffle(seed=1).with_format("numpy")
    report = audit(turned.select(range(15)), turned.select(range(15, 30)))
    assert codes(report) == {}
    assert codes(audit(turned.select(range(15)), photos.select(range(15)))) != {}


@pytest.mark.parametrize("n_shared", [0, 4])
def test_rows_with_conversations_have_columns_of_their_own(tmp_path, texts, n_shared):
    both = {"train": texts.select(range(25)), "val": texts.select(range(25 - n_shared, 40))}
    for name, each in both.items():
        each.to_parquet(tmp_path / f"{name}.parquet")
    report = audit(both["train"], both["val"])
    assert said(report) == said(audit(tmp_path))
    assert codes(report).get("LA104", 0) == n_shared


def test_one_data_set_is_divided_by_its_column_or_refused(texts):
    divided = texts.add_column("split", ["train"] * 30 + ["val"] * 10)
    assert list(audit(divided).splits) == ["train", "val"]
    with pytest.raises(LayoutError, match=r"say split_column=…, or add within=True"):
        audit(texts)
    assert audit(texts, within=True, select=("LA111",)).splits.keys() == {"all"}


@pytest.mark.parametrize("n_shared", [0, 2])
def test_a_loader_of_torch_and_columns_are_their_rows(texts, n_shared):
    data = pytest.importorskip("torch", reason="needs torch: pip install 'leakaudit[torch]'").utils.data
    train, val = texts.select(range(30)), data.Subset(texts, range(30 - n_shared, 40))
    report = audit(data.DataLoader(train, shuffle=True), data.DataLoader(val))
    assert codes(report).get("LA104", 0) == n_shared
    columns = [(each["text"], each["label"]) for each in (train, texts.select(range(30 - n_shared, 40)))]
    assert codes(audit(*columns)) == ({"LA106": n_shared} if n_shared else {})


@pytest.mark.parametrize("kind", ["pictures", "texts"])
def test_rows_that_lie_in_files_are_read_from_them(tmp_path, monkeypatch, photos, texts, kind):
    from leakaudit.sources.objects import hub

    whole = photos if kind == "pictures" else texts
    for name, rows in (("train", range(20)), ("val", range(17, 30))):
        whole.select(rows).save_to_disk(tmp_path / name, num_shards=2)
    train, val = (datasets.load_from_disk(tmp_path / name) for name in ("train", "val"))
    monkeypatch.setattr(hub, "_files_of", lambda _: ())
    copied = audit(train, val)
    monkeypatch.undo()
    monkeypatch.setattr(hub, "place", lambda *_: pytest.fail("written"))
    report = audit(train, val)
    assert said(report) == said(copied)
    assert sum(codes(report).values()) == 3
    if kind == "pictures":
        assert {f"val#{at}" for at in range(3)} == {each.message.split()[0] for each in report.findings}
    monkeypatch.undo()
    for changed in (train.rename_column("label", "class"), train.select(range(3, 9)), train.shuffle(seed=1)):
        assert hub._files_of(changed) == ()
    assert audit(train, within=True, select=("LA111",)).splits["all"].n == 20


def test_what_streams_and_what_is_empty_is_named(texts):
    with pytest.raises(InputError, match=r"^train: datasets.IterableDataset can only be read from its beginning"):
        audit(texts.to_iterable_dataset(), texts)
    with pytest.raises(InputError, match=r"^the split val is empty: 0 rows, 3 columns"):
        audit(texts, texts.select([]))
    with pytest.raises(InputError, match=r"^train: \(X, y\) with X a datasets.Dataset, which has its labels in it"):
        audit((texts, [0] * 40), texts)
