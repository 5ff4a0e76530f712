"""The probe from data to measurement: what it does, what it refuses, and how it stops."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from leakaudit import audit
from leakaudit.cli import cli
from leakaudit.errors import ConfigError
from leakaudit.probe import kinds, run
from leakaudit.probe.linear import LinearModel
from leakaudit.probe.trees import Trees
from leakaudit.render.data.report_json import json_schema, to_json

ROUNDS = 15
CODES = ("LA206", "LA401", "LA402", "LA403", "LA404", "LA405", "LA406")


def split_table(n_train=200, n_val=60, leak=0.0, classes=2, seed=0, noise=1.0):
    """Five numbers, two of which tell the label; the first rows of validation are copies of training rows."""
    rng = np.random.default_rng(seed)
    n = n_train + n_val
    x = rng.normal(size=(n, 5))
    z = x[:, 0] + x[:, 1] + noise * rng.normal(size=n)
    frame = pd.DataFrame(x, columns=[f"x{i}" for i in range(5)])
    if classes:
        frame["label"] = [f"class{code}" for code in np.digitize(z, np.quantile(z, np.arange(1, classes) / classes))]
    else:
        frame["label"] = z
    train, val = frame[:n_train].copy(), frame[n_train:].copy()
    n_leaked = round(leak * n_val)
    val.iloc[:n_leaked] = train.iloc[:n_leaked].to_numpy()
    return train, val


@pytest.fixture(autouse=True)
def few_rounds(monkeypatch):
    monkeypatch.setattr("leakaudit.probe.trees.ROUNDS", ROUNDS)


def scan(train, val, **kwargs):
    settings = {"label": "label", "select": CODES, "probe": "cpu", "jobs": 1, "use_cache": False, **kwargs}
    return audit(train=train, val=val, **settings)


def outcome(report, code):
    return next(outcome for outcome in report.outcomes if outcome.code == code)


def reasons(report):
    return {(outcome.status, outcome.reason) for outcome in report.outcomes}


def test_off_by_default_and_said_so():
    train, val = split_table()
    report = audit(train=train, val=val, label="label", select=CODES)
    assert report.probe is None
    assert report.verdict.exit_code == 4  # nothing else was asked for, so nothing was examined
    assert {status for status, _ in reasons(report)} == {"skipped"}
    assert all("--probe auto" in reason for _, reason in reasons(report))
    assert '"probe"' not in to_json(report)


def test_known_duplicates_explain_a_low_loss():
    report = scan(*split_table(400, 120, leak=0.4, noise=2.0))
    by_code = {finding.code: finding for finding in report.findings}
    assert by_code["LA401"].severity == "error"
    assert by_code["LA401"].n_samples == 48
    assert "explained by 48 duplicates listed under LA104" in by_code["LA401"].message
    assert "inflate accuracy by" in by_code["LA402"].message
    probe = report.probe
    assert (probe.n_train, probe.n_val, probe.n_leaked) == (400, 120, 48)
    assert sum(term.value for term in probe.terms) == pytest.approx(probe.gap, abs=1e-6)
    assert [term.letter for term in probe.terms] == list("abcdero")
    assert len(probe.curves) == probe.n_seeds == 3
    assert sum(probe.losses.val) == 120
    assert sum(map(sum, probe.confusion)) == 120
    assert probe.memorised[0].split == "val"
    assert "LA104" in probe.summary


def test_a_page_shows_difficulty_and_the_gap_before_the_findings(three_splits):
    from io import StringIO

    from leakaudit.render.html.page import write

    stream = StringIO()
    write(three_splits, stream)
    page = stream.getvalue()
    places = [page.index(f'id="{name}"') for name in ("data", "probe", "findings", "models")]
    assert places == sorted(places)
    assert page.index("How hard the samples are") < page.index('id="probe"')
    assert "Nothing (±0.000): timing, regularisation" in page
    assert page.count("test against val</bdi></h3>") == 1


def test_the_same_data_give_the_same_report_whatever_the_workers():
    train, val = split_table(150, 50, leak=0.2)
    first, again, wide = (to_json(scan(train, val, jobs=jobs)) for jobs in (1, 1, 3))
    assert first == again == wide
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.validate(json.loads(first), json_schema())


def test_models_in_processes_say_the_same(monkeypatch):
    """A linear model: child processes do not see what this test changed in the trees."""
    train, val = split_table(150, 50, classes=21)
    first = to_json(scan(train, val))
    monkeypatch.setattr(run, "IN_PROCESSES_FROM", 0.0)
    assert to_json(scan(train, val)) == first


@pytest.mark.parametrize("mode", ["cpu", "fast"])
@pytest.mark.parametrize("classes", [0, 3, 25])
def test_classes_many_classes_and_quantities(classes, mode):
    report = scan(*split_table(300, 100, classes=classes), probe=mode)
    assert not [o.reason for o in report.outcomes if o.status == "errored"]
    assert report.probe.reason == ""
    assert (outcome(report, "LA406").status == "skipped") == (classes == 0)


def test_text_is_learnt_by_its_words():
    rng = np.random.default_rng(0)
    words = [f"word{chr(97 + i // 26)}{chr(97 + i % 26)}" for i in range(60)]
    texts = [" ".join(rng.choice(words, 12)) for _ in range(240)]
    frame = pd.DataFrame(
        {"text": texts, "label": [("b", "a")[bool({"wordab", "wordac"} & {*text.split()})] for text in texts]}
    )
    train, val = frame[:180], frame[180:].copy()
    val.iloc[:20] = train.iloc[:20].to_numpy()
    report = scan(train, val)
    assert "softmax regression" in report.probe.model
    assert report.probe.n_leaked == 20
    assert [finding.code for finding in report.findings if finding.severity == "error"] == ["LA401"]


@pytest.mark.parametrize(
    ("train", "val", "status", "reason"),
    [
        (split_table(39, 60)[0], split_table()[1], "inconclusive", "39 labelled samples of train and 60 of val"),
        (split_table()[0], split_table(200, 19)[1], "inconclusive", "a probe needs 40 and 20"),
        (split_table()[0].assign(label="one"), split_table()[1], "inconclusive", "of one class"),
        (*(part.assign(label=[f"name {i}" for i in range(len(part))]) for part in split_table()), "skipped", "names"),
    ],
)
def test_what_cannot_be_measured_is_said(train, val, status, reason):
    report = scan(train, val)
    assert {said for said, _ in reasons(report)} == {status}
    assert all(reason in said for _, said in reasons(report))
    assert report.probe.reason


def test_one_sample_of_a_class_and_a_thousand_classes():
    train, val = split_table()
    train.loc[train.index[0], "label"] = "rare"
    assert scan(train, val).probe.reason == ""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.normal(size=3_000), "label": [f"c{i % 1_000}" for i in range(3_000)]})
    report = scan(frame[:2_400], frame[2_400:], probe_budget=5)
    assert not [o.reason for o in report.outcomes if o.status == "errored"]


@pytest.mark.parametrize("mode", ["cpu", "fast"])
@pytest.mark.parametrize(
    ("change", "status", "reason"),
    [
        ({"label": ["rare"] + ["usual"] * 259}, "inconclusive", "a fold leaves one class to train on"),
        ({f"x{i}": 1.0 for i in range(5)}, "inconclusive", "no column to predict the label from varies"),
        ({"x0": np.inf, "x1": [np.nan, 1.0] * 130}, "", ""),
        ({"x0": [1.0] * 259 + [2.0]}, "", ""),
    ],
)
def test_columns_and_classes_from_which_little_can_be_learnt(change, status, reason, mode):
    frame = pd.concat(split_table()).assign(**change)
    report = scan(frame[:200], frame[200:], probe=mode)
    assert not [o.reason for o in report.outcomes if o.status == "errored"]
    assert reason in report.probe.reason
    assert bool(reason) == bool(report.probe.reason)
    assert not status or {said for said, _ in reasons(report)} == {status}


@pytest.mark.parametrize("scale", [1e-300, 1e300])
def test_a_quantity_may_be_very_small_or_very_large(scale):
    train, val = split_table(classes=0)
    usual = scan(train, val, probe="fast")
    train["label"], val["label"] = train["label"] * scale, val["label"] * scale
    scaled = scan(train, val, probe="fast")
    assert scaled.probe.gap == pytest.approx(usual.probe.gap, rel=1e-6)


def test_labels_of_one_split_only_and_splits_without_a_partner():
    train, _ = split_table()
    report = audit(data=train, label="label", select=CODES, probe="cpu", within=True)
    assert {status for status, _ in reasons(report)} == {"skipped"}


def test_a_budget_that_is_too_small_looks_at_fewer_samples_and_says_so(monkeypatch):
    monkeypatch.setattr(kinds, "TREE_SECONDS", 1e-4)
    train, val = split_table(1_500, 500)
    report = scan(train, val, probe_budget=1)
    assert report.probe.n_train + report.probe.n_val <= 600
    assert any("drawn at random" in sentence for sentence in report.coverage.sampled)


@pytest.fixture(scope="module")
def three_splits():
    """Training, validation and test; all of test is in validation, and nothing else is shared."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("leakaudit.probe.trees.ROUNDS", ROUNDS)
        train, val = split_table(260, 120, noise=2.0)
        settings = {"label": "label", "select": CODES, "probe": "cpu", "jobs": 1, "use_cache": False}
        return audit(train=train, val=val, test=val[:60], **settings)


