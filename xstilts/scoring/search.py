"""Exact nearest neighbours by inner product or margin, in blocks, with ties broken by the lower index.

Products are summed in float64 and rounded to float32, which is the score: matrix libraries sum in an
order that depends on the shape of the block, and the rounding hides it, so that equal candidates tie
whatever the blocks are (unless their products all but cancel, to less than d x 2^-29 of their size: for
unit vectors, a cosine of zero). Score and index are then packed into one integer whose order is the ranking;
no two are equal, so selecting the smallest needs no rule for ties. Products in float32 tell beforehand which
pairs may be among the best at all (xstilts.scoring.screening): only theirs are summed, but where those are
many (vectors that are all alike) or margins rank.

The margin (Artetxe and Schwenk 2019, eq. 2 and 3, `ratio`) of a query and a candidate is their cosine over
the mean of two means: the query's cosines with its nearest candidates, the candidate's with its nearest
queries. A vector that is near to everything gains nothing by it.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_info, threadpool_limits

from xstilts.scoring.screening import Doubles as Doubles
from xstilts.scoring.screening import Floats as Floats
from xstilts.scoring.screening import Indices as Indices
from xstilts.scoring.screening import Screen

Keys = NDArray[np.int64]
Products = Callable[[slice, slice], Doubles]
Ranking = tuple[tuple[int, float], ...]

DEPTH = 20
"""How many candidates are kept of each ranking."""

POOL_DEPTH = 100
"""The same, where the candidates of all languages are one pool."""

MOST = 24
"""Pairs for each one that is found, above which single products take longer than all of them at once."""

SHIFT = 32
_LOW = (1 << SHIFT) - 1


class Means(NamedTuple):
    """The mean cosine of each query, shape (n,), and of each candidate, (m,), with its nearest ones."""

    queries: Doubles
    candidates: Doubles


def nearest(
    queries: Floats, candidates: Floats, k: int, neighbours: int | None = None, device: str = "cpu"
) -> tuple[Indices, Floats]:
    """The k best candidates of each query (all, where there are fewer), by cosine or by margin.

    Args:
        queries: Unit vectors (n, d).
        candidates: Unit vectors (m, d).
        k: How many to find.
        neighbours: How many nearest ones a margin looks at on either side; none: by cosine.
        device: `cpu`, or a device of torch.

    Returns:
        As `top_k`.
    """
    means = None
    if neighbours:
        ahead, back = both_ways(queries, candidates, neighbours, device)
        means = Means(ahead[1].mean(axis=1, dtype=np.float64), back[1].mean(axis=1, dtype=np.float64))
    return top_k(queries, candidates, min(k, len(candidates)), means=means, device=device)


def both_ways(
    ours: Floats, theirs: Floats, neighbours: int, device: str = "cpu"
) -> tuple[tuple[Indices, Floats], tuple[Indices, Floats]]:
    """The nearest of `theirs` for each of `ours`, and the other way round; as `top_k`."""
    ahead = top_k(ours, theirs, min(neighbours, len(theirs)), device=device)
    return ahead, top_k(theirs, ours, min(neighbours, len(ours)), device=device)


def top_k(
    queries: Floats,
    candidates: Floats,
    k: int = 1,
    block: int = 2048,
    means: Means | None = None,
    device: str = "cpu",
) -> tuple[Indices, Floats]:
    """The k candidates with the greatest inner product for each query, best first.

    Memory beside the result is about 16 x block^2 bytes per thread, however many vectors there are.

    Args:
        queries: Shape (n, d).
        candidates: Shape (m, d).
        k: How many to find, at most m.
        block: How many queries are multiplied at a time, with half as many candidates.
        means: If given, the margin ranks instead of the product.
        device: `cpu` for numpy, or a device of torch; the result is the same.

    Returns:
        Indices of candidates and their scores, both of shape (n, k). Candidates with equal scores come
        in the order of their indices.

    Raises:
        ValueError: if the shapes do not fit, or k is not within 1 to m.
        PredictionError: if a vector holds NaN or infinity.
    """
    if queries.ndim != 2 or candidates.ndim != 2 or queries.shape[1] != candidates.shape[1]:
        raise ValueError(f"queries {queries.shape} and candidates {candidates.shape} do not fit")
    screen = Screen(queries, candidates, block)
    if device != "cpu" and 1 <= k <= len(candidates):
        from xstilts.scoring.search_torch import best_keys

        return _unpacked(best_keys(queries, candidates, k, block, means, device))

    def products(rows: slice, columns: slice) -> Doubles:
        return queries[rows].astype(np.float64) @ candidates[columns].astype(np.float64).T

    return best_of(products, len(queries), len(candidates), k, block, means, None if means else screen)


def best_of(
    products: Products,
    n: int,
    m: int,
    k: int,
    block: int = 2048,
    means: Means | None = None,
    screen: Screen | None = None,
) -> tuple[Indices, Floats]:
    """As `top_k`, for vectors of any kind: `products` gives the inner products of some rows and columns.

    A screen, which knows no margins, spares most of them.

    Raises:
        ValueError: if k is not within 1 to m.
    """
    if not 1 <= k <= m < _LOW:
        raise ValueError(f"cannot find {k} of {m} candidates")
    best = np.empty((n, k), dtype=np.int64)

    def fill(start: int) -> None:
        rows = slice(start, min(start + block, n))
        best[rows] = _best_keys(products, rows, m, k, block, means, screen)

    _on_all_threads(fill, range(0, n, block))
    return _unpacked(best)


def rankings(ids: Sequence[str], indices: Indices, scores: Floats) -> dict[str, Ranking]:
    """What a search has found, by the id of the query: (index, score) pairs, best first."""
    found = zip(ids, indices.tolist(), scores.tolist(), strict=True)
    return {name: tuple(zip(row, values, strict=True)) for name, row, values in found}


def _on_all_threads(work: Callable[[int], None], starts: Sequence[int]) -> None:
    """Blocks of queries side by side, each on one thread: quicker than one by one, each on all of them."""
    if len(starts) < 2:
        for start in starts:
            work(start)
        return
    threads = max(
        (found["num_threads"] for found in threadpool_info() if found["user_api"] == "blas"), default=1
    )
    with _one_thread_each(), ThreadPoolExecutor(threads, initializer=_one_torch_thread) as pool:
        list(pool.map(work, starts))


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Within it a product takes one thread, numpy's and torch's."""
    torch = sys.modules.get("torch")
    before = torch.get_num_threads() if torch else 1
    with threadpool_limits(1, user_api="blas"):
        try:
            yield
        finally:
            if torch:
                torch.set_num_threads(before)


