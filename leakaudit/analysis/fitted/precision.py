"""To how many digits a column was written: what rounding may have done to a mean, an extreme, an equality."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Float64: TypeAlias = npt.NDArray[np.float64]

LOOKED_AT = 5_000
"""Distinct values that the precision is told from: one with more digits disproves a guess, and few are needed."""

MOST_DECIMALS, MOST_DIGITS = 9, 8
"""Beyond these a double is told from a rounded one by a handful of bits only, which arithmetic may have changed."""

FEW_DIGITS = 6
"""Values with more digits than this may have been float32 before they were written."""

FLOORS = {"double": 1e-9, "float32": 1e-6, "float16": 5e-3}
"""Least error of a statistic in units of its column's standard deviation: what is left of the format's epsilon (1e-16,
6e-8, 5e-4) after centring values that lie 10^6 (double), 10 (float32, float16) standard deviations from zero."""

LARGEST = 1e100
"""Larger numbers are passed over as infinite ones are: they mark something, and overflow."""

SMALL_DENOMINATOR = 64
"""Fractions with denominators up to this are natural rates (3 of 7), not scaled measurements."""


@dataclass(frozen=True, slots=True)
class Precision:
    """How values were rounded when they were written.

    Parameters
    ----------
    kind : {"decimals", "digits", "float16", "float32", "double"}
    digits : int
        Digits after the point (``decimals``) or significant ones (``digits``); 0 for the others.
    """

    kind: Literal["decimals", "digits", "float16", "float32", "double"]
    digits: int = 0

    @property
    def floor(self) -> float:
        """Least error of a statistic, in standard deviations of the column."""
        fine = self.kind in ("decimals", "digits") and self.digits > FEW_DIGITS
        return FLOORS["float32"] if fine else FLOORS.get(self.kind, FLOORS["double"])

    def errors(self, values: Float64) -> Float64:
        """Largest rounding error of each value."""
        size = np.abs(values)
        if self.kind == "decimals":
            return np.full(len(values), 0.5 * 10.0**-self.digits) + size * 2.0**-52
        if self.kind == "digits":
            with np.errstate(divide="ignore"):
                exponent = np.where(size > 0, np.floor(np.log10(np.where(size > 0, size, 1.0))), -300.0)
            return np.asarray(0.5 * 10.0 ** (exponent + 1 - self.digits), dtype=np.float64)
        return size * {"float16": 2.0**-11, "float32": 2.0**-24, "double": 2.0**-52}[self.kind]

    def __str__(self) -> str:
        if self.kind in ("decimals", "digits"):
            return f"{self.digits} {self.kind}"
        return self.kind


def measured(values: Float64) -> npt.NDArray[np.bool_]:
    """Which values are there and not so large that their squares are not, shape (n,)."""
    return np.asarray(np.abs(values) <= LARGEST)


def precision_of(values: Float64) -> Precision:
    """The coarsest rounding that leaves all these values as they are.

    Parameters
    ----------
    values : ndarray of float64, shape (n,)
        As `measured` has them; at most `LOOKED_AT` of them, evenly taken, are looked at.
    """
    x = values[:: max(1, len(values) // LOOKED_AT)][:LOOKED_AT]
    x = x[x != 0]
    if not len(x):
        return Precision("decimals", 0)
    with np.errstate(over="ignore", under="ignore"):
        half, single = x.astype(np.float16), x.astype(np.float32)
    guesses = [guess for guess in (_decimals(x), _digits(x)) if guess is not None]
    if np.all(half == x) or _spelt_alike(half, x):
        guesses.append(Precision("float16"))
    elif np.all(single == x) or _spelt_alike(single, x):
        guesses.append(Precision("float32"))
    return max(guesses, key=lambda guess: float(np.median(guess.errors(x))), default=Precision("double"))


def _decimals(x: Float64) -> Precision | None:
    for k in range(MOST_DECIMALS + 1):
        y = x * 10.0**k
        if np.all(np.abs(y - np.rint(y)) <= np.abs(y) * 2.0**-51) and np.all(np.abs(y) < 2.0**50):
            return Precision("decimals", k)
    return None


def _digits(x: Float64) -> Precision | None:
    exponent = np.floor(np.log10(np.abs(x)))
    for s in range(2, MOST_DIGITS + 1):
        with np.errstate(all="ignore"):  # of numbers below 1e-300, no power of ten is left
            y = x / 10.0 ** (exponent + 1 - s)
            whole = np.abs(y - np.rint(y)) <= np.abs(y) * 2.0**-50
        if np.all(whole):
            return Precision("digits", s)
    return None


def _spelt_alike(narrow: npt.NDArray[np.floating], x: Float64) -> bool:
    """Whether these doubles are the shortest decimal spellings of narrower numbers, as csv files hold them."""
    parts = (slice(0, 50), slice(None))
    return all(np.array_equal(narrow[part].astype("U").astype(np.float64), x[part]) for part in parts)


def step_of(distinct: Float64) -> float:
    """Step of the grid that all these values lie on; 0 where there is none that is coarse enough to matter.

    Parameters
    ----------
    distinct : ndarray of float64, shape (n,)
        Ascending, without repeats.

    Notes
    -----
    The smallest gap is the step if all gaps are multiples of it. Integers 18 to 90 that were scaled to [0, 1] lie on a
    grid of 1/72; a natural quantity on such a grid meets 0 and 1 by itself.
    """
    if len(distinct) < 2:
        return 0.0
    gaps = np.diff(distinct)
    step, width = float(gaps.min()), float(distinct[-1] - distinct[0])
    if step < 1e-5 * width:
        return 0.0
    multiples = gaps / step
    return step if np.all(np.abs(multiples - np.rint(multiples)) < 0.02 * np.maximum(multiples, 1.0) ** 0.5) else 0.0


def small_fractions(distinct: Float64) -> bool:
    """Whether nine in ten of these values are fractions with a small denominator."""
    x = distinct[:: max(1, len(distinct) // 200)][:200]
    whole = [Fraction(float(v)).limit_denominator(SMALL_DENOMINATOR) for v in x]
    near = np.array([float(f) for f in whole])
    return bool(np.mean(np.abs(near - x) <= 1e-7) >= 0.9)
