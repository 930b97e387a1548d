"""Checkpoints on disk: encoder, heads and tokenizer in one folder; safetensors only.

- config.json, model.safetensors: the encoder, as transformers saves it;
- heads.json, heads.safetensors: the heads of the last stage, by task;
- tokenizer.json: the tokenizer;
- card.json: all that decided the weights (xstilts.card).
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, PreTrainedModel, XLMRobertaConfig
from transformers.utils import logging

from xstilts.errors import CheckpointError, ConfigError
from xstilts.job_settings import Architecture
from xstilts.model import heads, pieces
from xstilts.model.heads import Head
from xstilts.model.pieces import Pieces
from xstilts.model.processes import whole_state

LM_HEAD = "mlm"
POSITION_OFFSET = 2  # XLM-R's positions begin after the padding index
ROBERTA_FAMILIES = {"roberta", "xlm-roberta", "xlm-roberta-xl"}
POOLED_FAMILIES = {*ROBERTA_FAMILIES, "bert"}  # with a pooling layer that nothing here uses

# Missing weights are an error here; the library's bars and reports would only hide it.
logging.disable_progress_bar()
logging.set_verbosity_error()


class LanguageModelHead(nn.Module):
    """RoBERTa's masked-LM head; its projection is the encoder's embedding matrix, plus a bias."""

    def __init__(self, width: int, vocabulary: int, epsilon: float) -> None:
        super().__init__()
        self.dense = nn.Linear(width, width)
        self.layer_norm = nn.LayerNorm(width, eps=epsilon)
        self.bias = nn.Parameter(torch.zeros(vocabulary))

    def forward(self, hidden: Tensor, embeddings: Tensor) -> Tensor:
        """Logits (n, vocabulary) of hidden states (n, width), given the embeddings (vocabulary, width)."""
        transformed = self.layer_norm(nn.functional.gelu(self.dense(hidden)))
        return nn.functional.linear(transformed, embeddings, self.bias)


@dataclass
class Model:
    """An encoder with its tokenizer and the heads of its last stage."""

    encoder: PreTrainedModel
    pieces: Pieces
    heads: dict[str, Head | LanguageModelHead] = field(default_factory=dict)
    head_entries: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        embedded = int(self.encoder.config.vocab_size)
        if len(self.pieces) > embedded:
            raise CheckpointError(
                f"the tokenizer has {len(self.pieces)} pieces, but the encoder embeds {embedded}",
                hint="the tokenizer belongs to another model",
            )

    @property
    def width(self) -> int:
        """Width of the hidden states."""
        return int(self.encoder.config.hidden_size)

    @property
    def layers(self) -> int:
        """Number of transformer layers; hidden state 0 is the embeddings."""
        return int(self.encoder.config.num_hidden_layers)

    @property
    def max_length(self) -> int:
        """Longest input in pieces, special ones included."""
        config = self.encoder.config
        offset = POSITION_OFFSET if config.model_type in ROBERTA_FAMILIES else 0
        return int(config.max_position_embeddings) - offset

    def check_length(self, length: int) -> None:
        """Refuse inputs that the encoder has no positions for.

        Raises:
            ConfigError: if `length`, in pieces, is too long.
        """
        if length > self.max_length:
            raise ConfigError(
                f"inputs of {length} pieces do not fit a model of {self.max_length}",
                where="training.max_length",
                hint="lower it, for all models or for this one by a pattern",
            )

    def modules(self) -> list[nn.Module]:
        """The encoder and all heads."""
        return [self.encoder, *self.heads.values()]

    def to(self, device: torch.device) -> "Model":
        """Move everything to a device."""
        for module in self.modules():
            module.to(device)
        return self

    def train(self, mode: bool = True) -> None:
        """Switch dropout on or off."""
        for module in self.modules():
            module.train(mode)

    def add_head(self, name: str, task_type: str, labels: Sequence[str]) -> None:
        """A fresh head for a training task."""
        dropout = float(self.encoder.config.hidden_dropout_prob)
        self.heads[name] = heads.build(task_type, self.width, len(labels), dropout)
        self.head_entries[name] = {"type": task_type, "labels": list(labels)}

    def add_lm_head(self) -> None:
        """A fresh masked-LM head."""
        config = self.encoder.config
        self.heads[LM_HEAD] = LanguageModelHead(self.width, config.vocab_size, config.layer_norm_eps)
        self.head_entries[LM_HEAD] = {"type": LM_HEAD, "labels": []}


def initialise(architecture: Architecture, tokenizer: Path, seed: int) -> Model:
    """An XLM-R-shaped encoder with random weights and a masked-LM head."""
    tokens = Pieces(tokenizer)
    config = XLMRobertaConfig(
        vocab_size=len(tokens),
        hidden_size=architecture.hidden,
        num_hidden_layers=architecture.layers,
        num_attention_heads=architecture.heads,
        intermediate_size=architecture.feed_forward,
        max_position_embeddings=architecture.positions + POSITION_OFFSET,
        hidden_dropout_prob=architecture.dropout,
        attention_probs_dropout_prob=architecture.dropout,
        type_vocab_size=1,
        layer_norm_eps=1e-5,
        pad_token_id=tokens.pad,
        bos_token_id=tokens.start,
        eos_token_id=tokens.end,
        dtype="float32",
    )
    return _randomised(config, tokens, seed)


def randomise(folder: Path, seed: int) -> Model:
    """The architecture of a checkpoint with random weights."""
    return _randomised(AutoConfig.from_pretrained(folder, trust_remote_code=False), Pieces(folder), seed)


def _randomised(config: Any, tokens: Pieces, seed: int) -> Model:
    torch.manual_seed(seed)
    encoder = AutoModel.from_config(config, dtype=torch.float32, trust_remote_code=False, **_unpooled(config))
    model = Model(encoder, tokens)
    model.add_lm_head()
    return model


def _unpooled(config: Any) -> dict[str, bool]:
    return {"add_pooling_layer": False} if config.model_type in POOLED_FAMILIES else {}


def save(model: Model, folder: Path, is_writer: bool = True) -> None:
    """Write encoder, heads and tokenizer; the card is written by the job.

    Args:
        model: What to write; of a sharded one, all processes have to ask.
        folder: Where.
        is_writer: Whether this is the process that writes.

    Raises:
        CheckpointError: if they cannot be written (a full disk).
    """
    encoder = whole_state(model.encoder)
    heads = {name: whole_state(head) for name, head in sorted(model.heads.items())}
    if not is_writer:
        return
    try:
        _write(model, folder, encoder, heads)
    except (OSError, SafetensorError) as error:
        raise CheckpointError(
            f"the checkpoint cannot be written: {error}", where=str(folder), hint="is the disk full?"
        ) from error


def _write(
    model: Model, folder: Path, encoder: dict[str, Tensor], heads: dict[str, dict[str, Tensor]]
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    model.encoder.save_pretrained(folder, state_dict=encoder)
    tensors = {
        f"{name}.{key}": tensor.detach().cpu().contiguous()
        for name, state in heads.items()
        for key, tensor in state.items()
    }
    save_file(tensors, folder / "heads.safetensors")
    entries = json.dumps(model.head_entries, indent=1, sort_keys=True)
    (folder / "heads.json").write_text(entries + "\n", encoding="utf-8")
    model.pieces.tokenizer.save(str(folder / pieces.FILE), pretty=False)


def load(folder: Path, *, with_heads: bool = True) -> Model:
    """Read what `save` wrote.

    Raises:
        CheckpointError: if a file is missing or unreadable, or an encoder weight was not in it.
    """
    model = Model(load_encoder(folder), Pieces(folder))
    if not with_heads:
        return model
    try:
        entries = json.loads((folder / "heads.json").read_text(encoding="utf-8"))
        tensors = load_file(folder / "heads.safetensors")
        for name, entry in entries.items():
            if entry["type"] == LM_HEAD:
                model.add_lm_head()
            else:
                model.add_head(name, entry["type"], entry["labels"])
            prefix = f"{name}."
            own = {
                key.removeprefix(prefix): tensor for key, tensor in tensors.items() if key.startswith(prefix)
            }
            model.heads[name].load_state_dict(own)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError, SafetensorError) as error:
        raise _unreadable(folder, error) from error
    return model


def load_encoder(folder: Path) -> PreTrainedModel:
    """An encoder in float32 from a folder, every weight of it accounted for.

    Raises:
        CheckpointError: if it cannot be read, or leaves any encoder weight at random.
    """
    if not folder.is_dir():  # the library would take it for a repository of the hub
        raise CheckpointError("there is no such checkpoint", where=str(folder), hint="check the path")
    try:
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
        encoder, report = AutoModel.from_pretrained(
            folder,
            config=config,
            dtype=torch.float32,
            use_safetensors=True,
            trust_remote_code=False,
            output_loading_info=True,
            **_unpooled(config),
        )
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        raise _unreadable(folder, error) from error
    lacking = sorted(report["missing_keys"]) + sorted(str(key) for key in report["mismatched_keys"])
    if lacking:
        raise CheckpointError(
            f"{len(lacking)} encoder weights are not there and would stay random, e.g. {lacking[0]}",
            where=str(folder),
            hint="the checkpoint is of another architecture or its weights have another prefix",
        )
    loaded: PreTrainedModel = encoder
    return loaded


def _unreadable(folder: Path, error: Exception) -> CheckpointError:
    detail = str(error).strip().splitlines()
    return CheckpointError(
        f"the checkpoint cannot be read: {detail[0] if detail else type(error).__name__}",
        where=str(folder),
        hint="delete the folder so that it is made again, or point the model to a whole one",
    )
