"""Metrics of bitext mining (BUCC 2018): precision, recall and F1 of the pairs above a threshold.

The threshold is tuned on sentences that are not scored: on a split of their own (`tuned_threshold`), where
there is one, as in XTREME. Else each sentence of the language, with its gold pair and the pair that was mined
for it, belongs by the hash of its id to one half or the other.
"""

from collections.abc import Mapping, Sequence

from xstilts.data.examples import ParallelExample, sentence_ids
from xstilts.data.shares import fraction
from xstilts.errors import DataError, PredictionError
from xstilts.scoring import Measure, align

TUNED = 0.5
"""Share of the sentences that the threshold is tuned on."""

Pair = tuple[str, str]


def score(
    examples: Sequence[ParallelExample],
    predictions: Mapping[str, tuple[str, float] | None],
    labels: Sequence[str] = (),
    threshold: float | None = None,
) -> dict[str, Measure]:
    """Metrics `precision`, `recall`, `f1`; without a threshold, of the half that is not tuned on.

    As in XTREME's evaluate.py, all three are 0 where no pair is right.

    Args:
        examples: The corpus: gold pairs, and sentences without one.
        predictions: By example id, the English id and the score of the pair that was mined for the
            language's sentence, if any.
        labels: None.
        threshold: What was tuned on another split.

    Raises:
        DataError: if no gold pair is scored.
        PredictionError: if ids are missing or extra, or a mined pair names an unknown sentence.
    """
    is_whole = threshold is not None
    golden = {pair for pair in gold(examples) if is_whole or not is_tuned_on(pair[0])}
    if not golden:
        raise DataError("no gold pair is left to score", hint="the corpus is too small to be divided")
    above = above_threshold(examples, predictions, threshold)
    found = {pair for pair in above if is_whole or not is_tuned_on(pair[0])}
    precision, recall, f1 = agreement(golden, found)
    return {
        "precision": Measure(precision, len(found)),
        "recall": Measure(recall, len(golden)),
        "f1": Measure(f1, len(golden)),
    }


def is_tuned_on(sentence: str) -> bool:
    """Whether a sentence of the language, by its id, belongs to the half that is tuned on."""
    return fraction(sentence) < TUNED


def above_threshold(
    examples: Sequence[ParallelExample],
    predictions: Mapping[str, tuple[str, float] | None],
    threshold: float | None = None,
) -> list[Pair]:
    """The mined pairs that reach a threshold, in the order of the examples.

    Without one, those of both halves that reach the threshold tuned on one of them.
    """
    pairs = candidates(examples, predictions)
    if threshold is None:
        tuned_on = {pair: value for pair, value in pairs.items() if is_tuned_on(pair[0])}
        threshold = best_threshold(tuned_on, {pair for pair in gold(examples) if is_tuned_on(pair[0])})
    return [pair for pair, value in pairs.items() if value >= threshold]


def tuned_threshold(
    examples: Sequence[ParallelExample], predictions: Mapping[str, tuple[str, float] | None]
) -> float:
    """The threshold tuned on all of a split, for another one."""
    return best_threshold(candidates(examples, predictions), gold(examples))


def best_threshold(scores: Mapping[Pair, float], golden: set[Pair]) -> float:
    """The threshold with the greatest F1, of equal ones the highest; 0 if none of the pairs is right.

    It lies, as in XTREME's code, half-way between the last score that it lets in and the next. Pairs of
    one score are let in together.
    """
    order = sorted(scores, key=lambda pair: -scores[pair])
    best, threshold, right = 0.0, 0.0, 0
    for count, pair in enumerate(order, 1):
        right += pair in golden
        below = scores[order[count]] if count < len(order) else scores[pair]
        f1 = 2 * right / (count + len(golden))
        if f1 > best and (below < scores[pair] or count == len(order)):
            best, threshold = f1, (scores[pair] + below) / 2
    return threshold


def agreement(golden: set[Pair], found: set[Pair]) -> tuple[float, float, float]:
    """Precision, recall and F1."""
    right = len(golden & found)
    if not right:
        return 0.0, 0.0, 0.0
    return right / len(found), right / len(golden), 2 * right / (len(found) + len(golden))


def gold(examples: Sequence[ParallelExample]) -> set[Pair]:
    """The ids of the sentences that translate each other."""
    return {sentence_ids(example) for example in examples if example.text and example.english}


def candidates(
    examples: Sequence[ParallelExample], predictions: Mapping[str, tuple[str, float] | None]
) -> dict[Pair, float]:
    """The pairs that were mined, and their scores.

    Raises:
        PredictionError: if ids are missing or extra, or a pair names an unknown sentence.
    """
    found = align(examples, predictions)
    english = {sentence_ids(example)[1] for example in examples if example.english}
    pairs = {}
    for example, pair in zip(examples, found, strict=True):
        if pair is not None:
            own = sentence_ids(example)[0]
            if not own or pair[0] not in english:
                what = f"'{own}' and '{pair[0]}' are no pair of the corpus"
                raise PredictionError(what, where=f"prediction for {example.id}")
            pairs[own, pair[0]] = pair[1]
    return pairs
