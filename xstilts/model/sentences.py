"""Sentence embeddings by sentence-transformers: of its own models, or of a checkpoint wrapped as one."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules import InputModule

from xstilts.errors import CheckpointError
from xstilts.model import batches
from xstilts.model.batches import Batch
from xstilts.model.checkpoint import Model, load
from xstilts.model.pooling import pool

BATCH = 32
OWN = "sentence_transformers."


class PooledState(InputModule):
    """One hidden state of an encoder, pooled: a whole sentence-transformers model in one module.

    It reads texts as retrieval does (xstilts.prediction.embed), so the embeddings are the same.
    """

    def __init__(self, model: Model, layer: int, how: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.encoder = model.encoder
        self.tokenizer = model.pieces.tokenizer
        self._pieces, self._longest = model.pieces, model.max_length
        self._layer, self._how = layer, how

    @property
    def max_seq_length(self) -> int:
        """Longest input in pieces."""
        return self._longest

    def preprocess(self, inputs: Sequence[Any], prompt: str | None = None, **_: Any) -> dict[str, Any]:
        """Texts as ids and mask, cut to what the encoder has positions for."""
        texts = [f"{prompt or ''}{text}" for text in inputs]
        ids = [self._pieces.one(encoded.ids, self._longest) for encoded in self._pieces.encode(texts)]
        batch = batches.collate(ids, list(range(len(ids))), self._pieces.pad, torch.device("cpu"))
        return {"input_ids": batch.ids, "attention_mask": batch.mask}

    def forward(self, features: dict[str, Any], **_: Any) -> dict[str, Any]:
        """The features with `sentence_embedding`, (rows, width)."""
        ids, mask = features["input_ids"], features["attention_mask"]
        batch = Batch(list(range(len(ids))), ids, mask)
        special = self._pieces.special
        return {**features, "sentence_embedding": pool(self.encoder, batch, self._layer, self._how, special)}

    def save(self, output_path: str, *_: Any, **__: Any) -> None:
        """Refused: the checkpoint is on disk already."""
        raise NotImplementedError(f"nothing is written to {output_path}")


def of_checkpoint(folder: Path, layer: int, how: str, device: torch.device) -> SentenceTransformer:
    """A checkpoint of the run as a sentence-transformers model."""
    module = PooledState(load(folder, with_heads=False), layer, how)
    return SentenceTransformer(modules=[module], device=str(device))


def of_folder(folder: Path, device: torch.device) -> SentenceTransformer:
    """A model of sentence-transformers from a folder: its own modules only, safetensors only, no network.

    Raises:
        CheckpointError: if it is something else.
    """
    try:
        modules = json.loads((folder / "modules.json").read_text(encoding="utf-8"))
        foreign = [module["type"] for module in modules if not module["type"].startswith(OWN)]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _unreadable(folder, f"no readable modules.json ({error})") from error
    if foreign:
        raise _unreadable(folder, f"the module {foreign[0]} is code of its own, which is not run")
    if pickled := sorted(path.name for path in folder.rglob("*") if path.suffix in (".bin", ".pt", ".pkl")):
        raise _unreadable(folder, f"{pickled[0]} is no safetensors file")
    try:
        return SentenceTransformer(
            str(folder),
            device=str(device),
            trust_remote_code=False,
            local_files_only=True,
            model_kwargs={"use_safetensors": True, "dtype": torch.float32},
        )
    except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise _unreadable(folder, str(error).strip().splitlines()[0]) from error


def _unreadable(folder: Path, detail: str) -> CheckpointError:
    return CheckpointError(
        f"no sentence-transformers model: {detail}",
        where=str(folder),
        hint="name a folder that SentenceTransformer.save_pretrained wrote, with safetensors",
    )


def embed(model: SentenceTransformer, texts: Sequence[str]) -> np.ndarray:
    """Unit vectors (texts, width), float32, in the order of the texts."""
    vectors: np.ndarray = model.encode(
        list(texts), batch_size=BATCH, normalize_embeddings=True, show_progress_bar=False
    )
    return vectors.astype(np.float32)
