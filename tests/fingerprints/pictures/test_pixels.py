"""Equal pictures have equal pixel digests, others have not."""

from __future__ import annotations

import numpy as np
from PIL import Image

from leakaudit.fingerprints.pictures.pixels import pixel_digest, plain_pixel_digests

RANDOM = np.random.default_rng(1)
COLOUR = RANDOM.integers(0, 256, (11, 17, 3), dtype=np.uint8)
GREY = RANDOM.integers(0, 256, (11, 17), dtype=np.uint8)


def test_grey_is_grey_however_it_is_stored():
    grey = Image.fromarray(GREY)
    same = [grey, grey.convert("RGB"), grey.convert("RGBA"), grey.convert("LA")]
    palette = Image.fromarray(GREY)
    palette = Image.frombytes("P", palette.size, palette.tobytes())
    palette.putpalette([level for level in range(256) for _ in range(3)])
    same.append(palette)
    assert len({pixel_digest(image) for image in same}) == 1
    assert pixel_digest(grey) != pixel_digest(Image.fromarray(COLOUR))


def test_black_and_white_equals_its_grey():
    bits = Image.fromarray(GREY).convert("1")
    assert pixel_digest(bits) == pixel_digest(bits.convert("L"))


def test_palette_and_opaque_alpha_are_resolved():
    colour = Image.fromarray(COLOUR)
    palette = colour.convert("P", palette=Image.Palette.ADAPTIVE, colors=16)
    assert pixel_digest(palette) == pixel_digest(palette.convert("RGB"))
    assert pixel_digest(colour) == pixel_digest(colour.convert("RGBA"))


def test_colour_under_full_transparency_does_not_count_but_alpha_does():
    alpha = np.full((11, 17, 1), 255, dtype=np.uint8)
    alpha[3:5] = 0
    a, b = np.dstack([COLOUR, alpha]), np.dstack([COLOUR, alpha])
    b[3:5, :, :3] = 77
    assert pixel_digest(Image.fromarray(a)) == pixel_digest(Image.fromarray(b))
    b[6, 6, 3] = 254
    assert pixel_digest(Image.fromarray(a)) != pixel_digest(Image.fromarray(b))
    assert pixel_digest(Image.fromarray(a)) != pixel_digest(Image.fromarray(COLOUR))


def test_shape_and_depth_count():
    red = Image.new("RGB", (100, 200), "red")
    assert pixel_digest(red) != pixel_digest(red.transpose(Image.Transpose.TRANSPOSE))
    low = Image.fromarray(GREY.astype(np.uint16))
    assert pixel_digest(low) != pixel_digest(Image.fromarray(GREY))
    assert pixel_digest(low) == pixel_digest(Image.fromarray(GREY.astype(np.int32)))
    assert pixel_digest(Image.fromarray(GREY.astype(np.int32) - 300)) != pixel_digest(low)
    zeros = np.zeros((3, 3), dtype=np.float32)
    assert pixel_digest(Image.fromarray(zeros)) == pixel_digest(Image.fromarray(-zeros))
    assert pixel_digest(red, n_frames=2) != pixel_digest(red)


def test_in_bulk_as_one_by_one():
    colours = RANDOM.integers(0, 256, (5, 9, 8, 3), dtype=np.uint8)
    colours[2] = colours[2, :, :, :1]
    assert plain_pixel_digests(colours) == [pixel_digest(Image.fromarray(colour)) for colour in colours]
    greys = colours[..., 0].copy()
    assert plain_pixel_digests(greys) == [pixel_digest(Image.fromarray(grey)) for grey in greys]
    assert plain_pixel_digests(greys)[2] == plain_pixel_digests(colours)[2]
