from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from leakaudit.analysis.context import Context
from leakaudit.checks import la108_group_overlap as la108
from leakaudit.config import Config
from leakaudit.engines.progress import silent
from leakaudit.fingerprints.pictures.scan import fingerprint_images
from leakaudit.fingerprints.rows.fingerprint import fingerprint_rows
from leakaudit.model import Samples
from leakaudit.sources.objects.frames import from_frames
from near_pictures import film, photograph, photographs, records_of
from pictures import picture_context, records

PEOPLE = np.repeat(np.arange(30), 8)
LABELS = [str(i) for i in np.tile(np.arange(4), 60)]


def run(context):
    return la108.run(context, la108.CHECK.params)


def at_random(n, seed=0, share=0.3):
    return np.where(np.random.default_rng(seed).random(n) < share, "val", "train").tolist()


def by_group(groups, n_held_out):
    return np.where(np.isin(groups, np.unique(groups)[:n_held_out]), "val", "train").tolist()


def named(template):
    return [template.format(label=label, group=g, i=i) for i, (label, g) in enumerate(zip(LABELS, PEOPLE, strict=True))]


@pytest.mark.parametrize(
    "template",
    ["{label}/p{group:02d}_{i}.jpg", "{label}/person{group:02d}/{i}.jpg", "{label}/{i:04d}-{group:02d}.jpg"],
)
def test_a_random_split_of_named_people_is_a_warning_and_a_split_by_people_is_not(template):
    made = records(len(PEOPLE), scenes=PEOPLE)
    splits = at_random(len(PEOPLE))
    outcome = run(picture_context(made, named(template), splits, LABELS))
    (finding,) = outcome.findings
    assert finding.severity == "warning"
    assert finding.n_samples == splits.count("val")
    assert finding.effect["alike_low"] >= 0.6
    assert finding.effect["n_cut_at_random"] == pytest.approx(finding.effect["n_cut"], abs=3)
    assert len(finding.evidence.pairs) == 12
    clean = run(picture_context(made, named(template), by_group(PEOPLE, 9), LABELS))
    assert clean.status == "passed"
    assert clean.findings == ()


def test_names_that_mean_nothing_are_silent():
    made = records(len(PEOPLE))  # the same names, and no two pictures alike
    for seed in range(10):
        names, splits = named("{label}/p{group:02d}_{i}.jpg"), at_random(len(PEOPLE), seed)
        outcome = run(picture_context(made, names, splits, LABELS))
        assert outcome.status == "passed", outcome.findings


def test_a_key_across_one_that_the_split_keeps_whole_is_silent():
    # every character is drawn in every drawer; characters look alike, the split is by drawer
    characters, drawers = np.divmod(np.arange(240), 20)
    made = records(240, scenes=characters)
    names = [f"{c:04d}_{d:02d}.png" for c, d in zip(characters, drawers, strict=True)]
    assert run(picture_context(made, names, by_group(drawers, 4))).status == "passed"
    assert run(picture_context(made, names, at_random(240))).status == "failed"


def test_sessions_kept_together_do_not_hide_patients_that_are_cut():
    patients, sessions = np.repeat(np.arange(20), 12), np.repeat(np.arange(80), 3)
    made = records(240, scenes=patients)
    names = [f"p{p:02d}_s{s:02d}_{i}.png" for i, (p, s) in enumerate(zip(patients, sessions, strict=True))]
    drawn = np.random.default_rng(0).permutation(80)[:20]
    splits = np.where(np.isin(sessions, drawn), "val", "train").tolist()
    (finding,) = run(picture_context(made, names, splits)).findings
    assert finding.effect["key"] == "the name up to its first separator"


def test_declared_groups_are_an_error_and_guessed_ones_a_warning():
    made = records(60)
    groups = [f"g{i // 4}" for i in range(60)]
    names = [f"{i}.jpg" for i in range(60)]
    declared = run(picture_context(made, names, at_random(60), groups=groups, config=Config(group="patient")))
    guessed = run(picture_context(made, names, at_random(60), groups=groups))
    assert [outcome.findings[0].severity for outcome in (declared, guessed)] == ["error", "warning"]
    assert declared.findings[0].id == guessed.findings[0].id
    assert run(picture_context(made, names, by_group(groups, 4), groups=groups)).status == "passed"


