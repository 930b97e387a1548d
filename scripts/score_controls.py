"""Score the controls of one retrieval or mining task: chance, and TF-IDF of character n-grams."""

from pathlib import Path
from typing import Annotated, cast

from typer import Option

from xstilts.command_line import from_json, run
from xstilts.data.examples import ParallelExample
from xstilts.data.sources import open_source
from xstilts.errors import ConfigError
from xstilts.job_settings import RetrievalSettings
from xstilts.registry import EvaluationTask
from xstilts.scoring import Measure, score, scored_split
from xstilts.scoring.controls import chance, tfidf_pairs, tfidf_rankings
from xstilts.scoring.table import RunKey, chosen, score_rows, score_table
from xstilts.tables import write_table

Control = tuple[str, str, dict[str, Measure]]


def main(
    task: Annotated[str, Option(help="name of the retrieval task")],
    entry: Annotated[str, Option(help="the task's registry entry, as JSON")],
    languages: Annotated[str, Option(help="languages, separated by spaces")],
    root: Annotated[Path, Option(help="source folder of the examples")],
    run_name: Annotated[str, Option("--run", help="name of the run")],
    settings: Annotated[str, Option(help="direction, neighbours and pairs of retrieval, as JSON")],
    scores: Annotated[Path, Option(help="table of scores to write")],
    lock: Annotated[str, Option(help="data.lock of the source folder; none: it has no lock")] = "none",
) -> None:
    """Score the controls."""
    definition = from_json(EvaluationTask, entry, "--entry")
    if not definition.is_headless:
        raise ConfigError(f"controls are for retrieval, not {definition.type}", where=f"task {task}")
    how = from_json(RetrievalSettings, settings, "--settings")
    split = definition.data.split
    source = open_source(root, lock)
    rows = []
    for language in sorted(languages.split()):
        examples = cast("list[ParallelExample]", source.read(definition.data.dataset, split, language))
        found = _mining(examples, how) if definition.type == "mining" else _retrieval(examples, how)
        for model, setting, measures in found:
            key = RunKey(run=run_name, model=model, parameters=0, recipe="-", seed=0, setting=setting)
            shown = chosen(measures, definition.metrics, task)
            rows += score_rows(key, task, scored_split(definition.type, split), language, shown)
    write_table(score_table(rows), scores)


def _retrieval(examples: list[ParallelExample], how: RetrievalSettings) -> list[Control]:
    tfidf = score("retrieval", examples, tfidf_rankings(examples, how.direction))
    return [("chance", "-", chance(examples)), ("tfidf", f"char-ngrams-{how.direction}-cosine", tfidf)]


def _mining(examples: list[ParallelExample], how: RetrievalSettings) -> list[Control]:
    """Nobody mines pairs at random: there is no chance."""
    tfidf = score("mining", examples, tfidf_pairs(examples, how.neighbours, how.pairs))
    return [("tfidf", f"char-ngrams-{how.pairs}-margin", tfidf)]


if __name__ == "__main__":
    run(main)
