"""Masks: pictures that are the labels of other pictures, told by the folder they lie in or by the end of their name."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from leakaudit.sources.names import SPLIT_NAMES, plain, words

_WORDS = """
    mask masks label labels annotation annotations annot annots gt groundtruth groundtruths segmentation segmentations
    seg segs lbl lbls anno annos matte mattes alpha trimap trimaps manual
"""
_FOLDERS = """
    segmentationclass segmentationobject segmentationmasks segmentationlabels gtfine gtcoarse labelids labelmasks
    binarymasks semanticmasks instancemasks target targets pixellabels labelcol annotated
"""
_PICTURES = """
    images image imgs img jpegimages pictures photos pics rgb input inputs leftimg8bit original originals frames sat
    satellite
"""
_MASK_WORDS = frozenset(_WORDS.split())
_MASK_FOLDERS = frozenset(_FOLDERS.split())
_IMAGE_WORDS = frozenset(_PICTURES.split())
_SUFFIX = re.compile(
    r"[-_. ](?:(?:gtfine|gtcoarse)_(?:labelids|labeltrainids|instanceids|color)|"
    r"masks?|segs?|segmentation|labels?|labelids|gt|groundtruth|annotation|annot|matte|(?-i:L))(?:[-_]?\d{1,2})?$",
    re.IGNORECASE,
)
_PICTURE_SUFFIX = re.compile(r"[-_](?:leftimg8bit|image|img|rgb|sat|orig|original|input)$", re.IGNORECASE)

LEAST_PAIRED = 0.5
"""Of the pictures in folders of masks, or named like masks, at least this share must have the picture that they belong
to: a class called ``mask`` has none."""


def is_mask_folder(name: str) -> bool:
    """Whether a folder is named like one of masks: ``masks``, ``train_labels``, ``SegmentationClass``.

    >>> is_mask_folder("train_masks"), is_mask_folder("no_mask"), is_mask_folder("with_mask"), is_mask_folder("cats")
    (True, False, False, False)
    """
    if plain(name) in _MASK_WORDS or plain(name) in _MASK_FOLDERS or _run_together(name):
        return True
    found = words(name)
    return bool(found) and found[-1] in _MASK_WORDS and not {"no", "with", "without"} & set(found)


def _run_together(name: str) -> str:
    """The name of a split that a word for masks follows without a space: ``train`` of ``trainannot``; "" without."""
    whole = plain(name)
    ends = (whole.removesuffix(word) for word in _MASK_WORDS if whole.endswith(word))
    return next((each for each in ends if each in SPLIT_NAMES), "")


def is_image_folder(name: str) -> bool:
    """Whether a folder is named like one of the pictures that have masks."""
    return plain(name) in _IMAGE_WORDS or bool(set(words(name)) & _IMAGE_WORDS)


@dataclass(slots=True)
class MaskPairs:
    """Which pictures are masks.

    Parameters
    ----------
    mask_of : dict of bytes to bytes
        Mask to picture.
    orphans : list of bytes
        Masks by folder or name, without a picture.
    """

    mask_of: dict[bytes, bytes] = field(default_factory=dict)
    orphans: list[bytes] = field(default_factory=list)


def pair_masks(paths: Sequence[bytes]) -> MaskPairs:
    """Find the masks among pictures, and the picture of each.

    Parameters
    ----------
    paths : sequence of bytes
        Below one folder, ``/``-separated.

    >>> pair_masks([b"images/a.jpg", b"masks/a.png", b"b.png", b"b_mask.png"]).mask_of
    {b'masks/a.png': b'images/a.jpg', b'b_mask.png': b'b.png'}
    """
    folders: dict[bytes, bool] = {}
    in_folders: list[bytes] = []
    others: list[bytes] = []
    for path in paths:
        folder = path[: path.rfind(b"/") + 1]
        if folder not in folders:
            folders[folder] = any(is_mask_folder(each) for each in os.fsdecode(folder).split("/") if each)
        (in_folders if folders[folder] else others).append(path)
    found = MaskPairs()
    if in_folders and others:
        _pair(found, in_folders, _places(others, by_folder=True), by_folder=True)
    named = [path for path in others if _SUFFIX.search(_stem(path))]
    if named:
        named_set = set(named)
        _pair(
            found, named, _places([path for path in others if path not in named_set], by_folder=False), by_folder=False
        )
    return found


def _pair(found: MaskPairs, masks: Sequence[bytes], places: dict[tuple[str, str], bytes], *, by_folder: bool) -> None:
    paired: dict[bytes, bytes] = {}
    orphans: list[bytes] = []
    for mask in masks:
        picture = next((places[key] for key in _keys(mask, by_folder=by_folder) if key in places), None)
        if picture is None:
            orphans.append(mask)
        else:
            paired[mask] = picture
    if paired and len(paired) >= LEAST_PAIRED * len(masks):
        found.mask_of |= paired
        found.orphans += orphans


def _places(paths: Sequence[bytes], *, by_folder: bool) -> dict[tuple[str, str], bytes]:
    """Pictures by where their mask would be looked for: folder without its words for pictures, and name."""
    places: dict[tuple[str, str], bytes] = {}
    for path in paths:
        folder, stem = _folder(path), _stem(path)
        key = _without(folder, is_image_folder) if by_folder else folder
        places.setdefault((key, stem), path)
        places.setdefault((key, _PICTURE_SUFFIX.sub("", stem)), path)
    return places


def _keys(mask: bytes, *, by_folder: bool) -> list[tuple[str, str]]:
    folder, stem = _folder(mask), _stem(mask)
    key = _without(folder, is_mask_folder) if by_folder else folder
    return [(key, each) for each in dict.fromkeys((stem, _SUFFIX.sub("", stem), _PICTURE_SUFFIX.sub("", stem)))]


def _without(folder: str, is_one: Callable[[str], bool]) -> str:
    """A folder without the words for pictures and masks: ``train_images`` and ``train_masks`` are one."""
    said = _MASK_WORDS | _IMAGE_WORDS
    kept = []
    for part in folder.split("/"):
        if not is_one(part):
            kept.append(part)
        elif split := _run_together(part):
            kept.append(split)
        elif plain(part) not in _MASK_FOLDERS | _IMAGE_WORDS:
            kept.append("".join(word for word in words(part) if word not in said))
    return "/".join(part.lower() for part in kept if part)


def _folder(path: bytes) -> str:
    return os.fsdecode(path[: max(path.rfind(b"/"), 0)])


def _stem(path: bytes) -> str:
    return os.fsdecode(path[path.rfind(b"/") + 1 :].rpartition(b".")[0])