def test_three_splits_probe_every_pair(three_splits):
    assert three_splits.probe.splits == ("val", "train")
    assert [pair.splits for pair in three_splits.probe.others] == [("test", "train"), ("test", "val")]
    found = [finding.splits for finding in three_splits.findings if finding.code == "LA401"]
    assert found == [("test", "val")]
    said = outcome(three_splits, "LA401").reason
    assert all(f"{pair}: " in said for pair in ("val against train", "test against train", "test against val"))
    assert three_splits.probe.others[1].summary.startswith("60 of 60 test samples are in val as well")
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.validate(json.loads(to_json(three_splits)), json_schema())


def test_difficulty_of_every_split(three_splits):
    found = three_splits.probe.difficulty
    assert [(split.split, split.n) for split in found] == [("train", 260), ("val", 120), ("test", 60)]
    for split in found:
        assert sum(part.n for part in split.classes) == split.n
        assert list(split.quantiles) == sorted(split.quantiles)
    assert found[0].hardest == pytest.approx(26, abs=1)
    assert found[0].easiest == pytest.approx(26, abs=1)


def test_a_test_split_without_labels_is_said():
    train, val = split_table()
    report = scan(train, val, test=split_table(seed=1)[1].assign(label=None))
    assert report.probe.others == ()
    assert any("could not compare test with train: " in sentence for sentence in report.probe.sampled)


