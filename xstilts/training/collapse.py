"""Runs that collapse: a model that gives one answer to everything, whatever it is asked.

Large encoders do so with some seeds (Mosbach et al. 2021, "On the stability of fine-tuning BERT"). The score
is then that of the most frequent answer, and says nothing of the task.
"""

from collections.abc import Sequence
from typing import Any

from xstilts.data.examples import ChoiceExample, Example, PairExample, SpanExample, TaggedExample


def is_collapsed(examples: Sequence[Example], predictions: Sequence[Any]) -> bool:
    """Whether all predictions are one and the same, though the gold answers are not.

    Args:
        examples: With gold answers, all of one type.
        predictions: What xstilts.prediction.predict gives for them; of tagging the tags of all words count,
            of a dual encoder what it ranks first.
    """
    return len(set(_flat(predictions))) <= 1 < len(set(map(_gold, examples)))


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


def _gold(example: Example) -> Any:
    match example:
        case PairExample() | ChoiceExample():
            return example.label
        case SpanExample():
            return example.answers
        case TaggedExample():
            return example.tags
        case _:
            return example.id
