"""Predictions of a model for examples of each task type.

They are a label (classification), the index of a choice (multiple choice), the text of an answer (span),
one label per word (tagging), or a ranking of all the examples' answers (dual encoder).

What a model is given decides them, never how examples are batched.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
import torch
from torch import Tensor

from xstilts.data.examples import ChoiceExample, Example, SpanExample, TaggedExample
from xstilts.model import features, text_to_text
from xstilts.model.checkpoint import Model
from xstilts.model.features import NO_WORD, Feature, Lengths
from xstilts.model.pieces import Pieces
from xstilts.prediction import written
from xstilts.prediction.batching import in_batches
from xstilts.prediction.written import WindowAnswer


@dataclass(frozen=True)
class Decoding:
    """How inputs are cut and answers are read.

    For spans only: `max_answer`, in pieces, and whether questions may have no answer. For dual encoders only:
    `embedding`, how states are pooled.
    """

    lengths: Lengths
    max_answer: int | None
    batch_tokens: int
    unanswerable: bool = False
    embedding: str | None = None


def predict(
    model: Model, head: str, examples: Sequence[Example], how: Decoding, label: str = ""
) -> list[Any]:
    """One prediction per example, in order.

    Args:
        model: The model, on its device.
        head: Name of the head that answers.
        examples: All of the head's task type.
        how: Windows and limits.
        label: What progress is shown under; empty for none.

    Raises:
        ConfigError: if the inputs may be longer than the model allows.
    """
    model.check_length(how.lengths.max_length)
    entry = model.head_entries[head]
    rows = rows_of(model, head, examples, how.lengths)
    if entry["type"] == "dual_encoder":
        assert how.embedding is not None
        dual = import_module("xstilts.prediction.dual_encoder")  # by name: no other task depends on it
        budget, pooling = how.batch_tokens, how.embedding
        found = dual.ranked_answers(
            model, head, rows, examples, how=pooling, batch_tokens=budget, label=label
        )
        return list(found)
    if model.writes(head):
        return _written(model, head, rows, examples, how, label)
    logits = _logits(model, head, rows, how.batch_tokens, label)
    if entry["type"] == "classification":
        return [entry["labels"][int(row.argmax())] for row in logits]
    if entry["type"] == "multiple_choice":
        return best_choices(logits, examples)
    if entry["type"] == "span":
        assert how.max_answer is not None
        return span_answers(logits, rows, examples, model.pieces, how.max_answer, how.unanswerable)
    return word_tags(logits, rows, examples, entry["labels"])


def rows_of(model: Model, head: str, examples: Sequence[Example], lengths: Lengths) -> list[Feature]:
    """What a model reads of some examples for one of its heads, or writes without one."""
    entry = model.head_entries[head]
    if model.writes(head):
        return text_to_text.build(head, entry["type"], examples, model.pieces, lengths, entry["labels"])
    return features.build(entry["type"], examples, model.pieces, lengths, entry["labels"])


def _written(
    model: Model, head: str, rows: list[Feature], examples: Sequence[Example], how: Decoding, label: str
) -> list[Any]:
    """What a text-to-text model answers."""
    model.train(False)
    entry, pieces = model.head_entries[head], model.pieces
    if entry["type"] == "span":
        assert how.max_answer is not None
        spans = written.spans(model, rows, how.max_answer, how.batch_tokens, label)
        return answers_of(spans, rows, examples, pieces, how.unanswerable)
    if entry["type"] == "tagging":
        codes = text_to_text.codes_of("tagging", pieces, entry["labels"])
        return word_tags(
            written.tags(model, rows, codes, how.batch_tokens, label), rows, examples, entry["labels"]
        )
    choices = text_to_text.candidates(entry["type"], examples, pieces, entry["labels"])
    best = [
        int(scores.argmax())
        for scores in written.candidate_scores(model, rows, choices, how.batch_tokens, label)
    ]
    return [entry["labels"][i] for i in best] if entry["type"] == "classification" else best


@torch.inference_mode()
def _logits(model: Model, head: str, rows: list[Feature], budget: int, label: str) -> list[np.ndarray]:
    """The head's logits of every row, without padding."""
    model.train(False)
    ids = [row.ids for row in rows]
    found: list[np.ndarray] = [np.empty(0)] * len(rows)
    for batch in in_batches(model, ids, budget, label):
        hidden = model.encoder(input_ids=batch.ids, attention_mask=batch.mask).last_hidden_state
        values: Tensor = model.heads[head](hidden)
        for row, value in zip(batch.rows, values.float().cpu().numpy(), strict=True):
            found[row] = value if value.ndim == 1 else value[: len(ids[row])]
    return found


