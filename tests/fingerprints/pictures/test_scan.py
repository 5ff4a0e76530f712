"""All pictures of a folder: right records, in order, each read and decoded once, whatever the cache does."""

from __future__ import annotations

import io
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import imagehash
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from leakaudit.config import Config
from leakaudit.engines import workers
from leakaudit.engines.progress import silent
from leakaudit.fingerprints.cache import record as images
from leakaudit.fingerprints.cache import store as cache_module
from leakaudit.fingerprints.cache.record import FORMATS, MODES
from leakaudit.fingerprints.pictures import chunk as image_chunk
from leakaudit.fingerprints.pictures import contents as image_contents
from leakaudit.fingerprints.pictures import scan as image_scan
from leakaudit.fingerprints.pictures.contents import Listed
from leakaudit.fingerprints.pictures.pixels import pixel_digest
from leakaudit.fingerprints.pictures.scan import fingerprint_images
from leakaudit.model import Samples
from processes import DEADLY

LONG_AGO = 1_600_000_000


def samples(folder: Path, *, stats: bool = False) -> Samples:
    names = sorted(path.name for path in folder.iterdir())
    paths = [os.fsencode(folder / name) for name in names]
    sizes = np.array([(folder / name).stat().st_size for name in names]) if stats else None
    times = np.array([(folder / name).stat().st_mtime_ns for name in names]) if stats else None
    split = (np.arange(len(names)) % 2).astype(np.int16)
    return Samples(pa.array(names, pa.string()), pa.array(paths, pa.binary()), split, size=sizes, mtime_ns=times)


def fill(folder: Path, n: int = 12) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(n):
        random = np.random.default_rng(i)
        image = Image.fromarray(random.integers(0, 256, (6, 9, 3), dtype=np.uint8)).resize((60 + 40 * (i % 5), 80))
        image = image.convert(("RGB", "L")[i % 2])
        image.save(folder / f"{i:03d}{('.png', '.jpg', '.bmp')[i % 3]}")
    for path in folder.iterdir():
        os.utime(path, (LONG_AGO, LONG_AGO))
    return folder


@pytest.fixture
def data(tmp_path) -> Path:
    return fill(tmp_path / "data")


@pytest.fixture
def config(tmp_path) -> Config:
    return Config(cache_dir=tmp_path / "cache", jobs=1)


@pytest.fixture
def calls(monkeypatch) -> dict[str, int]:
    """How often files are read and decoded; in this process, where that can be counted."""
    monkeypatch.setattr(workers.Worker, "start", lambda: None)
    counts = {"read": 0, "decode": 0}

    def counted(name, function):
        def call(*args, **named):
            counts[name] += 1
            return function(*args, **named)

        return call

    monkeypatch.setattr(image_contents, "read_here", counted("read", image_contents.read_here))
    monkeypatch.setattr(image_chunk, "decode", counted("decode", image_chunk.decode))
    return counts


def scan(folder: Path, config: Config, **named):
    return fingerprint_images(samples(folder, **named), config, silent, splits=("train", "val"))


def test_records_say_what_is_in_the_files(data, config):
    found = scan(data, config)
    assert found.ok.all()
    for record, name in zip(found.records, samples(data).uri.to_pylist(), strict=True):
        with Image.open(data / name) as image:
            assert (record["width"], record["height"]) == image.size
            assert FORMATS[record["format"]] == image.format
            assert MODES[record["mode"]] == image.mode
            assert record["size"] == (data / name).stat().st_size
            reduced = int(record["reduced"])
            if reduced > 1:
                assert image.format == "JPEG"
                assert record["pixels"].tobytes() == bytes(16)
                image.draft(image.mode, (32, 32))
            else:
                assert record["pixels"].tobytes() == pixel_digest(image)
            assert f"{record['phash']:016x}" == str(imagehash.phash(image))
            assert f"{record['dhash']:016x}" == str(imagehash.dhash(image))
            grey = image.convert("L")
            assert np.array_equal(record["luma"], np.asarray(grey.resize((32, 32), Image.Resampling.LANCZOS)))
            assert record["spread"] == pytest.approx(np.asarray(grey).std(), abs=1e-3)


