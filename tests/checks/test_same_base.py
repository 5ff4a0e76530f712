"""A picture with and without what its label is about: the same base (LA108), and no wrong label (LA110)."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import ImageDraw

from leakaudit import audit
from leakaudit.config import Config
from near_pictures import jpeg, photographs


def with_patch(picture):
    """Something drawn on the lower middle, as masks are on faces."""
    drawn = picture.copy()
    ImageDraw.Draw(drawn).ellipse((40, 60, 80, 90), fill=(70, 160, 220))
    return drawn


@pytest.fixture
def outcomes(tmp_path):
    """From pictures by split and label to the outcomes of LA108 and LA110."""

    def run(pictures):
        for name, picture in pictures.items():
            path = tmp_path / f"{name}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            picture.save(path)
        report = audit(tmp_path, config=Config(jobs=1, use_cache=False, select=("LA108", "LA110")))
        return {outcome.code: outcome for outcome in report.outcomes}

    return run


def test_what_is_drawn_on_the_picture_is_the_label(outcomes):
    base = photographs(np.random.default_rng(1), 30, 120, 120)
    pictures = {f"train/without/{i}": p for i, p in enumerate(base[:24])}
    pictures |= {f"val/with/{i}": with_patch(p) for i, p in enumerate(base[:8])}
    pictures |= {f"train/with/{i}": with_patch(p) for i, p in enumerate(base[24:], 24)}
    found = outcomes(pictures)
    (finding,) = found["LA108"].findings
    assert (finding.severity, finding.n_samples, finding.splits) == ("warning", 8, ("val", "train"))
    assert "but for one place, which goes with the label ('with' against 'without')" in finding.message
    assert not found["LA110"].findings


def test_copies_with_another_label_are_wrong_labels(outcomes):
    base = photographs(np.random.default_rng(2), 30, 120, 120)
    pictures = {f"train/without/{i}": p for i, p in enumerate(base[:24])}
    pictures |= {f"val/with/{i}": jpeg(p, 60) for i, p in enumerate(base[:8])}
    pictures |= {f"train/with/{i}": p for i, p in enumerate(base[24:], 24)}
    found = outcomes(pictures)
    assert not found["LA108"].findings
    assert sum(finding.n_samples for finding in found["LA110"].findings) == 8
