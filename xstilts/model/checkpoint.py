"""Checkpoints on disk: encoder, heads and tokenizer in one folder; safetensors only.

- config.json, model.safetensors: the encoder, of a text-to-text model (mT5) the decoder too, as
  transformers saves it;
- heads.json, heads.safetensors: the heads of the last stage, by task;
- tokenizer.json: the tokenizer;
- card.json: all that decided the weights (xstilts.card).
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, AutoModelForSeq2SeqLM, PreTrainedModel, XLMRobertaConfig
from transformers.utils import logging

from xstilts.errors import CheckpointError, ConfigError
from xstilts.job_settings import Architecture
from xstilts.model import heads, pieces
from xstilts.model.families import TEXT_TO_TEXT, check_masked_lm
from xstilts.model.heads import Head
from xstilts.model.pieces import Pieces
from xstilts.model.processes import whole_state

LM_HEAD = "mlm"
RANKED = "dual_encoder"  # the one task type that takes a text-to-text model's encoder alone
ONE_FILE = 2**60  # bytes; the library would split what has more than 50 GB
POSITION_OFFSET = 2  # XLM-R's positions begin after the padding index
ROBERTA_FAMILIES = {"roberta", "xlm-roberta", "xlm-roberta-xl"}
POOLED_FAMILIES = {*ROBERTA_FAMILIES, "bert"}  # with a pooling layer that nothing here uses
EMBEDDINGS = {"shared.weight", "encoder.embed_tokens.weight", "decoder.embed_tokens.weight"}  # one is enough
OUTPUT = "lm_head.weight"  # a decoder's own output matrix; without it, the embeddings are that too

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
    """A transformer with its tokenizer and the heads of its last stage.

    It is an encoder, or of a text-to-text model encoder and decoder: then the decoder answers in words where
    an encoder has a head, and only a dual encoder's is a head here. A task that it answers so has an entry,
    and no weights of its own.
    """

    transformer: PreTrainedModel
    pieces: Pieces
    heads: dict[str, Head | LanguageModelHead] = field(default_factory=dict)
    head_entries: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.is_text_to_text != (self.pieces.mask is None):
            raise CheckpointError(
                f"the tokenizer is not of the family of the model, {self.transformer.config.model_type}",
                hint="the tokenizer belongs to another model",
            )
        embedded = int(self.encoder.config.vocab_size)
        if len(self.pieces) > embedded:
            raise CheckpointError(
                f"the tokenizer has {len(self.pieces)} pieces, but the encoder embeds {embedded}",
                hint="the tokenizer belongs to another model",
            )

    @property
    def is_text_to_text(self) -> bool:
        """Whether there is a decoder."""
        return self.transformer.config.model_type in TEXT_TO_TEXT

    @property
    def encoder(self) -> PreTrainedModel:
        """What makes hidden states of a text."""
        whole: Any = self.transformer  # its submodules have no types
        found: PreTrainedModel = whole.encoder if self.is_text_to_text else whole
        return found

    @property
    def parameters(self) -> int:
        """Number of weights without heads, a decoder's among them, shared ones once."""
        return int(self.transformer.num_parameters())

    def writes(self, head: str) -> bool:
        """Whether the decoder answers a task, and no head."""
        return self.is_text_to_text and self.head_entries[head]["type"] != RANKED

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
        """Longest input in pieces, special ones included; relative positions (mT5) set no limit."""
        config = self.encoder.config
        if self.is_text_to_text:
            return sys.maxsize
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
        """The transformer and all heads."""
        return [self.transformer, *self.heads.values()]

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
        """A fresh head for a training task, or the entry of one that the decoder answers."""
        self.head_entries[name] = {"type": task_type, "labels": list(labels)}
        if not self.writes(name):
            dropout = float(getattr(self.encoder.config, "hidden_dropout_prob", 0.0))
            self.heads[name] = heads.build(task_type, self.width, len(labels), dropout)

    def add_lm_head(self) -> None:
        """A fresh masked-LM head.

        Raises:
            ConfigError: if this is a text-to-text model.
        """
        config = self.encoder.config
        check_masked_lm(config.model_type, "a recipe with cmlm")
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
    made = _randomised(AutoConfig.from_pretrained(folder, trust_remote_code=False), Pieces(folder), seed)
    if made.is_text_to_text and OUTPUT in stored_names(folder):
        output: Any = made.transformer.get_output_embeddings()
        output.weight = nn.Parameter(torch.randn_like(output.weight) / made.width**0.5)
    return made


def _randomised(config: Any, tokens: Pieces, seed: int) -> Model:
    torch.manual_seed(seed)
    family, options = _class(config)
    model = Model(family.from_config(config, dtype=torch.float32, trust_remote_code=False, **options), tokens)
    if not model.is_text_to_text:
        model.add_lm_head()
    return model


