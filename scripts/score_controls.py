"""Score the controls of one retrieval task: chance, and TF-IDF of character n-grams."""

from pathlib import Path
from typing import Annotated, cast

from typer import Option

from xstilts.command_line import from_json, run
from xstilts.data.examples import ParallelExample
from xstilts.data.sources import open_source
from xstilts.errors import ConfigError
from xstilts.registry import EvaluationTask
from xstilts.scoring import score
from xstilts.scoring.controls import Direction, chance, tfidf_predictions
from xstilts.scoring.table import RunKey, chosen, score_rows, score_table
from xstilts.tables import write_table


def main(
    task: Annotated[str, Option(help="name of the retrieval task")],
    entry: Annotated[str, Option(help="the task's registry entry, as JSON")],
    languages: Annotated[str, Option(help="languages, separated by spaces")],
    root: Annotated[Path, Option(help="source folder of the examples")],
    run_name: Annotated[str, Option("--run", help="name of the run")],
    direction: Annotated[Direction, Option(help="en2xx: English sentences are the queries")],
    scores: Annotated[Path, Option(help="table of scores to write")],
    lock: Annotated[str, Option(help="data.lock of the source folder; none: it has no lock")] = "none",
) -> None:
    """Score the controls."""
    definition = from_json(EvaluationTask, entry, "--entry")
    if definition.type != "retrieval":
        raise ConfigError(f"controls are for retrieval, not {definition.type}", where=f"task {task}")
    split = definition.data.split
    source = open_source(root, lock)
    rows = []
    for language in sorted(languages.split()):
        examples = cast("list[ParallelExample]", source.read(definition.data.dataset, split, language))
        tfidf = score(definition.type, examples, tfidf_predictions(examples, direction))
        for model, setting, measures in (
            ("chance", "-", {"accuracy": chance(examples)}),
            ("tfidf", f"char-ngrams-{direction}-cosine", tfidf),
        ):
            key = RunKey(run=run_name, model=model, parameters=0, recipe="-", seed=0, setting=setting)
            rows += score_rows(key, task, split, language, chosen(measures, definition.metrics, task))
    write_table(score_table(rows), scores)


if __name__ == "__main__":
    run(main)
