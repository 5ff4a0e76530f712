"""Hostile and broken data end to end: counted and named in the report, or one clear line and exit code 2."""

from __future__ import annotations

import json
import os
import socket
import struct
import subprocess
import sys
import warnings
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from PIL import Image

from leakaudit import audit
from leakaudit.errors import InputError, UserError
from leakaudit.render.data.report_json import to_json
from leakaudit.render.html.page import to_html

posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX file types and names")


def picture(path: Path, seed: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    coarse = np.random.default_rng(seed).integers(0, 255, (9, 12, 3), dtype=np.uint8)
    Image.fromarray(coarse).resize((96, 72), Image.Resampling.BICUBIC).save(path)
    return path


@pytest.fixture
def data(tmp_path) -> Path:
    root = tmp_path / "data"
    for i in range(6):
        picture(root / "train" / "a" / f"{i}.jpg", i)
        picture(root / "val" / "a" / f"{i}.jpg", 100 + i)
    return root


@pytest.fixture
def scan(tmp_path):
    return lambda root, **named: audit(root, cache_dir=tmp_path / "cache", **named)


def problems(report) -> dict[str, str]:
    return {Path(problem.uri).name: problem.kind for problem in report.coverage.problems}


def test_broken_pictures_are_counted_and_named(data, scan):
    folder = data / "val" / "a"
    whole = (folder / "0.jpg").read_bytes()
    (folder / "truncated.jpg").write_bytes(whole[: len(whole) // 2])
    (folder / "empty.png").write_bytes(b"")
    (folder / "text.jpg").write_bytes(b"this is no picture")
    (folder / "noise.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)))
    (folder / "folder.jpg").mkdir()
    report = scan(data)
    assert problems(report) == dict.fromkeys(
        ["truncated.jpg", "empty.png", "text.jpg", "noise.png", "folder.jpg"], "unreadable"
    )
    assert report.coverage.n_unreadable == 5
    assert report.coverage.n_read == 12
    assert report.verdict.exit_code == 4


def test_a_decompression_bomb_is_not_decoded(data, scan):
    side = 30_000
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 1000)), (b"IEND", b"")]
    bomb = b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )
    (data / "train" / "a" / "bomb.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bomb)
    report = scan(data)
    assert problems(report) == {"bomb.png": "unreadable"}
    assert "pixels" in report.coverage.problems[0].reason


@posix
def test_links_pipes_and_sockets_neither_block_nor_crash(data, scan):
    folder = data / "train" / "a"
    (folder / "broken.jpg").symlink_to("nowhere.jpg")
    (folder / "loop").symlink_to(data / "train")
    os.mkfifo(folder / "pipe.jpg")
    with socket.socket(socket.AF_UNIX) as listening:
        os.chdir(folder)
        listening.bind("socket.jpg")
        report = scan(data)
    assert {"broken.jpg", "pipe.jpg", "socket.jpg"} <= set(problems(report))
    assert report.coverage.n_read == 12


@posix
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may read everything")
def test_files_without_permission_are_counted(data, scan):
    (data / "val" / "a" / "0.jpg").chmod(0)
    assert problems(scan(data)) == {"0.jpg": "unreadable"}


@posix
def test_any_file_name_works_and_stays_text(data, scan):
    names = [b"bytes\xff\xfe.jpg", b"line\nbreak.jpg", "<script>alert(1)</script>'\".jpg".replace("/", "").encode()]
    source = picture(data / "train" / "a" / "source.jpg", 50).read_bytes()
    for name in names:
        Path(os.fsdecode(os.fsencode(data / "val" / "a") + b"/" + name)).write_bytes(source)
    report = scan(data, previews=True)
    leaked = [finding for finding in report.findings if finding.code == "LA101"]
    assert sum(finding.n_samples for finding in leaked) == 3
    page = to_html(report)
    assert "<script>alert" not in page
    json.loads(to_json(report))


def test_lfs_and_dvc_pointers_are_named(data, scan):
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 12345\n"
    (data / "val" / "a" / "lfs.jpg").write_text(pointer)
    (data / "val" / "a" / "dvc.jpg.dvc").write_text("outs:\n- md5: 0123456789abcdef0123456789abcdef\n  path: dvc.jpg\n")
    report = scan(data)
    assert set(problems(report).values()) == {"pointer"}
    assert report.coverage.n_pointers == 2
    assert report.verdict.exit_code == 4


def test_a_manifest_with_missing_files_and_repeated_paths(data, scan):
    rows = [
        "path,split,label",
        *(f"train/a/{i}.jpg,train,a" for i in range(6)),
        *(f"val/a/{i}.jpg,val,a" for i in range(6)),
    ]
    (data / "data.csv").write_text("\n".join([*rows, "val/a/0.jpg,val,a", "val/a/gone.jpg,val,a"]) + "\n")
    report = scan(data / "data.csv")
    assert problems(report) == {"0.jpg": "duplicate-path", "gone.jpg": "missing"}
    assert report.coverage.n_read == 12
    assert report.coverage.n_unreadable == 1


def table(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(text.encode(encoding))
    return path


ROWS = [f"{i},{i * 7 % 11}.5,name {i},{'ab'[i % 2]}" for i in range(30)]
HEADER = "n,x,name,label"


def test_ragged_rows_are_counted(tmp_path, scan):
    table(tmp_path / "t" / "train.csv", "\n".join([HEADER, *ROWS[:15], "1,2", *ROWS[15:]]) + "\n")
    table(tmp_path / "t" / "val.csv", "\n".join([HEADER, *(f"9{row}" for row in ROWS)]) + "\n")
    report = scan(tmp_path / "t")
    assert report.coverage.n_unreadable == 1
    assert report.splits["train"].n == 30
    assert report.coverage.problems[0].uri.startswith("train.csv")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_encodings_are_recognised_and_said(tmp_path, scan, encoding):
    names = ["Ålesund", "Tromsø", "Besançon", "Málaga"]
    rows = [f"{i},{names[i % 4]} “{i}”,{'ab'[i % 2]}" for i in range(40)]
    table(tmp_path / "t" / "train.csv", "\n".join(["n,name,label", *rows]), encoding)
    table(tmp_path / "t" / "val.csv", "\n".join(["n,name,label", *rows[:5], "77,Oslo,a"]), "utf-8")
    report = scan(tmp_path / "t", select=("LA104",))
    assert sum(finding.n_samples for finding in report.findings) == 5


def test_mixed_types_empty_columns_and_hostile_cells(tmp_path, scan):
    header = 'n,"x""; DROP TABLE t; --",empty,<b>,label'
    rows = [f'{i},{"text" if i % 5 == 0 else i},,"=1+1 \n ""{i}""",{"ab"[i % 2]}' for i in range(30)]
    table(tmp_path / "t" / "train.csv", "\n".join([header, *rows]))
    table(tmp_path / "t" / "val.csv", "\n".join([header, *rows[:4]]))
    report = scan(tmp_path / "t", select=("LA104",))
    assert sum(finding.n_samples for finding in report.findings) == 4
    assert "<b>" not in to_html(report).split("</style>", 1)[1]
    json.loads(to_json(report))


@pytest.mark.slow
def test_a_table_of_ten_thousand_columns(tmp_path, scan):
    rng = np.random.default_rng(0)
    train, val = (rng.normal(size=(n, 10_000)).round(3) for n in (60, 20))
    val[:3] = train[:3]
    header = ",".join(f"c{i}" for i in range(10_000))
    (tmp_path / "t").mkdir()
    for split, rows in (("train", train), ("val", val)):
        np.savetxt(tmp_path / "t" / f"{split}.csv", rows, fmt="%.3f", delimiter=",", header=header, comments="")
    report = scan(tmp_path / "t", select=("LA104",))
    assert len(report.splits) == 2
    assert sum(finding.n_samples for finding in report.findings) == 3


def test_a_table_of_a_thousand_columns_goes_through_every_check(tmp_path, scan):
    random = np.random.default_rng(0)
    columns = [f"c{j}" for j in range(1000)]

    def rows(n):
        cells = np.where(
            np.arange(1000) % 3, np.round(random.normal(size=(n, 1000)), 4), random.integers(0, 9, (n, 1000))
        )
        return [",".join([*map(str, row), "ab"[i % 2]]) for i, row in enumerate(cells.tolist())]

    train = rows(60)
    table(tmp_path / "t" / "train.csv", "\n".join([",".join([*columns, "label"]), *train]))
    table(tmp_path / "t" / "val.csv", "\n".join([",".join([*columns, "label"]), *rows(30), *train[:3]]))
    report = scan(tmp_path / "t")
    assert not [outcome.code for outcome in report.outcomes if outcome.status == "errored"]
    copied = [finding for finding in report.findings if finding.code == "LA104"]
    assert sum(finding.n_samples for finding in copied) == 3
    assert {finding.effect["layer"] for finding in copied} == {"raw"}


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "empty"),
        ({"train.csv": f"{HEADER}\n1,2,3,a\n", "val.csv": ""}, "val.csv"),
        ({"train.csv": f"{HEADER}\n1,2,3,a\n", "val.csv": f"{HEADER}\n"}, "val"),
        ({"train.csv": "\0\1\2\3" * 100, "val.csv": "\0\1\2\3" * 100}, "train.csv"),
        ({"train.csv": f"{HEADER}\n1,2,3,a\n", "val.csv": "other\n5\n6\n"}, "column"),
        ({"train.parquet": "no parquet", "val.parquet": "no parquet"}, "parquet"),
        ({"train.jsonl": "{broken", "val.jsonl": "{broken"}, "jsonl"),
        ({"notes.txt": "nothing here"}, "within=True"),
    ],
)
def test_unusable_tables_say_what_and_where(tmp_path, scan, files, said):
    (tmp_path / "t").mkdir()
    for name, text in files.items():
        table(tmp_path / "t" / name, text)
    with pytest.raises(InputError) as caught:
        scan(tmp_path / "t")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_column_names_the_nearest(tmp_path, scan):
    for name in ("train", "val"):
        table(tmp_path / "t" / f"{name}.csv", "\n".join([HEADER, *ROWS]))
    with pytest.raises(UserError, match="label"):
        scan(tmp_path / "t", label="lable")


