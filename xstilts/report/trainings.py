"""The trainings of a run in two tables: how they went, and what they cost."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from xstilts import card
from xstilts.tables import read_table

LOG = "training_log.tsv"
RUN = ["model", "recipe", "seed"]
CURVES = [*RUN, "step", "loss", "task", "metric", "value", "collapsed"]
COSTS = [
    *(*RUN, "device", "dtype", "training_seconds", "examples_per_second", "pieces_per_second"),
    *("peak_memory_mib", "energy_kilojoules"),
]


def curves(checkpoints: Sequence[Path]) -> pd.DataFrame:
    """The logs of all checkpoints that the run has trained, one below the other.

    Args:
        checkpoints: Folders <model>/<recipe>/seed<k>; one without a log was not trained here.

    Returns:
        Columns model, recipe, seed and those of a log: step, loss, task, metric, value and collapsed.

    Raises:
        DataError: if a log is no table.
    """
    logs = [
        read_table(folder / LOG).astype({"collapsed": object}).assign(**run_of(folder))
        for folder in checkpoints
        if (folder / LOG).is_file()
    ]
    table = pd.concat(logs, ignore_index=True) if logs else pd.DataFrame(columns=CURVES)
    return table[CURVES].sort_values([*RUN, "step", "task"], kind="stable", ignore_index=True)


def costs(checkpoints: Sequence[Path]) -> pd.DataFrame:
    """What each training cost, as its card tells.

    Args:
        checkpoints: Folders <model>/<recipe>/seed<k>; one without a log was not trained here.

    Returns:
        Columns model, recipe, seed, device, dtype, training_seconds, examples_per_second, pieces_per_second,
        peak_memory_mib and energy_kilojoules (missing where the device does not tell it).

    Raises:
        CheckpointError: if a checkpoint has no card.
    """
    trained = [folder for folder in checkpoints if (folder / LOG).is_file()]
    rows = [{**card.read(folder), **run_of(folder)} for folder in trained]
    return pd.DataFrame(rows, columns=COSTS).sort_values(RUN, kind="stable", ignore_index=True)


def run_of(folder: Path) -> dict[str, Any]:
    """Model, recipe and seed of a checkpoint, by its folder."""
    model, recipe, seed = folder.parts[-3:]
    return {"model": model, "recipe": recipe, "seed": int(seed.removeprefix("seed"))}
