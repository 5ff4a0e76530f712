"""Arrays, tensors and sparse matrices: the report is that of the same numbers in files."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse

import leakaudit
from leakaudit.errors import InputError
from leakaudit.model import Report
from leakaudit.sources.objects import arrays
from reports_alike import codes, said

COPIES = ("LA104", "LA110")
PICTURES = ("LA101", "LA102")


def audit(*data: object, **named: object) -> Report:
    return leakaudit.audit(*data, use_cache=False, jobs=1, **named)


def rows(n_shared: int, *, dtype: str = "f8") -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """X_train, y_train, X_test, y_test; the first test rows are training rows."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(300, 4)).astype(dtype), rng.integers(0, 2, 300)
    test = np.r_[0:n_shared, 200 : 300 - n_shared]
    return x[:200], y[:200], x[test], y[test]


def pictures(n_shared: int, dtype: str = "u1") -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    x, y = rng.integers(0, 256, (50, 20, 22, 3)), rng.integers(0, 3, 50)
    x = (x / 255).astype(dtype) if dtype.startswith("f") else x.astype(dtype)
    test = np.r_[0:n_shared, 30 : 50 - n_shared]
    return x[:30], y[:30], x[test], y[test]


def in_files(folder, x_train, y_train, x_test, y_test) -> Report:
    np.savez(folder / "data.npz", x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)
    return audit(folder / "data.npz", select=(*COPIES, *PICTURES, "LA201", "LA203"))


@pytest.mark.parametrize("n_shared", [0, 9])
@pytest.mark.parametrize("make", [rows, pictures])
def test_pairs_are_reported_as_the_same_arrays_in_a_file(tmp_path, make, n_shared):
    x_train, y_train, x_test, y_test = make(n_shared)
    report = leakaudit.audit(
        train=(x_train, y_train), test=(x_test, y_test), use_cache=False, jobs=1,
        select=(*COPIES, *PICTURES, "LA201", "LA203"),
    )  # fmt: skip
    assert said(report) == said(in_files(tmp_path, x_train, y_train, x_test, y_test))
    in_train = {"LA104", "LA102"} & codes(report).keys()
    assert bool(in_train) == bool(n_shared)
    assert all(codes(report)[code] == n_shared for code in in_train)
    assert sum(report.splits["test"].labels.values()) == len(y_test)


def test_the_four_of_train_test_split_in_either_order():
    x_train, y_train, x_test, y_test = rows(7)
    expected = said(audit(train=(x_train, y_train), test=(x_test, y_test), select=("LA104",)))
    assert said(audit(x_train, x_test, y_train, y_test, select=("LA104",))) == expected
    assert said(audit(x_train, y_train, x_test, y_test, select=("LA104",))) == expected


@pytest.mark.parametrize("dtype", ["f4", "f2", "i8", "u1", "?"])
def test_every_kind_of_numbers_makes_rows(dtype):
    x = (np.arange(240).reshape(60, 4) % (2 if dtype == "?" else 251)).astype(dtype)
    report = audit(x[:40], x[30:], select=("LA104",))
    assert report.splits["val"].n == 30


def test_float_pictures_are_pictures_and_a_normalised_copy_is_found():
    x_train, y_train, x_test, y_test = pictures(4, "f4")
    normal = [(x - 0.45) / 0.22 for x in (x_train, x_test)]
    for train, test in ((x_train, x_test), normal):
        report = audit((train, y_train), (test, y_test), select=("LA102",))
        assert (report.kind, codes(report)) == ("image", {"LA102": 4})


def test_channels_first_tensors_of_torch():
    torch = pytest.importorskip("torch")
    x_train, y_train, x_test, y_test = pictures(3)
    tensors = [torch.from_numpy(np.moveaxis(x, -1, 1).copy()).float() / 255 for x in (x_train, x_test)]
    labels = [torch.from_numpy(y) for y in (y_train, y_test)]
    report = audit((tensors[0].requires_grad_(True), labels[0]), (tensors[1], labels[1]), select=("LA102",))
    assert codes(report) == {"LA102": 3}
    assert set(report.splits["train"].labels) == {"0", "1", "2"}


def test_pieces_of_series_are_rows():
    x = np.random.default_rng(2).normal(size=(60, 8, 3))
    report = audit((x[:40], np.arange(40) % 2), (x[35:], np.arange(35, 60) % 2), select=("LA104",))
    assert (report.kind, codes(report)) == ("table", {"LA104": 5})


