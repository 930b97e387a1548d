"""One prediction job of a dual encoder: the queries of all languages rank one pool of all their candidates.

A language that is added changes the pool, and so every ranking: the stamp names all languages and all their
files, and where it does not hold everything is predicted again.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from xstilts.data.examples import Candidate, QueryExample
from xstilts.data.lock import sha256_of
from xstilts.data.shares import capped
from xstilts.data.sources import FolderSource
from xstilts.errors import ConfigError
from xstilts.prediction import stamps
from xstilts.prediction.submission import prediction_path, write_predictions, written_files
from xstilts.registry import PredictionTask

Ranker = Callable[[list[QueryExample], Iterator[Candidate]], Sequence[Sequence[tuple[str, float]]]]
"""Gives (id, score) of the candidates found for each query, best first."""


def predict_pool(
    entry: PredictionTask,
    languages: Sequence[str],
    source: FolderSource,
    output: Path,
    stamp: dict[str, Any],
    ranker: Callable[[], Ranker],
) -> None:
    """Write rankings and stamps of all languages below `output`, unless all stamps hold.

    Args:
        entry: The task.
        languages: Its languages; their order is that of the candidates.
        source: Where queries and candidates are.
        output: Folder of the predictions.
        stamp: All that decides them but for the data.
        ranker: Loads the model, if need be; it then ranks a pool for queries.
    """
    dataset, splits = entry.data.dataset, {code: entry.data.of(code) for code in languages}
    verified = {code: source.verified(dataset, split, code) for code, split in splits.items()}
    data = {code: {path.name: sha256_of(path) for path in paths} for code, paths in verified.items()}
    whole = {**stamp, "data": data}
    paths = {code: prediction_path(output, entry.type, split, code) for code, split in splits.items()}
    files = [written_files(path, entry.type) for path in paths.values()]
    if all(stamps.holds(each, whole) for each in files):
        for each in files:
            stamps.keep(each)
        return
    queries = {code: _queries(source, entry, code) for code in languages}
    every = [query for found in queries.values() for query in found]
    rankings = iter(ranker()(every, source.candidates(dataset, splits)))
    for path in paths.values():
        stamps.remove(path)  # killed in between, the job leaves no stamp of other predictions
    for code, found in queries.items():
        ranked = {
            query.id: ranking for query, ranking in zip(found, islice(rankings, len(found)), strict=True)
        }
        write_predictions(paths[code], entry.type, found, ranked)
        stamps.write(paths[code], whole)


def _queries(source: FolderSource, entry: PredictionTask, language: str) -> list[QueryExample]:
    dataset, split = entry.data.dataset, entry.data.of(language)
    examples = capped(source.read(dataset, split, language), entry.cap)
    queries = [example for example in examples if isinstance(example, QueryExample)]
    if len(queries) < len(examples):
        raise ConfigError(f"{dataset}/{split} holds no queries", where="the task's entry in tasks.yaml")
    return queries