def _one_torch_thread() -> None:
    """Torch keeps the number for each thread."""
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(1)


def _best_keys(
    products: Products, rows: slice, m: int, k: int, block: int, means: Means | None, screen: Screen | None
) -> Keys:
    if screen is not None and (screened := _screened_keys(screen, rows, m, k, block)) is not None:
        return np.sort(screened, axis=1)
    best = np.empty((rows.stop - rows.start, 0), dtype=np.int64)
    for columns in _blocks(m, max(1, block // 2)):
        values = products(rows, columns)
        if means is not None:
            values = margin(values, means.queries[rows, None], means.candidates[None, columns])
        places = np.arange(columns.start, columns.stop)
        best = _least(np.concatenate([best, _keys(values.astype(np.float32), places)], axis=1), k)
    return np.sort(best, axis=1)


def _blocks(m: int, block: int) -> Iterator[slice]:
    return (slice(start, min(start + block, m)) for start in range(0, m, block))


def _screened_keys(screen: Screen, rows: slice, m: int, k: int, block: int) -> Keys | None:
    """The best of each row in any order; None if too many pairs may be among them.

    `best` are the k best products in float32, `kept` all pairs that may be among the k best scores.
    """
    n, step = rows.stop - rows.start, max(block // 2, k)
    kept: list[Pairs] = []
    best = np.full((n, k), np.iinfo(np.int64).max)
    room = np.empty((n, min(m, step)), dtype=np.float32)
    for columns in _blocks(m, step):
        found = screen.products(rows, columns, room)
        first = np.partition(found, -k, axis=1)[:, -k] if columns.start == 0 else None
        low = screen.floors(rows, _unpacked(best.max(axis=1))[1] if first is None else first)
        open_rows, places = np.divmod(np.flatnonzero(~(found < low[:, None])), found.shape[1])  # or no number
        kept.append(Pairs(open_rows, places + columns.start, found[open_rows, places]))
        _put(best, kept[-1])
        if sum(len(pairs.rows) for pairs in kept) > MOST * n * k:
            low = screen.floors(rows, _unpacked(best.max(axis=1))[1])
            kept = [Pairs.of(kept).above(low)]
            if len(kept[0].rows) > MOST * n * k / 2:
                return None
    last = Pairs.of(kept).above(screen.floors(rows, _unpacked(best.max(axis=1))[1]))
    last = last.at(np.argsort(last.rows, kind="stable"))
    exact = np.full((n, k), np.iinfo(np.int64).max)
    _put(exact, last._replace(scores=screen.scores(last.rows + rows.start, last.columns)))
    return exact


class Pairs(NamedTuple):
    """Rows, columns and scores of some pairs, each of shape (pairs,)."""

    rows: Indices
    columns: Indices
    scores: Floats

    @classmethod
    def of(cls, parts: Sequence["Pairs"]) -> "Pairs":
        """One after the other."""
        return cls(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))

    def at(self, places: NDArray[Any]) -> "Pairs":
        """Some of them, by index or mask."""
        return Pairs(self.rows[places], self.columns[places], self.scores[places])

    def above(self, low: Floats) -> "Pairs":
        """Those that are not below a score for each row."""
        return self.at(~(self.scores < low[self.rows]))


def _put(best: Keys, pairs: Pairs) -> None:
    """Keep the best of each row (in place) and of some pairs, which are sorted by row."""
    some, first, counts = np.unique(pairs.rows, return_index=True, return_counts=True)
    if len(some) == 0:
        return
    more = np.full((len(some), counts.max()), np.iinfo(np.int64).max)
    place = np.arange(len(pairs.rows)) - np.repeat(first, counts)
    more[np.repeat(np.arange(len(some)), counts), place] = _keys(pairs.scores, pairs.columns)
    best[some] = _least(np.concatenate([best[some], more], axis=1), best.shape[1])


def _least(keys: Keys, k: int) -> Keys:
    """The k smallest of each row (all, where there are fewer), in any order."""
    return np.partition(keys, k - 1, axis=1)[:, :k] if keys.shape[1] > k else keys


def margin(cosines: Doubles, ours: Doubles, theirs: Doubles) -> Doubles:
    """Cosines over the mean of both neighbourhoods' means; 0 where that is not positive."""
    middle = np.broadcast_to((ours + theirs) / 2, cosines.shape)
    return np.divide(cosines, middle, out=np.zeros_like(cosines), where=middle > 0)


def _keys(scores: Floats, indices: Indices) -> Keys:
    """Integers that ascend as scores descend, then as indices ascend."""
    rising = _swap((scores + np.float32(0)).view(np.int32))  # the sum makes -0.0 equal to 0.0
    return (~rising).astype(np.int64) << SHIFT | indices


def _swap(bits: NDArray[np.int32]) -> NDArray[np.int32]:
    """From the bits of floats to integers of the same order, and back: negative floats are turned round."""
    return bits ^ ((bits >> 31) & 0x7FFFFFFF)


def _unpacked(keys: Keys) -> tuple[Indices, Floats]:
    return keys & _LOW, _swap(~(keys >> SHIFT).astype(np.int32)).view(np.float32)
