"""Which products may be among the best, by float32 products and a bound on what they are wrong by.

Matrix products in float32 take half the time of those in float64, and nearly all of a search's. In any order
of summation a product of d terms is off by less than d / (2^24 - d) times the lengths of its two vectors
(Higham 2002, section 3.1), so what lies twice as far below the k-th best can be no better.
"""

import sys

import numpy as np
from numpy.typing import NDArray

from xstilts.errors import PredictionError

CHUNK = 512  # pairs whose vectors are in memory at once
EPSILON = 2.0**-23  # twice the unit roundoff: the rest is for the rounding of scores and floors
UNDERFLOW = 2.0**-125  # what may be lost of a term that is too small for float32
LARGEST = 2.0**126  # beyond, a sum may be infinite

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Indices = NDArray[np.int64]


class Screen:
    """Products of queries and candidates in float32, and what they leave open.

    Args:
        queries: Shape (n, d).
        candidates: Shape (m, d).
        block: Vectors that are converted at a time.

    Raises:
        PredictionError: if a vector holds NaN or infinity.
    """

    def __init__(self, queries: Floats, candidates: Floats, block: int) -> None:
        self._queries, self._candidates = queries, candidates
        size = queries.shape[1]
        ours = _lengths(queries, block, "queries")
        theirs = float(_lengths(candidates, block, "candidates").max(initial=0.0))
        largest = ours * theirs
        slack = (size + 8) * EPSILON * largest + size * UNDERFLOW
        self._slack: Doubles = np.where(largest < LARGEST, slack, np.inf)

    def products(self, rows: slice, columns: slice, room: Floats) -> Floats:
        """Inner products of some queries and candidates, in float32; in `room`, where they fit exactly.

        By torch's matrix library where torch is loaded anyhow: it takes less time than numpy's, and the bound
        holds for either.
        """
        ours, theirs = self._queries[rows], self._candidates[columns]
        out = (
            room if room.shape == (len(ours), len(theirs)) else np.empty((len(ours), len(theirs)), np.float32)
        )
        if torch := sys.modules.get("torch"):
            sides = (torch.from_numpy(side) for side in (ours, theirs.T))
            torch.mm(*sides, out=torch.from_numpy(out))
        else:
            with np.errstate(over="ignore", invalid="ignore"):
                np.matmul(ours, theirs.T, out=out)
        return out

    def floors(self, rows: slice, worst: Floats) -> Floats:
        """Below which a product of each row cannot be among the k best, if `worst` is the k-th best so far.

        k scores are at least `worst` less the slack; so a score among the k best is, and its product may lie
        below it by as much again.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            return (worst - 2 * self._slack[rows]).astype(np.float32)

    def scores(self, rows: Indices, columns: Indices) -> Floats:
        """The scores of single pairs: products in float64, rounded to float32."""
        found = np.empty(len(rows), dtype=np.float32)
        for start in range(0, len(rows), CHUNK):
            part = slice(start, start + CHUNK)
            ours = self._queries[rows[part]].astype(np.float64)
            with np.errstate(over="ignore"):
                found[part] = np.einsum("ij,ij->i", ours, self._candidates[columns[part]])
        return found


def _lengths(vectors: Floats, block: int, name: str) -> Doubles:
    """Euclidean lengths (n,), block by block so that little memory is needed."""
    found = np.empty(len(vectors), dtype=np.float64)
    for start in range(0, len(vectors), block):
        part = vectors[start : start + block].astype(np.float64)
        found[start : start + block] = np.sqrt(np.einsum("ij,ij->i", part, part))
    if not np.isfinite(found).all():
        raise PredictionError(f"embeddings of the {name} hold NaN or infinity", hint="check the model")
    return found
