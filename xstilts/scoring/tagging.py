"""seqeval's F1 and accuracy per word of tagging.

XTREME's evaluate.py gives bare part-of-speech tags (NOUN, not B-NOUN) to seqeval, and so does this
module, to agree with published numbers. What seqeval 1.2.2 makes of bare tags:

- the first letter is taken for the prefix and the rest for the type; neighbouring words of the same type
  are one chunk, so that the F1 is not an accuracy;
- SCONJ and CCONJ have the same type (CONJ), and X has none, like the boundary between sentences, so that
  an X at the end of a sentence is no chunk of its own;
- S (SYM, SCONJ) is read as a chunk of one word, and I (INTJ) as the inside of a chunk.

Older versions of seqeval differ (0.0.12 takes the whole tag for the type), and so do their numbers.
"""

import warnings
from collections.abc import Mapping, Sequence

from xstilts.data.examples import TaggedExample
from xstilts.errors import DataError, PredictionError
from xstilts.scoring import Measure, align, mean_measure

Sentences = list[list[str]]


def seqeval_f1(expected: Sentences, predicted: Sentences) -> float:
    """Micro-averaged F1 over chunks by seqeval, 0 where there is no chunk."""
    from seqeval.metrics import f1_score

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".* seems not to be NE tag")
        return float(f1_score(expected, predicted, average="micro", zero_division=0))


def score(
    examples: Sequence[TaggedExample], predictions: Mapping[str, Sequence[str]], labels: Sequence[str]
) -> dict[str, Measure]:
    """Metrics `f1` (seqeval over all sentences) and `tag_accuracy` (the share of words tagged rightly).

    Raises:
        PredictionError: if ids are missing or extra, a sentence has not one tag per word, or a tag is not
            one of `labels`.
        DataError: if a sentence has no words.
    """
    expected = [list(example.tags or ()) for example in examples]
    predicted = [list(tags) for tags in align(examples, predictions)]
    for example, tags in zip(examples, predicted, strict=True):
        _check(example, tags, labels)
    right = [
        sum(tag == other for tag, other in zip(tags, golden, strict=True)) / len(golden)
        for tags, golden in zip(predicted, expected, strict=True)
    ]
    return {
        "f1": Measure(seqeval_f1(expected, predicted), len(examples)),
        "tag_accuracy": mean_measure(right, [len(golden) for golden in expected]),
    }


def _check(example: TaggedExample, tags: Sequence[str], labels: Sequence[str]) -> None:
    where = f"prediction for {example.id}"
    if not example.words:
        raise DataError("a sentence without words", where=example.id)
    if len(tags) != len(example.words):
        raise PredictionError(f"{len(tags)} tags for {len(example.words)} words", where=where)
    for tag in tags:
        if labels and tag not in labels:
            raise PredictionError(
                f"'{tag}' is not a tag of the task", where=where, hint=f"tags are {', '.join(labels)}"
            )
