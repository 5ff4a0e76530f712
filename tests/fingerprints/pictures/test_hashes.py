"""Bulk hashes against imagehash, bulk resampling against Pillow."""

from __future__ import annotations

import imagehash
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from leakaudit.fingerprints.pictures import hashes


def pictures(kind: str, k: int, height: int, width: int, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    if kind == "flat":
        return np.repeat(random.integers(0, 256, (k, 1, 1), dtype=np.uint8), height * width, axis=1).reshape(
            k, height, width
        )
    if kind == "ramp":
        ramp = np.linspace(0, 255, width) * np.ones((k, height, 1))
        return ramp.astype(np.uint8)
    if kind == "almost flat":
        return random.integers(100, 102, (k, height, width), dtype=np.uint8)
    if kind == "black and white":
        return (random.integers(0, 2, (k, height, width)) * 255).astype(np.uint8)
    return random.integers(0, 256, (k, height, width), dtype=np.uint8)


@settings(max_examples=150, deadline=None)
@given(
    kind=st.sampled_from(["flat", "ramp", "almost flat", "black and white", "noise"]),
    k=st.integers(1, 9),
    height=st.integers(1, 90),
    width=st.integers(1, 90),
    seed=st.integers(0, 1000),
)
def test_bits_are_those_of_imagehash(kind, k, height, width, seed):
    greys = pictures(kind, k, height, width, seed)
    luma, gradients = hashes.shrink(greys)
    found_p, found_d = hashes.phashes(luma), hashes.dhashes(gradients)
    for i, grey in enumerate(greys):
        image = Image.fromarray(grey)
        assert np.array_equal(luma[i], np.asarray(image.resize((32, 32), Image.Resampling.LANCZOS)))
        assert f"{found_p[i]:016x}" == str(imagehash.phash(image))
        assert f"{found_d[i]:016x}" == str(imagehash.dhash(image))


def test_the_same_in_any_company():
    greys = pictures("noise", 40, 47, 63, 1)
    luma, gradients = hashes.shrink(greys)
    planes = hashes.chroma_planes(np.stack([greys, greys[::-1], greys], axis=-1))
    for i in range(40):
        alone, alone_gradients = hashes.shrink_one(Image.fromarray(greys[i]))
        assert np.array_equal(alone[0], luma[i])
        assert np.array_equal(alone_gradients[0], gradients[i])
        colour = np.stack([greys[i], greys[39 - i], greys[i]], axis=-1)
        assert np.array_equal(hashes.chroma_planes(colour[None])[0], planes[i])
    assert np.array_equal(hashes.phashes(luma[7:8])[0], hashes.phashes(luma)[7])


def test_a_pillow_that_resamples_otherwise_is_used_itself(monkeypatch):
    monkeypatch.setattr(hashes, "_order", lambda *_sizes: None)
    greys = pictures("noise", 9, 50, 40, 2)
    luma, _ = hashes.shrink(greys)
    assert np.array_equal(luma[3], np.asarray(Image.fromarray(greys[3]).resize((32, 32), Image.Resampling.LANCZOS)))


@pytest.mark.parametrize(
    ("colour", "cb", "cr"),
    [((255, 0, 0), 85, 255), ((0, 0, 255), 255, 107), ((90, 90, 90), 128, 128), ((0, 255, 0), 44, 21)],
)
def test_chroma_of_plain_colours(colour, cb, cr):
    planes = hashes.chroma_planes(np.full((2, 11, 13, 3), colour, dtype=np.uint8))
    assert planes.shape == (2, 2, 8, 8)
    assert (planes[:, 0] == cb).all()
    assert (planes[:, 1] == cr).all()


def test_chroma_cells_share_border_pixels():
    colour = np.zeros((1, 12, 12, 3), dtype=np.uint8)
    colour[..., 2] = np.arange(12, dtype=np.uint8)[None, None] * 20
    cb = hashes.chroma_planes(colour)[0, 0].astype(float)
    cells = np.repeat(np.arange(12), 2).reshape(8, 3).mean(axis=1) * 20
    assert np.abs(cb[0] - (cells * 0.5 + 128)).max() <= 0.51


def test_spread_and_entropy():
    greys = np.zeros((3, 16, 16), dtype=np.uint8)
    greys[1, :, 8:] = 255
    greys[2] = np.arange(256).reshape(16, 16)
    counts = hashes.histograms(greys)
    assert np.array_equal(counts[2], np.ones(256))
    spread, entropy = hashes.spread_and_entropy(counts)
    assert spread.tolist() == pytest.approx([0, 127.5, greys[2].std()])
    assert entropy.tolist() == pytest.approx([0, 1, 8])
