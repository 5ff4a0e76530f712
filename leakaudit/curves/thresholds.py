"""Where the rules draw their lines. All are defaults for classification at usual sizes; a task may need its own."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Thresholds of the rules over histories.

    Parameters
    ----------
    overfit_accuracy, overfit_gap : float, default 0.95 and 0.10
        Overfitting when training accuracy reaches the one and exceeds validation accuracy by the other: the usual rule
        of practitioners' guides. 85/83, 70/68 and 92/90 per cent are fine by it, 99/75 is not.
    sustained_gap, sustained_rows : float and int, default 0.05 and 3
        Overfitting, too, when the gap is that large in that many last rows. Three rows, because one gap of 0.05 is
        within the sampling error of a few hundred validation samples (two standard errors at accuracy 0.8 and n = 250).
    large_gap : float, default 0.15
        A drop from training to validation that is overfitting whatever the training accuracy: three times the
        sustained gap. This project's choice.
    rises : int, default 3
        Consecutive rises of validation loss, while training loss falls, that count as a rise: the lower end of the
        usual "3 to 5 epochs".
    rise_share : float, default 0.05
        How far validation loss must end above its level around the best row, as a share of that level, so that the
        flat end of a converged run is no rise. This project's choice; see `jitter_multiple`.
    rise_share_short : float, default 0.10
        The same where the run ends within its first rises and the noise cannot be estimated.
    jitter_multiple : float, default 3.0
        The rise must also exceed this many standard deviations of the row-to-row noise. Three, as in control charts.
        On 1,500 simulated flat curves of 20 to 100 rows with noise of 1 to 20 per cent of the loss, and as many that
        still fall, the rule fires in at most 2.3 per cent; on curves that rise by 0.7 of their loss with noise up to 10
        per cent, in more than 99 (``tests/curves/test_rules.py`` repeats a part).
    watch_share, watch_drift : float, default 0.01 and 0.02
        A rise that is no finding yet but worth watching: `rises` rows in a row at the end of the run that together lift
        validation loss by the one, or a level at the end above the level around the best row by the other; both must
        exceed `jitter_multiple`. A usual rule is "validation loss rising for 3 to 5 epochs while training loss falls".
        On 600 simulated flat curves with noise of 1 to 10 per cent it fires in at most 2 per cent
        (``tests/curves/test_watch.py``).
    error_ratio, near_perfect_gap : float, default 10 and 0.02
        Where training accuracy reaches `overfit_accuracy` and the error on validation is this multiple of that on
        training, it is said; worth watching from this gap on (0.9998/0.9756, 122 times, is; 0.9998/0.992 is not).
        This project's choice.
    swing_share : float, default 0.30
        A turn of the loss counts as a swing when both of its legs are larger than this share of the loss (or of a tenth
        of its whole range, where it has become that small). Healthy runs with augmentation reach 0.15, runs that
        overfit 0.25.
    swings_per_row : float, default 0.10
        Share of rows that must be such turns, and at least `least_swings`, for a run to be called unstable.
    least_swings : int, default 3
    blow_up : float, default 1.5
        Training loss that ends at this multiple of its best level is called unstable, too.
    underfit_accuracy : float, default 0.75
        When neither split reaches it, the run has stopped improving and there is no gap, it perhaps underfits. By it
        70/68 is perhaps underfit, 85/83 is not. What accuracy is low depends on the task: information only.
    still_improving : float, default 0.05
        Share of the whole fall of training loss that the last quarter of the rows must bring for a run to count as
        not finished.
    mostly_below : float, default 0.5
        Share of rows with validation loss below training loss from which it is worth explaining.
    explained : float, default 0.8
        Share of it that the half-epoch shift must explain to be called explained.
    """

    overfit_accuracy: float = 0.95
    overfit_gap: float = 0.10
    sustained_gap: float = 0.05
    sustained_rows: int = 3
    large_gap: float = 0.15
    rises: int = 3
    rise_share: float = 0.05
    rise_share_short: float = 0.10
    jitter_multiple: float = 3.0
    watch_share: float = 0.01
    watch_drift: float = 0.02
    error_ratio: float = 10.0
    near_perfect_gap: float = 0.02
    swing_share: float = 0.30
    swings_per_row: float = 0.10
    least_swings: int = 3
    blow_up: float = 1.5
    underfit_accuracy: float = 0.75
    still_improving: float = 0.05
    mostly_below: float = 0.5
    explained: float = 0.8
