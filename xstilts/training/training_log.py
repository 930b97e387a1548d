"""training_log.tsv beside each checkpoint: how the loss and the English dev scores went.

A row holds the task's mean loss since the row before, and, of a task with examples, its score on the English
dev set and whether every prediction was the same (xstilts.training.collapse).
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from xstilts.tables import write_table
from xstilts.training.state import State

COLUMNS = ["step", "loss", "task", "metric", "value", "collapsed"]


@dataclass
class Averages:
    """Mean losses over intervals of steps."""

    every: int
    rows: list[dict[str, Any]] = field(default_factory=list)
    _losses: list[float] = field(default_factory=list)

    def record(self, step: int, task: str, loss: float) -> None:
        """One more step."""
        self._losses.append(loss)
        if step % self.every == 0:
            self.rows.append({"step": step, "task": task, "loss": sum(self._losses) / len(self._losses)})
            self._losses.clear()

    def is_due(self, step: int) -> bool:
        """Never: all is done as losses come."""
        return False

    def act(self, step: int) -> None:
        """Nothing."""

    def state(self) -> State:
        """Rows, and the losses that are in none yet."""
        return State({}, {"rows": self.rows, "losses": self._losses})

    def restore(self, state: State) -> None:
        """Take them back."""
        self.rows, self._losses = state.facts["rows"], state.facts["losses"]


def write(rows: list[dict[str, Any]], checkpoint: Path) -> None:
    """Write the log into a checkpoint's folder."""
    write_table(pd.DataFrame(rows, columns=COLUMNS), checkpoint / "training_log.tsv")
