"""Tasks without a head: both sides of a retrieval task as vectors, and the pairs mined from a corpus."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from xstilts.data.examples import Example, ParallelExample
from xstilts.job_settings import MiningPredictionJob, RetrievalPredictionJob
from xstilts.model.checkpoint import Model
from xstilts.prediction.embed import embed
from xstilts.scoring.bitext import Neighbours, mined
from xstilts.scoring.search import both_ways


def queries_and_index(
    model: Model,
    examples: Sequence[Example],
    layer: int,
    how: RetrievalPredictionJob,
    label: str,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Unit vectors (n, width) of the queries and of the sentences that they search, row by row each other's.

    Args:
        model: The model, on its device.
        examples: ParallelExamples of one language.
        layer: Hidden state to pool.
        how: Pooling and direction.
        label: What progress is shown under; empty for none.
    """
    english, other = (
        embed(model, texts, layer=layer, how=how.pool, batch_tokens=how.batch_tokens, label=label)
        for texts in texts_of(examples)
    )
    return (english, other) if how.direction == "en2xx" else (other, english)


def texts_of(examples: Sequence[Example]) -> tuple[list[str], list[str]]:
    """The English sentences and the language's own."""
    parallel = [example for example in examples if isinstance(example, ParallelExample)]
    return [example.english for example in parallel], [example.text for example in parallel]


def mined_pairs(
    model: Model, examples: Sequence[Example], layer: int, how: MiningPredictionJob, label: str
) -> dict[str, tuple[str, float] | None]:
    """The English id and the margin of the pair mined for each sentence of the language, by example id.

    Args:
        model: The model, on its device.
        examples: ParallelExamples of one language, whose sides may be missing.
        layer: Hidden state to pool.
        how: Pooling and margin.
        label: What progress is shown under; empty for none.
    """

    def search(own: Sequence[str], english: Sequence[str]) -> tuple[Neighbours, Neighbours]:
        ours, theirs = (
            embed(model, texts, layer=layer, how=how.pool, batch_tokens=how.batch_tokens, label=label)
            for texts in (own, english)
        )
        return both_ways(ours, theirs, how.neighbours, model.encoder.device.type)

    return mined([example for example in examples if isinstance(example, ParallelExample)], search, how.pairs)
