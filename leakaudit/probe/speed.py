"""How much slower this machine is at this moment than the one that the plan's speeds were measured on.

Speeds that are known beforehand give the same plan every time, but a budget of three minutes must hold on a slow or a
busy machine, too. So where a plan is long, a few models are fitted to a few samples first, side by side as the others
will be, and their time is compared with what the plan expects. The answer is coarse and leaves room, so that nearly
always the same machine gives the same answer; what it changed is said in the report.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from leakaudit.engines.local import map_chunks
from leakaudit.probe.learner import Job

if TYPE_CHECKING:
    from leakaudit.probe.budget import Cost
    from leakaudit.probe.learner import Learner

WORTH_IT = 30.0
"""Planned seconds from which the machine is measured; a shorter plan may take several times as long."""

ROWS = 400
"""Samples of a trial: one to two seconds for most models."""

BORNE = 3.0
"""Ratio up to which the plan stays. Another plan draws other samples, and so gives another report: that the same data
give the same report counts for more than minutes, so other work on the machine must not change it."""

STEPS = (4, 8, 16)


def slowness(learner: Learner, n: int, cost: Cost, workers: int) -> int:
    """By what factor fitting takes longer than planned: 1, or one of `STEPS`.

    Parameters
    ----------
    learner : Learner
        With n samples.
    n : int
    cost : Cost
        What it should take.
    workers : int
        Models fitted side by side.
    """
    rows = np.arange(min(n, ROWS))
    trial = partial(_seconds, learner.fit)
    jobs = [[Job(rows, rows[:1], seed)] for seed in range(workers)]
    taken = list(map_chunks(trial, jobs, jobs=workers, processes=learner.in_processes))
    return step(float(np.mean(taken)) / (cost.seconds_a_model + cost.seconds_a_row * len(rows)))


def step(ratio: float) -> int:
    """The ratio as one of the coarse steps, rounded up.

    >>> step(0.7), step(3.0), step(3.1), step(4.5), step(100.0)
    (1, 1, 4, 8, 16)
    """
    if ratio <= BORNE:
        return 1
    return next((each for each in STEPS if each >= ratio), STEPS[-1])


def _seconds(fit: Callable[[Job], object], chunk: Sequence[Job]) -> float:
    """Clock seconds of the second fit: the first imports libraries and warms them up."""
    (job,) = chunk
    fit(Job(job.train[: len(job.train) // 4], job.judged, job.seed))
    start = perf_counter()
    fit(job)
    return perf_counter() - start
