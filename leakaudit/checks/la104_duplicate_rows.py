"""Rows of a held-out split that are in the reference split, too.

What it does
------------
Compares every row of a held-out split with every row of the split that it is held out from, in layers: cell by cell as
it stands in the file (*raw*); by value (*canonical*); by value without the columns that only number, weigh or mark rows
(*reduced*); and the last two again without the label. Every layer's count and rate is in the metrics. A held-out row is
a finding once, in the strictest layer in which it occurs in the reference split with its label. Rows that agree but for
the label are findings here where it is a quantity, and of LA110 where classes contradict each other.

Why it matters
--------------
A model that has seen a row needs not generalise to get it right. Each such row moves the score towards the training
score, and the more so the better the model memorises. One column of row numbers or sampling weights hides such rows
from a plain comparison.

How it decides
--------------
Equality has no threshold and is never sampled. Canonical means: numbers by value where the column holds numbers in all
splits together (``5``, ``5.0`` and ``5e0`` are equal; integers exactly, other numbers to 9 significant digits, which
``%.9g`` writes); booleans in any case; text after Unicode NFKC with white space trimmed and collapsed; missing values
alike however they are spelled in columns of numbers; a dot at the end of all labels of one split removed when the other
has the same labels without it, as in UCI Adult. What a column holds is decided over all files, so that ``5`` in a csv
file and 5 in a parquet file are equal. The columns of the split and of the id, those of ``--ignore-column``, and those
that a file lacks are left out of every layer.

The reduced layer leaves out columns by what they hold, and says why: *identifiers* (whole numbers or short texts, 95 %
of the values distinct inside each split, and the numbers so close together that measurements would have repeated some,
or unrelated to every other column); *constants* (one value throughout each split); *weights* (positive numbers, at
least five times as many distinct values as any other column, 30 % of the rows at least, and no other column explains 5
% of the variance of their ranks). ``--keep-column`` keeps one. A copy often has a new row number and the old customer:
where several columns are left out, the one in which most rows of two splits agree that are equal without all of them is
put back, and that layer (*identified*) is judged first.

In a table of few, coarse columns distinct samples are equal by chance. Three witnesses say how often, and the outcome
names the one that decided (``decided_by``). The *model*: how often pairs of rows agree in each column and in each two
(a tree of the columns, Chow and Liu 1968); where a column of weights is in the row, no more often than rows that are
equal without it agree in any two values of it. The *reference* split: rows of it are equal to each other by chance,
too. The *assignment*: the same rows, assigned to the splits at random, would be parted so often (permutation test).

Rows are a finding, an *error*, when their pairs are significantly (Poisson, 1 %) more than 4 times what the model
expects, or 20 times in a table so coarse that chance alone gives one pair for every hundred held-out rows, and all
pairs of both splits together are more than 25 times what it expects of them: that number does not hang on how one table
was split. They are an error whatever the model says, when random assignment parts as many with a probability of 0.001
or less, and they are 4 times as many as the rate inside the reference split gives. The rows that are equal without
their labels are judged in the same way, and make those with the same label copies.

Between what chance gives and what it surely does not, one *warning* says that it cannot be told: beyond 4 times and not
beyond 25, or where few pairs are more than the model and the reference split together explain (negative binomial, 5 %;
a model that is wrong by a factor of 1.5 on average, corrected by the pairs inside the reference split). Four categories
or fewer hang together in ways that no model tells from copies: there chance is the share of the rows of the reference
split that meet another one of it, where that is half of them, or a quarter of the rows met are of four and more that
are equal. One column of numbers has no other to be judged by, either: there chance is what rounded numbers a step apart
show, or that share, and rows are a finding beyond one and a half times that; two columns likewise, and a pair or two
of coarse measurements, of which the reference split hardly says how often they agree, cannot be told. What is left
after columns were left out describes nothing where the reference split has ten rows for each distinct one, and is then
chance, too. Where chance explains them, they are a finding only if the splits share more rows than the same rows
assigned to the splits at random would: permutation test, adjusted over pairs of splits and layers by
Benjamini-Hochberg, below 0.01 (``alpha``), with at least 1 % of the held-out rows (``smallest``) beyond the rate inside
the reference split. That is one *warning*, whose samples are the excess. Where a share of copies of 4 % (``blind``)
could not have shown, the outcome is *inconclusive*.

Where the label is a quantity (a measured value, a price), or is unknown on one side, rows with the same features and
another target are a layer of their own, judged in the same way: the model has seen the sample, if with another value.
Where labels are classes, LA110 reports them.

Where texts are the only features (but for a handful of values), rows whose text is too short or too common to tell, and
those with short texts as they repeat inside the reference split, are no copies here: LA106 counts and tells them.

What it cannot see
------------------
Rows that differ by jitter or rounding beyond the ninth digit, or in a single describing column (LA105). Which of the
rows that agree by chance are copies. Two columns of weights that are related to each other.

Fix
---
Remove the rows listed from the reference split, or split again with equal rows kept together. Where they are distinct
samples that happen to agree, add a column that tells them apart, or accept the finding with that reason.

References
----------
- Barz, B. and Denzler, J. (2020). Do we train on test data? Purging CIFAR of near-duplicates. Journal of Imaging 6(6).
- Chow, C. and Liu, C. (1968). Approximating discrete probability distributions with dependence trees. IEEE Transactions
  on Information Theory 14(3).
- Kapoor, S. and Narayanan, A. (2023). Leakage and the reproducibility crisis in machine-learning-based science.
  Patterns 4(9), 100804: duplicates as leakage type L1.4.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import pyarrow as pa

from leakaudit.analysis.context import Context
from leakaudit.analysis.copies.groups import Group, Overlap
from leakaudit.analysis.copies.rows.chance import Chance, Witness, chance_of_pairs
from leakaudit.analysis.copies.rows.equal import n_equal_pairs, n_shared, row_overlap, row_pairs, shared_rows
from leakaudit.analysis.copies.rows.excess import Excess, excess_of_rows
from leakaudit.analysis.copies.texts.phrases import rows_of_phrases
from leakaudit.analysis.shift.homogeneity import benjamini_hochberg
from leakaudit.checks.base import Check
from leakaudit.checks.duplicates import overlap_findings, overlap_sum
from leakaudit.checks.labels import not_classes
from leakaudit.checks.row_pairs import row_pair_batches
from leakaudit.fingerprints.rows.fingerprint import LAYERS, Layer, RowFingerprints
from leakaudit.model import Finding, Outcome, Scalar
from leakaudit.sources.parts import say_names


@dataclass(frozen=True)
class Params:
    """See *How it decides*."""

    alpha: float = 0.01
    smallest: float = 0.01
    blind: float = 0.04


@dataclass(frozen=True)
class _Compared:
    """Two splits in one layer, without what a stricter layer found."""

    layer: Layer
    stricter: Layer | None
    overlap: Overlap
    chance: Chance
    excess: Excess | None


def run(context: Context, params: Params) -> Outcome:
    """Find held-out rows that are in the reference split."""
    rows = context.rows
    compared = [each for a, b in context.pairs_of_splits for each in _compare(context, a, b)]
    compared += [each for a, b in context.pairs_of_splits if (each := _compare_features(context, a, b)) is not None]
    adjusted = iter(benjamini_hochberg([each.excess.p_value for each in compared if each.excess is not None]))
    findings: list[Finding] = []
    found: list[_Compared] = []
    blind: list[str] = []
    for each in compared:
        overlap, excess = each.overlap, each.excess
        p_value = 1.0 if excess is None else next(adjusted)
        n_held_out = rows.n_rows[overlap.held_out]
        if each.chance.unsure:
            findings.append(_cannot_tell(context, each))
            found.append(each)
        elif not each.chance.explains:
            findings += _copies(context, each)
            found.append(each)
        elif excess is not None and p_value < params.alpha and excess.n_rows >= params.smallest * n_held_out:
            findings.append(_beyond_chance(context, each, excess, p_value))
            found.append(each)
        elif excess is not None and excess.detectable > params.blind:
            blind.append(_say_blind(each, excess))
    metrics: dict[str, Scalar | Mapping[str, Scalar]] = {}
    if rows.beside:
        metrics["left out of the reduced layers"] = dict(rows.beside)
    for held_out, reference in context.pairs_of_splits:
        mine = [each for each in compared if (each.overlap.held_out, each.overlap.reference) == (held_out, reference)]
        metrics[f"{held_out} against {reference}"] = _metrics(rows, held_out, reference, mine)
    said = "; ".join([*(_say(context, a, b, compared) for a, b in context.pairs_of_splits), *blind])

    def batches() -> Iterator[pa.RecordBatch]:
        for each in found:
            a, b = each.overlap.held_out, each.overlap.reference
            no_proof = rows_of_phrases(context, a, b)
            yield from row_pair_batches(rows, CHECK.code, row_pairs(rows, each.layer, a, b, each.stricter, no_proof))

    if findings:
        return Outcome(CHECK.code, CHECK.slug, "failed", said, metrics, tuple(findings), batches)
    return Outcome(CHECK.code, CHECK.slug, "inconclusive" if blind else "passed", said, metrics)


def _compare(context: Context, held_out: str, reference: str) -> list[_Compared]:
    """The layers with the label, the strictest first."""
    rows = context.rows
    no_proof = rows_of_phrases(context, held_out, reference)
    layers: list[Layer] = ["canonical"]
    layers += ["identified"] if rows.identified is not None else []
    layers += ["reduced"] if rows.beside else []
    compared: list[_Compared] = []
    before = float(len(no_proof))
    for layer in layers:
        stricter = compared[-1].layer if compared else None
        overlap = row_overlap(rows, layer, held_out, reference, stricter, no_proof)
        chance = chance_of_pairs(rows, layer, held_out, reference, overlap.n_pairs, before)
        if layer == "identified" and (chance.explains or chance.unsure):
            continue  # the reduced layer has these rows, too
        if (
            overlap.n_pairs
            and (chance.explains or chance.unsure)
            and not compared
            and _features_are_copied(rows, layer, held_out, reference)
        ):
            chance = replace(chance, explains=False, coarse=False, unsure=False)
        excess = None
        if chance.explains and overlap.n_samples:
            excess = excess_of_rows(rows, layer, held_out, reference, before)
        before += overlap.n_samples
        compared.append(_Compared(layer, stricter, overlap, chance, excess))
    return compared


def _compare_features(context: Context, held_out: str, reference: str) -> _Compared | None:
    """The same features with another target; None where the target is a class (LA110), or chance explains them."""
    rows = context.rows
    labels = {name: info.labels for name, info in context.splits.items()}
    known = labels[held_out] and labels[reference]
    if not rows.label_compared or (known and not_classes(labels) is None):
        return None
    layers: list[tuple[Layer, Layer]] = [("reduced_without_label", "reduced")] if rows.beside else []
    for layer, stricter in [*layers, ("without_label", "canonical")]:
        overlap = row_overlap(rows, layer, held_out, reference, stricter)
        n_known = n_shared(rows, stricter, held_out, reference)
        chance = chance_of_pairs(rows, layer, held_out, reference, overlap.n_pairs, n_known)
        if not chance.explains:
            return _Compared(layer, stricter, overlap, chance, None)
    return None


def _features_are_copied(rows: RowFingerprints, layer: Layer, held_out: str, reference: str) -> bool:
    """Whether more rows agree in all but the label than chance gives: those with the same label are copies, too."""
    features: Layer = "reduced_without_label" if layer == "reduced" else "without_label"
    if not rows.label_compared:
        return False
    n_pairs = n_equal_pairs(rows, features, held_out, reference)
    chance = chance_of_pairs(rows, features, held_out, reference, n_pairs)
    return not chance.explains and not chance.unsure


def _copies(context: Context, each: _Compared) -> list[Finding]:
    """One finding a group of equal rows, with the strictest layer in which they are equal."""
    rows = context.rows
    overlap, beside = each.overlap, ", ".join(map(repr, _left_out(rows, each.layer)))
    raw = frozenset(shared_rows(rows, "raw", overlap.held_out, overlap.reference).tolist())

    def layer(group: Group) -> dict[str, Scalar]:
        if each.layer in _FEATURES:
            return {"layer": each.layer, "expected_by_chance": round(each.chance.expected, 2)}
        if each.layer != "canonical":
            by_chance = round(each.chance.expected, 2)
            return {"layer": each.layer, "but_for": _but_for(rows, each.layer), "expected_by_chance": by_chance}
        n_raw = sum(index in raw for index in group.a.tolist())
        return {"layer": "raw" if n_raw == len(group.a) else "canonical", "n_raw": n_raw}

    return overlap_findings(
        context,
        overlap,
        code=CHECK.code,
        slug=CHECK.slug,
        severity=CHECK.severity,
        relation=_relation(each, beside),
        effect=layer,
    )


_FEATURES: tuple[Layer, ...] = ("without_label", "reduced_without_label")


def _relation(each: _Compared, beside: str) -> str:
    if each.layer == "without_label":
        return "has the features, and not the target, of"
    if each.layer == "reduced_without_label":
        return f"has, but for {beside}, the features, and not the target, of"
    return "is the same row as" if each.layer == "canonical" else f"is, but for {beside}, the same row as"


def _left_out(rows: RowFingerprints, layer: Layer) -> list[str]:
    """Columns that a layer leaves out, the label not among them."""
    if layer in ("canonical", "without_label"):
        return []
    return [name for name in rows.beside if layer != "identified" or name != rows.identified]


def _but_for(rows: RowFingerprints, layer: Layer) -> str | None:
    if layer in _FEATURES:
        return None
    return None if layer == "canonical" else say_names([*map(repr, _left_out(rows, layer))], 3)


def _beyond_chance(context: Context, each: _Compared, excess: Excess, p_value: float) -> Finding:
    """One finding for all rows: which of them chance gave cannot be told."""
    overlap = each.overlap
    rows = context.rows
    left_out = f", {', '.join(map(repr, rows.beside))} left out" if each.layer == "reduced" else ""
    return overlap_sum(
        context,
        overlap,
        code=CHECK.code,
        slug=CHECK.slug,
        severity="warning",
        n_samples=round(excess.n_rows),
        message=(
            f"{overlap.n_samples:,} rows of {overlap.held_out} are among those of {overlap.reference}{left_out}, where "
            f"about {overlap.n_samples - excess.n_rows:,.0f} would be by chance: some are copies"
        ),
        effect={
            "layer": each.layer,
            "but_for": _but_for(rows, each.layer),
            "n_equal": overlap.n_samples,
            "n_beyond_chance": round(excess.n_rows, 1),
            "expected_at_random": round(excess.expected, 1),
            "p_adjusted": round(p_value, 6),
        },
    )


def _cannot_tell(context: Context, each: _Compared) -> Finding:
    """One finding for all rows, where they may be copies or not."""
    rows, overlap, chance = context.rows, each.overlap, each.chance
    n = overlap.n_samples
    names = _left_out(rows, each.layer)
    left_out = f", {', '.join(map(repr, names))} left out" if names else ""
    left_out += " but for the target" if each.layer in _FEATURES else ""
    which = f"{n:,} rows of {overlap.held_out} are" if n > 1 else f"1 row of {overlap.held_out} is"
    return overlap_sum(
        context,
        overlap,
        code=CHECK.code,
        slug=CHECK.slug,
        severity="warning",
        n_samples=n,
        message=(
            f"{which} among those of {overlap.reference}{left_out}, and it cannot be told whether by chance, which may "
            f"give {overlap.n_pairs:,} pairs ({chance.expected:,.3g} expected), or as copies"
        ),
        effect={
            "layer": each.layer,
            "but_for": _but_for(rows, each.layer),
            "n_equal": n,
            "expected_by_chance": round(chance.expected, 4),
            "decided_by": chance.witness,
            "cannot_tell": True,
        },
    )


def _metrics(rows: RowFingerprints, held_out: str, reference: str, compared: list[_Compared]) -> dict[str, Scalar]:
    n_held_out = rows.n_rows[held_out]
    measured: dict[str, Scalar] = {"n_held_out": n_held_out, "n_reference": rows.n_rows[reference]}
    for layer in LAYERS:
        n = n_shared(rows, layer, held_out, reference)
        measured[f"n_{layer}"] = n
        measured[f"share_{layer}"] = n / n_held_out if n_held_out else 0.0
    for each in compared:
        if each.layer in _FEATURES:
            measured["n_other_target"] = each.overlap.n_samples
        if each.layer == "identified":
            measured["n_identified"] = n_shared(rows, each.layer, held_out, reference)
        measured[f"pairs_{each.layer}"] = each.overlap.n_pairs
        measured[f"pairs_{each.layer}_by_chance"] = round(each.chance.expected, 2)
        measured[f"decided_by_{each.layer}"] = each.chance.witness if each.overlap.n_pairs else None
        if each.excess is not None:
            measured[f"n_{each.layer}_at_random"] = round(each.excess.expected, 1)
            measured[f"detectable_{each.layer}"] = round(min(each.excess.detectable, 1.0), 4)
    return measured


def _say(context: Context, held_out: str, reference: str, compared: list[_Compared]) -> str:
    rows = context.rows
    mine = [each for each in compared if (each.overlap.held_out, each.overlap.reference) == (held_out, reference)]
    n_held_out, n_reference = rows.n_rows[held_out], rows.n_rows[reference]
    parts = []
    for each in mine:
        if each.layer in _FEATURES:
            n, by_chance = each.overlap.n_samples, _say_chance(each)
            parts.append(f"{n:,} with the same features and another target{by_chance}")
            continue
        n = n_shared(rows, each.layer, held_out, reference)
        by_chance = _say_chance(each) if each.overlap.n_samples else ""
        if each.layer == "canonical":
            parts.append(
                f"{n:,} of {n_held_out:,} {held_out} rows are among the {n_reference:,} of {reference}{by_chance}"
            )
        else:
            parts.append(f"{n:,} leaving out {', '.join(map(repr, _left_out(rows, each.layer)))}{by_chance}")
    if rows.label_compared:
        parts.append(f"{n_shared(rows, 'without_label', held_out, reference):,} ignoring the label")
    if n_short := len(rows_of_phrases(context, held_out, reference)):
        parts.append(f"{n_short:,} of them texts that are too short or too common to tell (LA106)")
    return ", ".join(parts)


def _say_chance(each: _Compared) -> str:
    """What became of equal rows, and who said so."""
    chance, reference = each.chance, each.overlap.reference
    if chance.unsure:
        return f" (chance or copies: cannot be told from {_WITNESS[chance.witness].format(reference)})"
    if chance.explains:
        return f", as chance gives by {_WITNESS[chance.witness].format(reference)}"
    return "" if chance.witness == "model" else f" (copies by {_WITNESS[chance.witness].format(reference)})"


_WITNESS: Mapping[Witness, str] = {
    "model": "how often columns agree",
    "reference": "the rows that are equal inside {}",
    "assignment": "the same rows assigned to the splits at random",
}


def _say_blind(each: _Compared, excess: Excess) -> str:
    held_out = each.overlap.held_out
    if excess.detectable >= 1:
        return f"so many rows are equal by chance that no share of copies in {held_out} would show"
    return f"so many rows are equal by chance that copies below {excess.detectable:.0%} of {held_out} would not show"


CHECK = Check(
    code="LA104",
    slug="duplicate-rows",
    family="copies",
    in_train=True,
    severity="error",
    kinds=("table",),
    needs=(
        "pair",
        "whole-row",
    ),
    params=Params(),
    run=run,
)
