"""Checkpoints on disk: encoder, heads and tokenizer in one folder; safetensors only.

    config.json, model.safetensors    the encoder, as transformers saves it
    heads.json, heads.safetensors     the heads of the last stage, by task
    tokenizer.json                    the tokenizer
    card.json                         all that decided the weights (xstilts.card)
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, PreTrainedModel, XLMRobertaConfig, XLMRobertaModel

from xstilts.errors import CheckpointError
from xstilts.model import heads, pieces
from xstilts.model.pieces import Pieces
from xstilts.settings import Architecture

LM_HEAD = "mlm"
POSITION_OFFSET = 2  # XLM-R's positions begin after the padding index


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
    heads: dict[str, nn.Module] = field(default_factory=dict)
    head_entries: dict[str, dict[str, Any]] = field(default_factory=dict)

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
        return int(self.encoder.config.max_position_embeddings) - POSITION_OFFSET

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

    def add_head(self, name: str, entry: dict[str, Any]) -> None:
        """A fresh head for a training task; `entry` has its type and labels."""
        dropout = float(self.encoder.config.hidden_dropout_prob)
        self.heads[name] = heads.build(entry["type"], self.width, len(entry["labels"]), dropout)
        self.head_entries[name] = {"type": entry["type"], "labels": list(entry["labels"])}

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
    return _randomised(AutoConfig.from_pretrained(folder), Pieces(folder), seed)


def _randomised(config: Any, tokens: Pieces, seed: int) -> Model:
    torch.manual_seed(seed)
    if isinstance(config, XLMRobertaConfig):
        encoder: PreTrainedModel = XLMRobertaModel(config, add_pooling_layer=False)
    else:
        encoder = AutoModel.from_config(config, trust_remote_code=False)
    model = Model(encoder.float(), tokens)
    model.add_lm_head()
    return model


def save(model: Model, folder: Path) -> None:
    """Write encoder, heads and tokenizer; the card is written by the job."""
    folder.mkdir(parents=True, exist_ok=True)
    model.encoder.save_pretrained(folder)
    tensors = {
        f"{name}.{key}": tensor.detach().cpu().contiguous()
        for name, head in sorted(model.heads.items())
        for key, tensor in head.state_dict().items()
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
            model.add_lm_head() if entry["type"] == LM_HEAD else model.add_head(name, entry)
            prefix = f"{name}."
            weights = {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
            model.heads[name].load_state_dict(weights)
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise _unreadable(folder, error) from error
    return model


def load_encoder(source: Path | str, **options: Any) -> PreTrainedModel:
    """An encoder in float32 from a folder (or a hub repository), every weight of it accounted for.

    Raises:
        CheckpointError: if it cannot be read, or leaves any encoder weight at random.
    """
    try:
        config = AutoConfig.from_pretrained(source, trust_remote_code=False, **options)
        pooling = {"add_pooling_layer": False} if config.model_type in {"xlm-roberta", "roberta", "bert"} else {}
        encoder, report = AutoModel.from_pretrained(
            source,
            config=config,
            dtype=torch.float32,
            use_safetensors=True,
            trust_remote_code=False,
            output_loading_info=True,
            **pooling,
            **options,
        )
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise _unreadable(source, error) from error
    lacking = sorted(report["missing_keys"]) + sorted(str(key) for key in report["mismatched_keys"])
    if lacking:
        raise CheckpointError(
            f"{len(lacking)} encoder weights are not in the checkpoint and would stay random, e.g. {lacking[0]}",
            where=str(source),
            hint="the checkpoint is of another architecture or its weights have another prefix",
        )
    loaded: PreTrainedModel = encoder
    return loaded


def _unreadable(source: Path | str, error: Exception) -> CheckpointError:
    detail = str(error).strip().splitlines()
    return CheckpointError(
        f"the checkpoint cannot be read: {detail[0] if detail else type(error).__name__}",
        where=str(source),
        hint="delete the folder so that it is made again, or point the model to a whole one",
    )
