"""Accuracy of multiple choice."""

from collections.abc import Mapping, Sequence

from xstilts.data.examples import ChoiceExample
from xstilts.errors import PredictionError
from xstilts.scoring import Measure, align, mean_measure


def score(
    examples: Sequence[ChoiceExample], predictions: Mapping[str, int], labels: Sequence[str] = ()
) -> dict[str, Measure]:
    """Metric `accuracy`: the share of examples whose choice (an index from 0) is predicted.

    Raises:
        PredictionError: if ids are missing or extra, or an example has no choice of the predicted index.
    """
    predicted = align(examples, predictions)
    for example, index in zip(examples, predicted, strict=True):
        if not 0 <= index < len(example.choices):
            raise PredictionError(
                f"there is no choice {index}",
                where=f"prediction for {example.id}",
                hint=f"its choices are 0 to {len(example.choices) - 1}",
            )
    hits = [float(index == example.label) for example, index in zip(examples, predicted, strict=True)]
    return {"accuracy": mean_measure(hits)}