def test_the_finding_keeps_its_id_when_pictures_are_renamed_and_reordered():
    made = records(60)
    groups, splits = np.array([f"g{i // 4}" for i in range(60)]), np.array(at_random(60))
    order = np.random.default_rng(5).permutation(60)
    first = run(picture_context(made, [f"{i}.jpg" for i in range(60)], splits, groups=groups.tolist()))
    names = [f"new{i}.jpg" for i in range(60)]
    second = run(picture_context(made[order], names, splits[order].tolist(), groups=groups[order].tolist()))
    assert first.findings[0].id == second.findings[0].id


def test_few_large_groups_are_kinds():
    made = records(60)
    kinds = [f"k{i % 3}" for i in range(60)]
    outcome = run(picture_context(made, [f"{i}.jpg" for i in range(60)], at_random(60), groups=kinds))
    assert outcome.status == "passed"
    assert "few and large" in outcome.reason


# --- tables -----------------------------------------------------------------------------------------------------


def frame(groups, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame({"PatientID": groups, "x": rng.normal(size=len(groups)), "y": rng.integers(0, 2, len(groups))})


def table_outcome(splits, **settings):
    config = Config(**settings)
    dataset = from_frames(splits, config)
    return run(Context(dataset, config, rows=fingerprint_rows(dataset, config)))


def test_a_column_named_like_a_group():
    rows = frame(np.repeat(np.arange(40), 5))
    held_out = np.random.default_rng(0).random(200) < 0.2
    outcome = table_outcome({"train": rows[~held_out], "val": rows[held_out]}, label="y")
    (finding,) = outcome.findings
    assert (finding.severity, finding.n_samples) == ("warning", int(held_out.sum()))
    declared = table_outcome({"train": rows[~held_out], "val": rows[held_out]}, label="y", group="PatientID")
    assert declared.findings[0].severity == "error"
    clean = table_outcome({"train": rows[rows.PatientID >= 8], "val": rows[rows.PatientID < 8]}, label="y")
    assert clean.status == "passed"


def test_one_declared_group_on_both_sides_is_an_error():
    rows = frame(np.repeat(np.arange(40), 5))
    outcome = table_outcome(
        {"train": rows[rows.PatientID >= 8], "val": rows[rows.PatientID <= 8]}, label="y", group="PatientID"
    )
    (finding,) = outcome.findings
    assert (finding.severity, finding.n_samples, finding.effect["n_cut"]) == ("error", 5, 1)
    assert finding.evidence.pairs[0].note == "group 8"


def test_keys_are_compared_by_value_and_missing_ones_are_none():
    train = frame([1.0, 2.0, None, 3.0] * 5)
    val = frame(["1", "9", None, "8"])
    outcome = table_outcome({"train": train, "val": val}, label="y", group="PatientID")
    assert outcome.findings[0].n_samples == 1


def test_a_table_without_a_telling_column_says_so():
    rows = frame(np.arange(40)).drop(columns="PatientID")
    outcome = table_outcome({"train": rows[:30], "val": rows[30:]}, label="y")
    assert outcome.status == "skipped"
    assert "--group" in outcome.reason


def rows_of_people(alike, seed=0):
    rng = np.random.default_rng(seed)
    people = np.repeat(np.arange(40), 10)
    values = rng.normal(size=(400, 3)) + (1.5 * rng.normal(size=(40, 3))[people] if alike else 0)
    return people, pd.DataFrame(values, columns=["a", "b", "c"]).assign(y=rng.integers(0, 2, 400))


IDS = {
    "ref": lambda i, j: f"P{i:03d}",
    "mail": lambda i, j: f"user{i * 7}@mail.org",
    "visit": lambda i, j: f"sess-{i * 2654435761 % 2**32:08x}",
    "filename": lambda i, j: f"rec{i:03d}_{j:04d}.wav",
    "image_path": lambda i, j: f"data/patient{i:02d}/scan_{j}.png",
}


@pytest.mark.parametrize("column", sorted(IDS))
def test_a_table_hides_groups_in_ids_and_names_of_files(column):
    people, rows = rows_of_people(alike=True)
    rows[column] = [IDS[column](i, j) for j, i in enumerate(people.tolist())]
    held_out = np.random.default_rng(1).random(400) < 0.25
    outcome = table_outcome({"train": rows[~held_out], "val": rows[held_out]}, label="y")
    (finding,) = outcome.findings
    assert finding.severity == "warning"
    assert finding.effect["n_cut"] >= 35
    assert sum(len(batch) for batch in outcome.pairs()) == finding.n_samples == held_out.sum()
    clean = table_outcome({"train": rows[people >= 10], "val": rows[people < 10]}, label="y")
    assert clean.findings == ()
    _, other = rows_of_people(alike=False)
    other[column] = rows[column]
    assert table_outcome({"train": other[~held_out], "val": other[held_out]}, label="y").findings == ()


def test_codes_of_kinds_are_no_groups():
    people, rows = rows_of_people(alike=True)
    rows["product_code"] = [f"A{i:04d}" for i in people]
    held_out = np.random.default_rng(1).random(400) < 0.25
    assert table_outcome({"train": rows[~held_out], "val": rows[held_out]}, label="y").status == "skipped"


def rows_of(names, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame({"x": rng.normal(size=len(names)), "y": rng.integers(0, 2, len(names))}).assign(who=names)


def of_column(column, train, val, **settings):
    parts = {"train": rows_of(train, 1), "val": rows_of(val, 2)}
    return table_outcome({name: part.rename(columns={"who": column}) for name, part in parts.items()}, **settings)


KNOWN = ["customer", "customer_id", "client", "account", "member", "household", "person", "subj", "device", "driver"]


@pytest.mark.parametrize("column", [*KNOWN, "session", "order", "molecule", "protein", "speaker", "video", "clip"])
def test_ids_under_names_of_groups(column):
    ids = [f"K{i:05d}" for i in range(400)]
    (finding,) = of_column(column, ids[:320], [*ids[320:], *ids[:40]], label="y").findings
    assert (finding.severity, finding.n_samples, finding.effect["key"]) == ("warning", 40, f"column {column!r}")
    assert of_column(column, ids[:320], ids[320:], label="y").findings == ()


def test_kinds_and_counts_under_names_of_groups_are_none():
    rng = np.random.default_rng(0)
    models = [f"{make} {size}" for make in ("Galaxy", "iPhone", "Pixel", "Nokia") for size in "SMLX"]
    columns = {
        "device": rng.choice(models, 600),
        "members": rng.poisson(8, 600),
        "orders": rng.geometric(0.05, 600),
        "account": rng.normal(100, 20, 600).round(2),
        "order": np.tile(np.arange(1, 21), 30),
        "driver": rng.choice(["fwd", "rwd"], 600),
        "subject": [f"Re: the meeting {i} of all of us at noon" for i in rng.permutation(500).repeat(2)[:600]],
    }
    for column, values in columns.items():
        assert of_column(column, list(values[:480]), list(values[480:]), label="y").findings == (), column


def test_a_column_that_counts_the_rows_of_each_split_is_no_group():
    for column in ("order", "session_id", "case_id"):
        outcome = of_column(column, list(range(1, 401)), list(range(1, 101)), label="y")
        assert outcome.findings == ()
        assert "anew" in outcome.reason
    # an id that is declared is no reason for an alarm either, if it is the number of the row
    assert of_column("row", list(range(400)), list(range(100)), label="y", id="row").findings == ()
    # the same customers in the same order on both sides are alike, and so found
    rng = np.random.default_rng(3)
    level = rng.normal(size=(400, 4))
    frames = [
        pd.DataFrame(level[:n] + 0.2 * rng.normal(size=(n, 4)), columns=list("abcd")).assign(
            customer=np.arange(n), y=rng.integers(0, 2, n)
        )
        for n in (400, 100)
    ]
    (finding,) = table_outcome({"train": frames[0], "val": frames[1]}, label="y").findings
    assert (finding.severity, finding.n_samples) == ("warning", 100)


def test_a_declared_id_is_compared_whatever_it_is_called():
    ids = [f"a-{i}" for i in range(500)]
    (finding,) = of_column("ref", ids[:400], [*ids[400:], *ids[:7]], label="y", id="ref").findings
    assert (finding.severity, finding.n_samples) == ("error", 7)
    assert "7 of 107 val samples share their id with train" in finding.message
    clean = of_column("ref", ids[:400], ids[400:], label="y", id="ref")
    assert clean.findings == ()
    assert "0 of 500 groups" in clean.reason


def test_molecules_are_known_by_their_letters():
    rng = np.random.default_rng(4)
    smiles = sorted({"".join(rng.choice(["C", "N", "O", "(C)", "C=C", "c1ccccc1", "Cl"], 6)) for _ in range(400)})[:300]
    (finding,) = of_column("compound text", smiles[:240], [*smiles[240:], *smiles[:30]], label="y").findings
    assert finding.n_samples == 30
    assert of_column("compound text", smiles[:240], smiles[240:], label="y").findings == ()


def test_two_columns_of_one_matter_are_one_finding():
    ids = [f"K{i:05d}" for i in range(400)]
    parts = {"train": rows_of(ids[:320]), "val": rows_of([*ids[320:], *ids[:40]])}
    parts = {
        name: part.assign(visit_id=part["who"] + "-1").rename(columns={"who": "patient"})
        for name, part in parts.items()
    }
    (finding,) = table_outcome(parts, label="y").findings
    assert finding.effect["also"] == "column 'visit_id' (40 samples)"


def test_a_picture_and_its_edited_copy_without_a_separator():
    scenes = np.tile(np.arange(60), 2)
    made = records(120, scenes=scenes)
    names = [f"{i}.jpg" for i in range(60)] + [f"{i}-with-mask.jpg" for i in range(60)]
    labels = ["without"] * 60 + ["with"] * 60
    (finding,) = run(picture_context(made, names, at_random(120, share=0.5), labels)).findings
    assert finding.effect["key"].startswith("the start of the name")
    assert run(picture_context(made, names, by_group(scenes, 15), labels)).findings == ()
    cameras = [f"{('IMG_', 'DSC')[i // 6 % 2]}{i:04d}.jpg" for i in range(120)]
    assert run(picture_context(records(120, scenes=np.arange(120) // 6 % 2), cameras, at_random(120))).findings == ()


def test_names_of_persons_without_a_digit():
    first, last = ["Ada", "Ben", "Cleo", "Dan", "Eva", "Finn", "Gil", "Hal"], ["Ash", "Berg", "Cole", "Dorn", "Elm"]
    people = [f"{a}_{b}{c}" for a in first for b in last for c in ("", "man")]
    who = np.repeat(np.arange(80), 4)
    made = records(320, scenes=who)
    labels = np.random.default_rng(3).choice(["glasses", "none"], 320).tolist()
    names = [f"{people[i]}_{j:04d}.jpg" for j, i in enumerate(who.tolist())]
    (finding,) = run(picture_context(made, names, at_random(320), labels)).findings
    assert finding.effect["n_cut"] > 40
    assert run(picture_context(made, names, by_group(who, 20), labels)).findings == ()
    assert (
        run(picture_context(made, names, at_random(320), [people[i] for i in who])).findings == ()
    )  # the label itself


def test_pairs_join_every_held_out_sample_with_its_group():
    groups = [f"g{i // 4}" for i in range(60)]
    splits = at_random(60)
    outcome = run(picture_context(records(60), [f"{i}.jpg" for i in range(60)], splits, groups=groups))
    (batch,) = outcome.pairs()
    assert len(batch) == outcome.findings[0].n_samples
    for a, b in zip(batch["uri_a"].to_pylist(), batch["uri_b"].to_pylist(), strict=True):
        assert int(a[4:-4]) // 4 == int(b[6:-4]) // 4


# --- real data --------------------------------------------------------------------------------------------------


def real_context(folder, splits, pattern="**/*.*", at_most=None):
    paths = sorted(path for path in folder.glob(pattern) if path.suffix.lower() in {".jpg", ".png"})
    if at_most is not None:
        chosen = np.sort(np.random.default_rng(0).choice(len(paths), at_most, replace=False))
        paths = [paths[i] for i in chosen]
    samples = Samples(
        uri=pa.array([path.name for path in paths]),
        path=pa.array([str(path).encode() for path in paths], pa.binary()),
        split=np.zeros(len(paths), dtype=np.int16),
    )
    images = fingerprint_images(samples, Config(use_cache=False), silent)
    labels = [path.parent.name for path in paths]
    names = [f"{label}/{path.name}" for label, path in zip(labels, paths, strict=True)]
    return picture_context(images.records, names, splits(names), labels)


@pytest.mark.realdata
def test_sign_digits(unpacked):
    def person(name):
        digit, number = re.match(r"(\d)/\D*(\d+)", name).groups()
        return int(number) - int(digit)

    folder = unpacked("sign-digits")
    leaky = run(real_context(folder, lambda names: at_random(len(names))))
    (finding,) = leaky.findings
    assert finding.severity == "warning"
    assert finding.n_samples > 600
    assert finding.effect["n_cut"] > 190
    clean = run(real_context(folder, lambda names: by_group([person(name) for name in names], 50)))
    assert clean.status == "passed"


@pytest.mark.realdata
@pytest.mark.parametrize(("name", "at_most"), [("cifar10-half", 4000), ("bccd", None)])
def test_sets_without_groups_are_silent(unpacked, name, at_most):
    outcome = run(real_context(unpacked(name), lambda names: at_random(len(names)), at_most=at_most))
    assert outcome.status == "passed", outcome.findings


@pytest.mark.realdata
def test_parkinsons(shared_data):
    rows = pd.read_csv(shared_data / "tabular" / "parkinsons-with-split.csv")
    published = {split: rows[rows.published_split == split] for split in ("train", "test")}
    clean = table_outcome(published, group="subject#")
    assert (clean.status, clean.metrics["test against train: column 'subject#'"]["n_cut"]) == ("passed", 0)
    held_out = np.random.default_rng(0).random(len(rows)) < 0.2
    leaky = table_outcome({"train": rows[~held_out], "val": rows[held_out]})
    assert leaky.findings[0].n_samples == int(held_out.sum())
    assert leaky.findings[0].effect["n_cut"] == 42


@pytest.mark.realdata
def test_subjects_of_fmri(shared_data):
    rows = pd.read_csv(shared_data / "tabular" / "fmri.csv")
    held_out = np.random.default_rng(0).random(len(rows)) < 0.2
    (finding,) = table_outcome({"train": rows[~held_out], "val": rows[held_out]}).findings
    assert (finding.severity, finding.effect["key"]) == ("warning", "column 'subject'")
    assert finding.n_samples == held_out.sum()
    last = rows.subject.isin(["s1", "s2", "s3"])
    assert table_outcome({"train": rows[~last], "val": rows[last]}, group="subject").status == "passed"


@pytest.mark.realdata
def test_drawers_of_omniglot(unpacked):
    def drawer(name):
        return int(re.search(r"_(\d+)\.", name)[1])

    folder = unpacked("omniglot-small")
    by_drawer = real_context(folder, lambda names: by_group([drawer(name) for name in names], 5), at_most=2000)
    assert run(by_drawer).status == "passed"


@pytest.mark.realdata
@pytest.mark.parametrize("name", ["titanic", "taxis", "diamonds", "winequality-red", "adult-train"])
def test_tables_without_groups_are_silent(shared_data, name):
    rows = pd.read_csv(shared_data / "tabular" / f"{name}.csv", header=None if name == "adult-train" else 0)
    rows.columns = [str(column) for column in rows.columns]
    for seed in range(3):
        held_out = np.random.default_rng(seed).random(len(rows)) < 0.2
        assert table_outcome({"train": rows[~held_out], "val": rows[held_out]}).findings == ()


# --- frames and tiles --------------------------------------------------------------------------------------------


def as_context(pictures, names, splits, **named):
    made = records(len(pictures))
    for field in ("luma", "chroma", "width", "height", "spread"):
        made[field] = records_of(pictures)[field]
    return picture_context(made, names, splits, **named)


def test_a_film_split_at_random_is_a_warning_and_one_cut_in_two_is_not():
    pictures = film(np.random.default_rng(1), 1, 90, step=2)
    names = [f"road_{i:04d}.jpg" for i in range(90)]
    splits = at_random(90)
    outcome = run(as_context(pictures, names, splits))
    (finding,) = outcome.findings
    assert (finding.severity, finding.splits) == ("warning", ("val", "train"))
    assert 0.8 * splits.count("val") <= finding.n_samples <= splits.count("val")
    assert "as frames of a film have" in finding.message
    assert finding.effect["more_alike"] > 0.9
    assert sum(batch.num_rows for batch in outcome.pairs()) == finding.n_samples
    assert not run(as_context(pictures, names, ["train"] * 70 + ["val"] * 20)).findings


def test_tiles_of_one_picture_are_a_warning_and_blocks_of_them_are_not():
    scene = photograph(np.random.default_rng(4), 480, 480)
    places = [(48 * (i // 9), 48 * (i % 9)) for i in range(81)]
    tiles = [scene.crop((x, y, x + 96, y + 96)) for y, x in places]
    names = [f"slide_{y}_{x}.png" for y, x in places]
    (finding,) = run(as_context(tiles, names, at_random(81))).findings
    assert finding.severity == "warning"
    assert "such neighbours overlap by 50% of a side" in finding.message
    assert not run(as_context(tiles, names, ["val" if y > 288 else "train" for y, _ in places])).findings


def test_numbered_photographs_are_silent():
    pictures = photographs(np.random.default_rng(2), 90)
    assert not run(as_context(pictures, [f"img_{i}.jpg" for i in range(90)], at_random(90))).findings
