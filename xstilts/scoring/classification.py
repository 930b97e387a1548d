"""Accuracy of classification, as in XTREME's evaluate.py (`accuracy`)."""

from collections.abc import Mapping, Sequence

from xstilts.data.examples import PairExample
from xstilts.errors import PredictionError
from xstilts.scoring import Measure, align, mean_measure


def score(
    examples: Sequence[PairExample], predictions: Mapping[str, str], labels: Sequence[str]
) -> dict[str, Measure]:
    """Metric `accuracy`: the share of examples whose label is predicted.

    Raises:
        PredictionError: if ids are missing or extra, or a predicted label is not one of `labels`.
    """
    predicted = align(examples, predictions)
    for example, label in zip(examples, predicted, strict=True):
        if labels and label not in labels:
            raise PredictionError(
                f"'{label}' is not a label of the task",
                where=f"prediction for {example.id}",
                hint=f"labels are {', '.join(labels)}",
            )
    hits = [float(label == example.label) for example, label in zip(examples, predicted, strict=True)]
    return {"accuracy": mean_measure(hits)}
