"""From outcomes and coverage to one verdict and its exit code. The only place where findings become an exit status."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from leakaudit.catalogue import is_of
from leakaudit.config import Config
from leakaudit.model import Coverage, Finding, Outcome, SplitInfo, Verdict, largest_loss

CLEAN, FINDINGS, BUG, INCOMPLETE = 0, 1, 3, 4

WORST_FIRST = (FINDINGS, BUG, INCOMPLETE, CLEAN)
"""As within one audit: a leak is certain; a check that crashed was tolerated by nobody."""

UNDECIDED = ("skipped", "inconclusive", "errored")
"""What a required check may not be."""

EXAMINED = ("passed", "failed", "inconclusive")
"""What an outcome is when its check has looked at data."""


def judge(
    outcomes: Sequence[Outcome], coverage: Coverage, config: Config, splits: Mapping[str, SplitInfo] | None = None
) -> Verdict:
    """Weigh what was found against ``config.fail_on``, and what was not looked at against the tolerances.

    A leak outweighs a blind spot, because it is certain; a check that crashed outweighs blindness, because nobody
    tolerated it. Blind are samples above ``config.blind_tolerance`` (of all, or of any one split), files above
    ``config.unsupported_tolerance``, checks of ``config.require`` that came to no decision, and an audit in which no
    check ran at all.

    Parameters
    ----------
    outcomes : sequence of Outcome
    coverage : Coverage
    config : Config
    splits : mapping of str to SplitInfo, optional
        Samples read of each split, for what a single split has lost.

    Returns
    -------
    Verdict
        ``findings`` with exit code 1; ``incomplete`` with 4, or with 3 when a check crashed; else ``clean`` with 0.
    """
    # What was not looked at makes an audit incomplete (exit 4), not failed (exit 1).
    found = [f for outcome in outcomes for f in outcome.findings if not is_of(f.code, "coverage")]
    findings = [f for f in found if not f.accepted]
    failing = [f for f in findings if config.counts(f.code, f.severity, held_out_uris(f))]
    if failing:
        codes = ", ".join(sorted({finding.code for finding in failing}))
        many = f"{len(failing):,} finding{'s' if len(failing) > 1 else ''}"
        ids = frozenset(finding.id for finding in failing)
        return Verdict("findings", FINDINGS, f"{many} at or above {config.fail_on} ({codes})", ids)
    errored = [outcome.code for outcome in outcomes if outcome.status == "errored"]
    if errored:
        return Verdict("incomplete", BUG, f"{', '.join(errored)} crashed: the audit cannot vouch for them")
    if blind := _blind(outcomes, coverage, config, splits or {}):
        return Verdict("incomplete", INCOMPLETE, blind)
    set_aside = sum(config.fails(f.severity) for f in findings)
    aside = f"; {set_aside:,} set aside by overrides" if set_aside else ""
    n_accepted = sum(config.fails(f.severity) for f in found if f.accepted)
    aside += f"; {n_accepted:,} accepted" if n_accepted else ""
    return Verdict("clean", CLEAN, f"no finding at or above {config.fail_on}{aside}")


def worst(exit_codes: Iterable[int]) -> int:
    """The exit code of several audits: that of the worst one."""
    return min(exit_codes, key=WORST_FIRST.index, default=CLEAN)


def held_out_uris(finding: Finding) -> frozenset[str]:
    """Names of all held-out samples of a finding; empty where it lists none, or not all of them."""
    evidence, held_out = finding.evidence, finding.splits[:1]
    sides = [side for pair in evidence.pairs for side in (pair.a, pair.b)]
    uris = frozenset(sample.uri for sample in (*sides, *evidence.samples) if (sample.split,) == held_out)
    is_whole = evidence.n_pairs == len(evidence.pairs) and evidence.n_samples == len(evidence.samples)
    return uris if is_whole or (len(finding.splits) > 1 and len(uris) == finding.n_samples) else frozenset()


def _blind(
    outcomes: Sequence[Outcome], coverage: Coverage, config: Config, splits: Mapping[str, SplitInfo]
) -> str | None:
    """What was not looked at although it should have been, or None."""
    if coverage.n_read == 0:
        return "not one sample could be read"
    if not any(outcome.status in EXAMINED for outcome in outcomes):
        return f"nothing was examined: no check ran{_why_none(outcomes, coverage)}"
    n_samples = coverage.n_read + coverage.n_blind
    loss = largest_loss(splits, coverage.blind_in, coverage.n_blind, coverage.n_read)
    if config.too_blind(loss.n_blind, loss.n):
        of_split = f"of {loss.split} " if loss.split is not None else ""
        share = f"{loss.n_blind:,} of {loss.n:,} samples {of_split}were not looked at"
        return f"{share}, more than the tolerated {config.blind_tolerance:.2%}"
    n_files = n_samples + coverage.n_unsupported
    if coverage.n_unsupported > config.unsupported_tolerance * n_files:
        share = f"{coverage.n_unsupported:,} of {n_files:,} samples and files are of types that are not read"
        return f"{share}, more than the tolerated {config.unsupported_tolerance:.2%}"
    return _beside(coverage, config) or _undecided(outcomes, config)


def _beside(coverage: Coverage, config: Config) -> str | None:
    """What lies beside the data set and could be part of it, unless the user said which layout is meant."""
    left = [each for each in coverage.unclaimed if each.is_blind_spot] if config.layout is None else []
    n_left = sum(each.n for each in left)
    if n_left <= config.blind_tolerance * (coverage.n_read + coverage.n_blind + n_left):
        return None
    what = ", ".join(f"{each.n:,} {each.kind}s" for each in left)
    return f"{what} beside the data set were not looked at: name what is meant, or say --layout"


def _undecided(outcomes: Sequence[Outcome], config: Config) -> str | None:
    """Required checks that came to no decision."""
    status = {outcome.code: outcome.status for outcome in outcomes}
    undecided = {code: status.get(code, "not run") for code in config.require}
    undecided = {code: said for code, said in undecided.items() if said in (*UNDECIDED, "not run")}
    if undecided:
        return f"required, and not decided: {', '.join(f'{code} ({said})' for code, said in undecided.items())}"
    return None


def _why_none(outcomes: Sequence[Outcome], coverage: Coverage) -> str:
    """Why no check ran, of those that were chosen."""
    said = [f"{outcome.code}: {outcome.reason}" for outcome in outcomes]
    if coverage.not_applicable:
        said.append(f"{', '.join(sorted(coverage.not_applicable))}: for another kind of data")
    return f" ({'; '.join(said[:3])}{'; …' if len(said) > 3 else ''})" if said else ""
