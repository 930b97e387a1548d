"""Accuracy of sentence retrieval in aligned pools (Tatoeba), as in XTREME's evaluate.py."""

from collections.abc import Mapping, Sequence

from xstilts.data.examples import ParallelExample
from xstilts.errors import PredictionError
from xstilts.scoring import Measure, align, mean_measure


def score(
    examples: Sequence[ParallelExample], predictions: Mapping[str, int], labels: Sequence[str] = ()
) -> dict[str, Measure]:
    """Metric `accuracy`: the share of queries for which the line of the same number was found.

    The pool of candidates is the examples themselves, in their order; the example at index i is the
    answer to the query at index i. A sentence that occurs twice in the pool has one right line, as in
    XTREME.

    Raises:
        PredictionError: if ids are missing or extra, or an index lies outside the pool.
    """
    found = align(examples, predictions)
    for example, index in zip(examples, found, strict=True):
        if not 0 <= index < len(examples):
            raise PredictionError(
                f"there is no candidate {index}",
                where=f"prediction for {example.id}",
                hint=f"the pool has the candidates 0 to {len(examples) - 1}",
            )
    return {"accuracy": mean_measure([float(index == line) for line, index in enumerate(found)])}