@posix
def test_pipes_and_devices_as_input_exit_2(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    for path in (tmp_path / "pipe.csv", "/dev/null"):
        done = subprocess.run(
            [sys.executable, "-m", "leakaudit", "scan", path], capture_output=True, text=True, timeout=30, check=False
        )
        assert done.returncode == 2
        assert len(done.stderr.strip().splitlines()) == 1
        assert "Traceback" not in done.stderr


def plain_table(n: int, seed: int) -> pd.DataFrame:
    """Rows without anything wrong: two numbers, a category, a label that hangs on one of the numbers."""
    random = np.random.default_rng(seed)
    x = random.normal(size=n)
    label = np.where(x + random.normal(size=n) > 0, "yes", "no")
    kind = random.choice(list("abc"), n)
    return pd.DataFrame({"x": x.round(6), "width": random.gamma(2, 3, n).round(6), "kind": kind, "label": label})


def write_frame(frame: pd.DataFrame, path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    if path.suffix == ".csv":
        frame.to_csv(path, index=False)
    elif path.suffix == ".jsonl":
        frame.to_json(path, orient="records", lines=True, date_format="iso")
    else:
        frame.to_parquet(path, index=False)


@pytest.fixture
def splits(tmp_path, scan):
    """Scan a clean pair of tables after a change of both; warnings of NumPy are errors."""

    def look(change, suffix: str = ".csv", **named):
        train, val = plain_table(400, 1), plain_table(150, 2)
        train, val = change(train, val)
        write_frame(train, tmp_path / "t" / f"train{suffix}")
        write_frame(val, tmp_path / "t" / f"val{suffix}")
        with warnings.catch_warnings():
            warnings.simplefilter("error", RuntimeWarning)
            report = scan(tmp_path / "t", **named)
        assert not [outcome.reason for outcome in report.outcomes if outcome.status == "errored"]
        return report

    return look


def alarms(report) -> set[str]:
    return {finding.code for finding in report.findings if finding.severity != "info"}


every_format = pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])


