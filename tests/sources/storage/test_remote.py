"""Object storage: what is found over s3:// (a real server on loopback) and memory:// is what is found on disk."""

from __future__ import annotations

import gzip
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import leakaudit
from leakaudit.config import Config
from leakaudit.errors import InputError
from leakaudit.fingerprints.pictures.contents import Listed, contents
from leakaudit.render.data.report_json import to_json
from leakaudit.sources import storage
from leakaudit.sources.layouts import load
from leakaudit.sources.storage import addresses, remote
from processes import DEADLY
from shards import picture, write_shard

fsspec = pytest.importorskip("fsspec")
s3fs = pytest.importorskip("s3fs", reason="needs s3fs: pip install 'leakaudit[remote]'")

ODD_NAMES = ("a b.png", "[1].png", "x*y.png", "50%.png", "a#b.png", "é.png", "d\\e.png", "q=1.png")


# --- the same data on disk, in memory and in S3 ------------------------------------------------------------------


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures in folders, a manifest, tables and shards, with what is wrong in real data among them."""
    root = tmp_path_factory.mktemp("data")
    for split, ids in (("train", range(30)), ("val", range(25, 40))):
        for i in ids:
            path = root / "pictures" / split / f"c{i % 2}" / f"{i}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(picture(i))
        names = [f"pictures/{split}/c{i % 2}/{i}.png" for i in ids]
        lines = [f"{name},{i % 3}" for name, i in zip(names, ids, strict=True)]
        (root / f"{split}.csv").write_text("path,label\n" + "\n".join(lines) + "\n")
        for k in range(2):
            members = [
                (f"{i:05d}.{ending}", content)
                for i in list(ids)[k::2]
                for ending, content in (("png", picture(i)), ("cls", str(i % 2).encode()))
            ]
            (root / "shards").mkdir(exist_ok=True)
            write_shard(root / "shards" / f"{split}-{k:06d}.tar", members)
        rng = np.random.default_rng(len(split))
        columns = {"x": rng.normal(size=200), "word": rng.choice(["a", "b"], 200), "y": rng.integers(0, 2, 200)}
        frame = pd.DataFrame(columns)
        if split == "train":
            shared = frame.iloc[:9]
        else:
            frame = pd.concat([shared, frame], ignore_index=True)
        for folder in ("csv", "gz", "jsonl", "parquet"):
            (root / folder).mkdir(exist_ok=True)
        frame.to_csv(root / "csv" / f"{split}.csv", index=False)
        packed = gzip.compress((root / "csv" / f"{split}.csv").read_bytes(), mtime=0)
        (root / "gz" / f"{split}.csv.gz").write_bytes(packed)
        frame.to_json(root / "jsonl" / f"{split}.jsonl", orient="records", lines=True)
        frame.to_parquet(root / "parquet" / f"{split}.parquet")
    folder = root / "pictures" / "val" / "c0"
    for name in ODD_NAMES:
        (folder / name).write_bytes(picture(sum(map(ord, name))))
    (folder / "broken.png").write_bytes(picture(1)[:60])
    (folder / "empty.png").touch()
    (folder / "unnamed").write_bytes(picture(77))
    (folder / "readme.txt").write_text("a note")
    (folder / ".hidden.png").write_bytes(picture(3))
    (folder / "film.mp4").write_bytes(b"film")
    (folder / "lfs.png").write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n")
    return root


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of an S3 server of our own, on a free port of loopback."""
    pytest.importorskip("moto.server", reason="needs moto: pip install 'moto[server]'")
    log = tmp_path_factory.mktemp("server") / "log"  # a pipe that nobody reads would stop the server when it is full
    command = [sys.executable, "-u", "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
    with log.open("wb") as sink, subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=sink) as server:
        try:
            while not (found := re.search(r"http://127\.0\.0\.1:\d+", log.read_text())):
                if server.poll() is not None:
                    pytest.fail(f"the S3 server did not start: {log.read_text()}")
                time.sleep(0.05)
            yield found[0]
        finally:
            server.terminate()


