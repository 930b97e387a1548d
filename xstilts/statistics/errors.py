"""A statistic without an answer: its reason, and the guards that find it."""

import numpy as np
from numpy.typing import NDArray

from xstilts.studies.words import in_words

Array = NDArray[np.float64]


class NotEstimableError(Exception):
    """A statistic that these data do not determine; the reason completes "not estimable, because"."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


def require(condition: bool, reason: str) -> None:
    """Raise NotEstimableError unless `condition` holds; a reason that is a number gets "there are" before."""
    if not condition:
        verb = "is" if reason.startswith("1 ") else "are"
        raise NotEstimableError(f"there {verb} {reason}" if reason[:1].isdigit() else reason)


def require_spread(values: Array, name: str) -> None:
    """Refuse `values` that do not vary beyond rounding; `name` is their column."""
    spread = float(np.ptp(values)) if len(values) else 0.0
    largest = float(np.abs(values).max(initial=1.0))
    require(spread > 1e-12 * largest, f"{in_words(name)} is constant")


def count(number: int, one: str, many: str = "") -> str:
    """A number with its noun: `1 run`, `3 runs`, `2 families`."""
    return f"{number} {one if number == 1 else many or one + 's'}"
