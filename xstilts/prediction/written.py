"""What a text-to-text model writes for many rows, each within what is possible there."""

from typing import NamedTuple

import numpy as np

from xstilts.model.checkpoint import Model
from xstilts.model.features import NO_WORD, Feature
from xstilts.model.text_to_text import Codes
from xstilts.prediction import constrained
from xstilts.prediction.batching import in_batches
from xstilts.prediction.constrained import Substring, TagSequence


class WindowAnswer(NamedTuple):
    """What one window says: how sure it is of no answer and of its best one, and where that stands.

    `first` and `last` are pieces of the context; the last before the first: there is nothing to answer with.
    """

    none: float
    score: float
    first: int
    last: int


def candidate_scores(
    model: Model, rows: list[Feature], candidates: list[Codes], budget: int, label: str = ""
) -> list[np.ndarray]:
    """The log-probability of every candidate of each row, (candidates,).

    Args:
        model: The model, on its device.
        rows: One for each example.
        candidates: What may be written for each, the end piece included.
        budget: Pieces per batch, padding included.
        label: What progress is shown under; empty for none.
    """
    costs = [sum(len(row.ids) + len(one) for one in each) for row, each in zip(rows, candidates, strict=True)]
    found: list[np.ndarray] = [np.empty(0)] * len(rows)
    for batch in in_batches(model, [row.ids for row in rows], budget, label, costs):
        scores = constrained.candidate_scores(
            model.transformer, batch, [candidates[row] for row in batch.rows]
        )
        for row, values in zip(batch.rows, scores, strict=True):
            found[row] = values
    return found


def spans(
    model: Model, rows: list[Feature], longest: int, budget: int, label: str = ""
) -> list[WindowAnswer]:
    """The answer of each window, of at most `longest` pieces; all else as `candidate_scores`."""
    windows = [row.ids[row.first : -1] for row in rows]
    found = [WindowAnswer(0.0, -np.inf, 0, -1)] * len(rows)
    costs = [len(row.ids) + longest for row in rows]
    for batch in in_batches(model, [row.ids for row in rows], budget, label, costs):
        runs = [Substring(windows[row], longest, model.pieces.end) for row in batch.rows]
        scores = constrained.write(model.transformer, batch, runs, model.pieces.end)
        for row, run, score, none in zip(batch.rows, runs, *scores, strict=True):
            first, last = run.place
            sure = float(score) if first <= last else -np.inf
            offset = rows[row].offset
            found[row] = WindowAnswer(float(none), sure, offset + first, offset + last)
    return found


def tags(model: Model, rows: list[Feature], codes: Codes, budget: int, label: str = "") -> list[np.ndarray]:
    """One where a word begins and its tag is written, else zero: (length, labels) for each row.

    `codes` are the pieces of the labels, of which none may begin another; else as `candidate_scores`.
    """
    found = [np.zeros((len(row.ids), len(codes)), dtype=np.float32) for row in rows]
    places = [[i for i, word in enumerate(row.words) if word != NO_WORD] for row in rows]
    trie, longest = constrained.trie_of(codes), max(map(len, codes), default=0)
    costs = [len(row.ids) + longest * len(starts) for row, starts in zip(rows, places, strict=True)]
    for batch in in_batches(model, [row.ids for row in rows], budget, label, costs):
        sequences = [TagSequence(trie, len(places[row])) for row in batch.rows]
        constrained.write(model.transformer, batch, sequences, model.pieces.end)
        for row, sequence in zip(batch.rows, sequences, strict=True):
            found[row][places[row], sequence.tags] = 1.0
    return found
