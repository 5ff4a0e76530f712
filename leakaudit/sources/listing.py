"""Listing folders of pictures: one pass of `os.scandir`, and every name that is not a sample accounted for.

File names are bytes here: any name works, and no object is made per file but its row.
"""

from __future__ import annotations

import bisect
import os
import re
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leakaudit.model import Problem, ProblemKind, Samples
from leakaudit.sources import storage

FileKind = Literal["picture", "media", "sidecar", "unknown"]
Row: TypeAlias = tuple[bytes, int, int]
"""Relative path, size in bytes, modification time in nanoseconds."""

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

_KINDS: dict[bytes, FileKind] = {
    **{suffix.encode(): "sidecar" for suffix in _SIDECARS.split()},
    **{suffix.encode(): "media" for suffix in _MEDIA.split()},
    **{suffix.encode(): "picture" for suffix in PICTURES},
}
_SIDECAR_NAMES = frozenset(
    (b"license", b"licence", b"readme", b"copying", b"notice", b"authors", b"makefile", b"thumbs")
)
_MAGIC = re.compile(
    rb"\xff\xd8\xff|\x89PNG\r\n|GIF8[79]a|BM.{4}\0\0\0\0|II\*\0|MM\0\*|RIFF.{4}WEBP|P[1-6][ \t\r\n]|\0\0\0\x0cjP  "
    rb"|.{4}ftyp(?:avif|avis|heic|heix|hevc|mif1|msf1)",
    flags=re.DOTALL,
)
_HIDDEN_FOLDERS = (b".", b"__MACOSX")
_DOT = ord(".")


# --- names ----------------------------------------------------------------------------------------------------


def uri_of(path: bytes) -> str:
    r"""A path as people read it: ``/``-separated, bytes that are not UTF-8 as ``\xNN``, a backslash as ``\x5c``.

    Two paths never have the same uri.

    >>> print(uri_of(b"caf\xe9/a.png"))
    caf\xe9/a.png
    """
    if os.sep == "\\":
        path = path.replace(b"\\", b"/")
    return path.replace(b"\\", rb"\x5c").decode("utf-8", "backslashreplace")


def display(path: str) -> str:
    """A path of the user as it can be printed anywhere: like `uri_of`, backslashes of Windows kept as slashes."""
    return uri_of(os.fsencode(path))


def kind_of(name: bytes) -> FileKind:
    """What a file is by its name alone: ``unknown`` has no extension, or one that says nothing."""
    if name.startswith(b"."):
        return "sidecar"
    stem, dot, suffix = name.rpartition(b".")
    known = _KINDS.get(suffix.lower()) if dot else None
    if known is None and (stem if dot else name).lower() in _SIDECAR_NAMES:
        return "sidecar"
    return known or "unknown"


def is_picture_name(name: str) -> bool:
    """Whether the extension is one of a picture."""
    return name.rpartition(".")[2].lower() in PICTURES and "." in name


def why(error: OSError | ValueError) -> str:
    """The reason of an operating-system error in a few words."""
    return (error.strerror or str(error)).lower() if isinstance(error, OSError) else str(error)


def node_kind(mode: int) -> str:
    """What a path that is neither a file nor a folder is, in words."""
    kinds = {
        stat.S_IFIFO: "a named pipe",
        stat.S_IFSOCK: "a socket",
        stat.S_IFBLK: "a device",
        stat.S_IFCHR: "a device",
    }
    return kinds.get(stat.S_IFMT(mode), "neither a file nor a folder")


# --- walking --------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Listing:
    """What lies under one folder.

    Parameters
    ----------
    rows : list of (relative path, bytes, nanoseconds)
        The samples, sorted by path.
    problems : list of Problem
    n_other : int
        Files that are no samples.
    picture_folders : list of relative paths
        Folders that are named like a picture.
    split : str or None
        Of the problems.
    """

    rows: list[Row] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    n_other: int = 0
    picture_folders: list[bytes] = field(default_factory=list)
    split: str | None = None

    def add(self, relative: bytes, kind: ProblemKind, reason: str) -> None:
        """A problem with a path."""
        self.problems.append(Problem(uri_of(relative), kind, reason, self.split))


