"""Constant baselines: the best that can be done without looking at the question.

Each rule is chosen on training examples and scored on others. A head that does not beat its baseline
has learnt nothing about its task.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, TypedDict, cast

from xstilts.data.examples import (
    ChoiceExample,
    Example,
    PairExample,
    QueryExample,
    SpanExample,
    TaggedExample,
)
from xstilts.errors import DataError
from xstilts.registry import TaskType
from xstilts.scoring import HEADLINES, score

SAMPLE = 2000
WORDS = 10
ANSWERS = 100

Rules = dict[str, Callable[[Any], Any]]


class Baseline(TypedDict):
    """The value that `rule` reaches by `metric`."""

    metric: str
    value: float
    rule: str


def constant_baseline(
    task_type: TaskType,
    train_examples: Sequence[Example],
    dev_examples: Sequence[Example],
    labels: Sequence[str] = (),
    metric: str = "",
) -> Baseline:
    """The rule that is best on (the first 2,000 of) the training examples, scored on the others.

    Rules: classification, the most frequent label; tagging, each word form's most frequent tag, and for
    a form that was not seen the most frequent tag of all; multiple choice, the most frequent index, the
    longest or the shortest choice; span, the whole context, its first or last sentence, its first or
    last k words for k from 1 to 10, or no answer; retrieval, the first candidate; dual encoder, the first
    100 answers in their order. Counts are over all training examples. Equal counts are decided by the order
    of labels, equal values by the order above.

    Args:
        task_type: The task type.
        train_examples: Labelled examples that rules are counted and chosen on (not used by retrieval and
            dual encoders).
        dev_examples: Labelled examples that the chosen rule is scored on.
        labels: The task's labels, for classification and tagging.
        metric: What to choose and report by; by default accuracy, and F1 for span and tagging.

    Raises:
        DataError: if there are no training examples where they are needed.
    """
    metric = metric or HEADLINES[task_type]
    if task_type == "retrieval":
        rules: Rules = {"first candidate": lambda example: ((0, 0.0),)}
    elif task_type == "dual_encoder":
        ranking = _first_answers(dev_examples)
        rules = {f"first {ANSWERS} answers in their order": lambda example: ranking}
    elif train_examples:
        rules = RULES[task_type](train_examples)
    else:
        raise DataError("a constant baseline needs training examples", hint="check the training split")
    values = partial(_value, task_type, labels=labels, metric=metric)
    sample = train_examples[:SAMPLE]
    best = max(rules, key=lambda name: values(sample, rules[name])) if len(rules) > 1 else next(iter(rules))
    return Baseline(metric=metric, value=values(dev_examples, rules[best]), rule=best)


def _first_answers(examples: Sequence[Example]) -> tuple[tuple[str, float], ...]:
    queries = (example for example in examples if isinstance(example, QueryExample))
    names = dict.fromkeys(name for query in queries for name in query.candidates)
    return tuple((name, 0.0) for name in list(names)[:ANSWERS])


def _value(
    task_type: TaskType,
    examples: Sequence[Example],
    rule: Callable[[Any], Any],
    labels: Sequence[str],
    metric: str,
) -> float:
    predictions = {example.id: rule(example) for example in examples}
    return score(task_type, examples, predictions, labels)[metric].value


def _most_frequent(counts: Mapping[Any, int]) -> Any:
    return min(counts, key=lambda value: (-counts[value], value))


def _classification_rules(examples: Sequence[PairExample]) -> Rules:
    label = _most_frequent(Counter(example.label for example in examples if example.label is not None))
    return {f"always {label}": lambda example: label}


def _choice_rules(examples: Sequence[ChoiceExample]) -> Rules:
    index = _most_frequent(Counter(example.label for example in examples if example.label is not None))

    def lengths(example: ChoiceExample) -> list[int]:
        return [len(choice) for choice in example.choices]

    return {
        f"always choice {index}": lambda example: min(index, len(example.choices) - 1),
        "longest choice": lambda example: lengths(example).index(max(lengths(example))),
        "shortest choice": lambda example: lengths(example).index(min(lengths(example))),
    }


def _tagging_rules(examples: Sequence[TaggedExample]) -> Rules:
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for example in examples:
        for word, tag in zip(example.words, example.tags or (), strict=bool(example.tags)):
            counts[word][tag] += 1
    overall = _most_frequent(sum(counts.values(), Counter()))
    tags = {word: _most_frequent(count) for word, count in counts.items()}
    return {
        f"most frequent tag of the word form, else {overall}": lambda example: tuple(
            tags.get(word, overall) for word in example.words
        )
    }


def _span_rules(examples: Iterable[SpanExample]) -> Rules:
    rules: Rules = {
        "whole context": lambda example: example.context,
        "first sentence": lambda example: sentences(example.context)[0],
        "last sentence": lambda example: sentences(example.context)[-1],
    }
    for count in range(1, WORDS + 1):
        rules[f"first {count} words"] = partial(_words, start=0, stop=count)
        rules[f"last {count} words"] = partial(_words, start=-count, stop=None)
    return rules | {"no answer": lambda example: ""}


def _words(example: SpanExample, start: int, stop: int | None) -> str:
    return " ".join(example.context.split()[start:stop])


def sentences(text: str) -> list[str]:
    """The sentences of `text`, cut after full stops, question and exclamation marks of many scripts."""
    return [part for part in re.split(r"(?<=[.!?؟۔।])\s+|(?<=[。！？])", text.strip()) if part] or [""]


RULES = cast(
    "dict[TaskType, Callable[[Sequence[Example]], Rules]]",
    {
        "classification": _classification_rules,
        "multiple_choice": _choice_rules,
        "span": _span_rules,
        "tagging": _tagging_rules,
    },
)
