"""Tar shards: what is read of them, and that nothing in them is followed, unpacked or lost without a word."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import leakaudit
from leakaudit.config import Config
from leakaudit.errors import ConfigError, InputError, LayoutError
from leakaudit.fingerprints.pictures.files import Unreadable, read_file
from leakaudit.model import Dataset
from leakaudit.sources.base import expand_braces
from leakaudit.sources.layouts import load
from leakaudit.sources.readers.tar_shards import read_shard
from leakaudit.sources.storage.members import Range, locate, member_path
from shards import picture, write_shard


def sample(i: int, **fields: object) -> list[tuple[str, bytes]]:
    """Members of one sample: a picture, and fields by extension (JSON where they are dicts)."""
    members = [(f"{i:05d}.png", picture(i))]
    for ending, value in fields.items():
        text = json.dumps(value) if isinstance(value, dict) else str(value)
        members.append((f"{i:05d}.{ending}", text.encode()))
    return members


def two_splits(root: Path, members: list | None = None) -> Path:
    write_shard(root / "train-000000.tar", members if members is not None else sample(1, cls=0) + sample(2, cls=1))
    write_shard(root / "val-000000.tar", sample(2, cls=1))
    return root


def reasons(dataset: Dataset) -> dict[str, tuple[str, str]]:
    return {problem.uri: (problem.kind, problem.reason) for problem in dataset.problems}


# --- recognising ------------------------------------------------------------------------------------------------


def test_splits_by_the_names_of_shards(tmp_path):
    for k in range(3):
        write_shard(tmp_path / f"train-{k:06d}.tar", sample(k, cls=k))
    write_shard(tmp_path / "val-000000.tar", sample(9, cls=0))
    (tmp_path / "notes.tar").touch()
    dataset = load([tmp_path], Config())
    assert dataset.layout.name == "webdataset"
    assert dataset.splits == ("train", "val")
    assert dataset.samples is not None
    assert dataset.samples.uri.to_pylist() == [
        *(f"train-{k:06d}.tar/{k:05d}.png" for k in range(3)),
        "val-000000.tar/00009.png",
    ]
    assert dataset.samples.label.to_pylist() == ["0", "1", "2", "0"]
    assert "notes.tar" in dataset.notes[0]


def test_splits_by_folders(tmp_path):
    for split in ("training", "dev"):
        (tmp_path / split).mkdir()
        write_shard(tmp_path / split / "000000.tar", sample(len(split)))
    dataset = load([tmp_path], Config())
    assert dataset.splits == ("train", "val")
    named = load([f"train={tmp_path}/training", f"val={tmp_path}/dev"], Config())
    assert named.samples is not None
    assert named.samples.uri.equals(dataset.samples.uri)


def test_one_split_only(tmp_path):
    write_shard(tmp_path / "train-0.tar", sample(1))
    with pytest.raises(LayoutError, match="tar shards of one split only, train"):
        load([tmp_path], Config())
    assert load([tmp_path], Config(within=True)).splits == ("train",)


def test_files_without_a_split_in_their_names(tmp_path):
    write_shard(tmp_path / "a.tar", sample(1))
    write_shard(tmp_path / "b.tar", sample(2))
    with pytest.raises(LayoutError, match="name does not say which split"):
        load([tmp_path / "a.tar", tmp_path / "b.tar"], Config())
    assert load([f"train={tmp_path}/a.tar", f"val={tmp_path}/b.tar"], Config()).splits == ("train", "val")


@given(st.integers(0, 10**6), st.integers(-3, 40), st.integers(1, 9))
def test_ranges_in_braces(first, more, width):
    last = first + more
    found = expand_braces(f"a/x-{{{first:0{width}}..{max(last, 0):0{width}}}}.tar")
    assert found == tuple(
        f"a/x-{number:0{max(width, len(str(first)))}}.tar" for number in range(first, max(last, 0) + 1)
    )


def test_a_range_without_end_is_refused(tmp_path):
    with pytest.raises(InputError, match="more than 1,000,000"):
        load([f"train={tmp_path}/{{0..9999999999}}.tar"], Config())
    with pytest.raises(InputError, match="an empty range"):
        load([f"train={tmp_path}/{{5..2}}.tar"], Config())


# --- labels -----------------------------------------------------------------------------------------------------


def test_labels_and_groups_from_json(tmp_path):
    for split, i in (("train", 1), ("val", 2)):
        fields = {"label": f"cat{i}", "patient_id": i, "caption": "x" * 99}
        write_shard(tmp_path / f"{split}.tar", sample(i, json=fields))
    dataset = load([tmp_path], Config())
    assert dataset.samples is not None
    assert dataset.samples.label.to_pylist() == ["cat1", "cat2"]
    assert dataset.samples.group.to_pylist() == ["1", "2"]
    told = load([tmp_path], Config(label="caption"))
    assert told.samples is not None
    assert told.samples.label.to_pylist() == ["x" * 99] * 2
    with pytest.raises(ConfigError, match="no sample has a field 'nothing'"):
        load([tmp_path], Config(label="nothing"))


def test_cls_goes_before_json_and_may_be_absent(tmp_path):
    two_splits(tmp_path, sample(1, cls=" 7\n", json={"label": "no"}) + sample(2))
    dataset = load([tmp_path], Config())
    assert dataset.samples is not None
    assert dataset.samples.label.to_pylist() == ["7", None, "1"]


def test_fields_that_are_no_json(tmp_path):
    two_splits(tmp_path, [*sample(1), ("00001.json", b"{"), *sample(2), ("00002.json", b"[" * 200_000)])
    assert {reason for _, reason in reasons(load([tmp_path], Config())).values()} == {
        "not JSON: its fields are unknown"
    }


def test_masks_beside_a_picture_are_no_samples(tmp_path):
    two_splits(
        tmp_path, [("a.seg.png", picture(3)), ("a.png", picture(1)), ("b.in.png", picture(4)), ("a/._x.png", b"")]
    )
    dataset = load([tmp_path], Config())
    assert dataset.samples is not None
    assert [uri.rpartition("/")[2] for uri in dataset.samples.uri.to_pylist()] == ["a.png", "b.in.png", "00002.png"]
    assert dataset.n_other_files == 2


# --- what is wrong in shards ------------------------------------------------------------------------------------


def link(name: str, kind: bytes, target: str = "/etc/passwd") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def test_nothing_is_followed(tmp_path):
    members = [
        *sample(1),
        link("a.png", tarfile.SYMTYPE),
        link("b.png", tarfile.LNKTYPE, "00001.png"),
        link("c.png", tarfile.FIFOTYPE),
        link("d.txt", tarfile.SYMTYPE),
        link("folder.png", tarfile.DIRTYPE),
        ("/etc/e.png", picture(5)),
        ("../f.png", picture(6)),
        ("x/../../g.png", picture(7)),
        ("./h.png", picture(8)),
        ("film.mp4", b"film"),
        ("00001.txt", b"a caption"),
    ]
    dataset = load([two_splits(tmp_path, members)], Config())
    assert dataset.samples is not None
    assert [uri.rpartition("/")[2] for uri in dataset.samples.uri.to_pylist()][:2] == ["00001.png", "h.png"]
    said = {uri.removeprefix("train-000000.tar/"): reason for uri, (_, reason) in reasons(dataset).items()}
    assert said == {
        "a.png": "a symbolic link inside a shard: not followed",
        "b.png": "a hard link inside a shard: not followed",
        "c.png": "a special file inside a shard: not followed",
        "/etc/e.png": "its name leads out of the shard: not read",
        "../f.png": "its name leads out of the shard: not read",
        "x/../../g.png": "its name leads out of the shard: not read",
        "film.mp4": "members of type .mp4 are not read",
        "00001.txt": "its key occurs again later in this shard",
    }


def test_names_that_occur_twice(tmp_path):
    dataset = load([two_splits(tmp_path, sample(1) + sample(2) + sample(1))], Config())
    assert reasons(dataset)["train-000000.tar/00001.png"] == ("duplicate-path", "named more than once in this shard")
    assert dataset.samples is not None
    assert len(dataset.samples) == 3


@pytest.mark.parametrize("lost", [1, 700, 1024, 1500, 5000])
def test_a_shard_cut_short_is_said(tmp_path, lost):
    members = [member for i in range(4) for member in sample(i, cls=i)]
    two_splits(tmp_path, members)
    path = tmp_path / "train-000000.tar"
    with tarfile.open(path) as tar:
        end = tar.getmembers()[-1].offset_data + 512
    path.write_bytes(path.read_bytes()[: end + 1024 - lost])
    report = leakaudit.audit(tmp_path, use_cache=False, select=("LA001",))
    said = {problem.uri: problem.reason for problem in report.coverage.problems}
    if lost == 1:  # one of two blocks of zeros is whole
        assert said == {}
    else:
        assert "train-000000.tar" in said
        assert "cut short" in (told := said["train-000000.tar"]) or "ends early" in told or "damaged" in told


def test_a_damaged_header_in_the_middle_is_said(tmp_path):
    two_splits(tmp_path, [member for i in range(4) for member in sample(i)])
    path = tmp_path / "train-000000.tar"
    with tarfile.open(path) as tar:
        at = tar.getmembers()[2].offset
    data = bytearray(path.read_bytes())
    data[at : at + 100] = b"\xff" * 100
    path.write_bytes(data)
    said = reasons(load([tmp_path], Config()))["train-000000.tar"]
    assert said == ("unreadable", "a damaged header after 2 members: the rest was not read")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "an empty file"),
        (b"no tar at all" * 99, "not a tar file"),
        (gzip.compress(b"x" * 9999), "compressed with gzip"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
    ],
    ids=["empty", "something else", "compressed", "pointer"],
)
def test_what_is_no_tar(tmp_path, content, reason):
    two_splits(tmp_path)
    (tmp_path / "train-000001.tar").write_bytes(content)
    assert reason in reasons(load([tmp_path], Config()))["train-000001.tar"][1]
    (tmp_path / "train-000000.tar").unlink()
    with pytest.raises(InputError, match=r"the split train .* has no picture"):
        load([tmp_path], Config())


@given(st.binary(max_size=3000), st.integers(0, 8000))
def test_any_bytes_are_read_or_said(tmp_path_factory, junk, at):
    path = tmp_path_factory.getbasetemp() / "fuzzed.tar"
    write_shard(path, sample(1, cls=3, json={"label": "a"}))
    data = bytearray(path.read_bytes())
    data[at : at + len(junk)] = junk
    path.write_bytes(data)
    shard = read_shard(str(path), "fuzzed.tar", "train", lambda name: True)
    assert shard.pictures or shard.problems or shard.n_other
    for each in shard.pictures:
        with suppress(Unreadable):
            read_file(member_path(str(path).encode(), each.start, each.size, each.name))


# --- paths of members -------------------------------------------------------------------------------------------


@given(st.binary(min_size=1).filter(lambda name: b"\0" not in name), st.integers(0, 2**50), st.integers(0, 2**40))
def test_paths_of_members(name, start, size):
    assert locate(member_path(b"/data/a b.tar", start, size, name)) == Range(b"/data/a b.tar", start, size)


def test_members_and_files_have_the_same_fingerprints(tmp_path):
    (tmp_path / "shards").mkdir()
    for split, ids in (("train", range(8)), ("val", range(4, 9))):
        write_shard(tmp_path / "shards" / f"{split}-0.tar", [each for i in ids for each in sample(i)])
        (tmp_path / "files" / split).mkdir(parents=True)
        for i in ids:
            (tmp_path / "files" / split / f"{i:05d}.png").write_bytes(picture(i))
    ids = [
        {finding.id for finding in leakaudit.audit(tmp_path / name, use_cache=False, select=("LA101",)).findings}
        for name in ("shards", "files")
    ]
    assert len(ids[0]) == 4
    assert ids[0] == ids[1]


def test_a_rewritten_shard_is_read_anew(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    settings = {"cache_dir": tmp_path / "cache", "select": ("LA101",)}
    write_shard(data / "train.tar", sample(1))
    write_shard(data / "val.tar", [("00002.png", bitmap(2))])
    first = leakaudit.audit(data, **settings)
    assert not first.findings
    write_shard(data / "train.tar", [("00002.png", bitmap(2))])
    assert len(leakaudit.audit(data, **settings).findings) == 1
    assert len(leakaudit.audit(data, **settings).findings) == 1


def bitmap(seed: int) -> bytes:
    file = io.BytesIO()
    Image.open(io.BytesIO(picture(seed))).save(file, "BMP")
    return file.getvalue()


def test_sizes_are_those_of_members(tmp_path):
    dataset = load([two_splits(tmp_path)], Config())
    samples = dataset.samples
    assert samples is not None
    assert samples.size is not None
    assert samples.size.tolist() == [len(picture(1)), len(picture(2)), len(picture(2))]
    assert samples.path.type == pa.binary()
    assert np.unique(samples.split).tolist() == [0, 1]
