from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leakaudit.sources.inventory import Inventory
from leakaudit.sources.kinds import kind_of
from leakaudit.sources.listing import list_pictures, make_samples, uri_of

posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX file types and names")


def kinds(listing):
    return {problem.uri: (problem.kind, problem.reason) for problem in listing.problems}


def names(listing):
    return [row[0] for row in listing.rows]


@given(st.binary(max_size=30), st.binary(max_size=30))
@pytest.mark.skipif(os.sep == "\\", reason="backslashes are separators there")
def test_uris_are_injective(a, b):
    assert (uri_of(a) == uri_of(b)) == (a == b)


def test_uri_escapes():
    assert uri_of(b"caf\xe9.png") == r"caf\xe9.png"
    assert uri_of("café.png".encode()) == "café.png"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        (b"a.JPG", "picture"),
        (b"a.tar.png", "picture"),
        (b"a.mp4", "media"),
        (b"a.npy", "media"),
        (b"a.txt", "sidecar"),
        (b"LICENSE", "sidecar"),
        (b"Thumbs.db", "sidecar"),
        (b".hidden.jpg", "sidecar"),
        (b"0001", "unknown"),
        (b"a.xyz", "unknown"),
    ],
)
def test_kinds_by_name(name, kind):
    assert kind_of(name) == kind


def test_walk_sorts_and_accounts_for_everything(tmp_path):
    for name in ("b.jpg", "a/x.png", "a-b/y.png", "notes.txt", "clip.mp4", ".DS_Store", "c.jpg.dvc", "__MACOSX/z.jpg"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"1234")
    (tmp_path / "numbered").write_bytes(b"\x89PNG\r\n\x1a\n")
    (tmp_path / "weights.xyz").write_bytes(b"nothing known")
    (tmp_path / "dir.jpg").mkdir()
    (tmp_path / "tiles.png").mkdir()
    (tmp_path / "tiles.png" / "0.png").write_bytes(b"")
    listing = list_pictures(Inventory(), str(tmp_path), split="train")
    assert names(listing) == [b"a-b/y.png", b"a/x.png", b"b.jpg", b"numbered", b"tiles.png/0.png"]
    assert kinds(listing) == {
        "clip.mp4": ("unsupported", "files of type .mp4 are not read"),
        "c.jpg": ("pointer", "DVC pointer: run dvc pull"),
        "dir.jpg": ("unreadable", "a folder that is named like a picture"),
    }
    assert {problem.split for problem in listing.problems} == {"train"}
    assert listing.n_other == 4  # notes.txt, .DS_Store, __MACOSX, weights.xyz
    status = (tmp_path / "b.jpg").stat()
    assert listing.rows[2] == (b"b.jpg", 4, status.st_mtime_ns)


@posix
def test_links_pipes_and_sockets(tmp_path, monkeypatch):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.jpg").write_bytes(b"1")
    (tmp_path / "link.jpg").symlink_to(tmp_path / "real" / "a.jpg")
    (tmp_path / "broken.jpg").symlink_to("nowhere")
    (tmp_path / "annexed.jpg").symlink_to("../.git/annex/objects/x/y")
    (tmp_path / "loop.jpg").symlink_to("loop.jpg")
    (tmp_path / "real" / "up").symlink_to("..")
    (tmp_path / "again").symlink_to("real")
    os.mkfifo(tmp_path / "pipe.jpg")
    server = socket.socket(socket.AF_UNIX)
    monkeypatch.chdir(tmp_path)  # the name of a socket must be short
    server.bind("socket.jpg")
    listing = list_pictures(Inventory(), str(tmp_path))
    server.close()
    assert names(listing) == [b"link.jpg", b"real/a.jpg"]
    found = kinds(listing)
    assert found["broken.jpg"] == ("missing", "broken symbolic link")
    assert found["annexed.jpg"][0] == "pointer"
    assert found["loop.jpg"][0] == "unreadable"
    assert found["pipe.jpg"] == ("unreadable", "a named pipe, not opened")
    assert found["socket.jpg"] == ("unreadable", "a socket, not opened")
    assert found["again"][1] == found["real/up"][1] == "symbolic link to a folder that is listed already"


@posix
def test_linked_folders_are_followed(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a.jpg").write_bytes(b"1")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "one").symlink_to("../elsewhere")
    (tmp_path / "data" / "two").symlink_to("../elsewhere")
    listing = list_pictures(Inventory(), str(tmp_path / "data"))
    assert len(listing.rows) == 1
    assert len(listing.problems) == 1


@posix
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may read everything")
def test_forbidden_folder(tmp_path):
    (tmp_path / "closed").mkdir(mode=0)
    try:
        assert kinds(list_pictures(Inventory(), str(tmp_path)))["closed"] == (
            "unreadable",
            "folder cannot be listed: permission denied",
        )
    finally:
        (tmp_path / "closed").chmod(0o700)


def test_folder_that_cannot_be_listed(tmp_path, monkeypatch):
    (tmp_path / "closed").mkdir()
    (tmp_path / "a.jpg").write_bytes(b"1")
    scandir = os.scandir

    def forbid(path):
        if path.rstrip(b"/").endswith(b"closed"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", forbid)
    listing = list_pictures(Inventory(), str(tmp_path))
    assert kinds(listing) == {"closed": ("unreadable", "folder cannot be listed: permission denied")}
    assert len(listing.rows) == 1


@posix
def test_any_file_name(tmp_path):
    raw = [b"new\nline.png", b"caf\xe9.png", b"back\\slash.png", "雪.png".encode()]
    for name in raw:
        (tmp_path / os.fsdecode(name)).write_bytes(b"x")
    listing = list_pictures(Inventory(), str(tmp_path))
    samples = make_samples(str(tmp_path), ("train",), [listing.rows])
    assert samples.uri.to_pylist() == [r"back\x5cslash.png", r"caf\xe9.png", "new\nline.png", "雪.png"]
    assert all(Path(os.fsdecode(path)).is_file() for path in samples.path.to_pylist())
    assert samples.size is not None
    assert samples.size.tolist() == [1] * 4
