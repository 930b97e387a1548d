"""Score the controls of one task of retrieval of any kind: chance, and TF-IDF of character n-grams."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, cast

from typer import Option

from xstilts import job_options as options
from xstilts.command_line import from_json, run
from xstilts.data.examples import ParallelExample, QueryExample
from xstilts.data.queries import gold
from xstilts.data.shares import capped
from xstilts.data.sources import FolderSource, open_source
from xstilts.errors import ConfigError
from xstilts.job_settings import RetrievalSettings
from xstilts.registry import EvaluationTask
from xstilts.scoring import Measure, score, tuned_threshold
from xstilts.scoring.controls import chance, pool_chance, tfidf_pairs, tfidf_pool, tfidf_rankings
from xstilts.scoring.table import RunKey, chosen, score_rows, score_table
from xstilts.tables import write_table

Control = tuple[str, str, dict[str, Measure]]

LARGEST = 100_000
"""Candidates; their n-grams take some kilobytes each."""


def main(
    task: Annotated[str, Option(help="name of the retrieval task")],
    entry: Annotated[str, Option(help="the task's registry entry, as JSON")],
    languages: Annotated[str, Option(help="languages, separated by spaces")],
    root: Annotated[Path, Option(help="source folder of the examples")],
    run_name: Annotated[str, Option("--run", help="name of the run")],
    settings: Annotated[str, Option(help="direction, neighbours and pairs of retrieval, as JSON")],
    scores: Annotated[Path, Option(help="table of scores to write")],
    lock: options.Lock = "none",
) -> None:
    """Score the controls."""
    definition = from_json(EvaluationTask, entry, "--entry")
    if not definition.is_retrieval:
        raise ConfigError(f"controls are for retrieval, not {definition.type}", where=f"task {task}")
    how = from_json(RetrievalSettings, settings, "--settings")
    source = open_source(root, lock)
    rows = []
    if definition.type == "dual_encoder":
        by_language = _pool(source, definition, sorted(languages.split()))
    else:
        by_language = _by_language(source, definition, sorted(languages.split()), how)
    for language, found in by_language:
        for model, setting, measures in found:
            key = RunKey(run=run_name, model=model, parameters=0, recipe="-", seed=0, setting=setting)
            shown = chosen(measures, definition.metrics, task)
            rows += score_rows(key, task, definition.scored(language), language, shown)
    write_table(score_table(rows), scores)


def _pool(
    source: FolderSource, definition: EvaluationTask, languages: list[str]
) -> Iterator[tuple[str, list[Control]]]:
    """Of the queries that models are scored on; a pool that is too large for n-grams has chance alone."""
    queries = {
        language: [e for e in capped(examples, definition.cap) if isinstance(e, QueryExample)]
        for language, examples in gold(source, definition, languages)
    }
    splits = {language: definition.data.of(language) for language in languages}
    pool = list(source.candidates(definition.data.dataset, splits))
    found = tfidf_pool(queries, pool) if len(pool) <= LARGEST else {}
    for language, part in queries.items():
        controls: list[Control] = [("chance", "-", pool_chance(part, len(pool)))]
        if language in found:
            tfidf = score("dual_encoder", part, found[language])
            controls.append(("tfidf", "char-ngrams-xx2all-cosine", tfidf))
        yield language, controls


def _by_language(
    source: FolderSource, definition: EvaluationTask, languages: list[str], how: RetrievalSettings
) -> Iterator[tuple[str, list[Control]]]:
    for language in languages:
        read = [source.read(*part, language) for part in definition.parts(language)]
        *tuned, examples = cast("list[list[ParallelExample]]", read)
        if definition.type == "mining":
            yield language, _mining(examples, how, *tuned)
        else:
            yield language, _retrieval(examples, how)


def _retrieval(examples: list[ParallelExample], how: RetrievalSettings) -> list[Control]:
    tfidf = score("retrieval", examples, tfidf_rankings(examples, how.direction))
    return [("chance", "-", chance(examples)), ("tfidf", f"char-ngrams-{how.direction}-cosine", tfidf)]


def _mining(
    examples: list[ParallelExample], how: RetrievalSettings, tuned: list[ParallelExample] | None = None
) -> list[Control]:
    """Nobody mines pairs at random: there is no chance."""
    threshold = None
    if tuned is not None:
        threshold = tuned_threshold("mining", tuned, tfidf_pairs(tuned, how.neighbours, how.pairs))
    found = tfidf_pairs(examples, how.neighbours, how.pairs)
    tfidf = score("mining", examples, found, threshold=threshold)
    return [("tfidf", f"char-ngrams-{how.pairs}-margin", tfidf)]


if __name__ == "__main__":
    run(main)