@pytest.fixture(scope="module")
def bucket(data: Path, endpoint: str) -> Iterator[str]:
    """The data in a bucket; the credentials are in the environment, where people have them."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ENDPOINT_URL", endpoint)
        environment.setenv("AWS_ACCESS_KEY_ID", "AKIASECRETID")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "verysecretkey")
        environment.setenv("AWS_DEFAULT_REGION", "us-east-1")
        environment.delenv("AWS_PROFILE", raising=False)
        fs = s3fs.S3FileSystem(skip_instance_cache=True)
        fs.mkdir("bucket")
        for path in sorted(data.rglob("*")):
            if path.is_file():
                fs.pipe_file(f"bucket/data/{path.relative_to(data).as_posix()}", path.read_bytes())
        yield "s3://bucket/data"
        remote.forget()


@pytest.fixture
def memory(data: Path) -> Iterator[str]:
    fs = fsspec.filesystem("memory")
    for path in sorted(data.rglob("*")):
        if path.is_file():
            fs.pipe_file(f"/data/{path.relative_to(data).as_posix()}", path.read_bytes())
    yield "memory://data"
    fs.store.clear()
    fs.pseudo_dirs[:] = [""]
    remote.forget()


def found_in(*paths: str | Path, root: str | Path, **settings) -> dict:
    """The report without what must differ: the root."""
    settings = {"use_cache": False, "jobs": 2, **settings}
    report = to_json(leakaudit.audit(*map(str, paths), config=Config(**settings)))
    assert "verysecretkey" not in report
    assert "AKIASECRETID" not in report
    told: dict = json.loads(report.replace(json.dumps(str(root))[1:-1], "ROOT"))
    return told


SETTINGS: dict[str, dict] = {
    "pictures": {},
    "shards": {},
    "csv": {"label": "y"},
    "gz": {"label": "y", "select": ("LA104",)},
    "jsonl": {"label": "y", "select": ("LA104",)},
    "parquet": {"label": "y", "select": ("LA104",)},
}


@pytest.fixture
def busy(endpoint: str, bucket: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The same server, too busy for the first request for each object; those that it turned away."""
    turned_away: list[str] = []
    server = urlsplit(endpoint)

    class Door(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asked = f"{self.command} {self.path}"
            if asked not in turned_away:
                turned_away.append(asked)
                self.send_error(503, "Slow Down")
                return
            inside = HTTPConnection(server.netloc)
            inside.request(self.command, self.path, headers=dict(self.headers))
            answer = inside.getresponse()
            body = answer.read()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in {"connection", "transfer-encoding", "date", "server"}:
                    self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_HEAD = do_GET  # noqa: N815  as http.server names it

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Door) as door:
        threading.Thread(target=door.serve_forever, daemon=True).start()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{door.server_port}")
        remote.forget()
        s3fs.S3FileSystem.clear_instance_cache()
        yield turned_away
        door.shutdown()
    remote.forget()
    s3fs.S3FileSystem.clear_instance_cache()


@pytest.mark.parametrize("name", ["shards", "csv"])
def test_requests_that_a_busy_server_turns_away_are_repeated(busy, bucket, data, name):
    there = found_in(f"{bucket}/{name}", root=f"{bucket}/{name}", **SETTINGS[name])
    assert there == found_in(data / name, root=data / name, **SETTINGS[name])
    assert len(busy) > 2


@pytest.mark.parametrize("name", SETTINGS)
def test_s3_is_as_the_disk(bucket, data, name):
    settings = SETTINGS[name]
    here = found_in(data / name, root=data, **settings)
    assert here["findings"]
    assert found_in(f"{bucket}/{name}", root=bucket, **settings) == here


@pytest.mark.parametrize("name", ["pictures", "shards", "parquet"])
def test_memory_is_as_the_disk(memory, data, name):
    settings = SETTINGS[name]
    assert found_in(f"{memory}/{name}", root=memory, **settings) == found_in(data / name, root=data, **settings)


