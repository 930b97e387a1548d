"""Sentence embeddings: one hidden state of the encoder, pooled over pieces."""

import torch
from torch import Tensor
from transformers import PreTrainedModel

from xstilts.model.batches import Batch


def pool(encoder: PreTrainedModel, batch: Batch, layer: int, how: str, special: list[int]) -> Tensor:
    """Embeddings (rows, width) of a batch.

    Args:
        encoder: The encoder.
        batch: Its input.
        layer: Which hidden state; 0 is the embeddings.
        how: `mean` over all pieces, `mean_words` over all but special ones, `cls` for the first.
        special: Ids of the special pieces.
    """
    output = encoder(input_ids=batch.ids, attention_mask=batch.mask, output_hidden_states=True)
    hidden: Tensor = output.hidden_states[layer]
    if how == "cls":
        return hidden[:, 0]
    kept = batch.mask.bool()
    if how == "mean_words":
        words = kept & ~torch.isin(batch.ids, torch.tensor(special, device=batch.ids.device))
        kept = torch.where(words.any(dim=1, keepdim=True), words, kept)  # a text of no words keeps all
    weights = kept.to(hidden.dtype)[..., None]
    return (hidden * weights).sum(dim=1) / weights.sum(dim=1)
