"""How the checks of preprocessing say what was fitted on which rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from leakaudit.analysis.fitted.rows_seen import FitSet, Verdict
from leakaudit.model import Scalar, Status


def tally(verdicts: Mapping[str, Verdict], n_columns: int) -> dict[str, Scalar | Mapping[str, Scalar]]:
    """How many columns there are of each verdict; those without one show no sign."""
    counts = Counter(verdicts.values())
    return {
        "n_columns": n_columns,
        "n_fitted_on_both": counts["fitted on both"],
        "n_fitted_on_train_only": counts["fitted on train only"],
        "n_fitted_on_each_split": counts["fitted on each split by itself"],
        "n_cannot_tell": counts["cannot tell"],
        "n_no_sign": n_columns - sum(counts.values()) + counts["no sign of it"],
    }


def counted(verdicts: Mapping[str, Verdict], n_columns: int, what: str, reference: str) -> str:
    """The same as one sentence: "12 columns of numbers: 9 scaled over both splits, 3 show no sign of it"."""
    counts = Counter(verdicts.values())
    no_sign = n_columns - sum(counts.values()) + counts["no sign of it"]
    parts = [
        f"{n:,} {words}"
        for n, words in (
            (counts["fitted on both"], f"{what} with {reference} and held-out rows together"),
            (counts["fitted on train only"], f"{what} with {reference} only"),
            (counts["fitted on each split by itself"], f"{what} in each split by itself"),
            (counts["cannot tell"], "where it cannot be told"),
            (no_sign, "without a sign of it"),
        )
        if n
    ]
    return f"{n_columns:,} columns: " + ", ".join(parts)


def undecided_or_passed(verdicts: Mapping[str, Verdict]) -> Status:
    """What an outcome without a finding is: not decided where it cannot be told of any one column."""
    return "inconclusive" if "cannot tell" in verdicts.values() else "passed"


def both_sides(fits: Mapping[str, FitSet | None], reference: str) -> list[tuple[str, FitSet, list[str]]]:
    """Held-out splits whose rows took part, with the set of rows and the columns; in the order of the sets."""
    sets: dict[str, tuple[FitSet, list[str]]] = {}
    for name, fit in fits.items():
        if fit is not None:
            sets.setdefault(fit.name, (fit, []))[1].append(name)
    ordered = sorted(sets.values(), key=lambda found: (len(found[0].codes), found[0].codes))
    return [(held_out, fit, columns) for fit, columns in ordered for held_out in fit.splits if held_out != reference]


def agreeing(chances: Sequence[float], n_tests: int) -> float:
    """Chance that so many of all that was tested agree by accident, each with at most its own chance.

    The smallest binomial tail over the k least of them, times their number (Bonferroni).
    """
    from scipy.special import bdtrc

    least = sorted(chances)
    tails = [float(bdtrc(k, n_tests, p)) for k, p in enumerate(least)]
    return min(1.0, min(tails, default=1.0) * len(least))


def short(number: float) -> float:
    """Four significant digits."""
    return float(f"{number:.4g}")
