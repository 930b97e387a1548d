"""Sentence embeddings of many texts."""

from collections.abc import Sequence

import numpy as np
import torch

from xstilts.model import batches
from xstilts.model.checkpoint import Model
from xstilts.model.pooling import pool
from xstilts.progress import Progress


@torch.inference_mode()
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
    model.train(False)
    ids = [model.pieces.one(encoded.ids, model.max_length) for encoded in model.pieces.stream(texts)]
    groups = list(batches.by_tokens([len(row) for row in ids], batch_tokens))
    progress = Progress(label, len(groups), "texts") if label else None
    found = np.zeros((len(ids), model.width), dtype=np.float32)
    for group in groups:
        batch = batches.collate(ids, group, model.pieces.pad, model.encoder.device)
        vectors = pool(model.encoder, batch, layer, how, model.pieces.special).float()
        found[group] = torch.nn.functional.normalize(vectors, dim=-1).cpu().numpy()
        if progress:
            progress.advance(len(group))
    return found
