"""What the rules measure on one curve, apart from what they conclude."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leakaudit.curves.speech import at
from leakaudit.history import History

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from leakaudit.history import Floats


def jitter(values: Floats) -> float:
    """Robust standard deviation of row-to-row noise: second differences cancel any straight trend.

    A second difference of independent noise has variance 6 σ²; 1.4826 makes the median absolute value consistent.
    """
    import numpy as np

    if len(values) < 3:
        return 0.0
    second = values[2:] - 2 * values[1:-1] + values[:-2]
    return float(1.4826 * np.median(np.abs(second)) / np.sqrt(6))


def third_rise(loss: Floats, train: Floats, rises: int) -> int | None:
    """The first row that ends `rises` consecutive rises over which training loss does not rise."""
    run = 0
    for row in range(1, len(loss)):
        run = run + 1 if loss[row] > loss[row - 1] else 0
        if run >= rises and not train[row] > train[row - rises]:
            return row
    return None


def rises_at_end(loss: Floats) -> int:
    """How many rises in a row the curve ends with."""
    run = 0
    while run < len(loss) - 1 and loss[-1 - run] > loss[-2 - run]:
        run += 1
    return run


def falls(train: Floats, best: int) -> bool:
    """Whether training loss ends below where it was at the best row; unknown counts as yes."""
    import numpy as np

    after = train[best:][np.isfinite(train[best:])]
    return len(after) < 2 or float(np.median(after[-3:])) < float(after[0])


def accuracy_kept(history: History, rows: npt.NDArray[np.intp], best: int) -> str:
    """A remark where validation accuracy did not suffer: the model grows over-confident, not wrong more often."""
    import numpy as np

    accuracy = history.val_accuracy[rows]
    if not np.isfinite(accuracy[best]) or not np.isfinite(accuracy[-3:]).all():
        return ""
    level = float(np.median(accuracy[-3:]))
    if level < accuracy[best] - 0.005:
        return f"; validation {history.metric} fell from {accuracy[best]:.3f} to {level:.3f}"
    return (
        f"; validation {history.metric} held ({accuracy[best]:.3f} → {level:.3f}): "
        "over-confident rather than wrong more often"
    )


def swings_of(values: Floats, least: float) -> tuple[int, float]:
    """How many turns have two legs larger than `least`, and the largest of these, as shares of a leg's lower end."""
    import numpy as np

    turns = [
        0,
        *(i for i in range(1, len(values) - 1) if (values[i] - values[i - 1]) * (values[i + 1] - values[i]) < 0),
    ]
    points = values[[*turns, len(values) - 1]]
    lower = np.minimum(points[1:], points[:-1])
    floor = np.maximum(np.abs(lower), 0.1 * float(np.ptp(values)) or 1.0)
    legs = np.abs(np.diff(points)) / floor
    both = np.minimum(legs[1:], legs[:-1])
    large = both > least
    return int(large.sum()), float(both[large].max()) if large.any() else 0.0


def best_level(values: Floats) -> float:
    """The lowest median of three rows that follow each other."""
    import numpy as np

    return float(np.median(np.lib.stride_tricks.sliding_window_view(values, 3), axis=1).min())


def last_quarter_share(loss: Floats) -> float | None:
    """Share of the whole fall that the last quarter of the rows brought; None for fewer than 5 rows."""
    import numpy as np

    values = loss[np.isfinite(loss)]
    if len(values) < 5:
        return None
    fall = float(values[0] - values.min())
    quarter = max(2, len(values) // 4)
    return float(values[-1 - quarter] - values[-1]) / fall if fall > 0 else 0.0


def first_of_tail(holds: npt.NDArray[np.bool_]) -> int:
    """Where the stretch begins in which it holds to the end; it must hold in the last row."""
    import numpy as np

    fails = np.flatnonzero(~holds)
    return int(fails[-1]) + 1 if len(fails) else 0


def since_when(history: History, rows: npt.NDArray[np.intp], holds: npt.NDArray[np.bool_]) -> float | None:
    """The epoch from which it holds to the end."""
    return at(history, rows[first_of_tail(holds)]) if holds[-1] else None


def lowest_row(history: History) -> int | None:
    """The row of the lowest validation loss, whatever came later."""
    import numpy as np

    rows = np.flatnonzero(np.isfinite(history.val_loss))
    return int(rows[history.val_loss[rows].argmin()]) if len(rows) else None
