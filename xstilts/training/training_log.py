"""training_log.tsv beside each checkpoint: how the loss and the English dev scores went."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from xstilts.tables import write_table

COLUMNS = ["step", "loss", "task", "metric", "value"]


@dataclass
class Averages:
    """Mean losses over intervals of steps."""

    every: int
    rows: list[dict[str, Any]] = field(default_factory=list)
    _losses: list[float] = field(default_factory=list)

    def add(self, step: int, loss: float) -> None:
        """One more step."""
        self._losses.append(loss)
        if step % self.every == 0:
            self.rows.append({"step": step, "loss": sum(self._losses) / len(self._losses)})
            self._losses.clear()


def write(rows: list[dict[str, Any]], checkpoint: Path) -> None:
    """Write the log into a checkpoint's folder."""
    write_table(pd.DataFrame(rows, columns=COLUMNS), checkpoint / "training_log.tsv")
