"""Runs that collapse: a model that gives one answer to (nearly) everything, whatever it is asked.

Large encoders do so with some seeds (Mosbach et al. 2021, "On the stability of fine-tuning BERT"). The score
is then that of the most frequent answer, and says nothing of the task.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from xstilts.data.examples import ChoiceExample, Example, PairExample, SpanExample, TaggedExample

NEARLY_ALL = 0.99


def is_collapsed(examples: Sequence[Example], predictions: Sequence[Any]) -> bool:
    """Whether (nearly) all predictions are one and the same, though the gold answers are not.

    Args:
        examples: With gold answers, all of one type.
        predictions: What xstilts.prediction.predict gives for them; of tagging the tags of all words count,
            of a dual encoder what it ranks first.
    """
    gold = [value for example in examples for value in _gold(example)]
    return _commonest(_flat(predictions)) >= NEARLY_ALL > _commonest(gold)


def _commonest(answers: Sequence[Any]) -> float:
    """The share of the most frequent answer."""
    return max(Counter(answers).values(), default=0) / max(1, len(answers))


def _flat(predictions: Sequence[Any]) -> list[Any]:
    return [
        value
        for prediction in predictions
        for value in (_first_or_all(prediction) if isinstance(prediction, list | tuple) else [prediction])
    ]


def _first_or_all(prediction: Sequence[Any]) -> list[Any]:
    """All tags of a sentence; of a ranking, (index, score) pairs, the first index."""
    if prediction and isinstance(prediction[0], tuple):
        return [prediction[0][0]]
    return list(prediction)


def _gold(example: Example) -> Sequence[Any]:
    """What stands for the example's right answers in a count."""
    match example:
        case PairExample() | ChoiceExample():
            return [example.label]
        case SpanExample():
            return [example.answers]
        case TaggedExample():
            return example.tags or ()
        case _:
            return [example.id]
