"""Tasks as text for models with a decoder (mT5): what is read, what is to be written, and how likely it is.

The input is the name of the training task and a colon (T5's prefix), then the texts as an encoder reads them,
windows included, with the end piece between two of them. What is to be written, and then the end piece:

- classification: the label;
- multiple choice: the right choice; all of them stand in the input, after context and question;
- span: the pieces of the answer as they stand in the window; nothing, if it is not there;
- tagging: the tag of each word that begins in the window, one after the other.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import permutations
from typing import Any

from torch import Tensor
from torch.nn import functional

from xstilts.data.examples import ChoiceExample, Example
from xstilts.errors import CheckpointError, ConfigError
from xstilts.job_settings import SHORTEST
from xstilts.model import batches, features
from xstilts.model.batches import Batch
from xstilts.model.features import NO_WORD, Feature, Lengths
from xstilts.model.heads import IGNORED
from xstilts.model.pieces import Pieces

Codes = list[list[int]]
"""Pieces of each label of a task, without the end piece."""


def build(
    name: str,
    task_type: str,
    examples: Sequence[Example],
    pieces: Pieces,
    lengths: Lengths,
    labels: Sequence[str],
) -> list[Feature]:
    """All rows of a list of examples, in order: one for each window, or for an example with its choices.

    Args:
        name: The training task, which the input begins with.
        task_type: Its type, of those in this module's description.
        examples: The examples.
        pieces: The tokenizer.
        lengths: Longest input, the task's name included, and overlap of windows.
        labels: The task's labels.

    Raises:
        ConfigError: if the longest input has no room for texts beside the task's name.
        CheckpointError: if two labels have the same pieces.
    """
    prefix = pieces.encode([f"{name}:"])[0].ids
    inside = Lengths(lengths.max_length - len(prefix), lengths.stride)
    if inside.max_length < SHORTEST:
        raise ConfigError(
            f"inputs of {lengths.max_length} pieces have no room beside the name of the task, {len(prefix)}",
            where="training.max_length",
            hint="raise it, for all models or for this one by a pattern",
        )
    if task_type == "multiple_choice":
        rows = _choices(examples, pieces, inside.max_length)
    else:
        rows = _written(
            features.build(task_type, examples, pieces, inside, labels), task_type, pieces, labels
        )
    return [
        replace(
            row,
            ids=[*prefix, *row.ids],
            first=row.first + len(prefix),
            words=[NO_WORD] * len(prefix) + row.words if row.words else [],
        )
        for row in rows
    ]


def _written(
    rows: Sequence[Feature], task_type: str, pieces: Pieces, labels: Sequence[str]
) -> Iterator[Feature]:
    """The rows of an encoder, with what is to be written in place of their gold labels."""
    codes = [] if task_type == "span" else codes_of(task_type, pieces, labels)
    for row in rows:
        if row.gold is None:
            yield row
            continue
        if isinstance(row.gold, int):
            written = codes[row.gold]
        elif task_type == "span":
            begin, last = row.gold
            written = row.ids[begin : last + 1] if begin >= row.first else []
        else:
            tags = [tag for tag, word in zip(row.gold, row.words, strict=True) if word != NO_WORD]
            written = [piece for tag in tags for piece in ([IGNORED] if tag == IGNORED else codes[tag])]
        yield replace(row, gold=None, targets=[*written, pieces.end])


def codes_of(task_type: str, pieces: Pieces, labels: Sequence[str]) -> Codes:
    """What is written for each label.

    Tags follow each other, so that none may begin another: where one does, each ends with the end piece.

    Raises:
        CheckpointError: if two labels have the same pieces.
    """
    codes = [encoded.ids for encoded in pieces.encode(list(labels))]
    for i, code in enumerate(codes):
        if code in codes[:i]:
            raise CheckpointError(
                f"the tokenizer cannot tell the labels {labels[codes.index(code)]} and {labels[i]} apart",
                where="tokenizer",
                hint="use a model whose pieces cover their letters",
            )
    begins = [] in codes or any(one == other[: len(one)] for one, other in permutations(codes, 2))
    return [[*code, pieces.end] for code in codes] if task_type == "tagging" and begins else codes


def _choices(examples: Sequence[Example], pieces: Pieces, max_length: int) -> Iterator[Feature]:
    for i, example in enumerate(examples):
        assert isinstance(example, ChoiceExample)
        stem = f"{example.context} {example.question}".strip()
        texts = [encoded.ids for encoded in pieces.encode([stem, *example.choices])]
        kept = _fitting([len(text) for text in texts], max_length - len(texts))
        ids = [piece for text, size in zip(texts, kept, strict=True) for piece in [*text[:size], pieces.end]]
        written = [] if example.label is None else [*texts[1 + example.label], pieces.end]
        yield Feature(i, ids, targets=written)


def _fitting(lengths: Sequence[int], room: int) -> list[int]:
    """What is left of each length so that their sum fits; the longest are cut first."""
    kept, left = list(lengths), max(0, room)
    for done, i in enumerate(sorted(range(len(kept)), key=lambda i: kept[i])):
        kept[i] = min(kept[i], left // (len(kept) - done))
        left -= kept[i]
    return kept


def candidates(
    task_type: str, examples: Sequence[Example], pieces: Pieces, labels: Sequence[str]
) -> list[Codes]:
    """What may be written for each example, the end piece included: every label, or its own choices."""
    if task_type == "classification":
        every = [[*code, pieces.end] for code in codes_of(task_type, pieces, labels)]
        return [every] * len(examples)
    choices = [example.choices for example in examples if isinstance(example, ChoiceExample)]
    return [[[*encoded.ids, pieces.end] for encoded in pieces.encode(list(each))] for each in choices]


def loss(transformer: Any, batch: Batch, targets: Codes) -> Tensor:
    """Summed cross-entropy of all pieces to be written but the IGNORED ones, each after the right ones.

    Args:
        transformer: Encoder and decoder.
        batch: What is read.
        targets: What is to be written for each row, the end piece included.
    """
    states = transformer.encoder(input_ids=batch.ids, attention_mask=batch.mask).last_hidden_state
    logits, gold = target_logits(transformer, states, batch.mask, targets)
    return functional.cross_entropy(logits, gold, reduction="sum")


def target_logits(transformer: Any, states: Tensor, mask: Tensor, targets: Codes) -> tuple[Tensor, Tensor]:
    """Logits of the pieces to be written, each given the right ones before it (teacher forcing).

    Of padding there are none, as a row of logits is as long as the vocabulary.

    Args:
        transformer: Encoder and decoder.
        states: The encoder's, (rows, length, width).
        mask: Of what is read, (rows, length).
        targets: What is to be written for each row.

    Returns:
        Logits (pieces, vocabulary) and the pieces, row after row, without IGNORED ones.
    """
    wanted = batches.pad(targets, IGNORED).to(states.device)
    decoded = transformer.decoder(
        input_ids=transformer.prepare_decoder_input_ids_from_labels(wanted),
        encoder_hidden_states=states,
        encoder_attention_mask=mask,
        use_cache=False,
    ).last_hidden_state
    known = wanted != IGNORED
    logits: Tensor = transformer.lm_head(decoded[known]).float()
    return logits, wanted[known]
