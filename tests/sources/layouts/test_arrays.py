"""Arrays: which are samples and labels of which split, and what is found in their slices."""

from __future__ import annotations

import gzip
import io
import os
import pickle
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import leakaudit
from leakaudit.config import Config
from leakaudit.errors import InputError, LayoutError
from leakaudit.fingerprints.pictures.previews import previews
from leakaudit.sources.layouts import load
from leakaudit.sources.readers import arrays as readers

N_TRAIN, N_TEST = 24, 8


def pictures(n: int, seed: int, *, shape: tuple[int, int] = (24, 32), channels: int = 3) -> np.ndarray:
    """Smooth random scenes, shape (n, height, width, channels), uint8."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(n):
        planes = [Image.fromarray(rng.integers(0, 255, (6, 8), dtype=np.uint8)) for _ in range(channels)]
        size = shape[::-1]
        made.append(np.dstack([np.asarray(plane.resize(size, Image.Resampling.BICUBIC)) for plane in planes]))
    return np.stack(made)


def splits(*, leaks: bool, channels: int = 3) -> dict[str, np.ndarray]:
    x_train, x_test = pictures(N_TRAIN, 1, channels=channels), pictures(N_TEST, 2, channels=channels)
    if leaks:
        x_test[2] = x_train[4]
    y = np.arange(N_TRAIN) % 2
    return {"x_train": x_train, "y_train": y, "x_test": x_test, "y_test": (np.arange(N_TEST) + 1) % 2}


def as_npz(root: Path, data: dict[str, np.ndarray]) -> None:
    np.savez_compressed(root / "data.npz", **data)


def as_stored_npz(root: Path, data: dict[str, np.ndarray]) -> None:
    np.savez(root / "mnist.npz", **{name.replace("x_", "images_"): each for name, each in data.items()})


def as_npy(root: Path, data: dict[str, np.ndarray]) -> None:
    for name, each in data.items():
        np.save(root / f"{name.replace('x_', 'X_')}.npy", np.asfortranarray(each))


def as_folders(root: Path, data: dict[str, np.ndarray]) -> None:
    for name, each in data.items():
        role, split = name.split("_")
        (root / split).mkdir(exist_ok=True)
        np.save(root / split / {"x": "images.npy", "y": "labels.npy"}[role], each)


def as_idx(root: Path, data: dict[str, np.ndarray]) -> None:
    for name, each in data.items():
        role, split = name.split("_")
        grey = each[..., 0] if role == "x" else each
        code = {"x": "images-idx3", "y": "labels-idx1"}[role]
        head = bytes([0, 0, 8, grey.ndim]) + struct.pack(f">{grey.ndim}i", *grey.shape)
        file = root / f"{'t10k' if split == 'test' else split}-{code}-ubyte"
        raw = head + grey.astype(np.uint8).tobytes()
        if split == "test":
            file.with_name(f"{file.name}.gz").write_bytes(gzip.compress(raw))
        else:
            file.write_bytes(raw)


def as_hdf5(root: Path, data: dict[str, np.ndarray]) -> None:
    h5py = pytest.importorskip("h5py", reason="needs the extra: leakaudit[hdf5]")
    with h5py.File(root / "data.h5", "w") as file:
        for name, each in data.items():
            role, split = name.split("_")
            file.create_dataset(f"{split}/{role}", data=each, chunks=True, compression="gzip")


def as_mat(root: Path, data: dict[str, np.ndarray]) -> None:
    from scipy.io import savemat

    for split in ("train", "test"):  # as SVHN has it: samples along the last axis, labels as a column
        x, y = np.moveaxis(data[f"x_{split}"], 0, -1), data[f"y_{split}"][:, None]
        savemat(root / f"{split}_32x32.mat", {"X": x, "y": y}, do_compression=True)


def as_mat_73(root: Path, data: dict[str, np.ndarray]) -> None:
    h5py = pytest.importorskip("h5py", reason="needs the extra: leakaudit[hdf5]")
    with h5py.File(root / "data.mat", "w") as file:
        for name, each in data.items():
            stored = file.create_dataset(name, data=each.T if each.ndim > 1 else each[:, None].T)
            stored.attrs["MATLAB_class"] = np.bytes_("uint8")


WAYS = [as_npz, as_stored_npz, as_npy, as_folders, as_idx, as_hdf5, as_mat, as_mat_73]


def audit(*paths: object, **settings: object) -> leakaudit.Report:
    return leakaudit.audit(*map(os.fspath, paths), use_cache=False, **settings)  # type: ignore[arg-type]


def codes(report: leakaudit.Report) -> set[str]:
    return {finding.code for finding in report.findings}


@pytest.mark.parametrize("way", WAYS)
def test_a_picture_in_both_splits_is_found_in_every_format(tmp_path, way):
    way(tmp_path, splits(leaks=True))
    report = audit(tmp_path, jobs=2)
    assert (report.layout.name, report.kind) == ("arrays", "image")
    assert {name: info.n for name, info in report.splits.items()} == {"train": N_TRAIN, "test": N_TEST}
    assert report.splits["test"].labels == {"0": 4, "1": 4}
    (finding,) = [finding for finding in report.findings if finding.code == "LA102"]
    (pair,) = finding.evidence.pairs
    assert (pair.a.uri[-2:], pair.b.uri[-2:]) == ("#2", "#4")
    assert "LA110" in codes(report)  # the copy has the other label
    assert not codes(report) & {"LA001", "LA101", "LA103"}


@pytest.mark.parametrize("way", WAYS)
def test_the_clean_twin_is_clean(tmp_path, way):
    way(tmp_path, splits(leaks=False))
    report = audit(tmp_path)
    assert not [finding for finding in report.findings if finding.severity == "error"]
    assert report.verdict.exit_code == 0


def test_named_files(tmp_path):
    data = splits(leaks=True)
    for split, name in (("train", "a"), ("test", "b")):
        np.savez(tmp_path / f"{name}.npz", data=data[f"x_{split}"], labels=data[f"y_{split}"])
    report = audit(f"train={tmp_path}/a.npz", f"test={tmp_path}/b.npz")
    assert "LA102" in codes(report)
    assert report.splits["train"].labels == {"0": 12, "1": 12}


def test_channels_first_floats_and_one_hot_labels_are_the_same_pictures(tmp_path):
    data = splits(leaks=True)
    data["x_test"] = (np.moveaxis(data["x_test"], -1, 1) / 255).astype(np.float32)
    data["y_test"] = np.eye(2)[data["y_test"]]
    as_npz(tmp_path, data)
    report = audit(tmp_path)
    assert "LA102" in codes(report)
    assert report.splits["test"].labels == {"0": 4, "1": 4}


@pytest.mark.parametrize("leaks", [True, False])
def test_pictures_of_other_numbers_are_compared_by_all_their_digits(tmp_path, leaks):
    rng = np.random.default_rng(5)
    x_train = rng.normal(0, 1, (12, 16, 16, 3)).astype(np.float32)
    x_test = rng.normal(0, 1, (6, 16, 16, 3)).astype(np.float32)
    x_test[1] = x_train[3] + (0 if leaks else 1e-4)
    np.savez(tmp_path / "data.npz", x_train=x_train, x_test=x_test)
    report = audit(tmp_path, select=("LA102",))
    assert ("LA102" in codes(report)) == leaks


def test_dark_floats_do_not_become_one_black_picture(tmp_path):
    rng = np.random.default_rng(5)
    x = rng.uniform(0, 0.001, (20, 16, 16)).astype(np.float32)
    np.savez(tmp_path / "data.npz", x_train=x[:12], x_test=x[12:])
    assert "LA102" not in codes(audit(tmp_path))


@pytest.mark.parametrize("leaks", [True, False])
def test_rows_of_numbers_are_a_table(tmp_path, leaks):
    rng = np.random.default_rng(3)
    x_train, x_test = rng.normal(size=(200, 6)), rng.normal(size=(60, 6))
    if leaks:
        x_test[:5] = x_train[10:15]
    y_train, y_test = (x[:, 0] > 0 for x in (x_train, x_test))
    np.savez(tmp_path / "data.npz", X_train=x_train, Y_train=y_train, X_test=x_test, Y_test=y_test)
    report = audit(tmp_path)
    assert report.kind == "table"
    assert {name: info.n for name, info in report.splits.items()} == {"train": 200, "test": 60}
    assert ("LA104" in codes(report)) == leaks


def test_pieces_of_series_are_rows(tmp_path):
    rng = np.random.default_rng(3)
    x_train, x_test = rng.normal(size=(50, 20, 3)), rng.normal(size=(20, 20, 3))
    x_test[4] = x_train[6]
    np.savez(tmp_path / "data.npz", x_train=x_train, x_test=x_test)
    report = audit(tmp_path)
    assert (report.kind, "LA104" in codes(report)) == ("table", True)


def test_groups_beside_the_pictures(tmp_path):
    data = splits(leaks=False)
    as_npz(tmp_path, {**data, "subject_train": np.arange(N_TRAIN) // 2, "subject_test": np.arange(N_TEST) // 2})
    report = audit(tmp_path)
    assert "LA108" in codes(report) | {o.code for o in report.outcomes if "groups are in both" in o.reason}


def test_previews_of_slices(tmp_path):
    as_npz(tmp_path, splits(leaks=False))
    samples = load([tmp_path], Config()).samples
    assert samples is not None
    assert not samples.are_files
    made = previews(samples.path.take([30, 0]), Config(use_cache=False, jobs=2))
    shown = np.asarray(Image.open(io.BytesIO(made[1])))
    assert np.array_equal(shown, splits(leaks=False)["x_train"][0])


def test_a_second_scan_gives_the_same_from_the_cache(tmp_path):
    (tmp_path / "data").mkdir()
    as_npz(tmp_path / "data", splits(leaks=True))
    os.utime(tmp_path / "data" / "data.npz", ns=(10**18, 10**18))
    config = Config(cache_dir=tmp_path / "cache")
    first, again = (leakaudit.audit(tmp_path / "data", config=config) for _ in range(2))
    assert [finding.id for finding in first.findings] == [finding.id for finding in again.findings]


def test_one_split_alone(tmp_path):
    data = splits(leaks=False)
    np.savez(tmp_path / "data.npz", images=data["x_train"], labels=data["y_train"])
    with pytest.raises(LayoutError):
        load([tmp_path], Config())
    dataset = load([tmp_path], Config(within=True))
    assert dataset.splits == ("all",)
    assert dataset.samples is not None
    assert dataset.samples.label.to_pylist()[:2] == ["0", "1"]


# --- hostile files ------------------------------------------------------------------------------------------------


def test_lengths_that_differ_are_said(tmp_path):
    data = splits(leaks=False)
    as_npz(tmp_path, {**data, "y_train": data["y_train"][:-1]})
    with pytest.raises(InputError, match=r"data\.npz/x_train has 24 samples and data\.npz/y_train has 23"):
        load([tmp_path], Config())


def test_python_objects_are_never_loaded(tmp_path):
    class Trap:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "trap"),)

    data = splits(leaks=False)
    np.savez(tmp_path / "data.npz", **{**data, "y_train": np.array([Trap()] * N_TRAIN, dtype=object)})
    with pytest.raises(InputError, match="Python objects"):
        load([tmp_path], Config())
    np.save(tmp_path / "train.npy", np.array([[Trap(), Trap()]], dtype=object), allow_pickle=True)
    np.save(tmp_path / "test.npy", data["x_test"])
    with pytest.raises(InputError, match="Python objects"):
        load([f"train={tmp_path}/train.npy", f"test={tmp_path}/test.npy"], Config())
    assert not (tmp_path / "trap").exists()


def test_a_truncated_archive_is_said(tmp_path):
    as_npz(tmp_path, splits(leaks=False))
    file = tmp_path / "data.npz"
    file.write_bytes(file.read_bytes()[:-300])
    with pytest.raises(InputError, match=r"data\.npz: damaged"):
        load([tmp_path], Config())


def test_numbers_that_end_early_lose_their_samples(tmp_path):
    as_idx(tmp_path, splits(leaks=False))
    images = tmp_path / "t10k-images-idx3-ubyte.gz"
    images.write_bytes(gzip.compress(gzip.decompress(images.read_bytes())[:-100]))
    with pytest.raises(InputError, match="ends early"):
        load([tmp_path], Config())


def test_a_bomb_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(readers, "SURELY_FINE", 1 << 20)
    as_npz(tmp_path, {**splits(leaks=False), "x_train": np.zeros((N_TRAIN, 512, 512, 3), np.uint8)})
    with pytest.raises(InputError, match="bomb guard"):
        load([tmp_path], Config())


def test_a_header_that_promises_more_than_there_is(tmp_path):
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(head, {"descr": "|u1", "fortran_order": False, "shape": (10**6, 10**6)})
    with zipfile.ZipFile(tmp_path / "data.npz", "w", zipfile.ZIP_DEFLATED) as file:
        for name in ("x_train", "x_test"):
            file.writestr(f"{name}.npy", head.getvalue() + bytes(100))
    with pytest.raises(InputError, match="bomb guard"):
        load([tmp_path], Config())


def test_hdf5_is_not_followed_out_of_the_file(tmp_path):
    h5py = pytest.importorskip("h5py", reason="needs the extra: leakaudit[hdf5]")
    with h5py.File(tmp_path / "other.hdf5", "w") as file:
        file["x"] = splits(leaks=False)["x_train"]
    (tmp_path / "data").mkdir()
    with h5py.File(tmp_path / "data" / "data.h5", "w") as file:
        file["x_test"] = splits(leaks=False)["x_test"]
        file["x_train"] = h5py.ExternalLink("../other.hdf5", "x")
    with pytest.raises(InputError, match="link to another file"):
        load([tmp_path / "data"], Config())


def test_hdf5_without_its_library_says_how_to_get_it(tmp_path, monkeypatch):
    as_hdf5(tmp_path, splits(leaks=False))
    monkeypatch.setitem(__import__("sys").modules, "h5py", None)
    with pytest.raises(InputError, match=r"pip install 'leakaudit\[hdf5\]'"):
        load([tmp_path], Config())


def test_pickles_are_refused_by_name(tmp_path):
    (tmp_path / "data_batch_1").write_bytes(pickle.dumps({"data": [1]}))
    (tmp_path / "test_batch").write_bytes(pickle.dumps({"data": [2]}))
    with pytest.raises(LayoutError, match=r"data_batch_1 is a pickle.*never loaded"):
        load([tmp_path], Config())


def test_what_is_not_used_is_said(tmp_path):
    as_npz(tmp_path, {**splits(leaks=False), "mean": np.zeros(3)})
    assert any("data.npz/mean" in note for note in load([tmp_path], Config()).notes)
