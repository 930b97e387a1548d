"""A dual encoder's vectors, and the nearest of some examples' own answers."""

from collections.abc import Sequence

import numpy as np
import torch

from xstilts.data.examples import Example, QueryExample
from xstilts.model.checkpoint import Model
from xstilts.model.features import Feature
from xstilts.model.heads import RankingHead
from xstilts.model.pooling import pool
from xstilts.prediction.batching import in_batches
from xstilts.scoring.search import POOL_DEPTH, Floats, Indices, top_k

Ranking = tuple[tuple[str, float], ...]


@torch.inference_mode()
def encode(
    model: Model, head: str, ids: Sequence[Sequence[int]], *, how: str, batch_tokens: int, label: str = ""
) -> Floats:
    """Unit vectors (rows, width) in float32, in the order of the rows.

    Args:
        model: The model, on its device.
        head: Name of its RankingHead.
        ids: Pieces of each query or candidate, special ones included.
        how: How the last hidden state is pooled.
        batch_tokens: Pieces per batch, padding included.
        label: What progress is shown under; empty for none.
    """
    model.train(False)
    ranking = model.heads[head]
    assert isinstance(ranking, RankingHead)
    found = np.zeros((len(ids), model.width), dtype=np.float32)
    for batch in in_batches(model, ids, batch_tokens, label):
        hidden = pool(model.encoder, batch, model.layers, how, model.pieces.special)
        found[batch.rows] = ranking(hidden).float().cpu().numpy()
    return found


def ranked_answers(
    model: Model,
    head: str,
    rows: Sequence[Feature],
    examples: Sequence[Example],
    *,
    how: str,
    batch_tokens: int,
    label: str = "",
) -> list[Ranking]:
    """For each query the best of all the examples' answers, as (id of the candidate, cosine), best first.

    Args:
        model: The model, on its device.
        head: Name of its RankingHead.
        rows: Features of the examples.
        examples: QueryExamples.
        how: How the last hidden state is pooled.
        batch_tokens: Pieces per batch, padding included.
        label: What progress is shown under; empty for none.
    """
    first = {row.gold: row for row in reversed(rows[1::2])}  # equal answers are one candidate
    answers = [first[number] for number in range(len(first))]
    names = [_answer_of(examples[row.example]) for row in answers]
    queries, candidates = (
        encode(model, head, [row.ids for row in side], how=how, batch_tokens=batch_tokens, label=label)
        for side in (rows[0::2], answers)
    )
    return named(
        names, *top_k(queries, candidates, min(POOL_DEPTH, len(names)), device=model.encoder.device.type)
    )


def _answer_of(example: Example) -> str:
    assert isinstance(example, QueryExample)
    return example.candidates[0]


def named(names: Sequence[str], indices: Indices, scores: Floats) -> list[Ranking]:
    """What a search has found, with the names of the candidates."""
    return [
        tuple((names[index], score) for index, score in zip(row, values, strict=True))
        for row, values in zip(indices.tolist(), scores.tolist(), strict=True)
    ]
