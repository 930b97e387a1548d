"""Bitext mining by margin (Artetxe and Schwenk 2019), as XTREME's code does it for BUCC 2018.

Sentences that are equal are one while pairs are looked for; a pair of which a side stands in the corpus
more than once is given up, since it cannot be told which of them is meant.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from xstilts.data.examples import ParallelExample, sentence_ids
from xstilts.scoring.search import Doubles, Floats, Indices, margin

Neighbours = tuple[Indices, Floats]
Search = Callable[[Sequence[str], Sequence[str]], tuple[Neighbours, Neighbours]]


class Side(NamedTuple):
    """The different sentences of one language, and the id of each, none if it stands there twice."""

    texts: list[str]
    ids: list[str | None]


def sides(examples: Iterable[ParallelExample]) -> tuple[Side, Side]:
    """The language's sentences and the English ones, each in the order of ids (which tells no pairs)."""
    own: list[tuple[str, str]] = []
    english: list[tuple[str, str]] = []
    for example in examples:
        ids = sentence_ids(example)
        for side, name, text in zip((own, english), ids, (example.text, example.english), strict=True):
            if text:
                side.append((name, text))
    return _side(own), _side(english)


def _side(sentences: list[tuple[str, str]]) -> Side:
    times = Counter(text for _, text in sentences)
    first = {text: name for name, text in sorted(sentences, reverse=True)}
    texts = sorted(first, key=lambda text: first[text])
    return Side(texts, [first[text] if times[text] == 1 else None for text in texts])


def mined(
    examples: Sequence[ParallelExample], search: Search, pairs: str = "max"
) -> dict[str, tuple[str, float] | None]:
    """The English id and the margin of the pair found for each sentence of the language, by example id.

    Args:
        examples: The corpus.
        search: Gives the nearest of the second texts for each of the first, and the other way round.
        pairs: As in `mine`.
    """
    own, english = sides(examples)
    found = {}
    for row, column, score in mine(*search(own.texts, english.texts), pairs):
        name, other = own.ids[row], english.ids[column]
        if name is not None and other is not None:
            found[name] = (other, score)
    return {example.id: found.get(sentence_ids(example)[0]) for example in examples}


def mine(ahead: Neighbours, back: Neighbours, pairs: str = "max") -> list[tuple[int, int, float]]:
    """Pairs of rows with a margin above 0, best first, each row in one pair at most.

    The best of a row is the neighbour with the greatest margin, of equal ones the nearer.

    Args:
        ahead: The nearest rows of the other side and their cosines, (n, k), best first.
        back: The same from the other side, (m, k).
        pairs: `max` goes through the best of every row of both sides, from the greatest margin down (then
            by row, then by the other side's row), and keeps a pair whose rows are both free;
            `intersection` keeps the pairs that are the best of both.

    Returns:
        Row, row of the other side, margin in float32.
    """
    means = [cosines.mean(axis=1, dtype=np.float64) for _, cosines in (ahead, back)]
    best, scores = _best(ahead, means[0], means[1])
    best_back, scores_back = _best(back, means[1], means[0])
    rows = np.concatenate([np.arange(len(best)), best_back])
    columns = np.concatenate([best, np.arange(len(best_back))])
    values = np.concatenate([scores, scores_back])
    if pairs == "intersection":
        mutual = np.flatnonzero(best_back[best] == np.arange(len(best)))
        rows, columns, values = rows[mutual], columns[mutual], values[mutual]
    found = []
    taken_rows: set[int] = set()
    taken_columns: set[int] = set()
    for place in np.lexsort((columns, rows, -values)).tolist():
        row, column, value = int(rows[place]), int(columns[place]), float(values[place])
        if value > 0 and row not in taken_rows and column not in taken_columns:
            taken_rows.add(row)
            taken_columns.add(column)
            found.append((row, column, value))
    return found


def _best(neighbours: Neighbours, ours: Doubles, theirs: Doubles) -> tuple[Indices, NDArray[np.float32]]:
    """For each row the neighbour with the greatest margin, and that margin."""
    indices, cosines = neighbours
    margins = margin(cosines.astype(np.float64), ours[:, None], theirs[indices]).astype(np.float32)
    place = margins.argmax(axis=1)
    every = np.arange(len(indices))
    return indices[every, place], margins[every, place]
