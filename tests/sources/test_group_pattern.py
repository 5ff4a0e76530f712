from __future__ import annotations

import time

import pytest
from PIL import Image

from leakaudit import audit
from leakaudit.config import Config
from leakaudit.errors import ConfigError
from leakaudit.sources.layouts import load


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Cameras 0 and 1 in both splits, 2 only in train; folders by day; one name without a camera."""
    root = tmp_path_factory.mktemp("cameras")
    names = [("train", "day1", "cam0_1"), ("train", "day1", "cam1_1"), ("train", "day2", "cam2_1"),
             ("val", "day2", "cam0_2"), ("val", "day3", "cam1_2"), ("val", "day3", "other")]  # fmt: skip
    for number, (split, day, name) in enumerate(names):
        path = root / split / day / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        picture = Image.linear_gradient("L").resize((40, 40)).rotate(17 * number)
        picture.save(path)
    return root


def groups(data, pattern):
    samples = load([data], Config(group_pattern=pattern)).samples
    return dict(zip(samples.uri.to_pylist(), samples.group.to_pylist(), strict=True))


def test_the_key_is_looked_for_in_the_file_name(data):
    found = groups(data, r"^(?P<key>cam\d)_")
    assert found["train/day1/cam0_1.png"] == found["val/day2/cam0_2.png"] == "cam0"
    assert found["val/day3/other.png"] is None


def test_with_a_slash_it_is_looked_for_in_the_path(data):
    assert set(groups(data, r"/(?P<key>day\d)/").values()) == {"day1", "day2", "day3"}


def test_what_it_finds_is_a_declared_group(data):
    report = audit(data, group_pattern=r"^(?P<key>cam\d)", select=("LA108",), use_cache=False)
    (finding,) = report.findings
    assert (finding.severity, finding.n_samples, finding.effect["n_cut"]) == ("error", 2, 2)
    assert "3 groups from --group-pattern" in report.layout.why
    assert any("1 of 6 pictures have no group" in note for note in report.notes)


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("(", "cannot be used"),
        ("(?P<key>a)(?P<more>b)", "must have one group"),
        ("(a)", "unnamed groups"),
        ("a", "has none"),
        ("(?P<camera>a)", "has camera"),
        ("(?P<key>zebra)", "finds a key in none of 6 names"),
        ("(?P<key>)", "finds a key in none"),
        ("(?P<key>((a{999}){999}){999})", "cannot be used"),
        (r"(?P<key>(?<=a)b)", "cannot be used"),
    ],
)
def test_useless_patterns_say_why(data, pattern, said):
    with pytest.raises(ConfigError, match=said):
        groups(data, pattern)


def test_no_pattern_hangs(data):
    start = time.perf_counter()
    with pytest.raises(ConfigError):
        groups(data, "(?P<key>(?:(?:.*.*)*)*zebra$)")
    assert time.perf_counter() - start < 2


def test_it_excludes_a_column_and_rows(data, tmp_path):
    with pytest.raises(ConfigError, match="both say the group"):
        load([data], Config(group="g", group_pattern="(?P<key>a)"))
    for name in ("train", "val"):
        (tmp_path / f"{name}.csv").write_text("x,y\n1,a\n2,b\n")
    with pytest.raises(ConfigError, match="rows have none"):
        load([tmp_path], Config(group_pattern="(?P<key>a)"))
