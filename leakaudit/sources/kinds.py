"""What a file is: told from its name, and from its first bytes where the name says nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

FileKind = Literal["picture", "media", "sidecar", "unknown"]
"""How a folder of pictures sees a file: a sample, data of a type that it does not read, what lies beside, unclear."""

DataKind = Literal[
    "picture", "sound", "video", "volume", "array", "table", "text", "archive", "pickle", "document", "other"
]
"""What could hold samples (all but ``document`` and ``other``)."""

_PICTURES = """
    jpg jpeg jpe jfif jif png apng gif bmp dib tif tiff webp ppm pgm pbm pnm pfm avif avifs heic heif hif ico tga
    jp2 j2k jpf jpx pcx mpo sgi ras xbm xpm
"""
_MEDIA = """
    mp4 avi mov mkv webm m4v mpg mpeg wmv flv dcm dicom nii nrrd mha mhd svs ndpi czi psd psb xcf ai eps svg svgz
    pdf exr hdr raw cr2 cr3 nef arw dng orf rw2 raf pef srw npy npz pt pth pkl pickle h5 hdf5 mat tfrecord tfrecords
    safetensors wav mp3 flac ogg m4a zip tar tgz 7z rar jxl flif bpg las laz ply obj stl fits fit
"""
_SIDECARS = """
    txt md rst csv tsv json jsonl ndjson geojson xml yaml yml html htm log ini cfg toml lock py ipynb js sh bat db
    sqlite tfw jgw pgw wld prj url lnk sha1 sha256 md5 names cache license parquet arrow feather gz zst bak tmp xls
    xlsx doc docx rtf tex bib css dvc thm xmp aae
"""
PICTURES = frozenset(_PICTURES.split())
"""Extensions of files that may be decoded; one that cannot be after all is a problem of the sample."""

SOUNDS = frozenset(["wav", "mp3", "flac", "ogg", "oga", "opus", "m4a", "aac", "aif", "aiff", "au", "wma"])

FILE_KINDS: Mapping[bytes, FileKind] = {
    **{suffix.encode(): "sidecar" for suffix in _SIDECARS.split()},
    **{suffix.encode(): "media" for suffix in _MEDIA.split()},
    **{suffix.encode(): "picture" for suffix in PICTURES},
}

_DATA: Mapping[DataKind, str] = {
    "sound": " ".join(sorted(SOUNDS)),
    "video": "mp4 avi mov mkv webm m4v mpg mpeg wmv flv",
    "volume": "dcm dicom nii nrrd mha mhd svs ndpi czi las laz ply obj stl fits fit",
    "array": "npy npz h5 hdf5 hdf mat tfrecord tfrecords zarr ubyte nc",
    "table": "csv tsv tab psv jsonl ndjson json geojson parquet pq arrow feather orc xls xlsx xlsm ods sqlite sqlite3 "
    "db duckdb arff svm libsvm data dat",
    "text": "txt text conll conllu bio iob fasta fa fna faa en de fr es tsf ts",
    "archive": "zip tar tgz 7z rar",
    "pickle": "pkl pickle pt pth joblib ckpt safetensors",
    "document": "md rst html htm pdf tex bib rtf doc docx py ipynb js css sh bat yaml yml toml ini cfg lock license "
    "svg svgz ai eps psd xcf log xml xmp",
}
DATA_KINDS: Mapping[bytes, DataKind] = {
    **{suffix.encode(): kind for kind, suffixes in _DATA.items() for suffix in suffixes.split()},
    **{suffix.encode(): "picture" for suffix in PICTURES},
}
_COMPRESSED = (b"gz", b"zst", b"bz2", b"xz", b"gzip", b"zstd")

_SIDECAR_NAMES = frozenset(
    (b"license", b"licence", b"readme", b"copying", b"notice", b"authors", b"makefile", b"thumbs")
)
_MAGIC = re.compile(
    rb"\xff\xd8\xff|\x89PNG\r\n|GIF8[79]a|BM.{4}\0\0\0\0|II\*\0|MM\0\*|RIFF.{4}WEBP|P[1-6][ \t\r\n]|\0\0\0\x0cjP  "
    rb"|.{4}ftyp(?:avif|avis|heic|heix|hevc|mif1|msf1)",
    flags=re.DOTALL,
)

_SOUND_MAGIC = re.compile(
    rb"RIFF.{4}WAVE|RF64.{4}WAVE|fLaC|OggS|ID3|\xff[\xfb\xf3\xf2\xf1\xf9]|FORM.{4}AIF[FC]|\.snd|.{4}ftypM4A",
    flags=re.DOTALL,
)

MAGIC_BYTES = 32
"""First bytes that `begins_as_picture` and `begins_as_sound` look at."""


def kind_of(name: bytes) -> FileKind:
    """What a file is by its name alone: ``unknown`` has no extension, or one that says nothing."""
    if name.startswith(b"."):
        return "sidecar"
    stem, dot, suffix = name.rpartition(b".")
    known = FILE_KINDS.get(suffix.lower()) if dot else None
    if known is None and (stem if dot else name).lower() in _SIDECAR_NAMES:
        return "sidecar"
    return known or "unknown"


def data_kind(name: bytes) -> DataKind:
    """What kind of samples a file could hold, by its name alone.

    >>> data_kind(b"a/train.csv.gz"), data_kind(b"x.WAV"), data_kind(b"README.txt"), data_kind(b"train-images-ubyte")
    ('table', 'sound', 'document', 'array')
    """
    name = name.rpartition(b"/")[2].lower()
    if name.startswith(b"."):
        return "other"
    stem, dot, suffix = name.rpartition(b".")
    if (stem if dot else name) in _SIDECAR_NAMES or name.startswith((b"readme", b"license", b"requirements")):
        return "document"
    if dot and suffix in _COMPRESSED:
        stem, dot, suffix = stem.rpartition(b".")
    if not dot or suffix.isdigit():
        return "array" if name.endswith((b"-ubyte", b"-ubyte.gz")) else "other"
    if suffix.endswith(b"-ubyte"):
        return "array"
    return DATA_KINDS.get(suffix, "other")


def is_picture_name(name: str) -> bool:
    """Whether the extension is one of a picture."""
    return name.rpartition(".")[2].lower() in PICTURES and "." in name


def begins_as_picture(head: bytes) -> bool:
    """Whether the first bytes of a file are those of a picture."""
    return _MAGIC.match(head) is not None


def begins_as_sound(head: bytes) -> bool:
    """Whether the first bytes of a file are those of a sound."""
    return _SOUND_MAGIC.match(head) is not None