def best_choices(logits: list[np.ndarray], examples: Sequence[Example]) -> list[int]:
    """The choice with the highest logit of each example; ties to the earlier one."""
    chosen, begin = [], 0
    for example in examples:
        assert isinstance(example, ChoiceExample)
        scores = [float(row[0]) for row in logits[begin : begin + len(example.choices)]]
        chosen.append(int(np.argmax(scores)))
        begin += len(example.choices)
    return chosen


def span_answers(
    logits: list[np.ndarray],
    rows: list[Feature],
    examples: Sequence[Example],
    pieces: Pieces,
    longest: int,
    unanswerable: bool = False,
) -> list[str]:
    """The best span over all windows of each example, as text of its context.

    Where questions may have no answer, it is empty if even the lowest score of the first piece (start and
    end logit) over the windows exceeds the best span's: the rule of BERT's run_squad.py for SQuAD v2.0,
    with its threshold of 0.

    Args:
        logits: Of each row, (length, 2).
        rows: All windows of all examples.
        examples: The examples.
        pieces: The tokenizer.
        longest: Most pieces of an answer.
        unanswerable: Whether questions may have no answer.
    """
    found = []
    for row, values in zip(rows, logits, strict=True):
        none = float(values[0].astype(np.float64).sum())
        window = values[row.first : -1].astype(np.float64)
        score, start, end = (
            best_span(window[:, 0], window[:, 1], longest) if len(window) else (-np.inf, 0, -1)
        )
        found.append(WindowAnswer(none, score, row.offset + start, row.offset + end))
    return answers_of(found, rows, examples, pieces, unanswerable)


def answers_of(
    windows: Sequence[WindowAnswer],
    rows: Sequence[Feature],
    examples: Sequence[Example],
    pieces: Pieces,
    unanswerable: bool,
) -> list[str]:
    """The best answer over all windows of each example, as text of its context.

    Where questions may have no answer, it is empty if the window that is least sure of none is surer of that
    than any window is of its answer.
    """
    best: list[tuple[float, int, int]] = [(-np.inf, 0, -1)] * len(examples)
    none = [np.inf] * len(examples)
    for row, window in zip(rows, windows, strict=True):
        none[row.example] = min(none[row.example], window.none)
        if window.score > best[row.example][0]:
            best[row.example] = (window.score, window.first, window.last)
    if unanswerable:
        best = [
            (score, 0, -1) if rejected > score else (score, start, end)
            for (score, start, end), rejected in zip(best, none, strict=True)
        ]
    spans = [example for example in examples if isinstance(example, SpanExample)]
    contexts = pieces.stream([span.context for span in spans])
    answers = []
    for span, context, (_, start, end) in zip(spans, contexts, best, strict=True):
        answers.append(text_of(span.context, context.offsets, start, end).strip() if start <= end else "")
    return answers


def text_of(text: str, offsets: Sequence[tuple[int, int]], first: int, last: int) -> str:
    """What the pieces from `first` to `last` stand for in the text.

    The offsets of a letter and its accent that normalisation has composed are those of the letter alone:
    the text goes on over such characters.
    """
    begin, end = offsets[first][0], offsets[last][1]
    later = (offsets[i][0] for i in range(last + 1, len(offsets)))
    limit = next((place for place in later if place >= end), len(text))
    while end < limit and _composes(text[begin:end], text[end]):
        end += 1
    return text[begin:end]


def _composes(text: str, character: str) -> bool:
    """Whether NFKC merges the character into the text before it."""
    return not unicodedata.normalize("NFKC", text + character).startswith(unicodedata.normalize("NFKC", text))


def best_span(starts: np.ndarray, ends: np.ndarray, longest: int) -> tuple[float, int, int]:
    """Score, first and last piece of the best span of at most `longest` pieces; ties to the earlier start.

    Args:
        starts: Start logits, (pieces,).
        ends: End logits, (pieces,).
        longest: Most pieces of an answer.
    """
    scores = starts[:, None] + ends[None, :]
    reach = np.arange(len(starts))
    distance = reach[None, :] - reach[:, None]
    scores = np.where((distance >= 0) & (distance < longest), scores, -np.inf)
    start, end = divmod(int(scores.argmax()), len(starts))
    return float(scores[start, end]), start, end


def word_tags(
    logits: list[np.ndarray], rows: list[Feature], examples: Sequence[Example], labels: list[str]
) -> list[list[str]]:
    """The tag at each word's first piece; where windows overlap, from the window with more context."""
    sentences = [example for example in examples if isinstance(example, TaggedExample)]
    best = [[(-1, 0)] * len(sentence.words) for sentence in sentences]
    for row, values in zip(rows, logits, strict=True):
        last = len(row.words) - 1
        for position, word in enumerate(row.words):
            context = min(position - row.first, last - position)
            if word != NO_WORD and context > best[row.example][word][0]:
                best[row.example][word] = (context, int(values[position].argmax()))
    return [[labels[tag] for _, tag in sentence] for sentence in best]