@every_format
def test_columns_that_differ_between_splits_are_said(splits, suffix):
    report = splits(lambda train, val: (train.drop(columns="width"), val.assign(extra=1.5)), suffix)
    assert any("not in every split" in note and "width" in note and "extra" in note for note in report.notes)
    assert alarms(report) == set()


@every_format
def test_types_that_differ_between_splits_are_said(splits, suffix):
    report = splits(lambda train, val: (train, val.assign(x=[f"v{i}" for i in range(len(val))])), suffix)
    assert any("numbers in one file and text in another" in note and note.endswith(": x.") for note in report.notes)


@every_format
def test_numbers_written_as_text_are_the_same_numbers(splits, suffix):
    def change(train, val):
        val.loc[:29, ["x", "width", "kind", "label"]] = train.loc[:29, ["x", "width", "kind", "label"]]
        return train, val.assign(x=val["x"].astype(str))

    report = splits(change, suffix, select=("LA104",))
    assert sum(finding.n_samples for finding in report.findings) == 30
    assert not any("numbers in one file" in note for note in report.notes)


def test_a_column_that_is_empty_in_one_split_is_of_no_other_kind(splits):
    report = splits(lambda train, val: (train, val.assign(kind=None)))
    assert not any("numbers in one file" in note for note in report.notes)


