"""Lists of pictures, arrays, rows and records, alone or with their labels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import leakaudit
from leakaudit.errors import InputError
from leakaudit.model import Report
from leakaudit.sources.objects.pictures import as_picture, packed
from reports_alike import codes, said

CHECKS = ("LA101", "LA102", "LA104")


def audit(*data: object, **named: object) -> Report:
    return leakaudit.audit(*data, use_cache=False, jobs=1, **{"select": CHECKS, **named})


def pictures(start: int, stop: int) -> list[Image.Image]:
    return [
        Image.fromarray(np.random.default_rng(at).integers(0, 256, (18, 20 + at % 3, 3), dtype=np.uint8))
        for at in range(start, stop)
    ]


def labels(start: int, stop: int) -> list[str]:
    return ["cat" if at % 3 else "dog" for at in range(start, stop)]


@pytest.mark.parametrize("n_shared", [0, 4])
def test_pictures_of_pillow_are_those_of_their_folders(tmp_path, n_shared):
    spans = {"train": (0, 20), "val": (20 - n_shared, 30)}
    for split, span in spans.items():
        for at, (picture, label) in enumerate(zip(pictures(*span), labels(*span), strict=True)):
            (tmp_path / split / label).mkdir(parents=True, exist_ok=True)
            picture.save(tmp_path / split / label / f"{at}.png")
    in_files = audit(tmp_path)
    apart = audit(*((pictures(*span), labels(*span)) for span in spans.values()))
    paired = audit(*(list(zip(pictures(*span), labels(*span), strict=True)) for span in spans.values()))
    assert said(apart) == said(paired)
    assert said(apart)["splits"] == said(in_files)["splits"]
    # Of what has no file, the pixels are compared: what LA101 says of files is LA102 here.
    assert codes(apart).get("LA102", 0) == codes(in_files).get("LA101", 0) == n_shared


def test_a_frame_with_pictures_keeps_its_other_columns():
    spans = (0, 15), (12, 20)
    train, val = (pd.DataFrame({"photo": pictures(a, b), "age": range(a, b), "label": labels(a, b)}) for a, b in spans)
    report = audit(train, val, select=("LA101", "LA102", "LA203"))
    assert (report.kind, codes(report)["LA102"]) == ("image", 3)
    assert {outcome.code for outcome in report.outcomes} == {"LA101", "LA102", "LA203"}


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I", "F", "YCbCr"])
def test_a_packed_picture_has_all_its_pixels(tmp_path, mode):
    picture = pictures(0, 1)[0]
    picture = picture.convert("L").convert(mode) if mode in ("I;16", "I", "F", "LA") else picture.convert(mode)
    (tmp_path / "a").write_bytes(packed(picture))
    with Image.open(tmp_path / "a") as again:
        assert again.convert(mode).tobytes() == picture.tobytes()


def test_a_picture_that_lies_on_its_side_stays_so(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    pictures(0, 1)[0].save(tmp_path / "a.jpg", exif=exif)
    with Image.open(tmp_path / "a.jpg") as picture:
        (tmp_path / "b").write_bytes(packed(picture))
    with Image.open(tmp_path / "b") as again:
        assert again.getexif()[0x0112] == 6


@pytest.mark.parametrize(
    "numbers",
    [
        (np.arange(300) % 256).astype("u1").reshape(10, 10, 3),
        ((np.arange(300) % 256) / 255).astype("f4").reshape(3, 10, 10),
        (np.arange(100) % 256).astype("i8").reshape(10, 10),
    ],
    ids=["bytes", "tensor", "grey integers"],
)  # fmt: skip
def test_arrays_of_8_bits_are_pictures_without_loss(numbers):
    levels = np.rint(numbers * (255 if numbers.dtype.kind == "f" else 1)).astype("u1")
    shown = np.asarray(as_picture(numbers))
    assert np.array_equal(shown, np.moveaxis(levels, 0, -1) if levels.shape[0] == 3 else levels)
    assert as_picture(numbers.astype("f4") - 0.5) is None


def test_arrays_of_several_sizes_are_pictures():
    train, val = ([np.asarray(each) for each in pictures(*span)] for span in ((0, 15), (12, 20)))
    assert codes(audit(train, val)) == {"LA102": 3}
    with pytest.raises(InputError, match=r"^train: sample 0: pictures of several sizes must be numbers of 8 bits"):
        audit([each / 31 - 4 for each in train], val)


@pytest.mark.parametrize("n_shared", [0, 3])
def test_rows_and_records_as_lists(n_shared):
    def rows(start: int, stop: int) -> list[list[object]]:
        return [[at * 0.37, f"town {at * 7 % 91}", at * at] for at in range(start, stop)]

    def records(start: int, stop: int) -> list[dict[str, object]]:
        return [dict(zip("abc", row, strict=True)) for row in rows(start, stop)]

    for make in (rows, records):
        assert codes(audit(make(0, 30), make(30 - n_shared, 45))) == ({"LA104": n_shared} if n_shared else {})
    numbers = [np.array([row[0], row[2]]) for row in rows(0, 40)]
    assert codes(audit(numbers[:30], numbers[30 - n_shared :])) == ({"LA104": n_shared} if n_shared else {})


def test_labels_apart_go_with_records_and_pairs_of_texts_are_rows():
    records = [{"a": at * 0.37, "b": at * at} for at in range(40)]
    report = audit((records[:30], ["x", "y"] * 15), (records[27:], ["x", "y"] * 6 + ["x"]))
    assert report.splits["train"].labels == {"x": 15, "y": 15}
    pairs = [(f"why is it {at * 7919} and not less?", f"so it was said on the day {at * 31}") for at in range(40)]
    report = audit(pairs[:30], pairs[27:])
    assert (codes(report), report.splits["train"].labels) == ({"LA104": 3}, {})


def test_lists_in_lists_are_an_array():
    x = np.random.default_rng(0).integers(0, 256, (20, 9, 9)).tolist()
    report = audit(x[:15], x[13:])
    assert (report.kind, codes(report)) == ("image", {"LA102": 2})


class Shelf(Sequence[tuple[str, str]]):
    """A sequence that is no list."""

    def __init__(self, start: int, stop: int) -> None:
        self.at = range(start, stop)

    def __len__(self) -> int:
        return len(self.at)

    def __getitem__(self, at: int) -> tuple[str, str]:  # type: ignore[override]
        return f"a text of some words, the number of which is {self.at[at] * 7919}", "ab"[self.at[at] % 2]


def test_whatever_has_a_length_and_samples():
    report = audit(Shelf(0, 30), Shelf(26, 40), select=("LA106",))
    assert codes(report) == {"LA106": 4}
    assert report.splits["train"].labels == {"a": 15, "b": 15}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([[1, 2], [3]], "train: a ragged list: its rows have 1 to 2 values, all must have as many"),
        ([[[1, 2], [3]], [[1, 2], [3]]], "train: a ragged list: its lists are of several lengths"),
        ([np.zeros(3), np.zeros(4)], "train: samples of different shapes"),
        ([], "the split train is empty: list of length 0"),
        ([object()], "train: samples of object are not read: pictures, arrays, texts, records"),
        (object(), "train: object is no data set: give a data frame, an array or tensor"),
        (3, "train: int is no data set"),
        ((each for each in "ab"), "train: generator can be read only once: give a list of its samples"),
        (["a text", 3], "train: sample 1 is int, and the first one is a text"),
        ([{"a": 1}, 3], "train: sample 1 is int, and the first one is a record"),
        ([np.zeros((4, 4)), "no"], "train: samples of several kinds: arrays and str"),
        ((None, [1]), r"train: \(X, y\) of NoneType"),
    ],
)
def test_what_cannot_be_used_is_one_line_that_names_it(data, message):
    with pytest.raises(InputError, match=f"^{message}") as caught:
        audit(data, [[1, 2]])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("n_shared", [0, 3])
@pytest.mark.parametrize("kind", [str, Path])
def test_names_of_pictures_are_those_files(tmp_path, kind, n_shared):
    spans = {"train": (0, 20), "val": (20 - n_shared, 30)}
    given = {}
    for split, span in spans.items():
        files = []
        for at, (picture, label) in enumerate(zip(pictures(*span), labels(*span), strict=True)):
            files.append(tmp_path / split / label / f"{at}.png")
            files[-1].parent.mkdir(parents=True, exist_ok=True)
            picture.save(files[-1])
        given[split] = ([kind(each) for each in files], labels(*span))
    report = audit(**given)
    assert said(report) == said(audit(tmp_path))
    assert codes(report) == ({"LA101": n_shared} if n_shared else {})
    assert all(f"{tmp_path}/val/" in each.message for each in report.findings)


def test_names_of_files_are_not_compared_as_texts(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"")
    with pytest.raises(InputError, match=r"^train: a list of names of files \(table\)"):
        audit([str(tmp_path / "a.csv")], [str(tmp_path / "a.csv")])


def test_a_sample_that_cannot_be_had_is_named():
    class Broken(Shelf):
        def __getitem__(self, at: int) -> tuple[str, str]:  # type: ignore[override]
            if at == 3:
                raise RuntimeError("no such\nfile")
            return super().__getitem__(at)

    with pytest.raises(InputError, match=r"^val: sample 3 cannot be had: RuntimeError: no such$"):
        audit(Shelf(0, 5), Broken(0, 5))


def test_nothing_is_left_in_the_temporary_folder(tmp_path, monkeypatch):
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    report = audit(pictures(0, 10), pictures(8, 14))
    assert list(tmp_path.iterdir()) == []
    (outcome,) = [each for each in report.outcomes if each.code == "LA102"]
    assert outcome.pairs is not None
    assert sum(batch.num_rows for batch in outcome.pairs()) == 2  # without the files
