"""Which products may be among the best, by float32 products and a bound on what they are wrong by.

Matrix products in float32 take half the time of those in float64, and nearly all of a search's. In any order
of summation a product of d terms is off by less than d / (2^24 - d) times the lengths of its two vectors
(Higham 2002, section 3.1), so what lies further below the worst score that is kept can be no better.
"""

import numpy as np
from numpy.typing import NDArray

from xstilts.errors import PredictionError

MOST = 1 / 16  # share of a block above which single products take longer than all of them at once
CHUNK = 512  # pairs whose vectors are in memory at once
EPSILON = 2.0**-23  # twice the unit roundoff: the rest is for the rounding of scores and floors
UNDERFLOW = 2.0**-125  # what may be lost of a term that is too small for float32
LARGEST = 2.0**126  # beyond, a sum may be infinite

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Indices = NDArray[np.int64]


class Screen:
    """Finds the pairs of some queries and candidates whose score may reach a floor.

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

    def pairs(self, rows: slice, columns: slice, floors: Floats) -> tuple[Indices, Indices] | None:
        """Rows and columns, from 0 in these slices, of all pairs that may reach the floors of the rows.

        Args:
            rows: Of the queries.
            columns: Of the candidates.
            floors: A score for each row.

        Returns:
            None if there are so many that all products are better computed at once.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            found = self._queries[rows] @ self._candidates[columns].T
            low = (floors - self._slack[rows]).astype(np.float32)
            places = np.flatnonzero(~(found < low[:, None]))  # what is no number may be anything
        if len(places) > MOST * found.size:
            return None
        ours, theirs = np.divmod(places, found.shape[1])
        return ours, theirs

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
