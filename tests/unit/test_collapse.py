"""One answer to everything is a collapse; one answer where there is but one is not."""

import pytest
from stage_tasks import LABELS, examples

from xstilts.data.examples import Example, SpanExample, TaggedExample
from xstilts.training.collapse import is_collapsed

CONSTANT = {
    "classification": "yes",
    "multiple_choice": 1,
    "span": "the",
    "dual_encoder": [(3, 0.9), (1, 0.2)],
}


def gold(example: Example) -> object:
    if isinstance(example, SpanExample):
        return example.answers[0]
    return getattr(example, "label", None)


@pytest.mark.parametrize("task_type", ["classification", "span"])
def test_gold_is_no_collapse_and_a_constant_is_one(task_type: str) -> None:
    shown = examples(task_type)
    assert not is_collapsed(shown, [gold(example) for example in shown])
    assert is_collapsed(shown, [CONSTANT[task_type]] * len(shown))
    assert not is_collapsed(shown, [CONSTANT[task_type]] * (len(shown) - 1) + ["other"])


def test_tags_collapse_over_words() -> None:
    shown = [example for example in examples("tagging") if isinstance(example, TaggedExample)]
    assert not is_collapsed(shown, [list(example.tags or ()) for example in shown])
    assert not is_collapsed(shown, [["A", "B", "A", "B"]] * len(shown)), "two tags are not one answer"
    other = TaggedExample("x", "en", ("one",), ("WORD",))
    assert is_collapsed([*shown, other], [["WORD"] * len(e.words) for e in [*shown, other]])


def test_rankings_collapse_when_one_candidate_is_first_for_all() -> None:
    shown = examples("dual_encoder")
    assert is_collapsed(shown, [CONSTANT["dual_encoder"]] * len(shown))
    ranked = [[(i, 0.9), (0, 0.1)] for i in range(len(shown))]
    assert not is_collapsed(shown, ranked)


def test_nearly_one_answer_is_a_collapse_too() -> None:
    shown = examples("classification") * 20
    answers = ["yes"] * len(shown)
    answers[:5] = ["no"] * 5
    assert is_collapsed(shown, answers)
    answers[:20] = ["no"] * 20
    assert not is_collapsed(shown, answers)


@pytest.mark.parametrize("task_type", sorted(set(LABELS) - {"tagging"}))
def test_one_gold_answer_is_no_collapse(task_type: str) -> None:
    shown = [examples(task_type)[0]] * 3
    assert not is_collapsed(shown, [CONSTANT[task_type]] * 3)
