"""The optimisation loop, against transformers' schedule and closed forms."""

import json
import math
import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from transformers import get_linear_schedule_with_warmup

from xstilts.errors import TrainingError
from xstilts.training.divergence import Divergence
from xstilts.training.loop import Draw, Loop, Optimisation, Step, rate
from xstilts.training.place import Place
from xstilts.training.state import State, StateFolder, tensors_of
from xstilts.training.training_log import Averages


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


HOW = Optimisation(steps=9, learning_rate=1e-2, warmup=0.2, weight_decay=0.1, clip=0.5)


class Killed(BaseException):
    """Stands for the end of the process."""


@dataclass
class Watch:
    """Remembers every loss; may end everything after some step."""

    ends_at: int = 0
    every: int = 4
    losses: list[tuple[int, str, float]] = field(default_factory=list)
    acted: list[int] = field(default_factory=list)

    def record(self, step: int, task: str, loss: float) -> None:
        self.losses.append((step, task, loss))

    def is_due(self, step: int) -> bool:
        if step == self.ends_at:
            raise Killed
        return step % self.every == 0

    def act(self, step: int) -> None:
        assert [seen for seen, _, _ in self.losses] == list(range(1, step + 1))
        self.acted.append(step)

    def state(self) -> State:
        return State({"acted": torch.tensor(self.acted)}, {"losses": self.losses})

    def restore(self, state: State) -> None:
        self.losses = [tuple(row) for row in state.facts["losses"]]
        self.acted = state.tensors["acted"].tolist()


def net() -> nn.Module:
    torch.manual_seed(3)
    return nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.3), nn.Tanh(), nn.Linear(8, 1))


def random_steps(module: nn.Module, bad: Callable[[int, int], float] = lambda step, restart: 1.0) -> object:
    """Micro-batches of random rows, drawn from the number of the step; `bad` scales a step's loss."""

    def steps(restart: int) -> Iterator[Draw]:
        def draw(number: int) -> Step:
            generator = torch.Generator().manual_seed(100 * restart + number)
            rows = torch.randn(6, 4, generator=generator)
            losses = [lambda part=part: loss(part) for part in rows.split(2)]

            def loss(part: Tensor) -> Tensor:
                return module(part).pow(2).sum() / 6 * bad(number, restart)

            return Step(losses, "task", 6, 24, [f"e{number}"])

        number = 0
        while True:
            number += 1
            yield lambda number=number: draw(number)

    return steps


def loop(
    module: nn.Module, watch: object = None, states: StateFolder | None = None, **changes: object
) -> Loop:
    how = replace(HOW, **{name: value for name, value in changes.items() if name != "bad"})
    torch.manual_seed(5)
    bad = {"bad": changes["bad"]} if "bad" in changes else {}
    return Loop(
        [module], random_steps(module, **bad), how, "train x", 1, watch or Watch(), Place(states=states)
    )


def bytes_of(module: nn.Module) -> dict[str, bytes]:
    return {name: tensor.detach().numpy().tobytes() for name, tensor in tensors_of([module]).items()}


def zero_steps(module: nn.Module) -> Callable[[int], Iterator[Draw]]:
    def steps(restart: int) -> Iterator[Draw]:
        while True:
            yield lambda: Step([lambda: sum(p.sum() for p in module.parameters()) * 0.0])

    return steps


def test_matrices_decay_and_vectors_do_not() -> None:
    torch.manual_seed(0)
    module = nn.Linear(3, 3)
    weight, bias = module.weight.detach().clone(), module.bias.detach().clone()
    how = Optimisation(steps=7, learning_rate=0.1, warmup=0.3, weight_decay=0.5, clip=1.0)
    Loop([module], zero_steps(module), how, "test", 1, Watch()).run()
    shrunk = math.prod(1 - 0.1 * rate(done, 7, 0.3) * 0.5 for done in range(7))
    torch.testing.assert_close(module.weight.detach(), weight * shrunk)
    torch.testing.assert_close(module.bias.detach(), bias)