def test_large_pictures_are_measured_alike(tmp_path, config):
    folder = tmp_path / "large"
    folder.mkdir()
    random = np.random.default_rng(0)
    image = Image.fromarray(random.integers(0, 256, (9, 9, 3), dtype=np.uint8)).resize((700, 500))
    image.save(folder / "a.png")
    record = scan(folder, config).records[0]
    assert f"{record['phash']:016x}" == str(imagehash.phash(image))
    assert record["pixels"].tobytes() == pixel_digest(image)
    box = np.asarray(image.convert("YCbCr").resize((8, 8), Image.Resampling.BOX)).astype(int)
    assert np.abs(record["chroma"].astype(int) - box[..., 1:].transpose(2, 0, 1)).max() <= 3


@pytest.mark.parametrize("jobs", [1, 3])
@pytest.mark.parametrize("threads", [False, True])
@pytest.mark.parametrize("size", [{"CHUNK": 5}, {"CHUNK_BYTES": 3_000}, {"CHUNK_BYTES": 1}])
def test_the_same_however_it_is_spread(data, config, jobs, threads, size, monkeypatch):
    expected = scan(data, config, stats=True).records
    for name, value in size.items():
        monkeypatch.setattr(image_scan, name, value)
    if threads:
        monkeypatch.setattr(workers.Worker, "start", lambda: None)
    found = scan(data, Config(use_cache=False, jobs=jobs), stats=True).records
    assert found.tobytes() == expected.tobytes()


@given(
    sizes=st.lists(st.integers(-1, 50), min_size=1, max_size=40),
    most=st.integers(1, 10),
    most_bytes=st.integers(1, 100),
)
def test_chunks_hold_every_file_once_and_stay_small(sizes, most, most_bytes):
    files = [Listed(b"%d" % at, size, -1) for at, size in enumerate(sizes)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(image_scan, "CHUNK", most)
        patch.setattr(image_scan, "CHUNK_BYTES", most_bytes)
        chunks = list(image_scan._chunks(files))
    assert [file for chunk in chunks for file in chunk] == files
    for chunk in chunks:
        assert 1 <= len(chunk) <= most
        assert len(chunk) == 1 or sum(max(file.size, 0) for file in chunk) <= most_bytes


def test_many_records_lie_in_a_file(data, config, monkeypatch, tmp_path):
    expected = scan(data, Config(use_cache=False)).records
    monkeypatch.setattr(images, "IN_FILE_FROM", 1)
    mapped = []
    monkeypatch.setattr(
        np, "memmap", lambda *args, map_file=np.memmap, **named: mapped.append(1) or map_file(*args, **named)
    )
    for _ in range(2):
        assert scan(data, config).records.tobytes() == expected.tobytes()
    assert len(mapped) >= 2
    assert [path.name for path in config.cache_dir.iterdir() if "tmp" in path.name] == []
    in_memory = images.blank_records(3, tmp_path / "no such folder")
    assert in_memory.tobytes() == bytes(3 * images.RECORD.itemsize)


def mixed_formats(folder: Path) -> Path:
    """JPEGs and PNGs, and rarer formats; some of these under the names of a JPEG and a PNG."""
    folder = fill(folder)
    for i, name in enumerate(("a.webp", "b.gif", "c.tif", "d.webp", "e.jpg", "f.png")):
        random = np.random.default_rng(100 + i)
        image = Image.fromarray(random.integers(0, 256, (6, 9, 3), dtype=np.uint8)).resize((70 + i, 80))
        image.save(folder / name, "WEBP" if name in ("e.jpg", "f.png") else None)
    return folder


@pytest.mark.parametrize("name", ["x.webp", "x.jpg"])
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_picture_that_crashes_its_decoder_loses_itself_and_nothing_else(tmp_path, config, monkeypatch, name, jobs):
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(DEADLY)
    inherited = os.environ.get("PYTHONPATH", "")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path / "site"), inherited]))
    folder = mixed_formats(tmp_path / "mixed")
    Image.new("RGB", (66, 66)).save(folder / name, "WEBP")
    config = Config(cache_dir=config.cache_dir, jobs=jobs)
    for _ in range(2):
        found = scan(folder, config)
        (problem,) = found.problems
        assert (problem.uri, problem.kind, problem.reason) == (name, "unreadable", "damaged: it crashes the decoder")
        assert found.ok.sum() == 18


