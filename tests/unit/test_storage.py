"""Prepared examples survive writing and reading, whatever their type."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xstilts.data.examples import (
    ChoiceExample,
    Example,
    PairExample,
    ParallelExample,
    SpanExample,
    TaggedExample,
)
from xstilts.data.labels import check_labels, is_labelled
from xstilts.data.storage import read_examples, write_examples
from xstilts.errors import DataError

text = st.text(st.characters(exclude_categories=["Cs"]))
texts = st.lists(text, max_size=3).map(tuple)
examples = st.lists(
    st.one_of(
        st.builds(PairExample, text, text, text, st.none() | text, st.none() | text),
        st.builds(ChoiceExample, text, text, text, text, texts, st.none() | st.integers(0, 3)),
        st.builds(SpanExample, text, text, text, text, texts, st.lists(st.integers(0, 9)).map(tuple)),
        st.builds(TaggedExample, text, text, texts, st.none() | texts),
        st.builds(ParallelExample, text, text, text, text),
    ),
    max_size=6,
)


@given(examples)
def test_examples_survive_writing_and_reading(
    tmp_path_factory: pytest.TempPathFactory, written: list[Example]
) -> None:
    path = tmp_path_factory.mktemp("examples") / "train.jsonl"
    write_examples(path, written)
    assert read_examples(path) == written


@pytest.mark.parametrize("line", ["{}", '{"type": "poem"}', '{"type": "retrieval", "id": "1"}', "no"])
def test_a_line_that_is_no_example_is_named(line: str, tmp_path: Path) -> None:
    path = tmp_path / "train.jsonl"
    write_examples(path, [ParallelExample("1", "de", "eins", "one")])
    with path.open("a", encoding="utf-8") as stream:
        stream.write(line + "\n")
    with pytest.raises(DataError, match=r"not an example|not JSON") as raised:
        read_examples(path)
    assert raised.value.where.endswith("line 2")
    with pytest.raises(DataError, match="missing"):
        read_examples(tmp_path / "dev.jsonl")


def test_withheld_answers_are_no_labels_but_unanswerable_questions_are() -> None:
    assert is_labelled(SpanExample("1", "en", "c", "q", ("c",), (0,)))
    assert is_labelled(SpanExample("1", "en", "c", "q", (), ()))
    assert not is_labelled(SpanExample("1", "en", "c", "q", ("",), (0,)))
    assert not is_labelled(PairExample("1", "en", "a", "b", None))
    assert not is_labelled(ParallelExample("1", "zh", "a", ""))


@pytest.mark.parametrize(
    ("example", "task_type", "message"),
    [
        (PairExample("7", "en", "a", "b", "maybe"), "classification", "'7' has the label 'maybe'"),
        (PairExample("7", "en", "a", "b", None), "classification", "'7' has no label"),
        (TaggedExample("7", "en", ("a",), ("FOO",)), "tagging", "'7' has the label 'FOO'"),
        (ParallelExample("7", "de", "a", "b"), "span", "needs a SpanExample, not a ParallelExample"),
    ],
)
def test_labels_are_checked_against_the_task(example: Example, task_type: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        check_labels([example], task_type, ["neutral", "NOUN"], where="here")


def test_labels_of_the_task_pass() -> None:
    good: list[tuple[Example, str]] = [
        (PairExample("1", "en", "a", "b", "neutral"), "classification"),
        (TaggedExample("1", "en", ("a",), ("NOUN",)), "tagging"),
        (ChoiceExample("1", "en", "", "q", ("a", "b"), 1), "multiple_choice"),
        (SpanExample("1", "en", "c", "q", ("c",), (0,)), "span"),
    ]
    for example, task_type in good:
        check_labels([example], task_type, ["neutral", "NOUN"], where="here")