def walk(root: str, top: str = "", split: str | None = None) -> Listing:
    """List all pictures under a folder.

    Symbolic links are followed; a folder that is reached again through a link is listed once. Nothing but regular files
    is opened, and of those only the first bytes of files whose name does not say what they are.

    Parameters
    ----------
    root : str
        What the relative paths are relative to.
    top : str, default ""
        The folder to list, relative to `root`.
    split : str or None
        Put into the problems.
    """
    base = os.path.join(os.fsencode(root), b"")
    found = Listing(split=split)
    folders = [os.fsencode(top) + b"/" if top else b""]
    links: list[bytes] = []
    seen: set[tuple[int, int]] = set()
    while folders or links:
        linked = not folders
        folder = links.pop(0) if linked else folders.pop()
        try:
            at = storage.stat(base + folder)
            if linked and (at.st_dev, at.st_ino) in seen:
                found.add(folder[:-1], "unreadable", "symbolic link to a folder that is listed already")
                continue
            seen.add((at.st_dev, at.st_ino))
            with storage.scandir(base + folder) as entries:
                _list_entries(found, base, folder, entries, folders, links)
        except OSError as error:
            found.add(folder[:-1] or b".", "unreadable", f"folder cannot be listed: {why(error)}")
    for relative in storage.odd_names(base + os.fsencode(top)):
        found.add(
            os.path.join(os.fsencode(top), relative), "unreadable", "its key has an empty or dotted part: no path"
        )
    found.rows.sort()
    for relative in found.picture_folders:
        after = bisect.bisect_left(found.rows, (relative + b"/", 0, 0))
        if after == len(found.rows) or not found.rows[after][0].startswith(relative + b"/"):
            found.add(relative, "unreadable", "a folder that is named like a picture")
    found.problems.sort(key=lambda each: (each.uri, each.kind))
    return found


def _list_entries(
    found: Listing,
    base: bytes,
    folder: bytes,
    entries: Iterable[os.DirEntry[bytes]],
    folders: list[bytes],
    links: list[bytes],
) -> None:
    """One folder: samples and problems into `found`, folders and links to folders to where they wait."""
    for entry in entries:
        name = entry.name
        relative = folder + name
        if entry.is_file(follow_symlinks=False):
            status = entry.stat(follow_symlinks=False)
            dot = name.rfind(b".")
            if dot > 0 and name[0] != _DOT and _KINDS.get(name[dot + 1 :].lower()) == "picture":
                found.rows.append((relative, status.st_size, status.st_mtime_ns))
            else:
                _add_file(found, base, relative, status)
        elif entry.is_dir(follow_symlinks=False):
            if name.startswith(_HIDDEN_FOLDERS):
                found.n_other += 1
                continue
            if kind_of(name) == "picture":
                found.picture_folders.append(relative)
            folders.append(relative + b"/")
        else:
            _add_special(found, base, relative, links)


def _add_file(found: Listing, base: bytes, relative: bytes, status: os.stat_result) -> None:
    """A regular file, or a link to one, by its name or else by its first bytes."""
    name = relative.rpartition(b"/")[2]
    kind = kind_of(name)
    if kind == "unknown":
        try:
            kind = "picture" if _begins_as_picture(base + relative) else "sidecar"
        except OSError as error:
            found.add(relative, "unreadable", why(error))
            return
    if kind == "picture":
        found.rows.append((relative, status.st_size, status.st_mtime_ns))
    elif kind == "media":
        suffix = uri_of(name.rpartition(b".")[2].lower())
        found.add(relative, "unsupported", f"files of type .{suffix} are not read")
    elif name.endswith(b".dvc") and not storage.lexists(base + relative[:-4]):
        found.add(relative[:-4], "pointer", "DVC pointer: run dvc pull")
    else:
        found.n_other += 1


def _add_special(found: Listing, base: bytes, relative: bytes, links: list[bytes]) -> None:
    """A symbolic link, or what is neither a file nor a folder."""
    try:
        status = os.stat(base + relative)
    except OSError as error:
        if kind_of(relative.rpartition(b"/")[2]) == "sidecar":
            found.n_other += 1
        elif not isinstance(error, FileNotFoundError):
            found.add(relative, "unreadable", why(error))
        elif b".git/annex/objects" in os.readlink(base + relative).replace(b"\\", b"/"):
            found.add(relative, "pointer", "git-annex pointer: run git annex get")
        else:
            found.add(relative, "missing", "broken symbolic link")
        return
    if stat.S_ISDIR(status.st_mode):
        links.append(relative + b"/")
    elif stat.S_ISREG(status.st_mode):
        _add_file(found, base, relative, status)
    else:
        found.add(relative, "unreadable", f"{node_kind(status.st_mode)}, not opened")