@pytest.mark.parametrize("name", ["x.webp", "x.png"])
def test_an_object_that_crashes_its_decoder_loses_itself_and_nothing_else(bucket, tmp_path, monkeypatch, name):
    (tmp_path / "sitecustomize.py").write_text(DEADLY)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    fs = s3fs.S3FileSystem(skip_instance_cache=True)
    files = {name: Image.new("RGB", (66, 66)), "good.webp": Image.new("RGB", (67, 66), "red")}
    top = f"bucket/deadly-{name[2:]}"
    for split in ("train", "val"):
        fs.pipe_file(f"{top}/{split}/plain.png", picture(7 + len(split)))
    for file, image in files.items():
        stream = io.BytesIO()
        image.save(stream, "WEBP")
        fs.pipe_file(f"{top}/train/{file}", stream.getvalue())
    report = leakaudit.audit(f"s3://{top}", config=Config(use_cache=False, jobs=2))
    assert [(each.uri, each.reason) for each in report.coverage.problems] == [
        (f"train/{name}", "damaged: it crashes the decoder")
    ]
    assert report.coverage.n_read == 3


def test_workers_list_nothing_again(bucket, monkeypatch):
    files = [Listed(b"s3://bucket/data/pictures/train/c0/0.png", len(picture(0)), 5)]
    remote.forget()
    monkeypatch.setattr(storage, "stat", None)
    (content,) = contents(files)
    assert (bytes(content.data), content.mtime_ns) == (picture(0), 5)


def test_what_was_configured_in_python_reaches_workers(monkeypatch):
    monkeypatch.setitem(fsspec.config.conf, "s3", {"anon": True})
    told = remote.reach([b"s3://bucket/a.png"])
    assert told["s3"] == {"anon": True}
    monkeypatch.setattr(fsspec.config, "conf", {})
    remote.adopt(told)
    assert fsspec.config.conf["s3"] == {"anon": True}
    monkeypatch.setitem(fsspec.config.conf, "s3", {"session": lambda: None})
    assert remote.reach([b"s3://bucket/a.png"]) is None
    assert remote.reach([b"memory://data/a.png"]) is None


def test_manifests(bucket, data):
    pairs = ("train", "val")
    here = found_in(*(f"{split}={data}/{split}.csv" for split in pairs), root=data)
    assert here["dataset"]["layout"] == "manifest"
    assert found_in(*(f"{split}={bucket}/{split}.csv" for split in pairs), root=bucket) == here


def test_shards_by_range_and_pattern(bucket, data):
    told = ("train={}/shards/train-{{000000..000001}}.tar", "val={}/shards/val-*.tar")
    here = found_in(*(each.format(data) for each in told), root=data)
    assert here["dataset"]["splits"]["train"]["n"] == 30
    assert found_in(*(each.format(bucket) for each in told), root=bucket) == here
    with pytest.raises(InputError, match=r"1 of 3 files are not there, the first is .*000002\.tar"):
        load([f"train={bucket}/shards/train-{{000000..000002}}.tar", f"val={bucket}/shards/val-*.tar"], Config())


def test_file_addresses_are_paths(data):
    address = (data / "pictures").as_uri()
    assert found_in(address, root=data) == found_in(data / "pictures", root=data)


def test_previews(memory):
    report = leakaudit.audit(f"{memory}/shards", use_cache=False, previews=True, select=("LA101",))
    assert report.previews
    assert all(Image.open(io.BytesIO(each)).size for each in report.previews.values())


# --- the cache, and what changes under it -----------------------------------------------------------------------


def test_an_unchanged_object_is_not_read_again(bucket, tmp_path, monkeypatch):
    settings = {"use_cache": True, "cache_dir": tmp_path / "cache", "select": ("LA101",)}
    first = found_in(f"{bucket}/pictures", root=bucket, **settings)
    asked = []
    monkeypatch.setattr(remote, "try_ranges", lambda ranges: asked.extend(ranges) or [b""] * len(ranges))
    for kept in (tmp_path / "cache" / "results").glob("*.json"):
        kept.unlink()  # outcomes are kept, too: look at the fingerprints alone
    again = found_in(f"{bucket}/pictures", root=bucket, **settings)
    names = {address.rpartition("/")[2] for address, *_ in asked}
    assert names <= {"broken.png", "empty.png", "lfs.png", "unnamed", "readme.txt"}  # what has no record is looked at
    assert again["findings"] == first["findings"]


