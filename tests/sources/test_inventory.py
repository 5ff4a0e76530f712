"""Every folder is read once, whoever asks; links, loops, pipes and folders without permission are accounted for."""

from __future__ import annotations

import os
import socket

import pytest

from leakaudit.errors import InputError
from leakaudit.sources import inventory as module
from leakaudit.sources.inventory import Folder, Inventory
from leakaudit.sources.kinds import data_kind


def write(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x" * 10)
    return os.fsencode(root)


def test_folders_are_read_once(tmp_path, monkeypatch):
    top = write(tmp_path, "a/1.jpg", "a/b/2.jpg", "c.csv")
    asked = []
    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: asked.append(path) or scandir(path))
    found = Inventory()
    for _ in range(3):
        assert len(list(found.walk(top))) == 3
        assert found.tally(top)["picture"].n == 2
        assert found.folder(top + b"/a/").pictures[0][:2] == (b"1.jpg", 10)
    assert len(asked) == len(set(asked)) == 3
    assert found.n_files == 3


def test_links_are_followed_once_and_loops_end(tmp_path):
    top = write(tmp_path, "real/1.jpg", "real/deep/2.jpg")
    (tmp_path / "link").symlink_to(tmp_path / "real", target_is_directory=True)
    (tmp_path / "real" / "loop").symlink_to(tmp_path, target_is_directory=True)
    walked = dict(Inventory().walk(top))
    assert sum(len(each.pictures) for each in walked.values() if isinstance(each, Folder)) == 2
    again = [path for path, each in walked.items() if isinstance(each, FileExistsError)]
    assert sorted(again) == [top + b"/link/", top + b"/real/loop/"]


def test_what_is_no_file_is_named_and_never_opened(tmp_path):
    top = write(tmp_path, "a.jpg", ".hidden/b.jpg", b"odd \xff name.jpg".decode("utf-8", "surrogateescape"))
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "broken.jpg").symlink_to(tmp_path / "nowhere.jpg")
    (tmp_path / "self").symlink_to(tmp_path / "self")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "s"))
        folder = Inventory().folder(top)
    assert sorted(name for name, *_ in folder.pictures) == [b"a.jpg", b"odd \xff name.jpg"]
    assert folder.n_skipped == 1
    assert {name: (kind, reason) for name, kind, reason in folder.problems if name != b"self"} == {
        b"pipe.jpg": ("unreadable", "a named pipe, not opened"),
        b"broken.jpg": ("missing", "broken symbolic link"),
        b"s": ("unreadable", "a socket, not opened"),
    }
    assert [name for name, *_ in folder.problems if name == b"self"] == [b"self"]


def test_more_files_than_anybody_means_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MOST_FILES", 3)
    top = write(tmp_path, "a/1.jpg", "a/2.jpg", "b/3.jpg", "b/4.jpg")
    with pytest.raises(InputError, match="more than 3 files lie here"):
        list(Inventory().walk(top))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        (b"x/train.CSV.gz", "table"),
        (b"data.parquet", "table"),
        (b"a.wav", "sound"),
        (b"brain.nii.gz", "volume"),
        (b"t10k-images-idx3-ubyte.gz", "array"),
        (b"train-images.idx3-ubyte", "array"),
        (b"x_train.npy", "array"),
        (b"model.pt", "pickle"),
        (b"README.txt", "document"),
        (b"requirements.txt", "document"),
        (b"notes.txt", "text"),
        (b".DS_Store", "other"),
        (b"data_batch_1", "other"),
    ],
)
def test_kinds_are_told_by_name(name, kind):
    assert data_kind(name) == kind
