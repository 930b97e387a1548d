"""Score the predictions of one checkpoint for one task: a table of scores, and one outcome per example."""

import json
import sys
from pathlib import Path
from typing import Annotated

from typer import Option

from xstilts import job_options as options
from xstilts.command_line import from_json, run
from xstilts.data.labels import is_labelled
from xstilts.data.queries import gold
from xstilts.data.shares import capped
from xstilts.data.sources import open_source
from xstilts.prediction import stamps
from xstilts.prediction.submission import prediction_path, read_predictions
from xstilts.registry import EvaluationTask
from xstilts.scoring import score, tuned_threshold
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
    languages: Annotated[str, Option(help="languages, separated by spaces")],
    task: Annotated[str, Option(help="name of the evaluation task")],
    entry: Annotated[str, Option(help="the task's registry entry, as JSON")],
    root: Annotated[Path, Option(help="source folder of the gold examples")],
    key: Annotated[str, Option(help="run, model, recipe, seed, ... of the scores, as JSON")],
    scores: Annotated[Path, Option(help="table of scores to write")],
    outcomes: Annotated[Path, Option(help="Parquet file of outcomes to write")],
    lock: options.Lock = "none",
) -> None:
    """Score predictions against the gold examples."""
    definition = from_json(EvaluationTask, entry, "--entry")
    source = open_source(root, lock)
    rows, per_example = [], []
    for language, every_example in gold(source, definition, sorted(languages.split())):
        examples = capped(every_example, definition.cap)
        if not any(is_labelled(example) for example in examples):
            print(f"{task} {language}: the gold answers are withheld; predicted, not scored", file=sys.stderr)
            continue
        *tuned, (_, split) = definition.parts(language)
        file = prediction_path(predictions, definition.type, split, language)
        found = read_predictions(file, definition.type, examples)
        whose, threshold = _key(key, file), None
        for part in tuned:
            known = source.read(*part, language)
            path = prediction_path(predictions, definition.type, part[1], language)
            threshold = tuned_threshold(
                definition.type, known, read_predictions(path, definition.type, known)
            )
        every = score(
            definition.type, examples, found, definition.labels, definition.normalisation, threshold
        )
        measures, shown = chosen(every, definition.metrics, task), definition.scored(language)
        rows += score_rows(whose, task, shown, language, measures)
        per_example += outcome_rows(whose, task, shown, language, examples, measures)
    write_outcomes(per_example, outcomes)
    write_table(score_table(rows), scores)


def _key(key: str, predictions: Path) -> RunKey:
    """The key that the plan knows, with what the stamp of the predictions adds."""
    stamp = stamps.read(predictions)
    known = {**json.loads(key), "parameters": stamp["parameters"], "setting": stamp["setting"]}
    return from_json(RunKey, json.dumps(known), "--key")


if __name__ == "__main__":
    run(main)
