"""The optimisation loop, against transformers' schedule and closed forms."""

import math
from collections.abc import Callable, Iterator

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from transformers import get_linear_schedule_with_warmup

from xstilts.errors import TrainingError
from xstilts.training.loop import Optimisation, Step, optimise, rate


@given(st.integers(1, 60), st.floats(0, 1))
def test_the_schedule_is_that_of_transformers_but_begins_above_zero(steps: int, warmup: float) -> None:
    rise = max(1, round(steps * warmup))
    optimiser = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    theirs = get_linear_schedule_with_warmup(optimiser, rise, steps)
    factor = theirs.lr_lambdas[0]
    for done in range(steps):
        expected = factor(done + 1) if done < rise - 1 else factor(max(done, rise)) if rise < steps else 1.0
        if rise >= steps:
            expected = (done + 1) / rise
        assert rate(done, steps, warmup) == pytest.approx(expected)
        assert rate(done, steps, warmup) > 0
    assert rate(rise - 1, steps, warmup) == 1.0


def zero_losses(module: nn.Module) -> Iterator[Callable[[], Step]]:
    while True:
        yield lambda: Step(sum(p.sum() for p in module.parameters()) * 0.0, 1)


def test_matrices_decay_and_vectors_do_not() -> None:
    torch.manual_seed(0)
    module = nn.Linear(3, 3)
    weight, bias = module.weight.detach().clone(), module.bias.detach().clone()
    how = Optimisation(steps=7, learning_rate=0.1, warmup=0.3, weight_decay=0.5, clip=1.0)
    optimise([module], zero_losses(module), how, "test")
    shrunk = math.prod(1 - 0.1 * rate(done, 7, 0.3) * 0.5 for done in range(7))
    torch.testing.assert_close(module.weight.detach(), weight * shrunk)
    torch.testing.assert_close(module.bias.detach(), bias)


def test_as_many_steps_as_asked_for_with_clipped_gradients() -> None:
    module = nn.Linear(4, 1)
    seen: list[tuple[int, float]] = []

    def losses() -> Iterator[Callable[[], Step]]:
        while True:
            yield lambda: Step(1000 * module(torch.ones(2, 4)).pow(2).mean() + 1, 2)

    def watch(step: int, loss: float) -> None:
        norm = math.sqrt(sum(float(p.grad.pow(2).sum()) for p in module.parameters() if p.grad is not None))
        seen.append((step, loss))
        assert norm <= 0.5 + 1e-4

    optimise([module], losses(), Optimisation(9, 1e-2, 0.0, 0.0, 0.5), "test", watch)
    assert [step for step, _ in seen] == list(range(1, 10))
    assert seen[-1][1] < seen[0][1]


def test_a_loss_that_is_not_finite_stops() -> None:
    module = nn.Linear(1, 1)
    steps = iter([lambda: Step(module(torch.ones(1, 1)).sum() * math.nan, 1)])
    with pytest.raises(TrainingError, match="nan at step 1") as caught:
        optimise([module], steps, Optimisation(3, 1e-2, 0.0, 0.0, 1.0), "train mnli")
    assert caught.value.where == "train mnli"
