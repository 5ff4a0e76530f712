"""From outcomes and coverage to one verdict and its exit code. The only place where findings become an exit status."""

from __future__ import annotations

from collections.abc import Sequence

from leakaudit.config import Config
from leakaudit.model import Coverage, Outcome, Verdict

BLIND_SPOT_CODES = ("LA001", "LA002")
"""Findings about what was not looked at: they make an audit incomplete (exit 4) instead of failed (exit 1)."""

CLEAN, FINDINGS, BUG, INCOMPLETE = 0, 1, 3, 4


def judge(outcomes: Sequence[Outcome], coverage: Coverage, config: Config) -> Verdict:
    """Weigh what was found against ``config.fail_on``, and what was not looked at against the tolerance.

    A leak outweighs a blind spot, because it is certain; a check that crashed outweighs blindness, because nobody
    tolerated it.

    Returns
    -------
    Verdict
        ``findings`` with exit code 1; ``incomplete`` with 4, or with 3 when a check crashed; else ``clean`` with 0.
    """
    failing = [
        finding
        for outcome in outcomes
        for finding in outcome.findings
        if config.fails(finding.severity) and finding.code not in BLIND_SPOT_CODES
    ]
    if failing:
        codes = ", ".join(sorted({finding.code for finding in failing}))
        many = f"{len(failing):,} finding{'s' if len(failing) > 1 else ''}"
        return Verdict("findings", FINDINGS, f"{many} at or above {config.fail_on} ({codes})")
    errored = [outcome.code for outcome in outcomes if outcome.status == "errored"]
    if errored:
        return Verdict("incomplete", BUG, f"{', '.join(errored)} crashed: the audit cannot vouch for them")
    if coverage.n_read == 0:
        return Verdict("incomplete", INCOMPLETE, "not one sample could be read")
    n_samples = coverage.n_read + coverage.n_blind
    if coverage.n_blind > config.blind_tolerance * n_samples:
        share = f"{coverage.n_blind:,} of {n_samples:,} samples were not looked at"
        return Verdict("incomplete", INCOMPLETE, f"{share}, more than the tolerated {config.blind_tolerance:.2%}")
    return Verdict("clean", CLEAN, f"no finding at or above {config.fail_on}")
