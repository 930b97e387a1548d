"""Hidden states and sentence embeddings."""

from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_models import LINES, tiny
from transformers import DistilBertConfig, DistilBertModel

from xstilts.errors import ConfigError
from xstilts.model import batches
from xstilts.model.batches import Batch
from xstilts.model.checkpoint import Model
from xstilts.model.layers import default_layer
from xstilts.model.pooling import hidden_state, pool
from xstilts.prediction.embed import embed


@pytest.fixture(scope="module")
def model(tokens: Path) -> Model:
    made = tiny(tokens, layers=3)
    made.train(False)
    return made


def batch_of(model: Model, texts: list[str]) -> Batch:
    ids = [model.pieces.one(encoded.ids, model.max_length) for encoded in model.pieces.encode(texts)]
    return batches.collate(ids, list(range(len(ids))), model.pieces.pad, torch.device("cpu"))


@torch.inference_mode()
def test_hidden_states_are_those_of_transformers(model: Model) -> None:
    batch = batch_of(model, LINES)
    whole = model.encoder(input_ids=batch.ids, attention_mask=batch.mask, output_hidden_states=True)
    assert len(whole.hidden_states) == 4
    for layer, expected in enumerate(whole.hidden_states):
        found = hidden_state(model.encoder, batch, layer)
        torch.testing.assert_close(found, expected, rtol=0, atol=0)
    assert len(model.encoder.encoder.layer) == 3  # the encoder itself is as it was


@torch.inference_mode()
def test_other_families_run_whole() -> None:
    torch.manual_seed(0)
    config = DistilBertConfig(vocab_size=20, dim=8, n_layers=2, n_heads=2, hidden_dim=8)
    encoder = DistilBertModel(config).eval()
    batch = batches.collate([[1, 2, 3], [4]], [0, 1], 0, torch.device("cpu"))
    expected = encoder(
        input_ids=batch.ids, attention_mask=batch.mask, output_hidden_states=True
    ).hidden_states
    torch.testing.assert_close(hidden_state(encoder, batch, 1), expected[1])


@pytest.mark.parametrize("layer", [-1, 4])
def test_a_layer_that_is_not_there_is_an_error(model: Model, layer: int) -> None:
    with pytest.raises(ConfigError, match=f"no hidden state {layer}"):
        hidden_state(model.encoder, batch_of(model, ["sky"]), layer)


@torch.inference_mode()
def test_pooling_is_the_mean_over_the_pieces_meant(model: Model) -> None:
    batch = batch_of(model, [LINES[0], "sky", ""])
    hidden = hidden_state(model.encoder, batch, 2)
    for how, begin, cut in (("mean", 0, 0), ("mean_words", 1, 1)):
        found = pool(model.encoder, batch, 2, how, model.pieces.special)
        for row in (0, 1):
            length = int(batch.mask[row].sum())
            torch.testing.assert_close(found[row], hidden[row, begin : length - cut].mean(dim=0))
    cls = pool(model.encoder, batch, 2, "cls", model.pieces.special)
    torch.testing.assert_close(cls, hidden[:, 0])


@torch.inference_mode()
def test_a_text_without_words_keeps_its_special_pieces(model: Model) -> None:
    batch = batch_of(model, [""])
    found = pool(model.encoder, batch, 1, "mean_words", model.pieces.special)
    torch.testing.assert_close(found, hidden_state(model.encoder, batch, 1).mean(dim=1))


def test_embeddings_are_unit_vectors_whatever_the_batches(model: Model) -> None:
    texts = [*LINES, "", LINES[0] * 20]
    one, many = (embed(model, texts, layer=2, how="mean", batch_tokens=size) for size in (1, 100_000))
    np.testing.assert_allclose(np.linalg.norm(one, axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(one, many, atol=1e-5)
    assert one.dtype == np.float32


def test_the_default_layer_is_fourteen_of_twenty_four() -> None:
    assert [default_layer(layers) for layers in (24, 12, 2, 1)] == [14, 7, 1, 1]
