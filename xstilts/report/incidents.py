"""What went wrong in the trainings of a run: models that collapsed, and trainings that had to restart.

Read from the card and the log beside each checkpoint, so that no average hides it.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from xstilts import card
from xstilts.data.storage import read_examples
from xstilts.registry import TrainingTask
from xstilts.report.trainings import LOG, RUN, run_of
from xstilts.scoring.baselines import constant_baseline
from xstilts.tables import read_table

COLLAPSED, RESTARTED = "collapsed", "restarted"
COLUMNS = [*RUN, "incident", "task", "metric", "value", "baseline", "what"]


def incidents(checkpoints: Sequence[Path], data: Path) -> pd.DataFrame:
    """One row per task that collapsed and per restart.

    Args:
        checkpoints: Folders <model>/<recipe>/seed<k>.
        data: Prepared examples, <task>/train.jsonl and dev.jsonl; read for tasks that collapsed.

    Returns:
        Columns model, recipe, seed, incident (`collapsed` or `restarted`) and what, in words; of a task that
        collapsed also task, metric, value (of the kept weights on the dev set) and baseline (the best
        constant answer's).

    Raises:
        CheckpointError: if a checkpoint has no card.
        DataError: if its log or the examples are missing.
    """
    rows = [row for folder in checkpoints for row in _of_one(folder, data)]
    table = pd.DataFrame(rows, columns=COLUMNS)
    return table.sort_values(COLUMNS[:5], kind="stable", ignore_index=True)


def _of_one(folder: Path, data: Path) -> Iterator[dict[str, Any]]:
    facts = card.read(folder)
    own = run_of(folder)
    for fault in facts.get("faults", []):
        yield {**own, "incident": RESTARTED, "task": "-", "what": fault}
    for task in facts.get("collapsed", []):
        entry = TrainingTask.model_validate(facts["settings"]["parts"][task]["entry"])
        train, dev = (read_examples(data / task / f"{split}.jsonl") for split in ("train", "dev"))
        baseline = constant_baseline(entry.type, train, dev, entry.labels, entry.metric)
        yield {
            **own,
            "incident": COLLAPSED,
            "task": task,
            "metric": baseline["metric"],
            "value": _kept(read_table(folder / LOG), task),
            "baseline": baseline["value"],
            "what": "one answer to all of the dev set",
        }


def _kept(log: pd.DataFrame, task: str) -> float:
    """The dev score of the weights that were kept: of the first step with the best mean over tasks."""
    scores = log.dropna(subset=["value"]).pivot(index="step", columns="task", values="value")
    return float(scores[task].iloc[scores.mean(axis=1).argmax()])
