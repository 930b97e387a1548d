"""Metrics of a dual encoder's rankings of one pool (LAReQA, Mewsli-X)."""

from collections.abc import Mapping, Sequence

from xstilts.data.examples import QueryExample
from xstilts.scoring import Measure, align
from xstilts.scoring.ranking import ranking_measures


def score(
    examples: Sequence[QueryExample],
    predictions: Mapping[str, Sequence[tuple[str, float]]],
    labels: Sequence[str] = (),
) -> dict[str, Measure]:
    """The metrics of xstilts.scoring.ranking; with one answer per query, map_at_20 is MRR cut at rank 20.

    Args:
        examples: Queries of one language, with all the candidates that answer them (see
            xstilts.data.queries.pooled).
        predictions: By example id, (candidate, score) pairs, best first.
        labels: None.

    Raises:
        DataError: if no candidate answers a query.
        PredictionError: if ids are missing or extra, or a ranking names a candidate twice.
    """
    found = [[name for name, _ in ranking] for ranking in align(examples, predictions)]
    return ranking_measures(found, [example.candidates for example in examples])
