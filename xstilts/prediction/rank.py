"""Ranking a pool of candidates with a dual encoder, part by part: it need not be in memory at once."""

from collections.abc import Iterable, Iterator
from itertools import islice

import numpy as np

from xstilts.data.examples import Candidate, QueryExample
from xstilts.job_settings import PoolPredictionJob
from xstilts.model.checkpoint import Model
from xstilts.model.features import inputs
from xstilts.prediction.dual_encoder import Ranking, encode, named
from xstilts.prediction.pool import Ranker
from xstilts.scoring.search import POOL_DEPTH, Floats, Indices, top_k

PART = 1 << 16
"""Candidates in memory at once, as texts and as vectors."""


def ranker_of(model: Model, how: PoolPredictionJob, label: str) -> Ranker:
    """Ranks a pool with a model.

    Args:
        model: The model, on its device.
        how: Head, lengths and pooling.
        label: What progress is shown under; empty for none.
    """

    def vectors(texts: list[tuple[str, str]], part: str) -> Floats:
        ids = list(inputs(model.pieces, texts, how.max_length))
        shown = f"{label} {part}" if label else ""
        tokens = how.batch_tokens
        return encode(model, how.head, ids, how=how.embedding, batch_tokens=tokens, label=shown)

    def parts(candidates: Iterator[Candidate]) -> Iterator[tuple[list[str], Floats]]:
        while part := list(islice(candidates, PART)):
            texts = [(candidate.text, candidate.context) for candidate in part]
            yield [candidate.id for candidate in part], vectors(texts, "candidates")

    def rank(queries: list[QueryExample], candidates: Iterator[Candidate]) -> list[Ranking]:
        asked = vectors([(query.query, "") for query in queries], "queries")
        return rank_pool(asked, parts(candidates), POOL_DEPTH, model.encoder.device.type)

    model.check_length(how.max_length)
    return rank


def rank_pool(
    queries: Floats, pool: Iterable[tuple[list[str], Floats]], k: int, device: str
) -> list[Ranking]:
    """The best k candidates of a pool that is given in parts.

    Args:
        queries: Unit vectors (n, width).
        pool: Ids and unit vectors of the candidates, part by part.
        k: How many to keep for each query, all where there are fewer.
        device: `cpu`, or a device of torch.

    Returns:
        For each query (id, cosine) of the candidates found, best first; ties go to the earlier candidate.
    """
    names: list[str] = []
    indices: Indices = np.empty((len(queries), 0), dtype=np.int64)
    scores: Floats = np.empty((len(queries), 0), dtype=np.float32)
    for ids, vectors in pool:
        more, values = top_k(queries, vectors, min(k, len(ids)), device=device)
        both = np.concatenate([scores, values], axis=1)
        order = np.argsort(-both, axis=1, kind="stable")[:, :k]
        scores = np.take_along_axis(both, order, axis=1)
        indices = np.take_along_axis(np.concatenate([indices, more + len(names)], axis=1), order, axis=1)
        names += ids
    return named(names, indices, scores)
