"""Heads and their losses."""

import pytest
import torch
from torch.nn import functional

from xstilts.model.heads import IGNORED, ChoiceHead, build


@pytest.mark.parametrize(
    ("kind", "shape"),
    [("classification", (3, 4)), ("multiple_choice", (3, 1)), ("span", (3, 5, 2)), ("tagging", (3, 5, 4))],
)
def test_logits_have_the_shape_that_is_promised(kind: str, shape: tuple[int, ...]) -> None:
    head = build(kind, 8, 4, 0.0)
    assert head(torch.randn(3, 5, 8)).shape == shape


def test_heads_begin_alike_for_one_seed() -> None:
    states = []
    for _ in range(2):
        torch.manual_seed(5)
        states.append(build("classification", 8, 3, 0.1).state_dict())
    assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])


def test_tagging_loss_is_the_sum_over_gold_positions() -> None:
    head = build("tagging", 8, 4, 0.0)
    logits = torch.randn(2, 3, 4)
    gold = torch.tensor([[1, IGNORED, 3], [IGNORED, IGNORED, 0]])
    chosen = gold != IGNORED
    expected = functional.cross_entropy(logits[chosen], gold[chosen], reduction="sum")
    assert torch.isclose(head.loss(logits, gold), expected)


def test_tagging_loss_without_gold_is_zero() -> None:
    head = build("tagging", 8, 4, 0.0)
    assert head.loss(torch.randn(1, 2, 4), torch.full((1, 2), IGNORED)) == 0


def test_span_loss_is_the_mean_over_start_and_end_and_the_sum_over_rows() -> None:
    head = build("span", 8, 0, 0.0)
    logits, gold = torch.randn(2, 6, 2), torch.tensor([[1, 2], [0, 5]])
    both = [functional.cross_entropy(logits[:, :, side], gold[:, side], reduction="sum") for side in (0, 1)]
    assert torch.isclose(head.loss(logits, gold), (both[0] + both[1]) / 2)


def test_choices_compete() -> None:
    head = ChoiceHead(8, 0.0)
    assert head.loss(torch.tensor([[9.0, 0.0], [0.0, 9.0]]), torch.tensor([0, 1])) < 0.001
