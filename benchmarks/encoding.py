"""Sentence embeddings against sentence-transformers' `encode`, with one and the same encoder."""

import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules import Normalize, Transformer
from sentence_transformers.sentence_transformer.modules import Pooling

from benchmarks.rounds import OURS, Outcome, alternate
from benchmarks.tokens import hub_tokenizer
from xstilts.errors import PredictionError
from xstilts.model import checkpoint as checkpoints
from xstilts.model.checkpoint import Model
from xstilts.prediction.embed import embed

NAME = "encoding"
SMALLEST_COSINE = 0.9999  # of the two sides' vectors of one text


def compare(
    model: Model,
    groups: Sequence[Sequence[str]],
    batch_sizes: Sequence[int],
    batch_tokens: int,
    rounds: int,
    folder: Path,
) -> Iterator[dict[str, Any]]:
    """Rows of the table.

    Args:
        model: With its tokenizer.
        groups: Texts that are encoded in one call: the sentences of one language.
        batch_sizes: That sentence-transformers may have.
        batch_tokens: Our pieces per batch.
        rounds: How often.
        folder: Where the encoder is written for sentence-transformers to read.

    Raises:
        PredictionError: if the two libraries' vectors differ.
    """
    peer = _sentence_transformer(model, folder)
    ours = _ours(model, groups[0], batch_tokens)
    theirs = np.asarray(peer.encode(list(groups[0]), show_progress_bar=False))
    if (smallest := float((ours * theirs).sum(axis=1).min())) < SMALLEST_COSINE:
        raise PredictionError(f"the vectors of one text have a cosine of {smallest:.5f}", where=NAME)
    encoders = {OURS: partial(_ours, model, batch_tokens=batch_tokens)} | {
        f"sentence-transformers, batches of {size}": partial(_theirs, peer, batch_size=size)
        for size in batch_sizes
    }
    sides = {name: partial(_timed, encoder, groups) for name, encoder in encoders.items()}
    yield from alternate(NAME, sides, rounds)


def _timed(encoder: Any, groups: Sequence[Sequence[str]], _: int) -> Outcome:
    begun = time.perf_counter()
    for texts in groups:
        encoder(texts)
    return Outcome(time.perf_counter() - begun, sum(map(len, groups)))


def _ours(model: Model, texts: Sequence[str], batch_tokens: int) -> np.ndarray:
    return embed(model, texts, layer=model.layers, how="mean", batch_tokens=batch_tokens)


def _theirs(peer: SentenceTransformer, texts: Sequence[str], batch_size: int) -> None:
    peer.encode(list(texts), batch_size=batch_size, show_progress_bar=False)


def _sentence_transformer(model: Model, folder: Path) -> SentenceTransformer:
    """The encoder as a model of sentence-transformers: its own modules, mean pooling, unit length."""
    checkpoints.save(model, folder)
    hub_tokenizer(model.pieces, model.max_length).save_pretrained(folder)
    transformer = Transformer(str(folder), max_seq_length=model.max_length)
    pooling = Pooling(model.width, pooling_mode="mean")
    return SentenceTransformer(modules=[transformer, pooling, Normalize()], device=str(model.encoder.device))
