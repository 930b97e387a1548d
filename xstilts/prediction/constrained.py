"""What a text-to-text model answers, where only some answers are possible.

Labels and choices are scored, each as a whole. Spans and tags are written piece by piece, each time the most
likely one of those that may follow (greedily): of spans, pieces that go on in the window as they stand there;
of tags, those of the task's labels, as many as there are words.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from xstilts.model.batches import Batch
from xstilts.model.text_to_text import Codes, target_logits

Trie = dict[int, Any]


class Constraint(Protocol):
    """What may be written next in one row."""

    @property
    def is_done(self) -> bool:
        """Whether nothing more may be written."""

    def allowed(self) -> list[int]:
        """The pieces that may be next, ascending."""

    def take(self, piece: int) -> None:
        """Write one of them."""


class Substring:
    """A run of one to `longest` pieces of a window, and then the end piece."""

    def __init__(self, window: Sequence[int], longest: int, end: int) -> None:
        self._window, self._longest, self._end = window, longest, end
        self._next = list(range(len(window)))  # where what is written so far may go on
        self._written = 0
        self.is_done = not window

    def allowed(self) -> list[int]:
        """Pieces that follow what is written, anywhere in the window; the end, once anything is."""
        goes_on = self._written < self._longest
        following = {self._window[i] for i in self._next if goes_on and i < len(self._window)}
        return sorted(following | ({self._end} if self._written else set()))

    def take(self, piece: int) -> None:
        """Write a piece."""
        if piece == self._end:
            self.is_done = True
            return
        self._next = [i + 1 for i in self._next if i < len(self._window) and self._window[i] == piece]
        self._written += 1

    @property
    def place(self) -> tuple[int, int]:
        """Its first and last piece in the window, where it stands first; the last before the first: none."""
        last = self._next[0] - 1 if self._written else -1
        return last - self._written + 1, last


class TagSequence:
    """A given number of tags, each by its pieces."""

    def __init__(self, trie: Trie, words: int) -> None:
        self._root = self._node = trie
        self._words = words
        self.tags: list[int] = []

    @property
    def is_done(self) -> bool:
        """Whether every word has its tag."""
        return len(self.tags) == self._words

    def allowed(self) -> list[int]:
        """The pieces with which a tag may begin or go on."""
        return sorted(self._node)

    def take(self, piece: int) -> None:
        """Write a piece."""
        following = self._node[piece]
        if isinstance(following, int):
            self.tags.append(following)
            following = self._root
        self._node = following


def trie_of(codes: Codes) -> Trie:
    """Labels by their pieces, of which none begins another."""
    root: Trie = {}
    for label, code in enumerate(codes):
        node = root
        for piece in code[:-1]:
            node = node.setdefault(piece, {})
        node[code[-1]] = label
    return root


class Scores(NamedTuple):
    """Log-probabilities of what was written in each row and of writing nothing, (rows,) each."""

    written: np.ndarray
    nothing: np.ndarray


@torch.inference_mode()
def write(transformer: Any, batch: Batch, constraints: Sequence[Constraint], end: int) -> Scores:
    """Let the decoder write in every row of a batch what its constraint allows, which then holds it.

    Args:
        transformer: Encoder and decoder.
        batch: What is read.
        constraints: One per row, of which nothing has been written yet.
        end: The end piece.
    """
    start = transformer.config.decoder_start_token_id
    states = transformer.encoder(input_ids=batch.ids, attention_mask=batch.mask).last_hidden_state
    last = torch.full((len(constraints), 1), start, device=states.device)
    cache, nothing = None, np.zeros(len(constraints))
    written = np.zeros(len(constraints))
    while not all(constraint.is_done for constraint in constraints):
        decoded = transformer.decoder(
            input_ids=last,
            encoder_hidden_states=states,
            encoder_attention_mask=batch.mask,
            past_key_values=cache,
            use_cache=True,
        )
        likely = transformer.lm_head(decoded.last_hidden_state[:, -1]).float().log_softmax(dim=-1)
        if cache is None:
            nothing = likely[:, end].cpu().numpy().astype(np.float64)
        cache = decoded.past_key_values
        chosen, values = _best(likely, [[] if each.is_done else each.allowed() for each in constraints])
        for row, constraint in enumerate(constraints):
            if not constraint.is_done:
                constraint.take(chosen[row])
                written[row] += values[row]
        last = torch.tensor(chosen, device=states.device)[:, None]
    return Scores(written, nothing)


def _best(likely: Tensor, allowed: Sequence[Sequence[int]]) -> tuple[list[int], list[float]]:
    """The likeliest allowed piece of each row (of none: 0) and its log-probability; ties to the lower."""
    widest = max(map(len, allowed))
    padded = [[*row, *[row[0] if row else 0] * (widest - len(row))] for row in allowed]
    pieces = torch.tensor(padded, device=likely.device)
    values = likely.gather(1, pieces)
    first = values.argmax(dim=1, keepdim=True)
    return pieces.gather(1, first)[:, 0].tolist(), values.gather(1, first)[:, 0].tolist()


@torch.inference_mode()
def candidate_scores(transformer: Any, batch: Batch, candidates: Sequence[Codes]) -> list[np.ndarray]:
    """The log-probability of each candidate of each row, (candidates,): the sum over its pieces.

    Args:
        transformer: Encoder and decoder.
        batch: What is read.
        candidates: What may be written in each row, the end piece included.
    """
    states = transformer.encoder(input_ids=batch.ids, attention_mask=batch.mask).last_hidden_state
    sizes = [len(row) for row in candidates]
    rows = torch.arange(len(sizes)).repeat_interleave(torch.tensor(sizes)).to(states.device)
    targets = [candidate for row in candidates for candidate in row]
    logits, gold = target_logits(transformer, states[rows], batch.mask[rows], targets)
    likely = logits.log_softmax(dim=-1).gather(1, gold[:, None])[:, 0].cpu().numpy().astype(np.float64)
    begins = np.cumsum([0, *map(len, targets)])[:-1]
    return np.split(np.add.reduceat(likely, begins), np.cumsum(sizes)[:-1])
