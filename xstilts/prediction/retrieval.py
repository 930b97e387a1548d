"""Both sides of a retrieval task as vectors: what asks, and what is searched."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from xstilts.data.examples import Example, ParallelExample
from xstilts.job_settings import RetrievalSettings
from xstilts.model.checkpoint import Model
from xstilts.prediction.embed import embed


def queries_and_index(
    model: Model,
    examples: Sequence[Example],
    layer: int,
    how: RetrievalSettings,
    batch_tokens: int,
    label: str,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Unit vectors (n, width) of the queries and of the sentences that they search, row by row each other's.

    Args:
        model: The model, on its device.
        examples: ParallelExamples of one language.
        layer: Hidden state to pool.
        how: Pooling and direction.
        batch_tokens: Pieces per batch.
        label: What progress is shown under; empty for none.
    """
    parallel = [example for example in examples if isinstance(example, ParallelExample)]
    english, other = (
        embed(model, texts, layer=layer, how=how.pool, batch_tokens=batch_tokens, label=label)
        for texts in ([example.english for example in parallel], [example.text for example in parallel])
    )
    return (english, other) if how.direction == "en2xx" else (other, english)
