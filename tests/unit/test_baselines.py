"""Constant baselines, counted by hand."""

import pytest

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
from xstilts.scoring.baselines import constant_baseline, sentences


def pairs(*labels: str) -> list[Example]:
    return [PairExample(f"id{i}", "en", "one", "two", label) for i, label in enumerate(labels)]


def choices(*rows: tuple[tuple[str, ...], int]) -> list[Example]:
    return [ChoiceExample(f"id{i}", "en", "c", "q", texts, label) for i, (texts, label) in enumerate(rows)]


def questions(*rows: tuple[str, str]) -> list[Example]:
    return [
        SpanExample(f"id{i}", "en", context, "?", (answer,), (context.index(answer),))
        for i, (context, answer) in enumerate(rows)
    ]


def tagged(*rows: str) -> list[Example]:
    split = [[pair.split("/") for pair in row.split()] for row in rows]
    return [
        TaggedExample(f"id{i}", "en", tuple(w for w, _ in row), tuple(t for _, t in row))
        for i, row in enumerate(split)
    ]


def test_majority_is_taken_from_training() -> None:
    found = constant_baseline("classification", pairs("x", "y", "y"), pairs("x", "x", "x", "y"), ["x", "y"])
    assert found == {"metric": "accuracy", "value": 0.25, "rule": "always y"}


def test_equal_counts_are_decided_by_the_label() -> None:
    for train in (pairs("y", "x"), pairs("x", "y")):
        assert constant_baseline("classification", train, pairs("x"), ["x", "y"])["rule"] == "always x"


@pytest.mark.parametrize(
    ("train", "rule", "value"),
    [
        (choices((("a", "b"), 1), (("aa", "b"), 1), (("a", "bb"), 1)), "always choice 1", 0.5),
        (choices((("a", "bb"), 1), (("aa", "b"), 0)), "longest choice", 1.0),
        (choices((("a", "bb"), 0), (("aa", "b"), 1)), "shortest choice", 0.0),
    ],
)
def test_multiple_choice(train: list[Example], rule: str, value: float) -> None:
    dev = choices((("aaa", "b"), 0), (("a", "bbb"), 1))
    assert constant_baseline("multiple_choice", train, dev) == {
        "metric": "accuracy",
        "value": value,
        "rule": rule,
    }


@pytest.mark.parametrize(
    ("train", "rule"),
    [
        (questions(("Rome lies in Italy", "Rome"), ("Oslo lies in Norway", "Oslo")), "first 1 words"),
        (questions(("It is in Italy", "in Italy"), ("It is in Norway", "in Norway")), "last 2 words"),
        (
            questions(("One two. Three four five.", "One two."), ("Six. Seven eight.", "Six.")),
            "first sentence",
        ),
    ],
)
def test_the_best_span_is_chosen_on_training(train: list[Example], rule: str) -> None:
    assert constant_baseline("span", train, questions(("Bern lies there", "Bern")))["rule"] == rule


def test_span_is_scored_on_the_other_examples() -> None:
    train = questions(("Rome lies in Italy", "Rome"), ("Oslo lies in Norway", "Oslo"))
    dev = questions(("Bern lies there", "Bern"), ("It is Bern city", "Bern city"), ("New York", "New York"))
    found = constant_baseline("span", train, dev)
    assert (found["metric"], found["value"]) == ("f1", pytest.approx((1 + 0 + 2 / 3) / 3))
    exact = constant_baseline("span", train, dev, metric="exact_match")
    assert (exact["metric"], exact["value"]) == ("exact_match", pytest.approx(1 / 3))


def test_most_frequent_tag_of_the_word_form() -> None:
    train = tagged("run/VERB the/DET run/NOUN", "run/NOUN dog/NOUN")
    dev = tagged("the/DET run/VERB", "cat/NOUN the/DET")
    tags = ["DET", "NOUN", "VERB"]
    found = constant_baseline("tagging", train, dev, tags, metric="tag_accuracy")
    rule = "most frequent tag of the word form, else NOUN"
    assert found == {"metric": "tag_accuracy", "value": 0.75, "rule": rule}
    assert constant_baseline("tagging", train, dev, tags)["metric"] == "f1"


def test_retrieval_is_chance() -> None:
    pool: list[Example] = [ParallelExample(f"id{i}", "de", f"{i}", f"{i}") for i in range(5)]
    assert constant_baseline("retrieval", [], pool)["value"] == pytest.approx(0.2)


def test_training_examples_are_needed() -> None:
    with pytest.raises(DataError, match="needs training examples"):
        constant_baseline("classification", [], pairs("x"), ["x"])


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("One. Two! Three", ["One.", "Two!", "Three"]),
        ("一。二！三", ["一。", "二！", "三"]),
        ("Costs 3.5 or so.", ["Costs 3.5 or so."]),
        ("", [""]),
    ],
)
def test_sentences(text: str, parts: list[str]) -> None:
    assert sentences(text) == parts


def test_dual_encoder() -> None:
    dev: list[Example] = [QueryExample(f"q{i}", "en", "?", "a", "", (f"c{i // 2}",)) for i in range(8)]
    found = constant_baseline("dual_encoder", dev, dev)
    assert found["value"] == pytest.approx((1 + 1 / 2 + 1 / 3 + 1 / 4) / 4)
