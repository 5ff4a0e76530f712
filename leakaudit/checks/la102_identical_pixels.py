"""Held-out pictures with the same pixels (sounds: the same samples) as one in the reference split.

What it does
------------
Compares what the files show: EXIF orientation applied, palette resolved, grey stored as colour equal to grey, colour
under full transparency ignored, whatever the format and the metadata. Width and height belong to the digest, so that
100×200 and 200×100 pixels of one colour differ. Every held-out split is compared with all of its reference split;
nothing is sampled. Of sounds the decoded samples are compared, with their sampling rate and channels, whatever the
container (WAV, FLAC, AIFF, OGG, MP3) and its tags: with soundfile, `pip install 'leakaudit[audio]'`.

Why it matters
--------------
The same picture saved as PNG and as BMP, with its metadata stripped, or rotated by a tag instead of by its pixels
passes every comparison of files, and is to the model exactly the picture that it was trained on.

How it decides
--------------
Equal digests (BLAKE3, 128 bits) of the pixels in full size are identical pictures: an error, without a threshold.

Large JPEGs are decoded at reduced scale, and in full only where another file of the same width and height, reduced
alike, has nearly the same mean luminance in each of 4×4 cells and nearly the same mean colour. "Nearly" is 8 of 255
levels of luminance and 12 of colour, and up to 40 and 60 for pictures with pixels at 0 or 255, which may hide what
the reduced decode sees. The largest differences measured between equal pictures were 4.8 levels without such pixels,
and 17 (colour: 28.5) with them, on noise, stripes, checkerboards, text and saturated edges at qualities 1 to 90.

A held-out picture that LA101 already reports against the same reference split is not counted again. Slices of arrays
are no files, and all that are equal are counted here: those of other numbers than 0 to 255 by their numbers. Of
animations and multi-page files the first frame is compared, and only with files of as many frames. What cannot be
decoded in full when that is needed (it crashes its decoder, or does not fit in memory) equals only copies of its file,
and is counted. A sound that is silent from end to end equals only copies of its file.

What it cannot see
------------------
Pictures that differ in a single pixel (LA103). Colour of 16 bits a channel is compared at 8 bits, as Pillow decodes
it. A JPEG made by hand so that clipping hides large opposite excursions in most of its blocks may not be nominated.
Sounds of one recording that were coded with loss, resampled or cut at other places.

Fix
---
Remove the listed pictures from the reference split, or, if that is the published benchmark, from the held-out split
and say so. `--pairs FILE` writes all pairs.

References
----------
- JEITA CP-3451, Exif 2.3, tag 0x0112 (Orientation)
- Barz, Denzler: Do We Train on Test Data? Purging CIFAR of Near-Duplicates, Journal of Imaging 6(6), 2020,
  https://doi.org/10.3390/jimaging6060041
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from leakaudit.analysis.copies.pictures.equal import equal_pixels, file_codes, pixel_codes
from leakaudit.checks.base import Check
from leakaudit.checks.identical_pictures import identical_pictures
from leakaudit.errors import MissingExtraError
from leakaudit.fingerprints.sounds import can_decode

if TYPE_CHECKING:
    from leakaudit.analysis.context import Context
    from leakaudit.model import Outcome


@dataclass(frozen=True)
class Params:
    """No thresholds: identical is identical."""


def run(context: Context, params: Params) -> Outcome:
    """Compare the pixels of all pictures, but for those whose whole file is already known to leak."""
    del params

    def not_the_same_file(in_a: np.ndarray, in_b: np.ndarray) -> np.ndarray:
        if not context.samples.are_files:
            return in_a
        return in_a & ~np.isin(file_codes(context), file_codes(context)[in_b])

    are_sounds = context.dataset.kind == "file"
    if are_sounds and not can_decode():
        raise MissingExtraError("audio")
    n_undecided = 0 if are_sounds else len(equal_pixels(context).undecided)
    what = "samples" if are_sounds else "pixels"
    outcome = identical_pictures(
        context,
        CHECK,
        pixel_codes(context),
        relation=f"has the same {what} as",
        found=f"with identical {what}" + (" in a different file" if context.samples.are_files else ""),
        left=not_the_same_file,
    )
    if not n_undecided:
        return outcome
    pictures = "1 picture" if n_undecided == 1 else f"{n_undecided:,} pictures"
    return replace(outcome, reason=f"{outcome.reason}; {pictures} could not be decoded in full and equal only copies")


CHECK = Check(
    code="LA102",
    slug="identical-pixels",
    family="copies",
    in_train=True,
    severity="error",
    kinds=("image", "file"),
    needs=("pair",),
    params=Params(),
    run=run,
)
