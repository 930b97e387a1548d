"""When a loss has run away: its mean over some steps, beside what it was before."""

import math
from collections import deque
from typing import Any

WINDOW = 20  # steps whose mean is watched
DIVERGED = 10.0  # times the lowest such mean, or the first step's loss if that is less, or 1


class Divergence:
    """Watches the loss of every step, in order."""

    def __init__(self) -> None:
        self._lowest = math.inf
        self._recent: deque[float] = deque(maxlen=WINDOW)

    @property
    def latest(self) -> float:
        """The loss of the last step; before any, not a number."""
        return self._recent[-1] if self._recent else math.nan

    @property
    def mean(self) -> float:
        """Over the last steps, at most WINDOW of them; before any, not a number."""
        return sum(self._recent) / len(self._recent) if self._recent else math.nan

    @property
    def is_sound(self) -> bool:
        """Whether the loss is not on its way up: a point to come back to."""
        return not self.mean > math.sqrt(DIVERGED) * self._usual

    def add(self, loss: float) -> str:
        """One more step; what is wrong, if its loss is among those that have run away.

        The first step's loss is that of untrained weights, whatever comes after.
        """
        if not self._recent:
            self._lowest = min(self._lowest, loss)
        self._recent.append(loss)
        if len(self._recent) < WINDOW:
            return ""
        if self.mean > DIVERGED * self._usual:
            return f"the loss has diverged: {self.mean:.3g} over {WINDOW} steps, {self._lowest:.3g} before"
        self._lowest = min(self._lowest, self.mean)
        return ""

    @property
    def _usual(self) -> float:
        return max(1.0, self._lowest)

    def state(self) -> dict[str, Any]:
        """For JSON."""
        return {"lowest": None if math.isinf(self._lowest) else self._lowest, "recent": list(self._recent)}

    def restore(self, state: dict[str, Any]) -> None:
        """Take it back."""
        self._lowest = math.inf if state["lowest"] is None else state["lowest"]
        self._recent = deque(state["recent"], maxlen=WINDOW)
