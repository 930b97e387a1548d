"""Retrieval accuracy with candidate pools of one size, so that small test sets are no easier."""

import numpy as np
from numpy.typing import NDArray

from xstilts.scoring.search import margin


def equal_pool_accuracy(
    queries: NDArray[np.float32],
    index: NDArray[np.float32],
    size: int,
    draws: int,
    seed: int,
    neighbours: int | None = None,
) -> float:
    """Accuracy over random pools: the mean over draws of the share of queries whose nearest is their own.

    Args:
        queries: Unit vectors (n, width); row i of `index` answers row i.
        index: Unit vectors (n, width).
        size: Pairs per pool; with n pairs or fewer, the one pool of all of them is scored.
        draws: Number of pools, each drawn without replacement.
        seed: Seed of the draws.
        neighbours: How many nearest ones of the pool a margin looks at on either side; none: cosines rank.

    Returns:
        A fraction; ties count for the lower index, as in the scores themselves.
    """
    similarity = (queries.astype(np.float64) @ index.T.astype(np.float64)).astype(np.float32)
    pairs = len(queries)
    if pairs <= size:
        return _accuracy(similarity, neighbours)
    generator = np.random.default_rng(seed)
    found = []
    for _ in range(draws):
        chosen = np.sort(generator.choice(pairs, size, replace=False))
        found.append(_accuracy(similarity[np.ix_(chosen, chosen)], neighbours))
    return float(np.mean(found))


def _accuracy(similarity: NDArray[np.float32], neighbours: int | None) -> float:
    if neighbours:
        wide = similarity.astype(np.float64)
        ours, theirs = (np.sort(side, axis=1)[:, -neighbours:].mean(axis=1) for side in (wide, wide.T))
        similarity = margin(wide, ours[:, None], theirs[None, :]).astype(np.float32)
    return float(np.mean(similarity.argmax(axis=1) == np.arange(len(similarity))))
