"""Texts of a held-out split that are in the reference split, but for case, punctuation and spaces.

What it does
------------
Compares the running text of every held-out row with that of every row of the split it is held out from, after
normalisation, whatever the rest of the row says. Rows that are the same with all their cells are left to LA104; the
metrics count them, too (`n_normalised`), beside the texts that are equal character by character (`n_exact`). The texts
are shown side by side.

Why it matters
--------------
Text is collected, cleaned and merged by programs that change case, quotes, trailing dots and line breaks. A language
model reads through all that: a sentence seen in training with another full stop is a sentence seen in training, and
it is the answer that is remembered with it.

How it decides
--------------
By equality of the normal form: Unicode NFKC, full case folding, every run of characters that are neither letters (with
their combining marks) nor digits replaced by one space, ends trimmed; of JSON, what its values say. There is no
threshold and no sampling. Running text is told by the looks of the distinct values of a column, however often they
repeat: three words and fifteen characters or more on average, mostly letters, with function words or the end of a
sentence where values are short. Names, titles, addresses and codes are none: two passengers of one name are no leak.
Sentences of which few are given again and again, as answers of a form are, are categories.

Of several such columns those count that say most (words times the entropy of the words, at least two thirds of the most
telling one). Each is compared with each, so that a pair of sentences is found the other way round, and one that shares
its first with the second of another: a row matches when it has one text in common, and is counted once; `n_reordered`
counts rows whose texts are all those of one reference row in another order. A text that many rows share beside another
one (1.5 rows of a split or more for each: a premise, a question, a passage, a prompt) says what rows belong to, and is
left to LA108; where all are shared, all must be the same.

Texts that two people would write without knowing of each other are left out, and counted (`n_untelling`): those of
fewer than three words (two characters count as a word where a script has no spaces), and those of fewer than eight
words that more than ten reference rows, and more than 0.1 % of them, have. The limits are conventions: chance equality
falls by about the entropy of a word, 8 to 10 bits, with each word, so that three words (some 25 bits) are met by
chance once in tens of millions of unrelated pairs, unless they are a set phrase.

Other texts of fewer than eight words are compared with how often such texts repeat inside the reference split: of those
that occur twice in all, random assignment parts ``2 n/m`` for each that it leaves there (n held-out, m reference rows).
Where that gives as many (Poisson, 5 %), they are one *info*: said twice, or copied before the split was drawn. Where
they are more, and so few that it cannot be ruled out (negative binomial, 1 %), they are one *warning*; beyond that,
they are copies like all others.

What it cannot see
------------------
Changed words (see LA107); paraphrases and translations, which no layer of this tool sees: it compares words and ships
no model of their meaning. Which of two rows is the copy. Texts in columns taken for names or titles.

Fix
---
Remove the rows listed from the reference split, or, where that is the published benchmark, from the held-out split and
say so. Before splitting at random, group by normalised text. ``--pairs FILE`` writes all pairs.

References
----------
- Lee, K. et al. (2022). Deduplicating training data makes language models better. ACL 2022.
- Unicode Standard Annex 15: Unicode normalization forms; section 3.13 of the standard: default case folding.
- Elangovan, A., He, J. and Verspoor, K. (2021). Memorization vs. generalization: quantifying data leakage in NLP
  performance evaluation. EACL 2021.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from leakaudit.analysis.copies.texts.corpus import Telling, texts_of
from leakaudit.analysis.copies.texts.equal import equal_texts
from leakaudit.checks.base import Check
from leakaudit.checks.duplicates import overlap_sum
from leakaudit.checks.text_findings import NO_TEXT, columns_said, text_findings, text_pair_batches
from leakaudit.model import Outcome

if TYPE_CHECKING:
    from leakaudit.analysis.context import Context
    from leakaudit.analysis.copies.texts.equal import ColumnMatches, EqualTexts
    from leakaudit.model import Finding, Scalar


def run(context: Context, params: Telling) -> Outcome:
    """Find held-out texts that are in the reference split."""
    texts = texts_of(context)
    if texts is None:
        return Outcome(CHECK.code, CHECK.slug, "skipped", NO_TEXT)
    findings: list[Finding] = []
    metrics: dict[str, dict[str, Scalar]] = {}
    matches: list[ColumnMatches] = []
    said = []
    for held_out, reference in context.pairs_of_splits:
        found = equal_texts(context, texts, params, held_out, reference)
        n_held_out, n_reference = context.splits[held_out].n, context.splits[reference].n
        n_samples = sum(column.overlap.n_samples for column in found.columns)
        metrics[f"{held_out} against {reference}"] = {
            "n_held_out": n_held_out,
            "n_reference": n_reference,
            "n_exact": found.n_exact,
            "n_normalised": len(found.equal),
            "n_identical_rows_left_out": found.n_equal_rows,
            "n_untelling": found.n_untelling,
            "n_reordered": found.n_reordered,
            "n_short": sum(column.overlap.n_samples for column in found.said_twice),
            "n_samples": n_samples,
            "n_pairs": sum(column.overlap.n_pairs for column in found.columns),
            "share": round(n_samples / n_held_out, 6) if n_held_out else 0.0,
        }
        more = [
            f"{found.n_equal_rows:,} with the whole row (LA104)" if found.n_equal_rows else "",
            f"{found.n_untelling:,} too short or too common to tell" if found.n_untelling else "",
            _said_short(found),
        ]
        reordered = f", {found.n_reordered:,} with all texts of one row in another order" if found.n_reordered else ""
        beside = f", beside {' and '.join(filter(None, more))}" if any(more) else ""
        said.append(
            f"{n_samples:,} of {n_held_out:,} texts of {held_out} are among the {n_reference:,} of {reference}"
            f"{reordered}{beside}"
        )
        findings += [_short_texts(context, found, column) for column in found.said_twice if column.overlap.n_samples]
        for column in found.columns:
            findings += text_findings(context, CHECK, column, severity=CHECK.severity, relation="has the same text as")
        matches += found.columns
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


def _said_short(found: EqualTexts) -> str:
    n = sum(column.overlap.n_samples for column in found.said_twice)
    if not n or found.phrases is None:
        return ""
    how = "as they repeat inside it" if found.phrases.said == "usual" else "of which it cannot be told"
    return f"{n:,} of fewer than {Telling().phrase_words} words {how}"


def _short_texts(context: Context, found: EqualTexts, column: ColumnMatches) -> Finding:
    """One finding for all short texts that two people may have written."""
    overlap, known = column.overlap, found.phrases
    assert known is not None
    usual = known.said == "usual"
    which = (
        f"{overlap.n_samples:,} texts of {overlap.held_out}" if overlap.n_samples > 1 else f"1 {overlap.held_out} text"
    )
    verb = "are" if overlap.n_samples > 1 else "is"
    told = (
        f"as often as such texts repeat inside {overlap.reference}: said twice, or copied before the split was drawn"
        if usual
        else f"and it cannot be told whether copied or said twice ({known.n_shared:,} distinct, "
        f"{known.expected:,.1f} expected by those that repeat inside {overlap.reference})"
    )
    return overlap_sum(
        context,
        overlap,
        code=CHECK.code,
        slug=CHECK.slug,
        severity="info" if usual else "warning",
        n_samples=overlap.n_samples,
        message=f"{which} of fewer than {Telling().phrase_words} words {verb} in {overlap.reference}, {told}",
        effect={
            "column": column.column,
            "layer": "short texts",
            "n_distinct": known.n_shared,
            "expected_by_chance": round(known.expected, 2),
            "cannot_tell": not usual,
        },
    )


CHECK = Check(
    code="LA106",
    slug="duplicate-text",
    family="copies",
    in_train=True,
    severity="error",
    kinds=("table",),
    needs=("pair",),
    params=Telling(),
    run=run,
)