def test_a_limit_that_was_set_in_python_holds_in_workers(data, config, monkeypatch):
    Image.new("L", (1500, 1500)).save(data / "large.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1 << 20)
    (problem,) = scan(data, config).problems
    assert (problem.uri, problem.reason) == (
        "large.png",
        "more than 2,097,152 pixels: not decoded (decompression bomb guard)",
    )


def test_no_pictures_at_all(tmp_path, config):
    (tmp_path / "empty").mkdir()
    found = scan(tmp_path / "empty", config)
    assert len(found) == 0
    assert found.ok.shape == (0,)


def test_problems_name_file_split_and_reason(data, config, monkeypatch):
    (data / "100.jpg").write_bytes(b"nothing")
    (data / "101.jpg").mkdir()
    (data / "102.jpg").write_bytes(b"")
    listed = samples(data)
    (data / "000.png").unlink()
    for _ in range(2):
        found = fingerprint_images(listed, config, silent, splits=("train", "val"))
        assert [(problem.uri, problem.kind, problem.split) for problem in found.problems] == [
            ("000.png", "missing", "train"),
            ("100.jpg", "unreadable", "train"),
            ("101.jpg", "unreadable", "val"),
            ("102.jpg", "unreadable", "train"),
        ]
        assert found.ok.sum() == 11


@pytest.mark.skipif(os.name != "posix", reason="listings of Windows may lag behind")
def test_a_file_that_changes_after_the_listing_is_a_problem(data, config):
    listed = samples(data, stats=True)
    (data / "001.jpg").write_bytes((data / "004.jpg").read_bytes() + b"more")
    (problem,) = fingerprint_images(listed, config, silent).problems
    assert (problem.uri, problem.reason) == ("001.jpg", "changed since it was listed")


def test_decoders_do_not_talk(tmp_path, config, capfd):
    folder = tmp_path / "noisy"
    folder.mkdir()
    Image.new("P", (40, 40)).save(folder / "a.png", transparency=b"\0\1\2")
    tiff = io.BytesIO()
    Image.new("RGB", (40, 40)).save(tiff, "TIFF")
    (folder / "b.tif").write_bytes(tiff.getvalue()[:-10])
    large = Image.new("1", (10_000, 9_500))
    large.save(folder / "c.png")
    scan(folder, config)
    assert capfd.readouterr() == ("", "")


# --- the cache ---------------------------------------------------------------------------------------------------


def test_an_unchanged_folder_is_not_opened_again(data, config, calls):
    first = scan(data, config, stats=True)
    assert calls == {"read": 12, "decode": 12}
    second = scan(data, config, stats=True)
    assert calls == {"read": 12, "decode": 12}
    assert second.records.tobytes() == first.records.tobytes()


def test_only_what_changed_is_looked_at(data, config, calls):
    scan(data, config)
    shutil.copy(data / "001.jpg", data / "200.jpg")
    os.utime(data / "200.jpg", (LONG_AGO, LONG_AGO))
    (data / "002.bmp").rename(data / "300.png")
    os.utime(data / "003.png")
    found = scan(data, config)
    assert calls == {"read": 15, "decode": 12}
    fresh = scan(data, Config(use_cache=False, jobs=1))
    assert found.records.tobytes() == fresh.records.tobytes()


def test_a_new_picture_under_an_old_name_and_size(data, config, calls):
    scan(data, config)
    before = (data / "002.bmp").read_bytes()
    (data / "002.bmp").write_bytes(before[:-3] + bytes(255 - byte for byte in before[-3:]))
    os.utime(data / "002.bmp", (LONG_AGO + 60, LONG_AGO + 60))
    found = scan(data, config)
    assert calls["decode"] == 13
    assert found.records.tobytes() == scan(data, Config(use_cache=False)).records.tobytes()


def test_files_modified_a_moment_ago_are_read_again_but_not_decoded(data, config, calls):
    now = time.time()
    for path in data.iterdir():
        os.utime(path, (now, now))
    scan(data, config)
    scan(data, config)
    assert calls == {"read": 24, "decode": 12}


def test_without_the_cache_nothing_is_written(data, tmp_path, calls):
    config = Config(cache_dir=tmp_path / "none", use_cache=False, jobs=1)
    scan(data, config)
    scan(data, config)
    assert calls["decode"] == 24
    assert not (tmp_path / "none").exists()


def test_damaged_pictures_are_not_decoded_again(data, config, calls):
    (data / "100.png").write_bytes((data / "000.png").read_bytes()[:60])
    os.utime(data / "100.png", (LONG_AGO, LONG_AGO))
    first = scan(data, config)
    second = scan(data, config)
    assert calls == {"read": 14, "decode": 13}
    assert first.problems == second.problems


def test_relative_paths_mean_other_files_elsewhere(data, config, tmp_path, monkeypatch):
    other = tmp_path / "other"
    shutil.copytree(data, other)
    (other / "000.png").write_bytes((other / "003.png").read_bytes())
    os.utime(other / "000.png", (LONG_AGO, LONG_AGO))
    records = []
    for folder in (data, other):
        monkeypatch.chdir(folder)
        names = samples(folder).uri.to_pylist()
        listed = Samples(pa.array(names), pa.array([os.fsencode(n) for n in names]), np.zeros(len(names), np.int16))
        records.append(fingerprint_images(listed, config, silent).records)
    assert records[0]["content"][0] != records[1]["content"][0]


@pytest.mark.parametrize("damage", ["garbage", "truncated", "folder", "flipped", "emptied"])
def test_a_damaged_cache_never_fails_and_never_lies(data, config, damage):
    expected = scan(data, config).records
    path = config.cache_dir / cache_module.data_base_name()
    whole = path.read_bytes()
    if damage == "garbage":
        path.write_bytes(b"no data base" * 1000)
    elif damage == "truncated":
        path.write_bytes(whole[: len(whole) // 2])
    elif damage == "emptied":
        path.write_bytes(b"")
    elif damage == "flipped":
        at = whole.index(expected["luma"][3].tobytes()[:64])
        path.write_bytes(whole[:at] + bytes(64) + whole[at + 64 :])
    else:
        path.unlink()
        path.mkdir()
    for _ in range(2):
        found = scan(data, config)
        assert found.records.tobytes() == expected.tobytes()
    assert bool(found.notes) == (damage in {"garbage", "truncated", "folder"})
    assert all("cache" in note for note in found.notes)


def test_a_cache_that_cannot_be_made(data, tmp_path):
    (tmp_path / "file").write_text("in the way")
    found = scan(data, Config(cache_dir=tmp_path / "file" / "cache", jobs=1))
    assert found.ok.all()
    (note,) = found.notes
    assert "could not be used" in note


def test_packs_fill_up_and_old_ones_go(data, config, monkeypatch, tmp_path, calls):
    monkeypatch.setattr(cache_module, "PACK", 5)
    monkeypatch.setattr(cache_module, "PACKS_KEPT", 3)
    scan(data, config)
    more = fill(tmp_path / "more", 20)
    monkeypatch.setattr(cache_module, "_today", lambda: 10**6)
    scan(more, config)
    with sqlite3.connect(config.cache_dir / cache_module.data_base_name()) as db:
        sizes = [n for (n,) in db.execute("SELECT n FROM packs ORDER BY id")]
    db.close()
    assert len(sizes) >= 3
    for folder in (data, more):
        assert scan(folder, config).records.tobytes() == scan(folder, Config(use_cache=False)).records.tobytes()


SCAN = """
import sys
from pathlib import Path
sys.path[:0] = {here!r}
from test_scan import fingerprint_images, samples, silent, workers, Config, image_scan
workers.Worker.start = lambda: None
image_scan.SAVED_TOGETHER = 3
image_scan.CHUNK = 3
found = fingerprint_images(samples(Path(sys.argv[1])), Config(cache_dir=Path(sys.argv[2]), jobs=1), silent)
assert not found.notes, found.notes
print(hash(found.records.tobytes()) and found.records.tobytes().hex()[:64], found.ok.sum())
"""


def start(data: Path, cache: Path) -> subprocess.Popen[str]:
    code = SCAN.format(here=[str(Path(__file__).parent), str(Path(__file__).parents[2])])
    return subprocess.Popen(
        [sys.executable, "-c", code, data, cache], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_several_scans_at_once(tmp_path):
    folder = fill(tmp_path / "data", 60)
    running = [start(folder, tmp_path / "cache") for _ in range(3)]
    answers = {process.communicate(timeout=120) for process in running}
    assert len(answers) == 1
    assert answers.pop()[0].split()[1] == "60"
    with sqlite3.connect(tmp_path / "cache" / cache_module.data_base_name()) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert db.execute("SELECT count(*) FROM contents").fetchone() == (60,)
    db.close()


@pytest.mark.skipif(os.name != "posix", reason="sends SIGKILL")
def test_a_killed_scan_leaves_a_cache_that_works(tmp_path, config):
    folder = fill(tmp_path / "data", 150)
    expected = scan(folder, Config(use_cache=False)).records
    base = config.cache_dir / cache_module.data_base_name()
    for delay in (0.0, 0.02, 0.05, 0.1):
        process = start(folder, config.cache_dir)
        deadline = time.monotonic() + 60
        while not base.exists() and time.monotonic() < deadline and process.poll() is None:
            time.sleep(0.005)
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        found = scan(fill(tmp_path / "few", 5), config)
        assert not found.notes
    found = scan(folder, config)
    assert not found.notes
    assert found.records.tobytes() == expected.tobytes()


KILLED = """
import os, signal
decode, n = image_chunk.decode, 0
def kill_at_100(*args, **named):
    global n
    n += 1
    if n == 100:
        os.kill(os.getpid(), signal.SIGKILL)
    return decode(*args, **named)
image_chunk.decode = kill_at_100
"""


@pytest.mark.skipif(os.name != "posix", reason="sends SIGKILL")
def test_a_killed_scan_goes_on_where_it_was(tmp_path, config, calls):
    folder = fill(tmp_path / "data", 150)
    code = SCAN.format(here=[str(Path(__file__).parent), str(Path(__file__).parents[2])]).replace(
        "import fing", "import image_chunk, fing"
    )
    code = code.replace("found =", f"{KILLED}found =")
    killed = subprocess.run([sys.executable, "-c", code, folder, config.cache_dir], capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert not killed.stdout
    found = scan(folder, config)
    assert 150 - 99 <= calls["decode"] <= 150 - 99 + 3 * 3  # three at a time are saved, while others are decoded
    assert found.records.tobytes() == scan(folder, Config(use_cache=False)).records.tobytes()


def test_an_interrupted_scan_goes_on_where_it_was(tmp_path, config, calls, monkeypatch):
    folder = fill(tmp_path / "data", 60)
    monkeypatch.setattr(image_scan, "SAVED_TOGETHER", 3)
    monkeypatch.setattr(image_scan, "CHUNK", 3)
    decode = image_chunk.decode

    def interrupted(*args, **named):
        if calls["decode"] == 40:
            raise KeyboardInterrupt
        return decode(*args, **named)

    with monkeypatch.context() as patch:
        patch.setattr(image_chunk, "decode", interrupted)
        with pytest.raises(KeyboardInterrupt):
            scan(folder, config)
    found = scan(folder, config)
    assert calls["decode"] == 40 + 60 - 39
    assert found.ok.all()


@pytest.mark.realdata
def test_a_peers_test_pictures(unpacked, config):
    folder = unpacked("imagededup-tests")
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".py")
    names = [path.relative_to(folder).as_posix() for path in paths if path.name != "LICENSE"]
    listed = Samples(
        pa.array(names), pa.array([os.fsencode(folder / n) for n in names]), np.zeros(len(names), np.int16)
    )
    found = fingerprint_images(listed, config, silent)
    assert {Path(problem.uri).stem for problem in found.problems} <= {
        "ukbench09268_corrupt",
        "ukbench00120_svg",
    } or all("corrupt" in problem.uri or problem.uri.endswith(".svg") for problem in found.problems)
    assert any("corrupt" in problem.uri for problem in found.problems)
