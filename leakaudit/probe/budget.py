"""How many samples, models and folds fit into the time: worked out before the work starts.

A plan that followed the clock would be another one at every run, and so would be the report. So speeds are known
beforehand, from one core of a small cloud machine. Only where a plan is long and the machine clearly slower
(`leakaudit.probe.speed`) is it made again for less time.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

SMALL, CHEAP, MANY_REPEATS = 2_000, 10.0, 6
"""Samples up to which, and seconds within which, six repeats of the folds are made: small splits need them most, and
the smallest leak that shows is a tenth smaller."""

AMPLE, LONG = 10_000, 20.0
"""Samples from which two repeats show all that matters, and seconds beyond which three are not made of so many."""

SEEDS_AND_REPEATS = ((3, 3), (2, 2))
"""Full models and fold repeats, best first. Two repeats are the least from which the leak test can take the chance
spread of fold models; with three of each, a known leak of 5 % was found in 90 % of simulated runs instead of 72 %."""

MOST_FOLDS = 10
"""More folds cost more models and make fold models no more like full ones."""

FEWER_FOLDS = 5
"""Where time is short: validation is then sampled less than training, so that each fold is as large as validation."""

SHORT = 0.05
"""Of a fold: sizes that divide almost evenly need no further fold; fold models are then short of 0.3 % of the rows."""

LEAST_POOL = 500
"""Samples below which the pool is never cut for want of time."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Time of one model on one core.

    Parameters
    ----------
    seconds_a_row : float
        For fitting, over all epochs.
    seconds_a_model : float
        Whatever the rows.
    most : int
        Samples in the pool beyond which more would tell nothing that matters.
    seconds_a_sample : float, default 0
        Of all that is done once for each sample of the pool: fixed features, and the forests of LA403.
    """

    seconds_a_row: float
    seconds_a_model: float
    most: int
    seconds_a_sample: float = 0.0

    def seconds(self, n: int, share: float, seeds: int, repeats: int, folds: int, workers: int) -> float:
        """Wall seconds of all models; `share` is that of the training rows in the pool of n."""
        models = seeds + repeats * folds
        side_by_side = min(workers, models)
        fits = models * (self.seconds_a_model + self.seconds_a_row * n * share) / side_by_side
        return fits + self.seconds_a_sample * n


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be done.

    Parameters
    ----------
    n_train, n_val : int
        Samples to take of each side, all of them where there is time.
    seeds, repeats, folds : int
        S, R and K.
    seconds : float
        How long it should take on two cores like those the speeds were measured on, in round numbers.
    """

    n_train: int
    n_val: int
    seeds: int
    repeats: int
    folds: int
    seconds: float

    @property
    def models(self) -> int:
        """All of them."""
        return self.seeds + self.repeats * self.folds


def plan(n_train: int, n_val: int, cost: Cost, *, budget: float, workers: int) -> Plan:
    """The best design that fits the budget: three seeds and repeats on everything, then two, then fewer samples.

    Parameters
    ----------
    n_train, n_val : int
        Labelled samples of the two sides, both at least 1.
    cost : Cost
    budget : float
        Seconds.
    workers : int
        Models fitted side by side.
    """
    cheap = _design(n_train, n_val, cost.most, MOST_FOLDS, SEEDS_AND_REPEATS[0][0], MANY_REPEATS, cost, workers)
    if n_train + n_val <= SMALL and cheap.seconds <= min(CHEAP, budget):
        return cheap
    for seeds, repeats in SEEDS_AND_REPEATS:
        budget_here = min(budget, LONG) if repeats > 2 and n_train + n_val >= AMPLE else budget
        for most_folds in (MOST_FOLDS, FEWER_FOLDS):
            found = _design(n_train, n_val, cost.most, most_folds, seeds, repeats, cost, workers)
            if found.seconds <= budget_here:
                return found
    most = cost.most
    while found.seconds > budget and most > LEAST_POOL:
        most = max(LEAST_POOL, int(0.9 * min(most, found.n_train + found.n_val)))
        found = _design(n_train, n_val, most, FEWER_FOLDS, seeds, repeats, cost, workers)
    return found


def _design(
    n_train: int, n_val: int, most: int, most_folds: int, seeds: int, repeats: int, cost: Cost, workers: int
) -> Plan:
    """At most `most` samples, of which validation is at least one part in `most_folds`."""
    n = n_train + n_val
    share = max(n_val / n, 1 / most_folds)
    pool = min(n, most, int(n_val / share))
    take_val = min(n_val, max(1, round(pool * share)))
    take_train = min(n_train, max(1, pool - take_val))
    folds = min(most_folds, max(2, ceil((take_train + take_val) / take_val - SHORT)))
    trained = take_train / (take_train + take_val)
    seconds = cost.seconds(take_train + take_val, trained, seeds, repeats, folds, workers)
    return Plan(take_train, take_val, seeds, repeats, folds, seconds)
