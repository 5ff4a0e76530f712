from __future__ import annotations

import os
import sys

import pytest
from PIL import Image

from leakaudit.errors import InputError
from leakaudit.review.pictures import SIDE, Hidden, PictureFolder, picture_folder


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "data"
    (root / "train").mkdir(parents=True)
    Image.new("RGB", (1500, 900), "teal").save(root / "train" / "a.jpg")
    Image.new("RGB", (20, 20), "teal").save(root / "train" / "small.bmp")
    (root / "train" / "notes.txt").write_text("secret")
    Image.new("RGB", (20, 20), "red").save(tmp_path / "outside.png")
    return root


def test_a_picture_is_decoded_anew(folder):
    from io import BytesIO

    pictures = PictureFolder(folder)
    big = pictures.picture("train/a.jpg")
    with Image.open(BytesIO(big)) as shown:
        assert max(shown.size) == SIDE
    assert pictures.picture("train/a.jpg") is big
    assert pictures.picture("train/small.bmp").startswith(b"\x89PNG")


@pytest.mark.parametrize(
    "uri",
    [
        "../outside.png",
        "train/../../outside.png",
        "",
        ".",
        "train",
        "train/notes.txt",
        "no.png",
        "a\0.png",
        "\ud800.png",
    ],
)
def test_nothing_else_is_shown(folder, uri):
    with pytest.raises(Hidden):
        PictureFolder(folder).picture(uri)


def test_no_way_out_by_name_or_link(folder, tmp_path):
    with pytest.raises(Hidden, match="outside"):
        PictureFolder(folder).picture(str(tmp_path / "outside.png"))
    link = folder / "train" / "link.png"
    try:
        link.symlink_to(tmp_path / "outside.png")
    except OSError:
        pytest.skip("no symbolic links here")
    with pytest.raises(Hidden, match="outside"):
        PictureFolder(folder).picture("train/link.png")


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="names are Unicode there")
def test_names_that_are_not_unicode(folder):
    Image.new("RGB", (20, 20), "red").save(folder / "x.png")
    (folder / "x.png").rename(folder / os.fsdecode(b"caf\xe9.png"))
    assert PictureFolder(folder).picture(r"caf\xe9.png")


def test_the_folder_is_checked_on_the_first_names(folder, tmp_path):
    assert picture_folder(folder, ["no.png", "train/a.jpg"], told=True).root == folder
    manifest = folder / "list.csv"
    manifest.write_text("path\n")
    assert picture_folder(manifest, ["train/a.jpg"], told=False).root == folder
    with pytest.raises(InputError, match="--data"):
        picture_folder(tmp_path / "gone", ["train/a.jpg"], told=False)