def test_difficulty_by_declared_group():
    train, val = split_table(200, 60)
    train["site"], val["site"] = [f"a{i // 10}" for i in range(200)], [f"b{i // 10}" for i in range(60)]
    of_train, of_val = scan(train, val, group="site", probe="fast").probe.difficulty
    assert {part.name for part in of_train.groups} == {f"a{i}" for i in range(20)}
    assert {(part.name, part.n) for part in of_val.groups} == {(f"b{i}", 10) for i in range(6)}


# --- stopping ---------------------------------------------------------------------------------------------------


@pytest.fixture
def interrupts(monkeypatch):
    """Ctrl-C while the third model is trained."""
    fit, calls = Trees.fit, []

    def interrupted(self, job, tick=lambda: None):
        calls.append(job)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return fit(self, job, tick)

    monkeypatch.setattr(Trees, "fit", interrupted)


@pytest.mark.usefixtures("interrupts")
def test_ctrl_c_leaves_a_report_that_says_so():
    report = scan(*split_table(), select=("LA104", *CODES))
    assert report.probe.interrupted
    assert report.probe.terms == ()
    assert outcome(report, "LA104").status == "passed"
    assert outcome(report, "LA401").status == "inconclusive"
    assert "interrupted after 2 of" in outcome(report, "LA401").reason


@pytest.mark.usefixtures("interrupts")
def test_ctrl_c_ends_a_scan_with_130_and_writes_the_report(tmp_path):
    from click.testing import CliRunner

    train, val = split_table()
    train.to_csv(tmp_path / "train.csv", index=False)
    val.to_csv(tmp_path / "val.csv", index=False)
    target = tmp_path / "report.json"
    arguments = ["scan", str(tmp_path), "--probe", "cpu", "--jobs", "1", "--json", str(target), "--label", "label"]
    result = CliRunner().invoke(cli, arguments, standalone_mode=False)
    assert result.return_value == 130
    assert json.loads(target.read_text())["probe"]["interrupted"] is True


def test_a_gpu_that_is_not_there_is_a_usage_error(tmp_path, monkeypatch):
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ConfigError, match="PyTorch finds no GPU"):
        audit(pictures(tmp_path), select=CODES, probe="gpu", use_cache=False)