def holds_picture(folder: str) -> bool:
    """Whether a picture lies anywhere under a folder; stops at the first."""
    folders = [os.fsencode(folder)]
    seen: set[tuple[int, int]] = set()
    while folders:
        at = folders.pop()
        try:
            status = storage.stat(at)
            if (status.st_dev, status.st_ino) in seen:
                continue
            seen.add((status.st_dev, status.st_ino))
            with storage.scandir(at) as entries:
                for entry in entries:
                    if entry.is_dir():
                        if not entry.name.startswith(_HIDDEN_FOLDERS):
                            folders.append(entry.path)
                    elif entry.is_file():
                        kind = kind_of(entry.name)
                        if kind == "picture" or (kind == "unknown" and _begins_as_picture(entry.path)):
                            return True
        except OSError:  # said when the folder is listed
            continue
    return False


def entries_of(folder: str) -> tuple[list[str], list[str]]:
    """Sorted names of the folders and of the regular files directly in a folder, without hidden ones.

    Raises
    ------
    OSError
    """
    folders: list[str] = []
    files: list[str] = []
    with storage.scandir(folder) as entries:
        for entry in entries:
            if os.fsencode(entry.name).startswith(_HIDDEN_FOLDERS):
                continue
            try:
                (folders if entry.is_dir() else files if entry.is_file() else []).append(entry.name)
            except OSError:  # a symbolic link to itself
                continue
    return sorted(folders), sorted(files)


def _begins_as_picture(path: bytes) -> bool:
    return _MAGIC.match(storage.first_bytes(path, 32)) is not None


# --- samples --------------------------------------------------------------------------------------------------


def make_samples(
    root: str,
    splits: Sequence[str],
    rows: Sequence[Sequence[Row]],
    label: Sequence[str | None] | None = None,
    group: Sequence[str | None] | None = None,
    time: Sequence[str | None] | None = None,
) -> Samples:
    """Arrays over the rows of all splits, one split after the other.

    Parameters
    ----------
    root : str
        What the rows are relative to.
    splits : sequence of str
    rows : sequence, aligned with `splits`, of sequences of `Row`
    label, group, time : sequence of str or None, over the rows of all splits
    """
    flat: list[Row] = [row for part in rows for row in part]
    relative = pa.array([row[0] for row in flat], pa.binary())
    base = pa.scalar(os.path.join(os.fsencode(root), b""), pa.binary())
    if any(row[0][:1] == b"/" or b":" in row[0][1:8] for row in flat):  # a manifest may name pictures anywhere
        path = pa.array([storage.join(base.as_py(), row[0]) for row in flat], pa.binary())
    else:
        path = pc.binary_join_element_wise(base, relative, pa.scalar(b"", pa.binary()))
    return Samples(
        uri=_uris(relative),
        path=path,
        split=np.repeat(np.arange(len(splits), dtype=np.int16), [len(part) for part in rows]),
        label=None if label is None else pa.array(label, pa.string()),
        group=None if group is None else pa.array(group, pa.string()),
        time=None if time is None else pa.array(time, pa.string()),
        size=np.fromiter((row[1] for row in flat), dtype=np.int64, count=len(flat)),
        mtime_ns=np.fromiter((row[2] for row in flat), dtype=np.int64, count=len(flat)),
    )


def _uris(relative: pa.BinaryArray) -> pa.StringArray:
    plain_names = os.sep == "/" and not pc.any(pc.match_substring(relative, b"\\")).as_py()
    if plain_names:
        try:
            return relative.cast(pa.string())
        except pa.ArrowInvalid:
            pass
    return pa.array([uri_of(name) for name in relative.to_pylist()], pa.string())


def total(listings: Iterable[Listing]) -> tuple[list[Problem], int]:
    """Problems and other files of several listings together."""
    problems: list[Problem] = []
    n_other = 0
    for listing in listings:
        problems += listing.problems
        n_other += listing.n_other
    return problems, n_other