def test_it_is_adamw_with_clipped_sums_of_micro_batches() -> None:
    """Against torch's optimiser, step by step, on whole batches."""
    module, theirs = net().eval(), net().eval()
    watch = Watch()
    loop(module, watch).run()
    groups = [
        {"params": [p for p in theirs.parameters() if p.ndim > 1], "weight_decay": HOW.weight_decay},
        {"params": [p for p in theirs.parameters() if p.ndim == 1], "weight_decay": 0.0},
    ]
    optimiser = torch.optim.AdamW(groups, eps=1e-6, fused=False)
    for done in range(HOW.steps):
        for group in optimiser.param_groups:
            group["lr"] = HOW.learning_rate * rate(done, HOW.steps, HOW.warmup)
        rows = torch.randn(6, 4, generator=torch.Generator().manual_seed(done + 1))
        loss = theirs(rows).pow(2).mean()
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(theirs.parameters(), HOW.clip)
        optimiser.step()
        assert watch.losses[done] == (done + 1, "task", pytest.approx(loss.item(), rel=1e-4))
    for ours, other in zip(module.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(ours, other, rtol=1e-4, atol=1e-6)


def test_every_loss_is_recorded_before_anything_is_done() -> None:
    watch = Watch()
    found = loop(net(), watch)
    found.run()
    assert watch.acted == [4, 8, 9]
    assert found.done == 9
    assert (found.meter.examples, found.meter.pieces) == (9 * 6, 9 * 24)


@pytest.mark.parametrize("ends_at", range(1, 10))
@pytest.mark.parametrize("seconds", [0, 3600])
def test_a_resumed_training_ends_with_the_same_bytes(tmp_path: Path, ends_at: int, seconds: float) -> None:
    whole, watch = net(), Watch()
    loop(whole, watch).run()
    with pytest.raises(Killed):
        loop(net(), Watch(ends_at), StateFolder(tmp_path, "f", seconds)).run()
    resumed, again = net(), Watch()
    found = loop(resumed, again, StateFolder(tmp_path, "f", seconds))
    if (tmp_path / "f").exists():
        torch.manual_seed(99)  # the state's generators are restored
    found.run()
    assert bytes_of(resumed) == bytes_of(whole)
    assert (again.losses, again.acted) == (watch.losses, watch.acted)
    assert found.meter.spent()["examples"] == 9 * 6


def test_on_sigterm_the_state_is_kept_and_the_job_ends(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = net()
    loop(whole).run()

    class Terminated(Watch):
        def is_due(self, step: int) -> bool:
            if step == 5:
                os.kill(os.getpid(), signal.SIGTERM)
            return False

    states = StateFolder(tmp_path, "f", 3600)
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as end:
        loop(net(), Terminated(), states).run()
    assert end.value.code == 143
    assert signal.getsignal(signal.SIGTERM) == before
    assert "stopped after step 5" in capsys.readouterr().err
    resumed = net()
    loop(resumed, Watch(), StateFolder(tmp_path, "f", 3600)).run()
    assert "resumed after step 5 of 9" in capsys.readouterr().err
    assert bytes_of(resumed) == bytes_of(whole)


@pytest.mark.parametrize(("factor", "what"), [(math.nan, "nan"), (math.inf, "inf")])
def test_a_loss_that_is_not_finite_stops(factor: float, what: str) -> None:
    with pytest.raises(
        TrainingError, match=f"the loss is {what} at step 3 of task; its examples: e3"
    ) as caught:
        loop(net(), bad=lambda step, restart: factor if step == 3 else 1.0).run()
    assert caught.value.where == "train x"
    assert "learning_rate" in str(caught.value.hint)


@pytest.mark.parametrize("since", [2, 21, 40])
def test_a_loss_that_runs_away_stops(since: int) -> None:
    with pytest.raises(TrainingError, match=r"the loss has diverged: .* at step \d+"):
        loop(net(), bad=lambda step, restart: 1e4 if step >= since else 1.0, steps=80).run()


@pytest.mark.parametrize(
    "losses", [[12.0] * 30, [1.1, *[9.0] * 40], [0.01, *[2.0] * 40], [100.0, *[1.0] * 40]]
)
def test_high_losses_are_not_divergence(losses: list[float]) -> None:
    watched = Divergence()
    assert not any(watched.add(loss) for loss in losses)


@pytest.mark.parametrize("losses", [[1.1, *[200.0] * 19], [12.0, *[2.0] * 40, *[30.0] * 20]])
def test_divergence_is_beside_the_first_loss_and_the_lowest_mean(losses: list[float]) -> None:
    watched = Divergence()
    assert [bool(watched.add(loss)) for loss in losses].count(True) >= 1
    assert not watched.is_sound


def test_a_single_high_loss_does_not_stop() -> None:
    watch = Watch()
    loop(net(), watch, bad=lambda step, restart: 100.0 if step == 30 else 1.0, steps=60).run()
    assert len(watch.losses) == 60


def test_after_a_fault_it_goes_on_with_the_next_seed_if_that_is_allowed(tmp_path: Path) -> None:
    def bad(step: int, restart: int) -> float:
        return math.nan if step == 7 and restart < 2 else 1.0

    def run(place: str, restarts: int, seconds: float = 0) -> tuple[nn.Module, Loop, Watch]:
        module, watch = net(), Watch()
        states = StateFolder(tmp_path / place, "f", seconds)
        found = loop(module, watch, states, bad=bad, restarts=restarts)
        found.run()
        return module, found, watch

    with pytest.raises(TrainingError, match="nan at step 7"):
        run("none", 0)
    with pytest.raises(TrainingError, match="nan at step 7"):
        run("one", 1)
    first, found, watch = run("a", 2)
    assert [fault.split("; ")[-1] for fault in found.faults] == ["on from step 4"] * 2
    assert [step for step, _, _ in watch.losses] == list(range(1, 10))
    assert found.meter.spent()["examples"] == 9 * 6
    second, _, _ = run("b", 2, seconds=3600)
    assert bytes_of(first) == bytes_of(second), "no clock decides from where it goes on"


def test_the_log_of_averages_survives() -> None:
    log, other = Averages(every=3), Averages(every=3)
    for step in range(1, 8):
        log.record(step, "t", float(step))
    other.restore(State({}, json.loads(json.dumps(log.state().facts))))
    for each in (log, other):
        each.record(8, "t", 0.0)
        each.record(9, "t", 5.0)
    assert log.rows == other.rows
    assert [row["loss"] for row in log.rows] == [2, 5, 4]
