"""Prepare the training and selection data of one task."""

from pathlib import Path
from typing import Annotated

from typer import Option

from xstilts.command_line import run
from xstilts.data.leakage import EvaluationKeys
from xstilts.data.preparation import prepare_task
from xstilts.data.sources import folders_from, open_source
from xstilts.data.storage import write_examples
from xstilts.registry import TrainingTask
from xstilts.tables import write_table


def main(
    task: Annotated[str, Option(help="name of the task")],
    entry: Annotated[str, Option(help="its entry of tasks.yaml, as JSON")],
    root: Annotated[Path, Option(help="folder of the data")],
    keys: Annotated[Path, Option(help="keys of the evaluation data")],
    train: Annotated[Path, Option(help="examples to train on, to write")],
    dev: Annotated[Path, Option(help="examples to select on, to write")],
    leakage: Annotated[Path, Option(help="report of what was filtered out, to write")],
    lock: Annotated[str, Option(help="data.lock, or none")] = "none",
    folders: Annotated[str, Option(help="folders of data sets that lie elsewhere, as JSON")] = "{}",
) -> None:
    """Filter, check, divide and write the examples of a task."""
    prepared = prepare_task(
        open_source(root, lock),
        task,
        TrainingTask.model_validate_json(entry),
        EvaluationKeys.load(keys),
        folders_from(folders),
    )
    write_examples(train, prepared.train)
    write_examples(dev, prepared.dev)
    write_table(prepared.leakage, leakage)


if __name__ == "__main__":
    run(main)