def test_an_array_that_is_mapped_from_a_file_is_not_written_again(tmp_path, monkeypatch):
    from leakaudit.sources.objects import pictures as written

    x_train, _, x_test, _ = pictures(2)
    np.save(tmp_path / "a.npy", x_train)
    np.save(tmp_path / "b.npy", x_test)
    monkeypatch.setattr(written.np, "save", lambda *_, **__: pytest.fail("written"))
    mapped = [np.load(tmp_path / f"{name}.npy", mmap_mode="r") for name in "ab"]
    assert codes(audit(*mapped, select=("LA102",))) == {"LA102": 2}
    assert {each.name for each in tmp_path.iterdir()} == {"a.npy", "b.npy"}


def test_a_part_of_a_mapped_array_is_that_part(tmp_path):
    x_train, _, x_test, _ = pictures(0)
    np.save(tmp_path / "all.npy", np.concatenate([x_train, x_test]))
    mapped = np.load(tmp_path / "all.npy", mmap_mode="r")
    assert codes(audit(mapped[:30], mapped[30:], select=("LA102",))) == {}
    assert codes(audit(mapped[:30], mapped[26:], select=("LA102",))) == {"LA102": 4}


@pytest.mark.parametrize("n_shared", [0, 6])
def test_sparse_rows_are_reported_as_dense_ones(n_shared):
    x_train, y_train, x_test, y_test = rows(n_shared)
    x_train, x_test = np.where(x_train > -1, x_train, 0), np.where(x_test > -1, x_test, 0)
    dense = audit((x_train, y_train), (x_test, y_test), select=(*COPIES, "LA203"))
    sparse = [scipy.sparse.csr_matrix(x_train), scipy.sparse.coo_array(x_test)]
    report = audit((sparse[0], y_train), (sparse[1], y_test), select=(*COPIES, "LA203"))
    assert said(report) == said(dense)
    assert ("LA104" in codes(report)) == bool(n_shared)


def test_a_large_array_goes_block_by_block_and_is_reported_alike(monkeypatch):
    x_train, y_train, x_test, y_test = rows(6)
    at_once = audit((x_train, y_train), (x_test, y_test), select=COPIES)
    monkeypatch.setattr(arrays, "SPOOLED", 100)
    monkeypatch.setattr(arrays, "BLOCK_CELLS", 64)
    assert said(audit((x_train, y_train), (x_test, y_test), select=COPIES)) == said(at_once)


@pytest.mark.parametrize(
    ("y", "labels"),
    [
        (np.array(["a", "b"] * 30, dtype=object), {"a", "b"}),
        (np.arange(60).reshape(60, 1) % 2, {"0", "1"}),
        (np.eye(3)[np.arange(60) % 3], {"0", "1", "2"}),
        ([0.0, 1.0] * 30, {"0", "1"}),
        (list("ab") * 30, {"a", "b"}),
        (np.random.default_rng(0).normal(size=(60, 2)), set()),
    ],
    ids=["objects", "a column", "one-hot", "floats", "list", "several numbers"],
)
def test_labels_in_every_form(y, labels):
    x = np.random.default_rng(5).normal(size=(60, 3))
    report = audit((x, y), (x + 1, y), select=("LA104",))
    assert {each.partition(".")[0] for each in report.splits["train"].labels} == labels


@pytest.mark.parametrize(
    ("train", "message"),
    [
        ((np.zeros((5, 2)), np.zeros(4)), "train: X has 5 samples and y 4 labels: they must be as many"),
        (np.zeros((0, 2)), "the split train is empty: numpy.ndarray of length 0"),
        (np.zeros((3, 0)), r"the split train is empty: an array of shape \(3, 0\)"),
        (np.zeros((3, 2), dtype="c16"), "train: complex numbers are not read"),
        (np.zeros((3, 20_001), dtype="u1"), "train: 20,001 numbers a sample are neither picture nor row"),
        (scipy.sparse.csr_matrix((3, 10_001)), "train: a sparse matrix of 10,001 columns, at most 10,000 are read"),
        ((np.zeros((5, 2)), 3), "train: y must be one label a sample, not int"),
        ((np.zeros((5, 2)), np.zeros((5, 2, 2))), r"train: y must be one label a sample, not an array of shape"),
        (np.array([object(), object()]), "train: samples of object are not read"),
    ],
)
def test_what_cannot_be_used_is_one_line_that_names_it(train, message):
    with pytest.raises(InputError, match=f"^{message}") as caught:
        audit(train, np.zeros((5, 2)))
    assert "\n" not in str(caught.value)


def test_arrays_of_different_widths_are_refused():
    y = np.eye(3)[np.arange(60) % 3]
    with pytest.raises(InputError, match=r"^arrays of different numbers of columns: train 4 and val 3 \(labels go"):
        audit(np.zeros((60, 4)), y)


def test_pictures_beside_rows_are_refused():
    with pytest.raises(InputError, match=r"splits of different kinds: train is an array of shape .*val is rows"):
        audit(np.zeros((5, 8, 8, 3), dtype="u1"), np.zeros((5, 3)))
