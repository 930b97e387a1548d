"""Metrics of sentence retrieval in aligned pools (Tatoeba): XTREME's accuracy, and those of rankings."""

from collections.abc import Mapping, Sequence

from xstilts.data.examples import ParallelExample
from xstilts.errors import PredictionError
from xstilts.scoring import Measure, align, mean_measure
from xstilts.scoring.ranking import ranking_measures


def score(
    examples: Sequence[ParallelExample],
    predictions: Mapping[str, Sequence[tuple[int, float]]],
    labels: Sequence[str] = (),
) -> dict[str, Measure]:
    """Metric `accuracy`, the share of queries for which the line of the same number was found, and others.

    The pool of candidates is the examples themselves, in their order; the example at index i is the
    answer to the query at index i. A sentence that occurs twice in the pool has one right line, as in
    XTREME.

    Args:
        examples: The pool.
        predictions: By example id, (index, score) pairs of the candidates found, best first.
        labels: None.

    Raises:
        PredictionError: if ids are missing or extra, a ranking is empty or names a candidate twice, or an
            index lies outside the pool.
    """
    found = [[index for index, _ in ranking] for ranking in align(examples, predictions)]
    for example, ranking in zip(examples, found, strict=True):
        _check(example.id, ranking, len(examples))
    right = [float(ranking[0] == line) for line, ranking in enumerate(found)]
    return {
        "accuracy": mean_measure(right),
        **ranking_measures(found, [(line,) for line in range(len(found))]),
    }


def _check(name: str, ranking: Sequence[int], size: int) -> None:
    if not ranking:
        raise PredictionError("the ranking is empty", where=f"prediction for {name}")
    for index in ranking:
        if not 0 <= index < size:
            raise PredictionError(
                f"there is no candidate {index}",
                where=f"prediction for {name}",
                hint=f"the pool has the candidates 0 to {size - 1}",
            )
