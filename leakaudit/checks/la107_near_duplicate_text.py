"""Texts of a held-out split that are nearly, or within, texts of the reference split.

What it does
------------
Compares the running text of every held-out row with that of every reference row, and reports three things: texts that
are nearly the same (a word changed, a typo mended, a sentence added), long texts that stand within another one (a
validation paragraph inside a training page), and texts that are the same but for numbers and names, or but for the
order of their words. Both texts are shown, with what they share marked. Rows whose normalised
text is equal are left to LA104 and LA106; `n_near` of the metrics counts them, too.

Why it matters
--------------
A model needs not read a sentence twice word by word to remember it. Crawled pages, forum quotes, edited tickets and
augmented sentences are split apart by random splits, and removing exact copies leaves them in. Scores on such samples
are those of the training split.

How it decides
--------------
Texts are normalised as for LA106. *Near*: the Jaccard similarity of the sets of character 5-grams is at least 0.8, the
usual threshold of deduplication (Lee et al. 2022; characters instead of words serve short sentences and scripts without
spaces). MinHash signatures of 80 functions nominate pairs in 16 bands of 5; a pair at 0.8 is nominated with
probability ``1 - (1 - 0.8^5)^16 = 0.998``, one at 0.85 with 0.9998; the similarity itself is then computed exactly.
Texts of more than 10,000 characters have most 5-grams in common whatever they say; 40 % of their 16-grams must be
shared, too (0.54 is left where letters are changed one by one until J over 5-grams is 0.8, more where words are).
*Contained*: at least 80 % of the distinct 13-grams of words of the held-out text are in one reference text; 13 words
are the habit of contamination studies of language models (Brown et al. 2020). Such a text must have 13 words, and 40
letters or digits (in scripts without spaces a character counts as a word).

What is common to the corpus does not count: before anything is compared, every run of at least 32 characters that more
than 1 % of the column's distinct texts (and more than 20) have is taken out: headers, disclaimers, templates. Shorter
runs are how people speak. Where fewer than three words are left, the text is not judged, and counted
(`n_boilerplate`). The same holds for whole texts of fewer than three words.

Columns are compared as by LA106, each that stands for a row with each. Near copies of a text that many rows share (a
premise, a passage) are a *warning*: the rows belong together, as LA108 says of equal ones.

Two more comparisons leave more aside, for texts of up to 2,000 characters that none of these found, each column with
itself; texts that are near to each other and of one template are judged here, not above. *Template*: web and mail
addresses, user names, a leading "RT", words with digits and names are masked (words that nearly always have a capital,
unless a quarter of all words have), and five words must be left. *Order*: the distinct words of both are the same, six
or more. How often the texts of the reference split are alike in this way is the set's own null: where the held-out ones
are so four times as often, and random assignment of the same texts would hardly part as many (permutation test, 0.1 %),
they are a *warning*; else, from 1 % of the held-out rows on, an *info*: any random split of a set of templates parts
them.

Apart from these, all this is deterministic and without sampling, and an *error*. Of a held-out text with more than
1,000 near-duplicates no further ones are looked for; `n_crowded` counts these.

What it cannot see
------------------
Paraphrases and translations: no layer of this tool compares what texts mean. Reordered sentences, if a word was
changed, too; a text pieced together from several others; a reference text within a longer held-out one. Two sentences
that differ in one word ("allow", "forbid") are near-duplicates by their letters, and may be two samples all the same:
read the pairs. A set that was written in variations has near-duplicates inside every split, and any random split of it
shares them: that is true, and no accident of one split.

Fix
---
Remove the rows listed from the reference split, or, where that is the published benchmark, from the held-out split and
say so. Split by document, thread or template instead of by sentence. ``--pairs FILE`` writes all pairs.

References
----------
- Broder, A. (1997). On the resemblance and containment of documents. Compression and Complexity of Sequences.
- Leskovec, J., Rajaraman, A. and Ullman, J. (2020). Mining of massive datasets, chapter 3: bands of MinHash.
- Lee, K. et al. (2022). Deduplicating training data makes language models better. ACL 2022.
- Brown, T. et al. (2020). Language models are few-shot learners, appendix C: 13-gram overlap.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from leakaudit.analysis.copies.texts.corpus import texts_of
from leakaudit.analysis.copies.texts.near_rows import NearTextParams, near_texts
from leakaudit.analysis.copies.texts.templates import like_texts
from leakaudit.checks.base import Check
from leakaudit.checks.duplicates import overlap_sum
from leakaudit.checks.text_findings import NO_TEXT, columns_said, text_findings, text_pair_batches
from leakaudit.model import Outcome

if TYPE_CHECKING:
    from leakaudit.analysis.context import Context
    from leakaudit.analysis.copies.groups import Group
    from leakaudit.analysis.copies.texts.equal import ColumnMatches
    from leakaudit.analysis.copies.texts.near_rows import NearTexts
    from leakaudit.analysis.copies.texts.templates import LikeTexts
    from leakaudit.checks.duplicates import Note
    from leakaudit.fingerprints.texts.documents import Texts
    from leakaudit.model import Finding, Scalar, Severity


BUT_FOR: Mapping[str, str] = {"order": "the order of the words", "template": "addresses, numbers and names"}
"""How texts may differ that are like each other."""

WORTH_KNOWING = 0.01
"""Share of the held-out rows from which on a template is told although it is usual in this set."""


def run(context: Context, params: NearTextParams) -> Outcome:
    """Find held-out texts that are nearly, or within, reference texts."""
    texts = texts_of(context)
    if texts is None:
        return Outcome(CHECK.code, CHECK.slug, "skipped", NO_TEXT)
    findings: list[Finding] = []
    metrics: dict[str, dict[str, Scalar]] = {}
    matches: list[ColumnMatches] = []
    said = []
    for held_out, reference in context.pairs_of_splits:
        found = near_texts(context, texts, params, held_out, reference)
        n_held_out, n_reference = context.splits[held_out].n, context.splits[reference].n
        like = like_texts(context, texts, held_out, reference, found.counted)
        n_near, n_within = (sum(column.overlap.n_samples for column in side) for side in (found.near, found.within))
        metrics[f"{held_out} against {reference}"] = {
            "n_held_out": n_held_out,
            "n_reference": n_reference,
            "n_near": found.n_near,
            "n_contained": n_within,
            "n_samples": n_near + n_within,
            "n_pairs": sum(column.overlap.n_pairs for column in (*found.near, *found.within)),
            "n_judged_by_containment": found.n_judged,
            "n_boilerplate": found.n_boilerplate,
            "n_crowded": found.n_crowded,
            **_measured_like(like),
            "share": round((n_near + n_within) / n_held_out, 6) if n_held_out else 0.0,
        }
        said.append(_phrase(held_out, reference, n_held_out, n_reference, n_near, n_within, found) + _said_like(like))
        for column in found.near:
            findings += text_findings(
                context,
                CHECK,
                column,
                severity=_severity(texts, column),
                relation="is nearly the same text as",
                effect=lambda group: {"jaccard": round(float(group.shown.score.max()), 4)},
            )
        for column in found.within:
            share = _share_of(texts, found, column)
            findings += text_findings(
                context,
                CHECK,
                column,
                severity=_severity(texts, column),
                relation="stands within the text of",
                note=_note(share, params.words),
                effect=_containment(share),
            )
        findings += [
            _of_like(context, each)
            for each in like
            if each.beyond or each.overlap.n_samples > max(WORTH_KNOWING * n_held_out, 1)
        ]
        matches += (*found.near, *found.within)
    reason = f"compared {columns_said(texts)}: {'; '.join(said)}"
    if not findings:
        return Outcome(CHECK.code, CHECK.slug, "passed", reason, metrics)
    return Outcome(
        CHECK.code,
        CHECK.slug,
        "failed",
        reason,
        metrics,
        tuple(findings),
        pairs=lambda: text_pair_batches(context, CHECK.code, matches),
    )


def _measured_like(like: Sequence[LikeTexts]) -> dict[str, Scalar]:
    measured: dict[str, Scalar] = {}
    for how, name in (("template", "n_template"), ("order", "n_other_order")):
        its = [each for each in like if each.how == how]
        measured[name] = sum(each.overlap.n_samples for each in its)
        measured[f"{name}_usual"] = round(sum(each.usual for each in its), 2)
    return measured


def _said_like(like: Sequence[LikeTexts]) -> str:
    n = {how: sum(each.overlap.n_samples for each in like if each.how == how) for how in BUT_FOR}
    return "".join(f", {n[how]:,} are one but for {but_for}" for how, but_for in BUT_FOR.items() if n[how])


def _of_like(context: Context, like: LikeTexts) -> Finding:
    """One finding for all texts of a column that are like others in one way."""
    overlap = like.overlap
    n, total = overlap.n_samples, context.splits[overlap.held_out].n
    usual = f"{like.n_texts:,} distinct, where {like.usual:,.1f} would be at the rate inside {overlap.reference}"
    end = "" if like.beyond else ": a set of templates, which any random split parts"
    return overlap_sum(
        context,
        overlap,
        code=CHECK.code,
        slug=CHECK.slug,
        severity="warning" if like.beyond else "info",
        n_samples=n,
        message=(
            f"{n:,} of {total:,} texts of {overlap.held_out} are texts of {overlap.reference} but for "
            f"{BUT_FOR[like.how]} ({usual}){end}"
        ),
        effect={
            "column": like.column,
            "layer": like.how,
            "n_distinct": like.n_texts,
            "usual": round(like.usual, 2),
            "expected_at_random": round(like.expected, 2),
            "p_value": round(like.p_value, 6),
        },
    )


def _severity(texts: Texts, found: ColumnMatches) -> Severity:
    """Of a text that many rows share, a near copy says that rows belong together, as LA108 does of equal ones."""
    return "warning" if found.column in texts.keys else CHECK.severity


def _phrase(
    held_out: str, reference: str, n_held_out: int, n_reference: int, n_near: int, n_within: int, found: NearTexts
) -> str:
    parts = [
        f"{n_near:,} of {n_held_out:,} texts of {held_out} are near-duplicates of the {n_reference:,} of {reference}",
        f"{n_within:,} stand within one",
        f"{found.n_boilerplate:,} are boilerplate" if found.n_boilerplate else "",
        f"{found.n_crowded:,} may have more partners than were looked for" if found.n_crowded else "",
    ]
    return ", ".join(part for part in parts if part)


def _share_of(texts: Texts, found: NearTexts, column: ColumnMatches) -> Callable[[int, int], float]:
    """From two rows to the share of the first one's n-grams that the second has."""
    ours, theirs = (texts.document[:, texts.columns.index(name)] for name in (column.column, column.other))
    return lambda a, b: found.shares[int(ours[a]), int(theirs[b])]


def _note(share: Callable[[int, int], float], words: int) -> Note:
    return lambda a, b: f"{100 * share(a, b):.0f} % of its runs of {words} words"


def _containment(share: Callable[[int, int], float]) -> Callable[[Group], dict[str, Scalar]]:
    def effect(group: Group) -> dict[str, Scalar]:
        shown = zip(group.shown.a.tolist(), group.shown.b.tolist(), strict=True)
        return {"containment": round(max(share(a, b) for a, b in shown), 4)}

    return effect


CHECK = Check(
    code="LA107",
    slug="near-duplicate-text",
    family="copies",
    in_train=True,
    severity="error",
    kinds=("table",),
    needs=("pair",),
    params=NearTextParams(),
    run=run,
)