def test_without_torch_the_install_command_is_named(tmp_path, monkeypatch):
    from leakaudit.errors import MissingExtraError

    def missing():
        raise MissingExtraError("torch")

    monkeypatch.setattr("leakaudit.probe.network_torch.torch_or_missing", missing)
    report = audit(pictures(tmp_path), select=CODES, probe="cpu", use_cache=False)
    assert all("pip install 'leakaudit[torch]'" in reason for _, reason in reasons(report))
    assert {status for status, _ in reasons(report)} == {"skipped"}


# --- pictures ---------------------------------------------------------------------------------------------------


def pictures(folder, n_train=60, n_val=30, leak=0):
    rng = np.random.default_rng(0)
    for number in range(n_train + n_val):
        label = "dark" if number % 2 else "light"
        split = "train" if number < n_train else "val"
        at = folder / split / label / f"{number}.png"
        at.parent.mkdir(parents=True, exist_ok=True)
        grain = rng.normal(size=(40, 40, 3)) * 40 + (100 if number % 2 else 125)
        Image.fromarray(np.clip(grain, 0, 255).astype(np.uint8)).save(at)
        if split == "val" and number < n_train + leak:
            at.write_bytes((folder / "train" / label / f"{number - n_train}.png").read_bytes())
    return folder


def test_pictures_the_fast_way_and_remembered(tmp_path):
    import os

    folder = pictures(tmp_path / "data", leak=10)
    for path in folder.rglob("*.png"):
        os.utime(path, (1_600_000_000, 1_600_000_000))
    settings = {"select": CODES, "probe": "fast", "cache_dir": tmp_path / "cache"}
    first, again = audit(folder, **settings), audit(folder, **settings)
    assert first.probe.n_leaked == 10
    assert "patches" in first.probe.model
    assert again.probe == first.probe
    assert to_json(again) == to_json(first)


def test_pictures_with_a_network(tmp_path, monkeypatch):
    pytest.importorskip("torch")
    monkeypatch.setattr(kinds, "EPOCHS_CPU", 2)
    report = audit(pictures(tmp_path, leak=10), select=CODES, probe="cpu", use_cache=False, jobs=2)
    assert not [o.reason for o in report.outcomes if o.status == "errored"]
    assert "convolutional network" in report.probe.model
    assert [term.name for term in report.probe.regularisers] == ["batch normalisation"]
    assert len(report.probe.curves[0].epoch) == 2


def test_too_little_memory_is_inconclusive(monkeypatch):
    def full(*_, **__):
        raise MemoryError("the GPU has too little memory to spare; `--probe cpu` needs none")

    monkeypatch.setattr(Trees, "fit", full)
    report = scan(*split_table())
    assert {status for status, _ in reasons(report)} == {"inconclusive"}
    assert "--probe cpu" in report.probe.reason


def test_grey_pictures_have_one_channel(tmp_path):
    folder = pictures(tmp_path)
    for path in folder.rglob("*.png"):
        Image.open(path).convert("L").save(path)
    from leakaudit.config import Config
    from leakaudit.engines.progress import silent
    from leakaudit.pipeline import _load, fingerprint

    config = Config(use_cache=False)
    context = fingerprint(_load((folder,), {}, config), config, silent)
    assert kinds.thumbnails(context.images, np.arange(5)).shape == (5, 1, 32, 32)


@pytest.mark.parametrize("mode", ["cpu", "fast"])
def test_pictures_that_are_all_the_same(tmp_path, mode):
    if mode == "cpu":
        pytest.importorskip("torch")
    folder = pictures(tmp_path)
    for path in folder.rglob("*.png"):
        Image.new("RGB", (40, 40), (90, 90, 90)).save(path)
    report = audit(folder, select=CODES, probe=mode, use_cache=False)
    assert {status for status, _ in reasons(report)} == {"inconclusive"}
    assert "copies of one another" in report.probe.reason


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_loss_that_is_not_finite_is_inconclusive(monkeypatch, bad):
    fit = LinearModel.fit

    def broken(self, job, tick=lambda: None):
        found = fit(self, job, tick)
        return replace(found, loss=np.full_like(found.loss, bad))

    monkeypatch.setattr(LinearModel, "fit", broken)
    report = scan(*split_table(classes=25))
    assert outcome(report, "LA401").status == "inconclusive"
    assert not [o.reason for o in report.outcomes if o.status == "errored"]
