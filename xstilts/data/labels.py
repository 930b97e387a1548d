"""Which examples have gold labels, and whether the labels are those of a task."""

from collections.abc import Collection, Iterable

from xstilts.data.examples import (
    ChoiceExample,
    Example,
    PairExample,
    ParallelExample,
    QueryExample,
    SpanExample,
    TaggedExample,
)
from xstilts.errors import DataError

EXAMPLE_TYPES: dict[str, type[Example]] = {
    "classification": PairExample,
    "multiple_choice": ChoiceExample,
    "span": SpanExample,
    "tagging": TaggedExample,
    "retrieval": ParallelExample,
    "dual_encoder": QueryExample,
}


def is_labelled(example: Example) -> bool:
    """Whether the example can be scored or trained on.

    XTREME withholds the answers of some files by giving an empty text; a question without any
    answer is unanswerable (SQuAD v2.0), which is a label. A sentence without a translation
    (BUCC) has no label.
    """
    if isinstance(example, SpanExample):
        return "" not in example.answers
    if isinstance(example, TaggedExample):
        return example.tags is not None
    if isinstance(example, ParallelExample):
        return bool(example.text and example.english)
    if isinstance(example, QueryExample):
        return bool(example.candidates)
    return example.label is not None


def check_labels(examples: Iterable[Example], task_type: str, labels: Collection[str], where: str) -> None:
    """Check examples against the task that they are for.

    Args:
        examples: What is to be trained on.
        task_type: A TaskType of the registry.
        labels: The task's labels; none where it has none (choices, spans) or takes those of its examples.
        where: The task or data set, for messages.

    Raises:
        DataError: if an example is of another type, lacks its label, or has an unknown one.
    """
    kind = EXAMPLE_TYPES[task_type]
    for example in examples:
        if not isinstance(example, kind):
            found = type(example).__name__
            raise DataError(f"a task of type {task_type} needs a {kind.__name__}, not a {found}", where=where)
        if not is_labelled(example):
            hint = "its labels are withheld by the publisher: choose another split"
            raise DataError(f"the example '{example.id}' has no label", where=where, hint=hint)
        if labels and (unknown := sorted(_labels_of(example) - set(labels))):
            what = f"the example '{example.id}' has the label '{unknown[0]}', which the task does not list"
            raise DataError(what, where=where, hint=f"the task's labels: {', '.join(labels)}")


def _labels_of(example: Example) -> set[str]:
    if isinstance(example, PairExample) and example.label is not None:
        return {example.label}
    if isinstance(example, TaggedExample):
        return set(example.tags or ())
    return set()
