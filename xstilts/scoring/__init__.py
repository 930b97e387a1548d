"""Metrics: gold examples and predictions go in, a value per metric and an outcome per example come out.

One module per task type, each with a function `score(examples, predictions, labels)`; they are imported
when asked for, because scikit-learn and seqeval take a second to load.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from math import fsum
from typing import Any

from xstilts.data.examples import Example
from xstilts.data.labels import is_labelled
from xstilts.errors import DataError, PredictionError
from xstilts.registry import Normalisation, TaskType

SHOWN = 5

SCORERS: dict[TaskType, str] = {
    "classification": "xstilts.scoring.classification",
    "multiple_choice": "xstilts.scoring.multiple_choice",
    "span": "xstilts.scoring.qa",
    "tagging": "xstilts.scoring.tagging",
    "retrieval": "xstilts.scoring.retrieval",
    "mining": "xstilts.scoring.mining",
    "dual_encoder": "xstilts.scoring.dual_encoder",
}

HEADLINES: dict[TaskType, str] = {
    "classification": "accuracy",
    "multiple_choice": "accuracy",
    "span": "f1",
    "tagging": "f1",
    "retrieval": "accuracy",
    "mining": "f1",
    "dual_encoder": "mrr",
}


@dataclass(frozen=True, slots=True)
class Measure:
    """The value of one metric on one set of examples, a fraction from 0 to 1.

    Attributes:
        value: The metric. Where there are outcomes, it is their mean, weighted by `weights`.
        n: Over how many units it is taken (examples; words for tag_accuracy).
        outcomes: One per example in the order of the examples; empty for a metric that is no mean
            over examples (seqeval's F1).
        weights: The units in each example, as many as there are outcomes.
    """

    value: float
    n: int
    outcomes: tuple[float, ...] = ()
    weights: tuple[int, ...] = ()


def mean_measure(outcomes: Sequence[float], weights: Sequence[int] | None = None) -> Measure:
    """The (weighted) mean of one outcome per example; exact, so that no order of summation shows."""
    units = [1] * len(outcomes) if weights is None else list(weights)
    total = sum(units)
    value = fsum(outcome * unit for outcome, unit in zip(outcomes, units, strict=True)) / total
    return Measure(value, total, tuple(map(float, outcomes)), tuple(units))


def align(examples: Sequence[Example], predictions: Mapping[str, Any], where: str = "") -> list[Any]:
    """The predictions in the order of the examples.

    Raises:
        DataError: if two examples have one id.
        PredictionError: if there are no examples, or a prediction is missing or belongs to none of them.
    """
    ids = [example.id for example in examples]
    known = set(ids)
    if not ids:
        raise PredictionError("there are no examples to predict or score", where=where)
    if len(known) < len(ids):
        repeated = sorted(name for name in known if ids.count(name) > 1)
        raise DataError(f"two examples have the same id: {named(repeated)}", where=where)
    missing = [name for name in ids if name not in predictions]
    extra = sorted(name for name in predictions if name not in known)
    faults = []
    if missing:
        faults.append(f"{len(missing)} of {len(ids)} examples have no prediction: {named(missing)}")
    if extra:
        faults.append(f"{len(extra)} predictions belong to no example: {named(extra)}")
    if faults:
        raise PredictionError("; ".join(faults), where=where, hint="predict this language again")
    return [predictions[name] for name in ids]


def named(names: Sequence[str]) -> str:
    """The first few of `names`, for a message."""
    return ", ".join(names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")


def score(
    task_type: TaskType,
    examples: Sequence[Example],
    predictions: Mapping[str, Any],
    labels: Sequence[str] = (),
    normalisation: Normalisation = "squad",
    threshold: float | None = None,
) -> dict[str, Measure]:
    """Score predictions by the metrics of their task type.

    Args:
        task_type: Which module of this package scores.
        examples: Gold examples of one language.
        predictions: By example id: a label (classification), the index of a choice (multiple choice),
            an answer text (span), a tuple of tags (tagging), the candidates found, best first, as
            (index of the example, score) pairs (retrieval), the English id and the score of the
            pair that was mined for the sentence, if any (mining), or the candidates of a pool that were
            found, best first, as (id, score) pairs (dual encoder).
        labels: The task's labels, for classification and tagging; where none are given, any will do.
        normalisation: How answers are normalised, for span.
        threshold: Of mined pairs, tuned on another split (none: on half of these examples).

    Raises:
        PredictionError: if ids are missing or extra, or a prediction is not one of the possible ones.
        DataError: if an example has no gold label.
        RegistryError: if the normalisation is not defined for the language.
    """
    unlabelled = [example.id for example in examples if not is_labelled(example)]
    if unlabelled and task_type != "mining":  # there a sentence without a translation is what it is
        raise DataError(
            f"{len(unlabelled)} examples have no gold label: {named(unlabelled)}",
            hint="score a labelled split",
        )
    options: dict[str, Any] = {"normalisation": normalisation} if task_type == "span" else {}
    if task_type == "mining":
        options = {"threshold": threshold}
    scorer = import_module(SCORERS[task_type])
    measures: dict[str, Measure] = scorer.score(examples, predictions, labels, **options)
    return measures


def headline(
    task_type: TaskType,
    examples: Sequence[Example],
    predicted: Sequence[Any],
    labels: Sequence[str] = (),
    metric: str = "",
) -> tuple[str, float]:
    """The name and value of a metric (none given: the type's), for predictions in the examples' order."""
    ids = [example.id for example in examples]
    measures = score(task_type, examples, dict(zip(ids, predicted, strict=True)), labels)
    metric = metric or HEADLINES[task_type]
    return metric, measures[metric].value


def tuned_threshold(
    task_type: TaskType, examples: Sequence[Example], predictions: Mapping[str, Any]
) -> float:
    """The threshold that one split's gold answers give for another's predictions (mining)."""
    found: float = import_module(SCORERS[task_type]).tuned_threshold(examples, predictions)
    return found
