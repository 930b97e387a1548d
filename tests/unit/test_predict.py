"""Predictions: decided by the examples and not by how they are batched."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from stage_tasks import LABELS, examples
from tiny_models import LINES, tiny

from xstilts.data.examples import ChoiceExample, SpanExample, TaggedExample
from xstilts.errors import ConfigError
from xstilts.model.checkpoint import Model
from xstilts.model.features import Lengths
from xstilts.prediction.predict import Decoding, best_choices, best_span, predict

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


@pytest.mark.parametrize(
    ("task_type", "given_examples"),
    [(kind, examples(kind)) for kind in sorted(LABELS)] + [("span", LONG), ("tagging", SENTENCES)],
)
def test_batches_decide_nothing(model: Model, task_type: str, given_examples: list) -> None:
    lengths = Lengths(40, 12)
    one, many = (
        predict(model, task_type, given_examples, Decoding(lengths, 10, size)) for size in (1, 100_000)
    )
    assert one == many
    assert len(one) == len(given_examples)
    if given_examples in (LONG, SENTENCES):
        assert len({str(value) for value in one}) > 1
    backwards = predict(model, task_type, given_examples[::-1], Decoding(lengths, 10, 500))
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