def test_an_object_overwritten_by_one_of_the_same_size_is_read_anew(bucket, tmp_path):
    fs = s3fs.S3FileSystem(skip_instance_cache=True)
    bmp = [io.BytesIO(), io.BytesIO()]
    for at, file in enumerate(bmp):
        Image.open(io.BytesIO(picture(900 + at))).save(file, "BMP")
    for split, at in (("train", 0), ("val", 1)):
        fs.pipe_file(f"bucket/small/{split}/a.bmp", bmp[at].getvalue())
    settings = {"use_cache": True, "cache_dir": tmp_path / "cache", "select": ("LA101",)}
    assert not found_in("s3://bucket/small", root="s3://bucket/small", **settings)["findings"]
    fs.pipe_file("bucket/small/val/a.bmp", bmp[0].getvalue())
    assert found_in("s3://bucket/small", root="s3://bucket/small", **settings)["findings"]


def test_objects_that_vanish_or_grow_after_the_listing_are_counted(memory, monkeypatch):
    fs = fsspec.filesystem("memory")
    whole = remote._list_whole

    def then_change(address: str) -> None:
        whole(address)
        fs.rm_file("/data/pictures/train/c0/0.png")
        fs.pipe_file("/data/pictures/train/c0/2.png", picture(2) + b"more")

    monkeypatch.setattr(remote, "_list_whole", then_change)
    report = leakaudit.audit(f"{memory}/pictures", use_cache=False, select=("LA001",))
    said = {problem.uri: (problem.kind, problem.reason) for problem in report.coverage.problems}
    assert said["train/c0/0.png"] == ("missing", "gone since it was listed")
    assert said["train/c0/2.png"] == ("unreadable", "changed since it was listed")


def test_copies_of_tables_are_removed(bucket, monkeypatch, tmp_path):
    import gc

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    report = leakaudit.audit(f"{bucket}/parquet", label="y", use_cache=False, select=("LA104",))
    assert report.findings
    del report
    gc.collect()
    assert not list(tmp_path.iterdir())


# --- what is refused, and what goes wrong -----------------------------------------------------------------------


def test_one_clear_line(bucket, monkeypatch):
    def said(*paths: str) -> str:
        with pytest.raises(InputError) as caught:
            load(paths, Config())
        assert "\n" not in str(caught.value)
        assert "secret" not in str(caught.value)
        return str(caught.value)

    assert said("s3://no-such-bucket/x") == "s3://no-such-bucket/x: no such bucket: no-such-bucket"
    assert said("s3://bucket/nothing") == "s3://bucket/nothing: no such object or folder"
    assert said("s3://bucket/data/*.zip") == "s3://bucket/data/*.zip: no object matches this pattern"
    assert "user or password" in said("s3://id:secret@bucket/data")
    assert "query string" in said("az://container/data?sv=1&sig=secret")
    assert "AZURE_STORAGE_ACCOUNT_NAME" in said("abfs://container@account.dfs.core.windows.net/data")
    assert "ftp:// is not read" in said("ftp://user:secret@host/data")
    monkeypatch.setattr(s3fs.S3FileSystem, "info", refuse)
    assert said("s3://bucket/data") == "s3://bucket/data: access denied with the credentials in use"


def refuse(*_args: object, **_named: object) -> None:
    raise PermissionError("Access Denied")


def test_no_access_to_single_objects_is_counted(memory, monkeypatch):
    fs = fsspec.filesystem("memory")
    read = type(fs).cat_ranges

    def denied(self, paths, starts, ends, **named):
        got = read(self, paths, starts, ends, **named)
        refused = PermissionError("no")
        return [refused if path.endswith("/0.png") else each for path, each in zip(paths, got, strict=True)]

    monkeypatch.setattr(type(fs), "cat_ranges", denied)
    report = leakaudit.audit(f"{memory}/pictures", use_cache=False, select=("LA001",))
    assert "train/c0/0.png" in {problem.uri for problem in report.coverage.problems}