@every_format
def test_constant_and_empty_columns_change_nothing(splits, suffix):
    report = splits(lambda *both: [frame.assign(same="s", seven=7, nothing=None) for frame in both], suffix)
    assert alarms(report) == set()


@every_format
def test_infinite_and_missing_numbers(splits, suffix):
    def change(*both):
        for frame in both:
            frame["reading"] = np.random.default_rng(len(frame)).normal(size=len(frame)).round(6)
            frame.loc[::17, "reading"] = np.inf
            frame.loc[5::17, "reading"] = -np.inf
            frame.loc[::13, "x"] = np.nan
        return both

    assert alarms(splits(change, suffix)) == set()


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_the_largest_and_the_smallest_numbers_warn_nobody(splits, suffix):
    def change(*both):
        for frame in both:
            random = np.random.default_rng(len(frame))
            frame["huge"] = 1.7e308 * random.uniform(-1, 1, len(frame))
            frame["tiny"] = random.normal(size=len(frame)) * 1e-310
        return both

    assert alarms(splits(change, suffix)) == set()


@every_format
def test_neighbouring_integers_beyond_2_to_the_53_are_different(splits, suffix):
    def change(train, val):
        return (
            pd.DataFrame({"number": 2**60 + 2 * np.arange(400), "kind": train["kind"]}),
            pd.DataFrame({"number": 2**60 + 2 * np.arange(150) + 1, "kind": val["kind"]}),
        )

    assert splits(change, suffix, select=("LA104",), label=None).findings == ()


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_control_characters_reach_no_terminal(tmp_path, splits, suffix):
    def change(train, val):
        val.loc[:9, ["x", "width", "kind", "label"]] = train.loc[:9, ["x", "width", "kind", "label"]]
        return [frame.assign(**{"note\x1b[2J": "\x1b[31mred\x07\x00\u202e\r\n"}) for frame in (train, val)]

    report = splits(change, suffix)
    assert sum(finding.n_samples for finding in report.findings if finding.code == "LA104") == 10
    done = subprocess.run(
        [sys.executable, "-m", "leakaudit", "scan", tmp_path / "t"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert not {"\x1b", "\x07", "\x00", "\u202e"} & set(done.stdout + done.stderr)


@every_format
def test_cells_of_a_megabyte(splits, suffix):
    words = ["".join(chr(97 + int(digit)) for digit in f"{i:05d}") for i in range(20_000)]

    def change(*both):
        for frame in both:
            random = np.random.default_rng(len(frame))
            text = [" ".join(random.choice(words, 8)) for _ in range(len(frame))]
            text[:2] = [" ".join(random.choice(words, 120_000)) for _ in range(2)]
            frame["text"] = text
        both[1].loc[1, "text"] = both[0].loc[0, "text"] + " and more"
        return both

    report = splits(change, suffix, select=("LA104", "LA106", "LA107"))
    assert [(finding.code, finding.n_samples) for finding in report.findings] == [("LA107", 1)]


@pytest.mark.parametrize("zones", [("+00:00", "+02:00", "-05:00", "Z"), ("+00:00", "")])
def test_mixed_time_zones_neither_crash_nor_alarm(splits, zones):
    def change(train, val):
        hours = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(len(train) + 24 + len(val)), unit="h")
        written = [hour.isoformat() + zones[i % len(zones)] for i, hour in enumerate(hours)]
        return train.assign(when=written[: len(train)]), val.assign(when=written[len(train) + 24 :])

    assert alarms(splits(change)) == set()


@pytest.mark.parametrize("column", ["x", "label"])
def test_a_damaged_page_of_a_parquet_file_is_unusable_input(tmp_path, scan, column):
    train = tmp_path / "t" / "train.parquet"
    train.parent.mkdir()
    plain_table(30_000, 1).to_parquet(train, row_group_size=10_000)
    plain_table(500, 2).to_parquet(tmp_path / "t" / "val.parquet")
    metadata = pq.ParquetFile(train).metadata
    where = metadata.schema.names.index(column)
    start = metadata.row_group(2).column(where).data_page_offset
    content = bytearray(train.read_bytes())
    content[start : start + 200] = b"\xff" * 200
    train.write_bytes(content)
    with pytest.raises(InputError, match=r"train\.parquet: a damaged parquet file"):
        scan(tmp_path / "t")
