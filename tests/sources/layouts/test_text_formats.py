"""Text in formats of its own: what a sample is in each, with and without copies; and files that are something else."""

from __future__ import annotations

import gzip
import json
import random
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leakaudit import Config, audit
from leakaudit.errors import InputError, LayoutError
from leakaudit.sources.layouts import LAYOUTS, conll, fasta, fasttext, load, squad, time_series
from leakaudit.sources.text_parts import _split_in, _template

WORDS = [
    "river",
    "stone",
    "window",
    "paper",
    "silver",
    "garden",
    "engine",
    "letter",
    "winter",
    "market",
    "signal",
    "copper",
    "doctor",
    "bridge",
    "forest",
    "planet",
]
N_TRAIN, N_TEST, N_COPIES = 80, 40, 5


def sentences(leaky):
    rng = random.Random(6)
    made = [" ".join(rng.choices(WORDS, k=rng.randint(10, 15))) for _ in range(N_TRAIN + N_TEST)]
    train, test = made[:N_TRAIN], made[N_TRAIN:]
    return train, (train[7 : 7 + N_COPIES] + test[N_COPIES:] if leaky else test)


def as_fasttext(root, train, test):
    for split, texts in (("train", train), ("test", test)):
        lines = (f"__label__{'ab'[at % 2]} {text}\n" for at, text in enumerate(texts))
        (root / f"cooking.{split}").write_text("".join(lines), encoding="utf-8")


def as_conll(root, train, test):
    for split, texts in (("train", train), ("test", test)):
        blocks = ("".join(f"{word} {'B-LOC' if word == 'river' else 'O'}\n" for word in text.split()) for text in texts)
        (root / f"{split}.txt").write_text("-DOCSTART- O\n\n" + "\n".join(blocks), encoding="utf-8")


def as_conllu(root, train, test):
    for split, texts in (("train", train), ("test", test)):
        blocks = []
        for at, text in enumerate(texts):
            rows = [f"{i + 1}\t{word}\t_\tNOUN\t_\t_\t0\troot\t_\t_" for i, word in enumerate(text.split())]
            blocks.append("\n".join([f"# sent_id = {split}{at}", "1-2\tau\t_\t_\t_\t_\t_\t_\t_\t_", *rows]))
        (root / f"en-ud-{split}.conllu").write_text("\n\n".join(blocks) + "\n\n", encoding="utf-8")


def as_languages(root, train, test):
    for split, texts in (("train", train), ("test", test)):
        (root / f"{split}.en").write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
        (root / f"{split}.de").write_text("".join(f"{text.upper()} ß\n" for text in texts), encoding="utf-8")


def as_texts_and_labels(root, train, test):
    for split, texts in (("train", train), ("test", test)):
        (root / f"{split}_text.txt").write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
        (root / f"{split}_labels.txt").write_text("".join(f"{at % 2}\n" for at in range(len(texts))), encoding="utf-8")


def as_squad(root, train, test):
    for split, texts in (("train", train), ("test", test)):
        articles = [
            {
                "title": f"t{at}",
                "paragraphs": [{"context": text, "qas": [{"id": f"{split}{at}", "question": f"{text}?"}]}],
            }
            for at, text in enumerate(texts)
        ]
        (root / f"{split}-v2.0.json").write_text(json.dumps({"version": "2.0", "data": articles}), encoding="utf-8")


FORMATS = {
    "fasttext": as_fasttext,
    "conll": as_conll,
    "conllu": as_conllu,
    "languages": as_languages,
    "texts and labels": as_texts_and_labels,
    "squad": as_squad,
}


@pytest.mark.parametrize("leaky", [True, False])
@pytest.mark.parametrize("name", FORMATS)
def test_copied_texts_are_found_and_nothing_else(name, leaky, tmp_path):
    FORMATS[name](tmp_path, *sentences(leaky))
    report = audit(tmp_path, select=("LA101", "LA104", "LA105", "LA106", "LA107"), cache_dir=tmp_path / "cache")
    assert {split: info.n for split, info in report.splits.items()} == {"train": N_TRAIN, "test": N_TEST}
    found = {code: sum(f.n_samples for f in report.findings if f.code == code) for code in ("LA106", "LA107")}
    assert found == {"LA106": N_COPIES if leaky else 0, "LA107": 0}
    assert "LA104" in report.coverage.not_applicable


@pytest.mark.parametrize("name", ["fasttext", "conllu", "squad"])
def test_files_may_be_named_and_compressed(name, tmp_path):
    FORMATS[name](tmp_path, *sentences(leaky=True))
    paths = {"train": "", "test": ""}
    for path in sorted(tmp_path.iterdir()):
        split = next(split for split in paths if split in path.name)
        (tmp_path / f"{path.stem}-part{path.suffix}.gz").write_bytes(gzip.compress(path.read_bytes()))
        paths[split] = f"{split}={tmp_path / f'{path.stem}-part{path.suffix}.gz'}"
    data = load(list(paths.values()), Config())
    assert data.layout.name == name.removesuffix("u")
    assert [table.table.num_rows for table in data.tables] == [N_TRAIN, N_TEST]


