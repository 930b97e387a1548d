"""What a long job says while it runs: step, share, loss, speed and time left.

A line every few seconds on standard error where a person looks on, and nothing otherwise; whole lines and
no bars, because several jobs share the terminal. A job of the workflow writes to a pipe, so the workflow
tells it by the environment variable XSTILTS_PROGRESS whether there is a terminal at its end.
"""

import os
import sys
import time
from datetime import timedelta

SECONDS_BETWEEN_LINES = 5.0


class Progress:
    """Counts steps and examples of a job that has `total` steps, of which `begun_at` are done already."""

    def __init__(self, label: str, total: int, unit: str = "examples", begun_at: int = 0) -> None:
        self.label, self.total, self.unit = label, total, unit
        self.begun = self.last = time.monotonic()
        self.step = self.begun_at = begun_at
        self.done = 0
        self.is_shown = sys.stderr.isatty() or bool(os.environ.get("XSTILTS_PROGRESS"))

    def advance(self, examples: int, **values: float) -> None:
        """One more step of so many examples, with what to show beside it."""
        self.step += 1
        self.done += examples
        now = time.monotonic()
        if self.is_shown and (now - self.last >= SECONDS_BETWEEN_LINES or self.step == self.total):
            self.last = now
            print(self._line(now - self.begun, values), file=sys.stderr, flush=True)

    def _line(self, seconds: float, values: dict[str, float]) -> str:
        shown = "".join(f"  {name} {value:.3f}" for name, value in values.items())
        left = timedelta(seconds=round(seconds / (self.step - self.begun_at) * (self.total - self.step)))
        return (
            f"{self.label}: {self.step}/{self.total} ({self.step / self.total:.0%}){shown}"
            f"  {self.done / max(seconds, 1e-9):.0f} {self.unit}/s  {left} left"
        )
