"""Score the predictions of one checkpoint for one task: a table of scores, and one outcome per example."""

from pathlib import Path
from typing import Annotated

from typer import Option

from xstilts.command_line import from_json, run
from xstilts.data.sources import open_source
from xstilts.prediction.submission import prediction_path, read_predictions
from xstilts.registry import EvaluationTask
from xstilts.scoring import score
from xstilts.scoring.table import (
    RunKey,
    chosen,
    outcome_rows,
    score_rows,
    score_table,
    write_outcomes,
)
from xstilts.tables import write_table


def main(
    predictions: Annotated[Path, Option(help="folder with <split>-<language>.<tsv|json>")],
    split: Annotated[str, Option(help="split that was predicted")],
    languages: Annotated[str, Option(help="languages, separated by spaces")],
    task: Annotated[str, Option(help="name of the evaluation task")],
    entry: Annotated[str, Option(help="the task's registry entry, as JSON")],
    root: Annotated[Path, Option(help="source folder of the gold examples")],
    key: Annotated[str, Option(help="run, model, parameters, recipe, ... of the scores, as JSON")],
    scores: Annotated[Path, Option(help="table of scores to write")],
    outcomes: Annotated[Path, Option(help="Parquet file of outcomes to write")],
    lock: Annotated[str, Option(help="data.lock of the source folder; none: it has no lock")] = "none",
) -> None:
    """Score predictions against the gold examples."""
    definition, whose = from_json(EvaluationTask, entry, "--entry"), from_json(RunKey, key, "--key")
    source = open_source(root, lock)
    rows, per_example = [], []
    for language in sorted(languages.split()):
        examples = source.read(definition.data.dataset, split, language)
        found = read_predictions(
            prediction_path(predictions, definition.type, split, language), definition.type, examples
        )
        measures = score(definition.type, examples, found, definition.labels)
        measures = chosen(measures, definition.metrics, task)
        rows += score_rows(whose, task, split, language, measures)
        per_example += outcome_rows(whose, task, split, language, examples, measures)
    write_outcomes(per_example, outcomes)
    write_table(score_table(rows), scores)


if __name__ == "__main__":
    run(main)
