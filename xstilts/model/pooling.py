"""Sentence embeddings: one hidden state of the encoder, pooled over pieces."""

import copy
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel

from xstilts.errors import ConfigError
from xstilts.model.batches import Batch

# Families whose hidden state k is what the first k layers give, with nothing after them.
PLAIN_STACKS = {"bert", "roberta", "xlm-roberta"}


def hidden_state(encoder: PreTrainedModel, batch: Batch, layer: int) -> Tensor:
    """Hidden state `layer` of a batch, (rows, length, width); 0 is the embeddings.

    Where the family allows, the layers above it are not run.

    Raises:
        ConfigError: if the encoder has no such layer.
    """
    layers = int(encoder.config.num_hidden_layers)
    if not 0 <= layer <= layers:
        raise ConfigError(f"there is no hidden state {layer} in {layers} layers", where="retrieval_layer")
    hidden: Tensor
    if encoder.config.model_type in PLAIN_STACKS and layer > 0:
        hidden = first_layers(encoder, layer)(batch.ids, attention_mask=batch.mask).last_hidden_state
    else:
        output = encoder(input_ids=batch.ids, attention_mask=batch.mask, output_hidden_states=True)
        hidden = output.hidden_states[layer]
    return hidden


def first_layers(encoder: PreTrainedModel, layers: int) -> PreTrainedModel:
    """The same encoder, its weights shared, without the layers above the first `layers`."""
    whole: Any = encoder  # its submodules have no types
    shallow, stack = copy.copy(whole), copy.copy(whole.encoder)
    shallow._modules, stack._modules = dict(whole._modules), dict(stack._modules)
    stack.layer = whole.encoder.layer[:layers]
    shallow.encoder = stack
    shallowed: PreTrainedModel = shallow
    return shallowed


def pool(encoder: PreTrainedModel, batch: Batch, layer: int, how: str, special: list[int]) -> Tensor:
    """Embeddings (rows, width) of a batch.

    Args:
        encoder: The encoder.
        batch: Its input.
        layer: Which hidden state; 0 is the embeddings.
        how: `mean` over all pieces, `mean_words` over all but special ones, `cls` for the first.
        special: Ids of the special pieces.
    """
    return pooled(hidden_state(encoder, batch, layer), batch, how, special)


def every_state(encoder: PreTrainedModel, batch: Batch) -> tuple[Tensor, ...]:
    """All hidden states of a batch, (rows, length, width) each, in one pass; the first is the embeddings."""
    output = encoder(input_ids=batch.ids, attention_mask=batch.mask, output_hidden_states=True)
    states: tuple[Tensor, ...] = output.hidden_states
    return states


def pooled(hidden: Tensor, batch: Batch, how: str, special: list[int]) -> Tensor:
    """Embeddings (rows, width) from a hidden state of a batch; `how` and `special` as in `pool`."""
    if how == "cls":
        return hidden[:, 0]
    kept = batch.mask.bool()
    if how == "mean_words":
        words = kept & ~torch.isin(batch.ids, torch.tensor(special, device=batch.ids.device))
        kept = torch.where(words.any(dim=1, keepdim=True), words, kept)  # a text of no words keeps all
    weights = kept.to(hidden.dtype)[..., None]
    return (hidden * weights).sum(dim=1) / weights.sum(dim=1)
