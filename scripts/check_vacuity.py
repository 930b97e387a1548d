"""Write the table that tells whether a run is vacuous."""

import json
from pathlib import Path
from typing import Annotated

import pandas as pd
from typer import Option

from xstilts.command_line import run
from xstilts.registry import TrainingTask
from xstilts.scoring.vacuity import COLUMNS, encoder_rows, head_rows
from xstilts.tables import read_table, write_table


def main(
    scores: Annotated[Path, Option(help="scores.tsv")],
    languages: Annotated[Path, Option(help="languages.tsv")],
    checkpoints: Annotated[str, Option(help="Checkpoints fine-tuned on one task, separated by spaces")],
    data: Annotated[Path, Option(help="Folder with <task>/train.jsonl and dev.jsonl")],
    entries: Annotated[str, Option(help="The tasks' registry entries, as JSON")],
    output: Annotated[Path, Option(help="vacuity.tsv, to be written")],
) -> None:
    """Encoders against untrained ones, heads against constant answers."""
    tasks = {name: TrainingTask.model_validate(entry) for name, entry in json.loads(entries).items()}
    rows = encoder_rows(read_table(scores), read_table(languages))
    rows += head_rows([Path(folder) for folder in checkpoints.split()], data, tasks)
    write_table(pd.DataFrame(rows, columns=COLUMNS), output)


if __name__ == "__main__":
    run(main)
