"""Metrics of rankings with binary relevance, as trec_eval defines them.

- `recall_at_k`, k = 1, 5 and 10: the share of the relevant candidates that are among the first k;
- `recall_at_k_ceiling`: the most that it can be, below 1 where there are more than k relevant ones;
- `success_at_10`: whether any relevant one is among the first 10;
- `mrr`: 1 / the rank of the first relevant one, 0 if the ranking has none;
- `map_at_20`: the precision at the rank of each relevant one among the first 20, summed and divided by the
  number of relevant ones.

A ranking ends where it ends: what was not kept of it (xstilts.scoring.search.DEPTH) counts as not found.
"""

from collections.abc import Collection, Hashable, Sequence
from math import fsum

from xstilts.errors import DataError, PredictionError
from xstilts.scoring import Measure, mean_measure

CUTS = (1, 5, 10)
SUCCESS, PRECISION = 10, 20


def ranking_measures(
    rankings: Sequence[Sequence[Hashable]], relevant: Sequence[Collection[Hashable]]
) -> dict[str, Measure]:
    """All metrics, means over the queries.

    Args:
        rankings: Candidates of each query, best first.
        relevant: Those that are right, at least one for each query.

    Raises:
        DataError: if a query has no relevant candidate.
        PredictionError: if a ranking names a candidate twice.
    """
    each = [_query(number, *pair) for number, pair in enumerate(zip(rankings, relevant, strict=True))]
    return {metric: mean_measure([values[metric] for values in each]) for metric in each[0]}


def _query(number: int, ranking: Sequence[Hashable], relevant: Collection[Hashable]) -> dict[str, float]:
    golden = set(relevant)
    if not golden:
        raise DataError("a query has no relevant candidate", where=f"query {number}")
    if len(set(ranking)) < len(ranking):
        raise PredictionError("a ranking names a candidate twice", where=f"query {number}")
    ranks = [rank for rank, candidate in enumerate(ranking, 1) if candidate in golden]
    values: dict[str, float] = {}
    for cut in CUTS:
        values[f"recall_at_{cut}"] = sum(rank <= cut for rank in ranks) / len(golden)
        values[f"recall_at_{cut}_ceiling"] = min(cut, len(golden)) / len(golden)
    values[f"success_at_{SUCCESS}"] = float(any(rank <= SUCCESS for rank in ranks))
    values["mrr"] = 1 / ranks[0] if ranks else 0.0
    precisions = [found / rank for found, rank in enumerate(ranks, 1) if rank <= PRECISION]
    values[f"map_at_{PRECISION}"] = fsum(precisions) / len(golden)
    return values
