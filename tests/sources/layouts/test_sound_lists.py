"""Sounds in one place, whose splits tables and lists say."""

from __future__ import annotations

import io
import wave

import numpy as np
import pytest

import leakaudit
from leakaudit.config import Config
from leakaudit.folds import HELD_OUT, TRAIN
from leakaudit.sources.layouts import load
from picture_sets import put

N, N_TRAIN, N_VAL = 24, 12, 6
LABELS = ["yes" if i % 2 else "no" for i in range(N)]
SPLITS = ["train"] * N_TRAIN + ["val"] * N_VAL + ["test"] * (N - N_TRAIN - N_VAL)


def sounds(*, leaky):
    made = []
    for seed in range(N):
        file = io.BytesIO()
        with wave.open(file, "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(8000)
            samples = np.random.default_rng(seed).integers(-3000, 3000, 300, dtype=np.int16)
            out.writeframes(samples.tobytes())
        made.append(file.getvalue())
    if leaky:
        made[N_TRAIN + 1] = made[5]
    return made


def speech_commands(root, made):
    """Lists of val and test; train is the rest, but for the noise."""
    for i in range(N):
        put(root, f"{LABELS[i]}/{i:04x}_nohash_0.wav", made[i])
    put(root, "_background_noise_/white.wav", made[0] + b"\0\0")
    for name, split in (("validation_list", "val"), ("testing_list", "test")):
        lines = [f"{LABELS[i]}/{i:04x}_nohash_0.wav\n" for i in range(N) if SPLITS[i] == split]
        put(root, f"{name}.txt", "".join(lines))


def common_voice(root, made):
    """A table a split, names in a folder of all clips."""
    for i in range(N):
        put(root, f"clips/c{i}.wav", made[i])
    for split in ("train", "val", "test"):
        rows = [f"p{i // 3}\tc{i}.wav\t{LABELS[i]}\n" for i in range(N) if SPLITS[i] == split]
        put(root, f"{split.replace('val', 'dev')}.tsv", "client_id\tpath\tlabel\n" + "".join(rows))


def one_table(root, made):
    for i in range(N):
        put(root, f"wavs/c{i}.wav", made[i])
    put(root, "meta/all.csv", "fname,label,split\n" + "".join(f"c{i},{LABELS[i]},{SPLITS[i]}\n" for i in range(N)))


LAYOUTS = {each.__name__: each for each in (speech_commands, common_voice, one_table)}


@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize("leaky", [True, False], ids=["leaky", "clean"])
def test_sounds_by_lists(name, leaky, tmp_path):
    LAYOUTS[name](tmp_path / "d", sounds(leaky=leaky))
    report = leakaudit.audit(tmp_path / "d", use_cache=False, select=("LA001", "LA101", "LA108"))
    assert report.layout.name == "sound-lists"
    assert {split: info.n for split, info in report.splits.items()} == {"train": 12, "val": 6, "test": 6}
    assert report.splits["val"].labels == {"no": 3, "yes": 3}
    assert [finding.code for finding in report.findings] == (["LA101"] if leaky else [])


def test_folds_of_sounds(tmp_path):
    """As ESC-50 and UrbanSound8K have them."""
    made = sounds(leaky=True)  # 5 and 13 are in the folds 1 and 1 of 4, 2 and 1 of 3
    for i in range(N):
        put(tmp_path / "d", f"audio/{i}.wav", made[i])
    rows = "".join(f"{i}.wav,{i % 3 + 1},{LABELS[i]}\n" for i in range(N))
    put(tmp_path / "d", "meta/esc.csv", "filename,fold,category\n" + rows)
    report = leakaudit.audit(tmp_path / "d", use_cache=False, select=("LA101",))
    assert {split: info.n for split, info in report.splits.items()} == {TRAIN: 16, HELD_OUT: N}
    assert [(finding.code, finding.n_samples) for finding in report.findings] == [("LA101", 2)]


def test_names_of_sounds_that_are_not_there_are_counted(tmp_path):
    common_voice(tmp_path, sounds(leaky=False))
    with (tmp_path / "dev.tsv").open("a", encoding="utf-8") as file:
        file.write("p9\tgone.wav\tyes\np9\tc13.wav\tother\n")
    dataset = load([tmp_path], Config())
    assert [(problem.uri, problem.kind, problem.split) for problem in dataset.problems] == [
        ("gone.wav", "missing", "val"),
        ("clips/c13.wav", "duplicate-path", "val"),
    ]
    assert dataset.samples.group.to_pylist()[0] == "p0"
