"""Sentence embeddings of many texts."""

from collections.abc import Callable, Sequence
from typing import TypeVar, get_args

import numpy as np
import torch
from torch import Tensor

from xstilts.job_settings import Pool
from xstilts.model.batches import Batch
from xstilts.model.checkpoint import Model
from xstilts.model.pooling import every_state, pool, pooled
from xstilts.prediction.batching import in_batches

Key = TypeVar("Key")

CACHED = 1024  # pieces whose states stay in a processor's caches; larger batches take longer
POOLS: tuple[str, ...] = get_args(Pool)


def embed(
    model: Model, texts: Sequence[str], *, layer: int, how: str, batch_tokens: int, label: str = ""
) -> np.ndarray:
    """Embeddings (texts, width) of unit length, float32, in the order of the texts.

    Texts longer than the model allows are cut.

    Args:
        model: The model, on its device.
        texts: The sentences.
        layer: Which hidden state; 0 is the embeddings.
        how: How it is pooled (xstilts.model.pooling.pool).
        batch_tokens: Pieces per batch, padding included.
        label: What progress is shown under; empty for none.
    """

    def vectors(batch: Batch) -> dict[str, Tensor]:
        return {how: pool(model.encoder, batch, layer, how, model.pieces.special)}

    return _embedded(model, texts, [how], vectors, batch_tokens, label)[how]


def embed_everywhere(
    model: Model, texts: Sequence[str], *, batch_tokens: int, label: str = ""
) -> dict[tuple[int, str], np.ndarray]:
    """As `embed`, for every layer and pooling, in one pass through the encoder.

    Memory is that of all of them together: (layers + 1) x poolings x texts x width x 4 bytes.
    """

    def vectors(batch: Batch) -> dict[tuple[int, str], Tensor]:
        states = every_state(model.encoder, batch)
        return {(k, how): pooled(states[k], batch, how, model.pieces.special) for k, how in keys}

    keys = [(layer, how) for layer in range(model.layers + 1) for how in POOLS]
    return _embedded(model, texts, keys, vectors, batch_tokens, label)


@torch.inference_mode()
def _embedded(
    model: Model,
    texts: Sequence[str],
    keys: Sequence[Key],
    vectors: Callable[[Batch], dict[Key, Tensor]],
    batch_tokens: int,
    label: str,
) -> dict[Key, np.ndarray]:
    model.train(False)
    if model.encoder.device.type == "cpu":
        batch_tokens = min(batch_tokens, CACHED)
    ids = [model.pieces.one(found, model.max_length) for found in model.pieces.ids(texts)]
    found = {key: np.zeros((len(ids), model.width), dtype=np.float32) for key in keys}
    for batch in in_batches(model, ids, batch_tokens, label):
        for key, rows in vectors(batch).items():
            found[key][batch.rows] = torch.nn.functional.normalize(rows.float(), dim=-1).cpu().numpy()
    return found
