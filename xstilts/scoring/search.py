"""Exact nearest neighbours by inner product, in blocks, with ties broken by the lower index.

Products are summed in float64 and rounded to float32, which is the score: matrix libraries sum in an
order that depends on the shape of the block, and the rounding hides it, so that equal candidates tie
whatever the blocks are (unless their products all but cancel, to less than d x 2^-29 of their size: for
unit vectors, a cosine of zero). Score and index are then packed into one integer whose order is the ranking;
no two are equal, so selecting the smallest needs no rule for ties.
"""

import numpy as np
from numpy.typing import NDArray

from xstilts.errors import PredictionError

Floats = NDArray[np.float32]
Indices = NDArray[np.int64]

Keys = NDArray[np.int64]

_SHIFT = 32
_LOW = (1 << _SHIFT) - 1


def unit_rows(vectors: Floats) -> Floats:
    """Rows scaled to length 1, for cosine similarity; a row of zeros stays as it is. Shape (n, d)."""
    lengths = np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
    scaled: Floats = (vectors / np.where(lengths == 0, 1, lengths)).astype(np.float32)
    return scaled


def top_k(queries: Floats, candidates: Floats, k: int = 1, block: int = 1024) -> tuple[Indices, Floats]:
    """The k candidates with the greatest inner product for each query, best first.

    Memory beside the result is about 32 x block^2 bytes, whatever the numbers of queries and candidates.

    Args:
        queries: Shape (n, d).
        candidates: Shape (m, d).
        k: How many to find, at most m.
        block: How many queries, and how many candidates, are multiplied at a time.

    Returns:
        Indices of candidates and their scores, both of shape (n, k). Candidates with equal scores come
        in the order of their indices.

    Raises:
        ValueError: if the shapes do not fit, or k is not within 1 to m.
        PredictionError: if a vector holds NaN or infinity.
    """
    if queries.ndim != 2 or candidates.ndim != 2 or queries.shape[1] != candidates.shape[1]:
        raise ValueError(f"queries {queries.shape} and candidates {candidates.shape} do not fit")
    if not 1 <= k <= len(candidates) < _LOW:
        raise ValueError(f"cannot find {k} of {len(candidates)} candidates")
    for name, vectors in (("queries", queries), ("candidates", candidates)):
        if not np.isfinite(vectors).all():
            raise PredictionError(f"embeddings of the {name} hold NaN or infinity", hint="check the model")
    best = np.empty((len(queries), k), dtype=np.int64)
    for start in range(0, len(queries), block):
        best[start : start + block] = _best_keys(queries[start : start + block], candidates, k, block)
    return _indices(best), _scores(best)


def _best_keys(queries: Floats, candidates: Floats, k: int, block: int) -> Keys:
    best = np.empty((len(queries), 0), dtype=np.int64)
    wide = queries.astype(np.float64)
    for start in range(0, len(candidates), block):
        products = wide @ candidates[start : start + block].astype(np.float64).T
        keys = np.concatenate([best, _keys(products.astype(np.float32), start)], axis=1)
        best = np.partition(keys, k - 1, axis=1)[:, :k] if keys.shape[1] > k else keys
    return np.sort(best, axis=1)


def _keys(scores: Floats, start: int) -> Keys:
    """Integers that ascend as scores descend, then as indices (from `start`) ascend."""
    rising = _swap((scores + np.float32(0)).view(np.int32))  # the sum makes -0.0 equal to 0.0
    return (~rising).astype(np.int64) << _SHIFT | np.arange(start, start + scores.shape[1])


def _swap(bits: NDArray[np.int32]) -> NDArray[np.int32]:
    """From the bits of floats to integers of the same order, and back: negative floats are turned round."""
    return bits ^ ((bits >> 31) & 0x7FFFFFFF)


def _indices(keys: Keys) -> Indices:
    return keys & _LOW


def _scores(keys: Keys) -> Floats:
    return _swap(~(keys >> _SHIFT).astype(np.int32)).view(np.float32)
