"""Folders of splits: in several languages, in two spellings, below other folders, and of two data sets."""

from __future__ import annotations

import unicodedata

import pytest

from leakaudit.config import Config
from leakaudit.errors import LayoutError
from leakaudit.sources.layouts import load
from leakaudit.sources.names import split_of
from picture_sets import in_folders, pictures, put

LANGUAGES = {
    "Chinese": ("训练集", "验证集", "测试集"),
    "German": ("Training", "Validierung", "Prüfung"),
    "French": ("entraînement", "validation", "essai"),
    "Spanish": ("Entrenamiento", "validación", "prueba"),
    "Portuguese": ("treinamento", "Validação", "teste"),
    "Italian": ("addestramento", "convalida", "prova"),
    "Russian": ("Обучение", "валидация", "тест"),
    "Japanese": ("訓練", "検証", "テスト"),
    "Korean": ("학습", "검증", "테스트"),
    "Turkish": ("Eğitim", "doğrulama", "test"),
    "Polish": ("treningowy", "walidacja", "testowy"),
    "Dutch": ("training", "validatie", "test"),
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_names_in_the_big_languages(language, form):
    """As they are typed, and as a Mac stores them."""
    names = [unicodedata.normalize(form, name) for name in LANGUAGES[language]]
    assert [split_of(name, {}) for name in names] == ["train", "val", "test"]


def test_words_that_are_no_splits():
    assert [split_of(name, {}) for name in ("testa", "trenino", "proverbi", "训", "valid_examples_of")] == [None] * 5


def test_folders_in_chinese(tmp_path):
    made = pictures(leaky=False)
    in_folders(tmp_path, made, lambda split, label: f"{'训练集' if split == 'train' else '验证集'}/{label}")
    dataset = load([tmp_path], Config())
    assert dataset.splits == ("train", "val")
    assert "train (from '训练集')" in dataset.layout.why


def test_capitals_make_no_second_split(tmp_path):
    made = pictures(leaky=False)
    in_folders(tmp_path, made, lambda split, label: f"{split}/{label}")
    put(tmp_path, "Train/cat/more.png", made[0])
    put(tmp_path, "training/cat/again.png", made[0])
    dataset = load([tmp_path], Config())
    assert dataset.splits == ("train", "val", "training")  # another word is another split, and is shown
    assert "train (from 'Train + train')" in dataset.layout.why
    assert [int((dataset.samples.split == at).sum()) for at in range(3)] == [9, 4, 1]


def test_tables_with_capitals_are_one_split(tmp_path):
    for name, rows in (("train.csv", 3), ("Train.csv", 2), ("test.csv", 4)):
        put(tmp_path, name, "a,b\n" + "".join(f"{name}{i},x\n" for i in range(rows)))
    dataset = load([tmp_path], Config())
    assert sorted((table.split, table.uri) for table in dataset.tables) == [
        ("test", "test.csv"),
        ("train", "Train.csv"),
        ("train", "train.csv"),
    ]


def test_splits_below_other_folders(tmp_path):
    in_folders(tmp_path, pictures(leaky=False), lambda split, label: f"archive/My Dataset/{split}/{label}")
    put(tmp_path, "README.md", "x")
    dataset = load([tmp_path], Config())
    assert dataset.layout.name == "image-folders"
    assert len(dataset.samples) == 12


def test_two_data_sets_are_not_two_classes(tmp_path):
    made = pictures(leaky=False)
    in_folders(tmp_path, made, lambda split, label: f"faces/{split}/{label}")
    in_folders(tmp_path, made, lambda split, label: f"numbers/{split}/{'one' if label == 'cat' else 'two'}")
    with pytest.raises(LayoutError, match=r"several folders hold split folders \(faces, numbers\).*leakaudit scan"):
        load([tmp_path], Config())


def test_classes_that_hold_splits_are_classes(tmp_path):
    in_folders(tmp_path, pictures(leaky=False), lambda split, label: f"{label}/{split}")
    dataset = load([tmp_path], Config())
    assert set(dataset.samples.label.to_pylist()) == {"cat", "dog"}


def test_folders_of_one_split_by_a_word_of_their_names_are_one_split(tmp_path):
    """Two parts of a training set, or two renderings of it, are not held out from each other."""
    made = pictures(leaky=False)
    for at, folder in enumerate(("train-clean", "train-other", "dev-clean", "dev-other")):
        for k in range(3):
            put(tmp_path, f"{folder}/{at * 3 + k}.png", made[at * 3 + k])
    dataset = load([tmp_path], Config())
    assert dataset.splits == ("train", "val")
    assert dataset.samples.split.tolist() == [0] * 6 + [1] * 6


def test_a_lone_split_folder_gives_way_to_the_data_set_below(tmp_path):
    in_folders(tmp_path / "My Data", pictures(leaky=False), lambda split, label: f"{split}/{label}")
    put(tmp_path, "test/test/a.png", pictures(leaky=True)[8])
    dataset = load([tmp_path], Config())
    assert dataset.splits == ("train", "val")
    assert [(each.kind, each.n) for each in dataset.unclaimed] == [("picture", 1)]