def test_languages_are_columns_and_must_be_as_long_as_each_other(tmp_path):
    as_languages(tmp_path, *sentences(leaky=False))
    data = load([tmp_path], Config())
    assert data.tables[0].columns == ("de", "en")
    assert data.columns.texts == ("de", "en")
    with (tmp_path / "test.de").open("a", encoding="utf-8") as file:
        file.write("one more\n")
    with pytest.raises(InputError, match=r"must have as many lines \(de 41, en 40\)"):
        load([tmp_path], Config())


def test_sequences_are_compared_whole(tmp_path):
    rng = random.Random(2)
    domain = "".join(rng.choices("ACDEFGHIKLMNPQRSTVWY", k=60))
    whole = ["".join(rng.choices("ACDEFGHIKLMNPQRSTVWY", k=60)) + domain for _ in range(60)]
    for split, part in (("train", whole[:40]), ("test", [whole[0], *whole[40:]])):
        entries = (f">{split}{at} some protein\n{seq[:60].lower()}\n{seq[60:]}\n" for at, seq in enumerate(part))
        (tmp_path / f"{split}.fasta").write_text("".join(entries), encoding="utf-8")
    report = audit(tmp_path, select=("LA104", "LA106", "LA107"), cache_dir=tmp_path / "cache")
    assert [(finding.code, finding.n_samples) for finding in report.findings] == [("LA104", 1)]
    assert "homologous" in " ".join(report.notes)


def test_series_are_rows_of_numbers(tmp_path):
    rng = random.Random(3)
    for split, n in (("TRAIN", 30), ("TEST", 20)):
        rows = [",".join(f"{rng.gauss(0, 1):.4f}" for _ in range(12 - at % 2)) + f":{at % 2}" for at in range(n)]
        head = "@problemName Made\n@timeStamps false\n@univariate true\n@classLabel true 0 1\n@data\n"
        (tmp_path / f"Made_{split}.ts").write_text(head + "\n".join(rows) + "\n", encoding="utf-8")
    data = load([tmp_path], Config())
    assert data.layout.name == "time-series"
    assert data.columns.label == "label"
    assert data.tables[0].table.shape == (30, 13)
    assert data.tables[0].table.column("t11").null_count == 15
    (tmp_path / "Made_TEST.ts").write_text("@problemName Made\n@classLabel true a\n@data\n1,x,3:a\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"series 1 holds 'x'"):
        load([tmp_path], Config())


def test_squad_says_what_is_wrong_with_a_file(tmp_path):
    as_squad(tmp_path, *sentences(leaky=False))
    (tmp_path / "test-v2.0.json").write_text('{"data": [{"paragraphs": [{"context": "x", "qas": [{"id": 1}]}]}]}')
    with pytest.raises(InputError, match=r"not in the form of SQuAD: no 'question' in it"):
        load([tmp_path], Config())


def test_dev_of_squad_keeps_its_name(tmp_path):
    as_squad(tmp_path, *sentences(leaky=False))
    (tmp_path / "test-v2.0.json").rename(tmp_path / "dev-v2.0.json")
    assert load([tmp_path], Config()).splits == ("train", "dev")


def test_ordinary_text_files_are_none_of_these(tmp_path):
    for split, texts in zip(("train", "test"), sentences(leaky=False), strict=True):
        (tmp_path / f"{split}.txt").write_text("\n".join(texts), encoding="utf-8")
    (tmp_path / "empty-train.conll").write_text("")
    with pytest.raises(LayoutError, match="no data layout recognised"):
        load([tmp_path], Config())


@pytest.mark.parametrize("module", [conll, fasta, fasttext, squad, time_series])
@given(text=st.text(alphabet='ab> \t\n#@:,.0123_l{}[]"', max_size=200))
def test_readers_read_or_refuse_whatever_they_are_given(module, text, tmp_path_factory):
    path = tmp_path_factory.mktemp("any") / "train.x"
    path.write_text(text, encoding="utf-8")
    with suppress(InputError):
        columns = module.read(str(path), "utf-8")
        assert len({len(values) for values in columns.values()}) <= 1


@pytest.mark.parametrize(
    ("name", "split", "template"),
    [
        ("cooking.train", "train", "cooking.{}"),
        ("train.en", "train", "{}.en"),
        ("dev-v1.1.json", "val", "{}-v1.1.json"),
        ("en_ewt-ud-test.conllu.gz", "test", "en_ewt-ud-{}.conllu.gz"),
        ("trainer.log", None, "trainer.log"),
    ],
)
def test_splits_in_file_names(name, split, template):
    assert _split_in(name, {}) == split
    assert _template(name) == template


def test_every_layout_is_named_once():
    names = [layout.name for layout in LAYOUTS]
    assert len(names) == len(set(names))
