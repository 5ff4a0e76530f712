"""Synthetic reports that exercise every part of a renderer; import as ``from reports import image_report``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO

import pyarrow as pa

from leakaudit.model import (
    PAIR_COLUMNS,
    Acceptance,
    AcceptedUse,
    Breakdown,
    CheckInfo,
    Coverage,
    DifficultyPart,
    Evidence,
    Finding,
    Layout,
    LossHistogram,
    Outcome,
    ProbeCurve,
    ProbePair,
    ProbeReport,
    ProbeTerm,
    ProbeTest,
    Problem,
    Report,
    Sample,
    SamplePair,
    SplitDifficulty,
    SplitInfo,
    Verdict,
    finding_id,
)

HOSTILE = (
    "<script>alert(1)</script>",
    "\"quoted\" 'name' & <b>bold</b>.jpg",
    "gpj.\u202eexe.jpg",
    "new\nline.jpg",
    "\x1b[31mred\x1b[0m.jpg",
    "[bold red]markup[/].jpg",
    "עברית/تصویر.jpg",
    "zero\u200bwidth\x9b.jpg",
    "日本語の長い名前/" * 8 + "写真.jpg",
    "=cmd|' /C calc'!A0",
    "\\xff\\xfe.jpg",
    "{{ 7 * 7 }}{% raw %}.jpg",
)
"""Names that must reach every format as text."""

SECTIONS = {
    "What it does": "Compares every held-out sample with all of ``train``.\n\nNothing is sampled.",
    "Why it matters": "A sample seen in training is remembered, not predicted. See https://example.org/memorisation.",
    "How it decides": (
        "Digests are compared:\n\n- the *content* digest, BLAKE2b-128;\n"
        "- the size in bytes,\n  which must be equal.\n\n"
        "``threshold`` : float, default 0.9\n    Least similarity. Source: measured.\n\n"
        "The statistic is::\n\n    s = a / b\n\nas usual."
    ),
    "What it cannot see": "The same scene, photographed twice <from another side>.",
    "Fix": "Remove the listed copies from ``train``, keep the held-out ones. Then scan again.",
    "References": ".. [1] Barz & Denzler (2020), Do we train on test data?",
}

_CHECKS = (
    ("LA001", "unreadable-samples", "Samples that cannot be read", "error"),
    ("LA002", "unsupported-or-pointer-files", "Files that are not read", "warning"),
    ("LA003", "split-too-small", "Splits too small to measure with", "warning"),
    ("LA101", "identical-files", "The same file in two splits", "error"),
    ("LA102", "identical-pixels", "The same pixels in two splits", "error"),
    ("LA103", "near-duplicate-images", "Near-duplicate pictures across splits", "error"),
    ("LA104", "duplicate-rows", "The same row in two splits", "error"),
    ("LA110", "conflicting-labels", "Copies with different labels", "error"),
    ("LA111", "duplicates-within-split", "Copies inside one split", "warning"),
    ("LA201", "class-shift", "Class shares differ between splits", "warning"),
    ("LA205", "separable-splits", "A model tells the splits apart", "warning"),
)


def picture(seed: int, size: int = 72) -> bytes:
    """A small colourful PNG, different for every seed."""
    import numpy as np
    from PIL import Image

    y, x = np.mgrid[0:size, 0:size] / size
    hue = (seed * 0.61803) % 1
    waves = np.sin(6.3 * (x * (1 + seed % 4) + hue)) * np.cos(6.3 * (y * (1 + seed % 3) - hue))
    colour = np.array([0.5 + 0.5 * np.cos(6.28 * (hue + k / 3)) for k in range(3)])
    pixels = ((0.55 + 0.45 * waves)[..., None] * (0.35 + 0.65 * colour)[None, None]) * 255
    stream = BytesIO()
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(stream, "PNG")
    return stream.getvalue()


def _previews(pairs: list[SamplePair]) -> dict[str, bytes]:
    """Both sides of a pair look the same."""
    previews: dict[str, bytes] = {}
    for n, pair in enumerate(pairs):
        shown = previews.get(pair.b.uri) or picture(n)
        previews.setdefault(pair.a.uri, shown)
        previews.setdefault(pair.b.uri, shown)
    return previews


def pair_batches(code: str, pairs: list[SamplePair]):
    """What `Outcome.pairs` of these pairs would be."""

    def batches() -> Iterator[pa.RecordBatch]:
        for start in range(0, len(pairs), 3):
            chunk = pairs[start : start + 3]
            columns = [
                [code] * len(chunk),
                *([getattr(pair.a, name) for pair in chunk] for name in ("split", "uri", "label")),
                *([getattr(pair.b, name) for pair in chunk] for name in ("split", "uri", "label")),
            ]
            arrays = [pa.array(column, pa.string()) for column in columns]
            scores = pa.array([1.0 if pair.score is None else pair.score for pair in chunk], pa.float32())
            yield pa.RecordBatch.from_arrays([*arrays, scores], names=list(PAIR_COLUMNS))

    return batches


def finding(code: str, slug: str, severity: str, pairs: list[SamplePair], message: str, **effect: object) -> Finding:
    """One finding about a group of pairs."""
    splits = tuple(dict.fromkeys((pairs[0].a.split, pairs[0].b.split)))
    n_samples = len({pair.a.uri for pair in pairs})
    evidence = Evidence(pairs=tuple(pairs), n_pairs=len(pairs))
    uris = [pair.a.uri for pair in pairs]
    effect = {"n_pairs": len(pairs), **effect}
    return Finding(finding_id(code, *splits, *uris), code, slug, severity, message, splits, n_samples, effect, evidence)


def _infos() -> dict[str, CheckInfo]:
    return {code: CheckInfo(code, slug, title, severity, SECTIONS) for code, slug, title, severity in _CHECKS}


def _image_outcomes() -> tuple[Outcome, ...]:
    same = [
        SamplePair(
            Sample(f"val/cat/{n:04d}.jpg", "val", "cat"), Sample(f"train/cat/{n + 7:04d}.jpg", "train", "cat"), 1.0
        )
        for n in range(5)
    ]
    same.append(SamplePair(Sample("val/dog/0009.jpg", "val", "dog"), Sample("train/cat/0001.jpg", "train", "cat"), 1.0))
    notes = ("rotated by 90°", "smaller (64×48 for 640×480)", "other colours", None, "mirrored")
    near = [
        SamplePair(
            Sample(f"test/truck/{n:04d}.jpg", "test", "truck"),
            Sample(f"train/truck/deep/er/and/deeper/{n * 3:04d}.jpg", "train", "truck"),
            0.995 - n / 100,
            notes[n % 5],
        )
        for n in range(8)
    ]
    hostile = [
        SamplePair(Sample(f"test/{name}", "test", name), Sample(f"train/{name}", "train", "ok"), 0.91, name)
        for name in HOSTILE
    ]
    within = [
        SamplePair(Sample("train/cat/0008.jpg", "train", "cat"), Sample("train/cat/0001.jpg", "train", "cat"), 1.0)
    ]
    identical = [
        finding("LA101", "identical-files", "error", [pair], f"{pair.a.uri} is byte-identical to {pair.b.uri}")
        for pair in same
    ]
    nearly = [
        finding("LA103", "near-duplicate-images", "error", [pair], f"{pair.a.uri} is a near-duplicate of {pair.b.uri}")
        for pair in near
    ]
    for start in range(0, len(hostile), 4):
        group = hostile[start : start + 4]
        nearly.append(finding("LA103", "near-duplicate-images", "error", group, "hostile names"))
    shares = Breakdown(
        ("class", "n test", "n train", "share test", "share train"),
        (("truck", 620, 1200, 0.62, 0.3), ("cat", 280, 1600, 0.28, 0.4), ("dog", 100, 1200, 0.1, 0.3)),
    )
    shift = Finding(
        finding_id("LA201", "test", "train"),
        "LA201",
        "class-shift",
        "warning",
        "32.0% of test would have to change class to match train; class truck is 62.0% of test and 30.0% of train",
        ("test", "train"),
        320,
        {"distance": 0.71},
        Evidence(breakdown=shares),
    )
    bad = Finding(
        finding_id("LA001", "x"),
        "LA001",
        "unreadable-samples",
        "warning",
        "train/cat/broken.jpg: JPEG ends early (and 1 more)",
        ("test", "train"),
        2,
        {"share": 2 / 6002},
        Evidence(
            samples=(
                Sample("train/cat/broken.jpg", "train", reason="JPEG ends early"),
                Sample("test/\x1b[2J\n.png", "test", reason="zero bytes"),
            ),
            n_samples=2,
        ),
    )
    conflict = finding(
        "LA110", "conflicting-labels", "error", same[-1:], "val/dog/0009.jpg is dog, its copy in train is cat"
    )
    return (
        Outcome(
            "LA001",
            "unreadable-samples",
            "failed",
            "read 6,000 of 6,002 samples: 2 unreadable",
            {"n_samples": 6002},
            (bad,),
        ),
        Outcome(
            "LA002", "unsupported-or-pointer-files", "passed", "no pointer files among 6,002 samples; 3 other files"
        ),
        Outcome(
            "LA003",
            "split-too-small",
            "passed",
            "smallest visible difference in accuracy: 2.0 points (val, 1,000 pictures)",
        ),
        Outcome(
            "LA101",
            "identical-files",
            "failed",
            "compared 1,000 × 4,000 and 1,000 × 4,000 pictures: 6 identical files",
            {"val against train": {"n_held_out": 1000, "n_reference": 4000, "n_samples": 6}},
            tuple(identical),
            pair_batches("LA101", same),
        ),
        Outcome(
            "LA102",
            "identical-pixels",
            "passed",
            "compared 1,000 × 4,000 and 1,000 × 4,000 pictures: 0 with identical pixels",
        ),
        Outcome(
            "LA103",
            "near-duplicate-images",
            "failed",
            "compared 1,000 × 4,000 pictures: 20 near-duplicates",
            {"rho": float("nan"), "bound": float("inf")},
            tuple(nearly),
            pair_batches("LA103", [*near, *hostile]),
        ),
        Outcome("LA110", "conflicting-labels", "failed", "1 of 6 groups of copies has two labels", {}, (conflict,)),
        Outcome(
            "LA111",
            "duplicates-within-split",
            "failed",
            "looked inside 3 splits: 1 extra copy",
            {},
            (
                finding(
                    "LA111",
                    "duplicates-within-split",
                    "warning",
                    within,
                    "train/cat/0008.jpg is byte-identical to train/cat/0001.jpg",
                ),
            ),
            pair_batches("LA111", within),
        ),
        Outcome(
            "LA201", "class-shift", "failed", "test against train: distance 0.71 (detectable from 0.10)", {}, (shift,)
        ),
        Outcome("LA205", "separable-splits", "skipped", "needs an optional dependency: pip install 'leakaudit[probe]'"),
    )


def image_report() -> Report:
    """Pictures in three splits: errors, warnings, blind spots, hostile names, previews."""
    outcomes = _image_outcomes()
    pairs = [pair for outcome in outcomes for found in outcome.findings for pair in found.evidence.pairs]
    problems = (
        Problem("train/cat/broken.jpg", "unreadable", "JPEG ends early", "train"),
        Problem("test/\x1b[2J\n.png", "unreadable", "zero bytes", "test"),
        Problem("train/notes.psd", "unsupported", "Photoshop files are not read"),
    )
    return Report(
        version="0.1.0",
        root="data/pets <b>",
        kind="image",
        layout=Layout("class-folders", "folders train, val and test, each with the class folders cat, dog, truck"),
        splits={
            "train": SplitInfo(4000, {"cat": 1600, "dog": 1200, "truck": 1200}),
            "val": SplitInfo(1000, {"cat": 400, "dog": 300, "truck": 300}),
            "test": SplitInfo(1000, {"cat": 280, "dog": 100, "truck": 620}),
        },
        coverage=Coverage(
            n_read=6000,
            n_unreadable=2,
            n_unsupported=1,
            n_other_files=3,
            problems=problems,
            skipped_checks={"LA205": "needs an optional dependency: pip install 'leakaudit[probe]'"},
            not_applicable=("LA104",),
            sampled=("class-shift intervals from 2,000 resamples",),
        ),
        outcomes=outcomes,
        checks=_infos(),
        verdict=Verdict("findings", 1, "18 findings at or above error (LA101, LA103, LA110)"),
        notes=("EXIF orientation was applied to 12 pictures",),
        previews=_previews(pairs),
    )


def _person(age: int, job: str, weight: int, **more: object) -> dict[str, object]:
    return {"age": age, "workclass": job, "fnlwgt": weight, "education": "Bachelors", "hours": 40.0, **more}


def table_report() -> Report:
    """Rows in two splits: copies at two layers of identity, cells that differ, an inconclusive check."""
    jobs = ("Private", "State-gov", "Self-emp-not-inc")
    exact = [
        SamplePair(
            Sample(f"adult-test.csv#{n * 37}", "test", "<=50K", _person(30 + n, jobs[n % 3], 77516 + n)),
            Sample(f"adult-train.csv#{n * 101}", "train", "<=50K", _person(30 + n, jobs[n % 3], 77516 + n)),
            1.0,
        )
        for n in range(23)
    ]
    masked = [
        SamplePair(
            Sample(f"adult-test.csv#{n}", "test", "<=50K", _person(40 + n % 30, "Private", 200_000 + n, note="x" * 90)),
            Sample(
                f"adult-train.csv#{n}", "train", ">50K", _person(40 + n % 30, "Private", 100_000 + n, note="x" * 90)
            ),
            1.0,
            "equal without fnlwgt",
        )
        for n in range(6)
    ]
    text = "{} equals {}"
    found = [
        finding("LA104", "duplicate-rows", "error", [p], text.format(p.a.uri, p.b.uri), layer="all columns")
        for p in exact
    ]
    found += [
        finding("LA104", "duplicate-rows", "warning", [p], text.format(p.a.uri, p.b.uri), layer="without fnlwgt")
        for p in masked
    ]
    rest = Finding(
        finding_id("LA104", "test", "train", "unlisted"),
        "LA104",
        "duplicate-rows",
        "warning",
        "2,557 further groups are not listed one by one: 2,580 samples of test",
        ("test", "train"),
        2580,
        {"n_groups": 2557, "n_pairs": 4000, "layer": "without fnlwgt"},
    )
    return Report(
        version="0.1.0",
        root="adult-train.csv adult-test.csv",
        kind="table",
        layout=Layout(
            "split-files",
            "two csv files without a header line, separated by ', '; the last of 15 columns was taken as the label",
        ),
        splits={
            "train": SplitInfo(32561, {"<=50K": 24720, ">50K": 7841}),
            "test": SplitInfo(16281, {"<=50K": 12435, ">50K": 3846}),
        },
        coverage=Coverage(
            n_read=48842,
            skipped_checks={"LA205": "left out by --select or --ignore"},
            not_applicable=("LA101", "LA102"),
        ),
        outcomes=(
            Outcome("LA001", "unreadable-samples", "passed", "read 48,842 of 48,842 samples: 0 unreadable"),
            Outcome("LA003", "split-too-small", "inconclusive", "smallest visible difference in accuracy: 1.0 points"),
            Outcome(
                "LA104",
                "duplicate-rows",
                "failed",
                "compared 16,281 × 32,561 rows: 23 equal, 2,586 without fnlwgt",
                {"test against train": {"equal": 23, "masked": 2586}},
                (*found, rest),
                pair_batches("LA104", [*exact, *masked]),
            ),
            Outcome("LA201", "class-shift", "passed", "test against train: distance 0.01 (detectable from 0.03)"),
        ),
        checks=_infos(),
        verdict=Verdict("findings", 1, "23 findings at or above error (LA104)"),
    )


def clean_report() -> Report:
    """Nothing found, nothing skipped."""
    report = image_report()
    outcomes = tuple(
        Outcome(outcome.code, outcome.slug, "passed", "compared 1,000 × 4,000 pictures: 0 found")
        for outcome in report.outcomes
    )
    return replace(
        report,
        root="data/pets",
        outcomes=outcomes,
        coverage=Coverage(n_read=6000),
        verdict=Verdict("clean", 0, "no finding at or above error"),
        notes=(),
        previews={},
    )


def incomplete_report() -> Report:
    """No leak, but too many files that could not be read, and a check that crashed."""
    report = clean_report()
    problems = tuple(Problem(f"train/{n:03d}.jpg", "unreadable", "JPEG ends early", "train") for n in range(12))
    crashed = Outcome(
        "LA103", "near-duplicate-images", "errored", "the check crashed, please report it: ValueError: boom"
    )
    outcomes = tuple(crashed if outcome.code == "LA103" else outcome for outcome in report.outcomes)
    return replace(
        report,
        outcomes=outcomes,
        coverage=Coverage(n_read=388, n_unreadable=12, problems=problems),
        verdict=Verdict("incomplete", 3, "LA103 crashed: the audit cannot vouch for them"),
    )


def many_findings(n: int) -> Report:
    """A report with `n` findings of one pair each."""
    report = clean_report()
    pairs = [
        SamplePair(Sample(f"test/{i}.jpg", "test", "a"), Sample(f"train/{i}.jpg", "train", "a"), 1.0) for i in range(n)
    ]
    findings = tuple(
        finding("LA101", "identical-files", "error", [p], f"{p.a.uri} is byte-identical to {p.b.uri}") for p in pairs
    )
    outcome = Outcome(
        "LA101", "identical-files", "failed", f"{n:,} identical files", {}, findings, pair_batches("LA101", pairs)
    )
    return replace(
        report,
        outcomes=(outcome,),
        splits={"train": SplitInfo(4 * n, {}), "test": SplitInfo(2 * n, {})},
        verdict=Verdict("findings", 1, f"{n:,} findings at or above error (LA101)"),
    )


REPORTS = {
    "image": image_report,
    "table": table_report,
    "clean": clean_report,
    "incomplete": incomplete_report,
}


# --- every shape that a finding or a problem can have -----------------------------------------------------------


def _judged(report: Report, *outcomes: Outcome, coverage: Coverage | None = None, **changes: object) -> Report:
    """The report with these outcomes, and with the verdict of the gate on them."""
    from leakaudit.config import Config
    from leakaudit.gate import judge

    made = replace(report, outcomes=outcomes, coverage=coverage or Coverage(n_read=99), previews={}, **changes)
    return replace(made, verdict=judge(outcomes, made.coverage, Config(), made.splits))


def _rows_split(name: str, n: int) -> list[Sample]:
    return [Sample(f"{name}.csv#{i}", name, "a", {"x": i, "y": "a"}) for i in range(n)]


def _leak_between(held_out: str, reference: str, n: int, severity: str = "error", **changes: object) -> Finding:
    pairs = [SamplePair(a, b, 1.0) for a, b in zip(_rows_split(held_out, n), _rows_split(reference, n), strict=True)]
    made = finding("LA104", "duplicate-rows", severity, pairs, f"{pairs[0].a.uri} equals {pairs[0].b.uri}")
    return replace(made, **changes)


def _la104(*findings: Finding, status: str = "failed", reason: str = "compared the rows") -> Outcome:
    pairs = [pair for each in findings for pair in each.evidence.pairs]
    return Outcome("LA104", "duplicate-rows", status, reason, {}, findings, pair_batches("LA104", pairs))


def _la001(splits: tuple[str, ...], n: int) -> tuple[Outcome, tuple[Problem, ...]]:
    where = splits or (None,)
    problems = tuple(
        Problem(f"data.csv#{i}", "unreadable", "2 cells where 3 are expected", where[i % len(where)]) for i in range(n)
    )
    made = Finding(
        finding_id("LA001", str(splits), str(n)),
        "LA001",
        "unreadable-samples",
        "error",
        f"{problems[0].uri}: {problems[0].reason}",
        splits,
        n,
        {"share": 0.1},
        Evidence(samples=tuple(Sample(p.uri, p.split or "", reason=p.reason) for p in problems), n_samples=n),
    )
    return Outcome("LA001", "unreadable-samples", "failed", f"{n} rows unreadable", {}, (made,)), problems


def _no_split() -> Report:
    """A row that could not be read, of a table in which a column says the split: it belongs to none."""
    outcome, problems = _la001((), 1)
    coverage = Coverage(n_read=99, n_unreadable=1, problems=problems)
    return _judged(table_report(), outcome, _la104(status="passed"), coverage=coverage, splits=SMALL)


def _one_split_lost() -> Report:
    outcome, problems = _la001(("test",), 4)
    coverage = Coverage(n_read=99, n_unreadable=4, problems=problems, blind_in={"test": 4})
    return _judged(table_report(), outcome, _la104(status="passed"), coverage=coverage, splits=SMALL)


def _two_splits_lost() -> Report:
    """Problems of two splits are a list of splits, no comparison; a leak is found all the same."""
    outcome, problems = _la001(("test", "train"), 5)
    coverage = Coverage(n_read=99, n_unreadable=5, problems=problems, blind_in={"test": 3, "train": 2})
    return _judged(table_report(), outcome, _la104(_leak_between("test", "train", 7)), coverage=coverage, splits=SMALL)


def _fourteen_equal() -> Report:
    first, *extra = _rows_split("train", 15)
    made = finding("LA111", "duplicates-within-split", "warning", [SamplePair(a, first, 1.0) for a in extra], "copies")
    outcome = Outcome(
        "LA111",
        "duplicates-within-split",
        "failed",
        "14 extra",
        {},
        (made,),
        pair_batches("LA111", list(made.evidence.pairs)),
    )
    return _judged(table_report(), outcome, splits=SMALL)


def _no_evidence() -> Report:
    made = Finding(finding_id("LA104", "x"), "LA104", "duplicate-rows", "error", "12 rows", ("test", "train"), 12)
    return _judged(table_report(), _la104(made), splits=SMALL)


def _folds() -> Report:
    """Splits whose names are no words."""
    splits = {str(i): SplitInfo(20 + i, {"a": 20 + i}) for i in range(5)}
    found = (_leak_between("3", "0", 9), _leak_between("1", "0", 2), _leak_between("4", "3", 3))
    return _judged(table_report(), _la104(*found), coverage=Coverage(n_read=110), splits=splits)


def _accepted(n_open: int) -> Report:
    shown = Acceptance("reviewed", "2099-01-01", "leakaudit-accepted.toml")
    found = [_leak_between("test", "train", 5, accepted=shown)]
    if n_open:
        found.append(_leak_between("test", "train", n_open, id=finding_id("LA104", "open")))
    use = AcceptedUse(("leakaudit-accepted.toml",), 1)
    return _judged(table_report(), _la104(*found), splits=SMALL, accepted=use)


def _shared_groups() -> Report:
    made = Finding(
        finding_id("LA108", "x"),
        "LA108",
        "group-overlap",
        "warning",
        "31 of 33 test samples share their group with train",
        ("test", "train"),
        31,
        {"key": "column 'premise'"},
    )
    outcome = Outcome("LA108", "group-overlap", "failed", "31 of 33", {}, (made,))
    return _judged(table_report(), outcome, _la104(status="passed"), splits=SMALL)


def _no_check_ran() -> Report:
    skipped = Outcome("LA106", "duplicate-text", "skipped", "no column of running text")
    return _judged(table_report(), skipped, coverage=Coverage(n_read=99, not_applicable=("LA103",)), splits=SMALL)


SMALL = {"train": SplitInfo(66, {"a": 66}), "test": SplitInfo(33, {"a": 33})}

SHAPES = {
    "a problem of no split": _no_split,
    "one split lost rows": _one_split_lost,
    "two splits lost rows": _two_splits_lost,
    "fourteen equal samples": _fourteen_equal,
    "a finding without evidence": _no_evidence,
    "splits whose names are no words": _folds,
    "all accepted": lambda: _accepted(0),
    "some accepted": lambda: _accepted(3),
    "groups that all of a split shares": _shared_groups,
    "undecided": lambda: _judged(table_report(), _la104(status="inconclusive"), splits=SMALL),
    "no check ran": _no_check_ran,
    "a check crashed": lambda: _judged(table_report(), _la104(status="errored"), splits=SMALL),
    "one split": lambda: _judged(table_report(), _la104(status="passed"), splits={"all": SplitInfo(9, {})}),
}
"""Reports of every shape that a finding, a problem and a verdict can have, judged by the gate."""


def probe_report() -> Report:
    """A quick model was trained: curves, terms of the gap, losses, confusion, hard and remembered samples."""
    epochs = tuple(float(n) for n in range(1, 13))
    curves = tuple(
        ProbeCurve(
            seed,
            epochs,
            tuple(2.2 / n**0.8 + 0.05 * seed for n in epochs),
            tuple(2.0 / n**0.6 + 0.1 for n in epochs),
            tuple(1 - 0.8 / n for n in epochs),
            tuple(0.95 - 0.7 / n if n > 2 else float("nan") for n in epochs),
        )
        for seed in range(3)
    )
    meanings = {
        "timing": "the training loss is an average over an epoch in which the model was still improving",
        "regularisation": "dropout, augmentation and the like are on in training only",
        "difficulty": "validation is easier for models that saw none of it",
        "leakage": "what the validation samples known to be in training gain by it",
        "memorisation": "what training samples gain by having been trained on",
        "rest": "what validation samples not known to be in training gain",
        "objective mismatch": "the objective differs from the reported loss",
    }
    values = (0.08, 0.12, 0.03, 0.21, -0.17, 0.02, 0.0)
    terms = tuple(
        ProbeTerm("abcdero"[at], name, value, value - 0.03, value + 0.04 if at != 6 else None, meaning)
        for at, ((name, meaning), value) in enumerate(zip(meanings.items(), values, strict=True))
    )
    report = image_report()
    edges = tuple(n / 10 for n in range(31))
    return replace(
        report,
        probe=ProbeReport(
            splits=("val", "train"),
            model="a small convolutional network",
            unit="nats",
            n_train=4000,
            n_val=1000,
            n_leaked=6,
            n_seeds=3,
            n_repeats=2,
            n_folds=5,
            gap=0.29,
            gap_low=0.22,
            gap_high=0.36,
            terms=terms,
            regularisers=(ProbeTerm("b", "dropout", 0.12, None, None, "off in evaluation"),),
            tests=(ProbeTest("leak", 0.4, 0.001, 0.003, 0.1), ProbeTest("known", None, None, None, None, "too few")),
            summary="Leakage and regularisation explain why validation loss lies below training loss.",
            curves=curves,
            losses=LossHistogram(
                edges,
                tuple(int(900 * 0.85**n) for n in range(30)),
                tuple(int(300 * 0.75**n) for n in range(30)),
            ),
            classes=("cat", "dog", "<b>truck</b>"),
            confusion=((380, 15, 5), (40, 240, 20), (0, 10, 290)),
            hardest=(
                Sample("val/cat/0000.jpg", "val", "cat", None, "out-of-fold loss 3.2 nats"),
                Sample(f"val/{HOSTILE[0]}", "val", HOSTILE[0], None, "out-of-fold loss 3.1 nats"),
            ),
            memorised=(Sample("val/cat/0001.jpg", "val", "cat", None, "known better by 2.1 nats"),),
            difficulty=(
                SplitDifficulty(
                    "train", 4000, 0.5, (0.1, 0.2, 0.4, 0.9, 1.6), 400, 400, (DifficultyPart("cat", 80, 0.4, 9, 8, ""),)
                ),
                SplitDifficulty(
                    "val",
                    1000,
                    0.4,
                    (0.1, 0.2, 0.3, 0.7, 1.2),
                    120,
                    80,
                    (DifficultyPart("cat", 400, 0.4, 40, 70, "hardest"), DifficultyPart(HOSTILE[0], 9, 0.2, 9, 0, "")),
                    (DifficultyPart("patient 7", 30, 0.9, 0, 25, "hardest"),),
                ),
            ),
            others=(ProbePair(("test", "val"), 1000, 500, 0, 0.1, None, None, terms, (), "Validation loss is level."),),
            sampled=("4,000 of 40,000 training samples",),
            notes=("the intervals assume that seeds are exchangeable",),
        ),
    )
