"""Predictions: decided by the examples and not by how they are batched."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from stage_tasks import LABELS, examples
from tiny_models import LINES, tiny

from xstilts.data.examples import ChoiceExample, Example, SpanExample, TaggedExample
from xstilts.errors import ConfigError
from xstilts.model import features
from xstilts.model.checkpoint import Model
from xstilts.model.features import Lengths
from xstilts.prediction.predict import Decoding, best_choices, best_span, predict, span_answers

LONG = [
    SpanExample(str(i), "xx", " ".join(LINES[i:] + LINES[:i]), "Why is the sky blue?", (), ())
    for i in range(6)
]
SENTENCES = [TaggedExample(str(i), "xx", tuple(" ".join(LINES[i:]).split()), None) for i in range(6)]


@pytest.fixture(scope="module")
def model(tokens: Path) -> Model:
    made = tiny(tokens)
    torch.manual_seed(0)
    for task_type, labels in LABELS.items():
        made.add_head(task_type, task_type, labels)
    for module in made.modules():
        for parameter in module.parameters():
            torch.nn.init.normal_(parameter, std=0.3)  # so that no two logits are near each other
    return made


def decided(predictions: list[Any]) -> list[Any]:
    """Predictions without the scores of rankings, whose last digits depend on the batch."""
    is_ranking = isinstance(predictions[0], tuple) and isinstance(predictions[0][0], tuple)
    return [[name for name, _ in ranking] for ranking in predictions] if is_ranking else predictions


@pytest.mark.parametrize(
    ("task_type", "given_examples"),
    [(kind, examples(kind)) for kind in sorted(LABELS)] + [("span", LONG), ("tagging", SENTENCES)],
)
def test_batches_decide_nothing(model: Model, task_type: str, given_examples: list) -> None:
    lengths = Lengths(40, 12)
    one, many, backwards = (
        decided(predict(model, task_type, examples_, Decoding(lengths, 10, size, embedding="mean")))
        for examples_, size in ((given_examples, 1), (given_examples, 100_000), (given_examples[::-1], 500))
    )
    assert one == many
    assert len(one) == len(given_examples)
    if given_examples in (LONG, SENTENCES):
        assert len({str(value) for value in one}) > 1
    assert backwards[::-1] == one


def test_every_word_gets_one_tag(model: Model) -> None:
    for example, tags in zip(
        SENTENCES, predict(model, "tagging", SENTENCES, Decoding(Lengths(16, 4), None, 500)), strict=True
    ):
        assert len(tags) == len(example.words)
        assert set(tags) <= set(LABELS["tagging"])


def test_answers_are_text_of_the_context(model: Model) -> None:
    for example, answer in zip(
        LONG, predict(model, "span", LONG, Decoding(Lengths(40, 12), 4, 500)), strict=True
    ):
        assert answer in example.context
        assert len(model.pieces.encode([answer])[0].ids) <= 4 + 2


def test_nothing_to_predict(model: Model) -> None:
    assert predict(model, "span", [], Decoding(Lengths(40, 12), 4, 500)) == []


def test_inputs_longer_than_the_model_are_an_error(model: Model) -> None:
    with pytest.raises(ConfigError, match="do not fit"):
        predict(model, "span", LONG, Decoding(Lengths(65, 12), 4, 500))


sides_of = st.integers(1, 12).flatmap(
    lambda n: st.tuples(*[arrays(np.float64, n, elements=st.integers(-5, 5))] * 2)
)


@given(sides_of, st.integers(1, 14))
def test_the_best_span_is_the_best_of_all(sides: tuple[np.ndarray, np.ndarray], longest: int) -> None:
    starts, ends = sides
    n = len(starts)
    every = [(-starts[i] - ends[j], i, j) for i in range(n) for j in range(i, min(n, i + longest))]
    score, first, last = min(every)  # of equal ones the first
    assert best_span(starts, ends, longest) == (-score, first, last)


def test_the_best_choice_of_each_example() -> None:
    given_examples = [ChoiceExample(str(n), "en", "", "?", ("a",) * n, None) for n in (2, 3)]
    rows = [np.array([value]) for value in (1.0, 1.0, -3.0, 2.0, 0.0)]
    assert best_choices(rows, given_examples) == [0, 1]


def published_answers(
    logits: list[np.ndarray], rows: list[features.Feature], questions: list[Example], longest: int
) -> list[bool]:
    """Which questions have no answer, span by span, as BERT's run_squad.py decides it for SQuAD v2.0.

    Over a question's windows: the lowest sum of the first piece's logits, against the highest sum of a
    start and an end within the paragraph; no answer where the difference is above 0.
    """
    rejected = []
    for index in range(len(questions)):
        null, best = 1_000_000.0, -1_000_000.0
        for row, values in zip(rows, logits, strict=True):
            if row.example == index:
                null = min(null, float(values[0, 0]) + float(values[0, 1]))
                places = range(row.first, len(values) - 1)
                spans = [(i, j) for i in places for j in places if i <= j < i + longest]
                best = max([best, *(float(values[i, 0]) + float(values[j, 1]) for i, j in spans)])
        rejected.append(null - best > 0)
    return rejected


@given(st.integers(0, 2**32), st.floats(-2, 6))
def test_no_answer_is_given_where_the_published_rule_says_so(model: Model, seed: int, bias: float) -> None:
    rows = features.build("span", LONG, model.pieces, Lengths(40, 12), [])
    generator = np.random.default_rng(seed)
    logits = [generator.normal(size=(len(row.ids), 2)) for row in rows]
    for values in logits:
        values[0] += bias
    answerable = span_answers(logits, rows, LONG, model.pieces, 5)
    answers = span_answers(logits, rows, LONG, model.pieces, 5, unanswerable=True)
    rejected = published_answers(logits, rows, list(LONG), 5)
    assert all(answerable)
    assert answers == ["" if no else text for no, text in zip(rejected, answerable, strict=True)]


def test_a_tie_is_answered(model: Model) -> None:
    rows = features.build("span", LONG[:1], model.pieces, Lengths(60, 12), [])
    logits = [np.zeros((len(row.ids), 2)) for row in rows]
    assert span_answers(logits, rows, LONG[:1], model.pieces, 5, unanswerable=True) != [""]
    logits[0][0] = 0.01
    expected = [""] if len(rows) == 1 else span_answers(logits, rows, LONG[:1], model.pieces, 5)
    assert span_answers(logits, rows, LONG[:1], model.pieces, 5, unanswerable=True) == expected