def _class(config: Any) -> tuple[Any, dict[str, bool]]:
    """What builds the transformers of a family, and with which options."""
    if config.model_type in TEXT_TO_TEXT:
        return AutoModelForSeq2SeqLM, {}
    if config.is_encoder_decoder:
        raise CheckpointError(
            f"a model of the type {config.model_type} has a decoder that nothing here can use",
            hint=f"use an encoder, or a text-to-text model of the type {', '.join(sorted(TEXT_TO_TEXT))}",
        )
    return AutoModel, {"add_pooling_layer": False} if config.model_type in POOLED_FAMILIES else {}


def save(model: Model, folder: Path, is_writer: bool = True) -> None:
    """Write transformer, heads and tokenizer; the card is written by the job.

    Args:
        model: What to write; of a sharded one, all processes have to ask.
        folder: Where.
        is_writer: Whether this is the process that writes.

    Raises:
        CheckpointError: if they cannot be written (a full disk).
    """
    transformer = whole_state(model.transformer, is_writer)
    heads = {name: whole_state(head, is_writer) for name, head in sorted(model.heads.items())}
    if not is_writer:
        return
    try:
        _write(model, folder, transformer, heads)
    except (OSError, SafetensorError) as error:
        raise CheckpointError(
            f"the checkpoint cannot be written: {error}", where=str(folder), hint="is the disk full?"
        ) from error


def _write(
    model: Model, folder: Path, transformer: dict[str, Tensor], heads: dict[str, dict[str, Tensor]]
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    model.transformer.save_pretrained(folder, state_dict=transformer, max_shard_size=ONE_FILE)
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
        CheckpointError: if a file is missing or unreadable, or a weight of the transformer was not in it.
    """
    model = Model(load_transformer(folder), Pieces(folder))
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
            if name not in model.heads:
                continue
            prefix = f"{name}."
            own = {
                key.removeprefix(prefix): tensor for key, tensor in tensors.items() if key.startswith(prefix)
            }
            model.heads[name].load_state_dict(own)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError, SafetensorError) as error:
        raise _unreadable(folder, error) from error
    return model


def load_transformer(folder: Path) -> PreTrainedModel:
    """A transformer in float32 from a folder, every weight of it accounted for.

    Raises:
        CheckpointError: if it cannot be read, or leaves any weight of encoder or decoder at random.
    """
    if not folder.is_dir():  # the library would take it for a repository of the hub
        raise CheckpointError("there is no such checkpoint", where=str(folder), hint="check the path")
    try:
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
        family, options = _class(config)
        transformer, report = family.from_pretrained(
            folder,
            config=config,
            dtype=torch.float32,
            use_safetensors=True,
            trust_remote_code=False,
            output_loading_info=True,
            **options,
        )
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        raise _unreadable(folder, error) from error
    lacking = sorted(report["missing_keys"]) + sorted(str(key) for key in report["mismatched_keys"])
    if config.model_type in TEXT_TO_TEXT:
        lacking += _lacking_ends(folder)
    if lacking:
        kind = "text-to-text" if config.model_type in TEXT_TO_TEXT else "encoder"
        raise CheckpointError(
            f"{len(lacking)} {kind} weights are not there and would stay random, e.g. {lacking[0]}",
            where=str(folder),
            hint="the checkpoint is of another architecture or its weights have another prefix",
        )
    loaded: PreTrainedModel = transformer
    return loaded


def _lacking_ends(folder: Path) -> list[str]:
    """Of a text-to-text model's embeddings and output matrix, which are not there but should be.

    The library takes one for the other in silence; the publisher's configuration says if they are two.
    """
    stated = json.loads((folder / "config.json").read_text(encoding="utf-8")).get("tie_word_embeddings")
    names = stored_names(folder).keys()
    lacking = [] if names & EMBEDDINGS else ["shared.weight"]
    return lacking + ([OUTPUT] if stated is False and OUTPUT not in names else [])


def stored_names(folder: Path) -> dict[str, Path]:
    """The tensors of a folder's safetensors, and the file of each."""
    found: dict[str, Path] = {}
    for file in sorted(folder.glob("*.safetensors")):
        with safe_open(file, framework="pt") as tensors:
            found |= dict.fromkeys(tensors.keys(), file)
    return found


def _unreadable(folder: Path, error: Exception) -> CheckpointError:
    detail = str(error).strip().splitlines()
    return CheckpointError(
        f"the checkpoint cannot be read: {detail[0] if detail else type(error).__name__}",
        where=str(folder),
        hint="delete the folder so that it is made again, or point the model to a whole one",
    )
