"""Whatever a path leads to, reading it neither blocks nor crashes, and says what it was."""

from __future__ import annotations

import os
import socket

import pytest
from blake3 import blake3

from leakaudit.fingerprints.pictures import files as image_files
from leakaudit.fingerprints.pictures.files import Unreadable, read_file

posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX file types")


def refused(path) -> Unreadable:
    with pytest.raises(Unreadable) as caught:
        read_file(os.fsencode(path))
    return caught.value


def test_content_digest_size_and_time(tmp_path):
    path = tmp_path / "a"
    for data in (b"x", b"y" * 3_000_000, b"z" * 10_000_000, b"w"):
        path.write_bytes(data)
        content = read_file(os.fsencode(path))
        assert bytes(content.data) == data
        assert content.digest == blake3(data).digest(16)
        assert (content.size, content.mtime_ns) == (len(data), path.stat().st_mtime_ns)


def test_large_files_are_hashed_in_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr(image_files, "LARGE_FILE", 1000)
    path = tmp_path / "a"
    path.write_bytes(bytes(range(256)) * 20)
    content = read_file(os.fsencode(path))
    assert content.data is None
    assert content.digest == blake3(path.read_bytes()).digest(16)


def test_missing_empty_and_folders(tmp_path):
    (tmp_path / "empty.png").touch()
    (tmp_path / "x.jpg").mkdir()
    assert refused(tmp_path / "gone.png").kind == "missing"
    assert refused(tmp_path / "empty.png" / "in.png").kind == "missing"
    assert refused(tmp_path / "empty.png").reason == "empty file"
    assert refused(tmp_path / "x.jpg").reason == "a folder, not a file"
    with pytest.raises(Unreadable) as caught:
        read_file(b"null\0byte.png")
    assert caught.value.kind == "missing"


@posix
def test_pipes_sockets_devices_and_links(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe.jpg")
    (tmp_path / "broken.jpg").symlink_to("nowhere")
    (tmp_path / "loop.jpg").symlink_to("loop.jpg")
    assert refused("pipe.jpg").reason == "a named pipe, not a file"
    assert refused("/dev/zero").reason == "a device, not a file"
    assert refused("broken.jpg").kind == "missing"
    assert "link" in refused("broken.jpg").reason
    assert "symbolic links" in refused("loop.jpg").reason
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket.jpg")
        assert refused("socket.jpg").reason == "a socket, not a file"


@posix
def test_a_pipe_put_in_place_after_the_check_does_not_block(tmp_path, monkeypatch):
    path = tmp_path / "pipe.jpg"
    os.mkfifo(path)
    plain = tmp_path / "plain"
    plain.write_bytes(b"1")
    status = plain.stat()
    monkeypatch.setattr(image_files.os, "stat", lambda _path: status)
    assert "named pipe" in refused(path).reason


@posix
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may read everything")
def test_no_permission(tmp_path):
    path = tmp_path / "a.jpg"
    path.write_bytes(b"1")
    path.chmod(0)
    assert "permission" in refused(path).reason


@pytest.mark.parametrize("reader", ["_read_small", "_read_all"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_file_that_grows_while_it_is_read(tmp_path, monkeypatch, reader, when):
    path = tmp_path / "a.jpg"
    path.write_bytes(b"1" * (100 if reader == "_read_small" else 100_000))
    read = getattr(image_files, reader)

    def append(handle, size):
        data = read(handle, size) if when == "after" else None
        with path.open("ab") as more:
            more.write(b"2")
        return data or read(handle, size)

    monkeypatch.setattr(image_files, reader, append)
    assert refused(path).reason == "changed while it was read"


@pytest.mark.parametrize("size", [100, 100_000])
def test_a_file_that_comes_in_pieces(tmp_path, monkeypatch, size):
    """As network file systems may give it."""
    path = tmp_path / "a.jpg"
    path.write_bytes(os.urandom(size))
    whole = read_file(os.fsencode(path))
    content = bytes(whole.data)
    plain = os.read
    monkeypatch.setattr(image_files.os, "read", lambda handle, n: plain(handle, min(n, 7)))
    pieces = read_file(os.fsencode(path))
    assert (bytes(pieces.data), pieces.digest) == (content, whole.digest)


@pytest.mark.parametrize("reader", ["_read_small", "_read_all"])
def test_a_file_that_is_cut_while_it_is_read(tmp_path, monkeypatch, reader):
    path = tmp_path / "a.jpg"
    path.write_bytes(b"1" * (100 if reader == "_read_small" else 100_000))
    read = getattr(image_files, reader)

    def cut(handle, size):
        os.truncate(path, 50)
        return read(handle, size)

    monkeypatch.setattr(image_files, reader, cut)
    assert refused(path).reason == "changed while it was read"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 1\n", "Git LFS pointer"),
        ("outs:\n- md5: 0123456789abcdef0123456789abcdef\n  path: a.jpg\n", "DVC pointer"),
        ("md5: 0123456789abcdef0123456789abcdef\nouts:\n- path: a\n", "DVC pointer"),
    ],
)
def test_pointers_are_named(tmp_path, text, reason):
    (tmp_path / "a.jpg").write_text(text)
    found = refused(tmp_path / "a.jpg")
    assert found.kind == "pointer"
    assert found.reason.startswith(reason)
