"""What is no table is refused by name, in one line, whatever it is called and however it was given."""

from __future__ import annotations

import gzip
import io
import pickle
import struct
import zipfile

import numpy as np
import pytest
from PIL import Image

from leakaudit.config import Config
from leakaudit.errors import InputError
from leakaudit.sources.layouts import load
from leakaudit.sources.readers import read_head

TABLE = "a,b\n1,2\n3,4\n5,6\n"


def npy() -> bytes:
    out = io.BytesIO()
    np.save(out, np.arange(6))
    return out.getvalue()


def archive(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for name, content in members.items():
            made.writestr(name.replace("__", "/").replace("_", "."), content)
    return out.getvalue()


def picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (4, 4)).save(out, "PNG")
    return out.getvalue()


FILES = {
    "pickle": (pickle.dumps({"a": [1, 2]}), "a pickle, which is never loaded"),
    "pickle.pkl": (pickle.dumps({"a": [1, 2]}, protocol=0), "a pickle, which is never loaded"),
    "model.pt": (archive(archive__data_pkl=b"\x80\x02}", archive__version=b"3"), "PyTorch checkpoint"),
    "arrays.npz": (archive(x_npy=npy()), "NumPy arrays"),
    "array.npy": (npy(), "a NumPy array"),
    "data.h5": (b"\x89HDF\r\n\x1a\n" + bytes(40), "an HDF5 file"),
    "page.csv": (b"<!DOCTYPE html>\n<html><body>Sign in</body></html>\n", "an HTML page"),
    "page.txt": (b"  <html>\n<head></head>\n", "an HTML page"),
    "note.csv": (b'<?xml version="1.0"?>\n<annotation/>\n', "an XML document"),
    "paper.pdf": (b"%PDF-1.7\n", "a PDF"),
    "photo.csv": (picture(), "a picture"),
    "series.ts": (b"# about\n@problemName Gun\n@timeStamps false\n@data\n1,2:1\n", "UCR time series"),
    "p.fasta": (b">one\nMKV\n", "a FASTA file"),
    "p.txt": (b">sp|P1|one\nMKVLAAGITRWQERNMKVLAAGITRW\n", "a FASTA file"),
    "train.conll": (b"EU B-ORG\nrejects O\n\n", "a CoNLL file"),
    "r.tfrecord": (struct.pack("<Q", 60) + b"\1\2\3\4\n:\n\x10\n", "a TFRecord file"),
    "p.csv": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", "git lfs pull"),
    "sound.csv": (b"RIFF\x24\0\0\0WAVEfmt ", "a sound"),
    "pictures.zip": (archive(a_png=b"\x89PNG", b_png=b"\x89PNG"), "without a table in it"),
}


@pytest.mark.parametrize("name", FILES)
def test_it_is_refused_by_name(tmp_path, name):
    content, message = FILES[name]
    (tmp_path / name).write_bytes(content)
    (tmp_path / "test.csv").write_text(TABLE)
    with pytest.raises(InputError, match=message) as caught:
        load([f"train={tmp_path / name}", f"test={tmp_path / 'test.csv'}"], Config())
    assert "\n" not in str(caught.value)
    assert name in str(caught.value)


def test_compression_hides_nothing(tmp_path):
    (tmp_path / "train.csv.gz").write_bytes(gzip.compress(pickle.dumps([1])))
    with pytest.raises(InputError, match="a pickle, which is never loaded"):
        read_head(str(tmp_path / "train.csv.gz"), Config())


@pytest.mark.parametrize(
    "text",
    [
        "> a quotation\nand its answer\n",
        "ID3,name\n1,a\n2,b\n",
        "@user hello\n@other bye\n",
        "% of all,n\n1,2\n3,4\n",
        "12:30 the train leaves\n12:40 and arrives\n",
        "1 2:3 is a verse\n2 3:4 is another\n",
        "PK,name\n1,a\n2,b\n",
        "OK,BM\n1,2\n3,4\n",
    ],
)
def test_texts_that_only_look_like_something_else_stay_texts(tmp_path, text):
    (tmp_path / "train.txt").write_text(text)
    assert read_head(str(tmp_path / "train.txt"), Config()).format == "csv"