@pytest.mark.slow
def test_connection_refused(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    with pytest.raises(InputError, match="its service cannot be reached"):
        load(["s3://bucket/data"], Config())


def test_without_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(InputError, match=re.escape("pip install 'leakaudit[remote]'")):
        load(["s3://bucket/data"], Config())


def test_a_local_scan_never_imports_fsspec(data):
    code = f"import sys, leakaudit; leakaudit.audit({str(data / 'shards')!r}, use_cache=False, select=('LA101',))"
    script = f"{code}; print('fsspec' in sys.modules or 'botocore' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=os.environ)
    assert done.stdout.strip() == "False"


def test_keys_that_are_no_paths_are_counted(memory):
    fs = fsspec.filesystem("memory")
    fs.store["/data/pictures/train/c0//twice.png"] = type(fs.store["/data/train.csv"])(fs, "/x", picture(8))
    dataset = load([f"{memory}/pictures"], Config())
    said = {problem.uri: problem.reason for problem in dataset.problems}
    assert said["train/c0//twice.png"] == "its key has an empty or dotted part: no path"


def test_a_manifest_reaches_no_bucket_that_was_not_named(memory):
    fs = fsspec.filesystem("memory")
    fs.pipe_file("/elsewhere/0.png", picture(0))
    rows = ["pictures/train/c0/0.png", "memory://data/pictures/train/c0/2.png", "memory://elsewhere/0.png"]
    rows += ["../elsewhere/0.png", "../../../elsewhere/0.png", "s3://k:secret@bucket/0.png?sig=secret"]
    table = "path,split\n" + "".join(f"{row},train\n" for row in rows) + "pictures/val/c1/25.png,val\n"
    fs.pipe_file("/data/pictures.csv", table.encode())
    dataset = load([f"{memory}/pictures.csv"], Config())
    assert dataset.samples is not None
    assert [uri for uri in dataset.samples.uri.to_pylist() if "elsewhere" in uri] == []
    assert len(dataset.samples) == 3
    assert len(dataset.problems) == 4
    assert "secret" not in repr(dataset.problems)


def test_a_local_manifest_cannot_ask_the_network(tmp_path, monkeypatch):
    monkeypatch.setattr(remote, "_system", refuse)
    for split in ("train", "val"):
        (tmp_path / f"{split}.png").write_bytes(picture(len(split)))
    table = "path,split\ntrain.png,train\nval.png,val\ns3://bucket/a.png,train\nmemory://data/b.png,val\n"
    (tmp_path / "all.csv").write_text(table)
    dataset = load([str(tmp_path / "all.csv")], Config(path_column="path"))
    assert {problem.reason for problem in dataset.problems} == {"a remote address, not read"}


def test_addresses():
    assert addresses.common_folder(["s3://b/x/train", "s3://b/x/val"]) == "s3://b/x"
    assert addresses.common_folder(["s3://b/x", "s3://c/x"]) == ""
    assert addresses.redacted("s3://u:p@b/x?versionId=1") == "s3://b/x"
    assert (
        addresses.redacted("abfs://container@account.dfs.core.windows.net/x") == "abfs://account.dfs.core.windows.net/x"
    )
    assert storage.parent("s3://bucket") == "s3://bucket"
    assert storage.parent("s3://bucket/a") == "s3://bucket"
    with pytest.raises(FileNotFoundError):
        addresses.cleaned("s3://bucket/../other/x")
    with pytest.raises(FileNotFoundError):
        addresses.cleaned("hf://datasets/user/repo/../../other/repo/x")


def test_addresses_in_the_configuration_file_and_in_other_tools_formats(memory, tmp_path):
    from leakaudit.render.ci.places import place
    from leakaudit.settings.finding import find, paths_of, same_paths

    (tmp_path / "leakaudit.toml").write_text('[datasets.a]\npaths = ["train=s3://bucket/x", "data"]\n')
    file = find([str(tmp_path)])
    assert file is not None
    assert paths_of(file, "a")[0] == "train=s3://bucket/x"
    assert same_paths(["s3://bucket/x/"], ["s3://bucket/x"])
    report = leakaudit.audit(f"{memory}/shards", use_cache=False, select=("LA101",))
    at = place(report, "train-000000.tar/a b.png")
    assert at.path == "memory://data/shards/train-000000.tar/a b.png"
    assert at.uri == "memory://data/shards/train-000000.tar/a%20b.png"
