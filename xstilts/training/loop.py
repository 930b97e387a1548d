"""The optimisation loop that pre-training and every stage share; it may stop at any step and go on later.

Everything that is random is drawn from the seed and the number of the step or held in the state, so that a
resumed training ends with the bytes of one that was never interrupted.
"""

import math
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from types import FrameType
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from xstilts.errors import TrainingError
from xstilts.model.device import random_states, restore_random_states, seed_of
from xstilts.model.processes import Processes, parts_like, whole, written
from xstilts.progress import Progress
from xstilts.training.divergence import Divergence
from xstilts.training.meter import Meter
from xstilts.training.place import HERE, Place
from xstilts.training.state import State, StateFolder, fill, tensors_of

NAMED = 8  # examples that a fault names


@dataclass(frozen=True)
class Optimisation:
    """How weights are updated: AdamW, linear warm-up and decay, clipped gradients.

    After a numerical fault training goes on with the next seed, at most `restarts` times: from where the
    watcher last did something and all was well, or from the start, so that no clock decides where.
    """

    steps: int
    learning_rate: float
    warmup: float
    weight_decay: float
    clip: float
    restarts: int = 0


@dataclass(frozen=True)
class Step:
    """One update: its loss is the sum of what `losses` compute, one micro-batch each.

    Attributes:
        losses: Each computes a scalar with a graph.
        task: Whose loss it is.
        examples: How many examples are behind it.
        pieces: And how many pieces, without padding.
        ids: Of the examples, for a fault to name; may be empty.
    """

    losses: Sequence[Callable[[], Tensor]]
    task: str = ""
    examples: int = 0
    pieces: int = 0
    ids: Sequence[str] = ()


Draw = Callable[[], Step]
Steps = Callable[[int], Iterator[Draw]]
"""From the number of a restart (0 at first) to what is done step by step; an unused draw costs nothing."""


class Watcher(Protocol):
    """What is told of every step's loss, and does something after some steps."""

    def record(self, step: int, task: str, loss: float) -> None:
        """The loss of a step, in order."""

    def is_due(self, step: int) -> bool:
        """Whether there is something to do after this step."""

    def act(self, step: int) -> None:
        """Do it; all losses up to this step have been recorded."""

    def state(self) -> State:
        """What it remembers."""

    def restore(self, state: State) -> None:
        """Remember it again."""


class _NumericalError(TrainingError):
    """A loss or gradient that is no number, or a loss that has run away."""


@dataclass
class Loop:
    """One training.

    Args:
        modules: Everything that is trained.
        steps: What is done.
        how: The optimiser's settings.
        label: What progress is shown under.
        seed: Of dropout after a restart.
        watcher: Logs and selects.
        place: Where it runs and is kept.
    """

    modules: list[nn.Module]
    steps: Steps
    how: Optimisation
    label: str
    seed: int
    watcher: Watcher
    place: Place = HERE
    done: int = 0
    faults: list[str] = field(default_factory=list)
    _unread: list[tuple[int, Step, Tensor, Tensor]] = field(default_factory=list)
    _is_stopped: bool = False

    def __post_init__(self) -> None:
        self.device = next(parameter.device for module in self.modules for parameter in module.parameters())
        self.meter = Meter(self.device)
        self.states = self.place.states
        self._all = self.place.processes or Processes(self.device)
        self._computed = self._all.prepare(self.modules)  # may replace the parameters
        if self._all.rank:  # other dropout in every process
            torch.manual_seed(seed_of(torch.initial_seed(), str(self._all.rank)))
        decayed, others = _groups(self.modules)
        self._parameters = [*decayed, *others]
        groups = [
            {"params": decayed, "weight_decay": self.how.weight_decay},
            {"params": others, "weight_decay": 0.0},
        ]
        self._losses = Divergence()
        self._anchors = self.states.below("anchors") if self.states and self.how.restarts else None
        self._optimiser = torch.optim.AdamW(groups, lr=self.how.learning_rate, eps=1e-6, fused=True)
        self._is_lowered = self.place.precision != torch.float32

    def run(self) -> None:
        """Do all steps that are left.

        Raises:
            TrainingError: if a loss or gradient is not finite or the loss diverges, and no restart is left.
            SystemExit: after SIGTERM, with its status, when the state is kept.
        """
        kept = self._latest(self.states)
        if kept:
            self._restore(kept)
            self._say(f"resumed after step {self.done} of {self.how.steps}")
        elif self._anchors:
            self._save(self._anchors)
        before = signal.signal(signal.SIGTERM, self._stop) if self.states else None
        try:
            while self.done < self.how.steps:
                try:
                    self._go()
                except _NumericalError as fault:
                    self._restart(fault)
        finally:
            if self.states:
                signal.signal(signal.SIGTERM, before)

    def _go(self) -> None:
        progress = Progress(self.label, self.how.steps, begun_at=self.done)
        draws = self.steps(len(self.faults))
        for _ in range(self.done):
            next(draws)
        for draw in draws:
            if self.done == self.how.steps:
                break
            step = draw()
            self._update(step)
            self.done += 1
            self._read_losses(but=1)  # the newest one step late, so that the device need not be waited for
            progress.advance(step.examples, loss=self._losses.latest)
            if self.watcher.is_due(self.done) or self.done == self.how.steps:
                self._read_losses()
                self.watcher.act(self.done)
                if self._anchors and self._losses.is_sound:
                    self._save(self._anchors)
            if self.states and self.done < self.how.steps:
                self._keep(self.states)

    def _update(self, step: Step) -> None:
        rate_now = self.how.learning_rate * rate(self.done, self.how.steps, self.how.warmup)
        for group in self._optimiser.param_groups:
            group["lr"] = rate_now
        self._optimiser.zero_grad(set_to_none=True)
        total = torch.zeros((), device=self.device)
        for compute, weight, exchanged in self._all.dealt(step.losses):
            with exchanged:
                with torch.autocast(self.device.type, self.place.precision, enabled=self._is_lowered):
                    loss = self._computed(compute) * weight
                loss.backward()
            total += loss.detach() / self._all.count
        total = self._all.added(total)
        norm = whole(torch.nn.utils.clip_grad_norm_(self._parameters, self.how.clip))
        self._optimiser.step()
        self.meter.add(step.examples, step.pieces)
        self._unread.append((self.done + 1, step, total, norm))

    def _read_losses(self, but: int = 0) -> None:
        """Check and record what the device has computed, all `but` the newest."""
        while len(self._unread) > but:
            number, step, total, norm = self._unread.pop(0)
            loss = float(total)
            if not math.isfinite(loss):
                raise self._fault(f"the loss is {loss} at step {number}", step)
            if not math.isfinite(float(norm)):
                raise self._fault(f"the gradient is not finite at step {number}", step)
            if wrong := self._losses.add(loss):
                raise self._fault(f"{wrong}, at step {number}", step)
            self.watcher.record(number, step.task, loss)

    def _fault(self, what: str, step: Step) -> _NumericalError:
        named = ", ".join(step.ids[:NAMED]) + (", ..." if len(step.ids) > NAMED else "")
        of = f" of {step.task}" if step.task else ""
        return _NumericalError(
            f"{what}{of}" + (f"; its examples: {named}" if named else ""),
            where=self.label,
            hint="lower training.learning_rate, raise training.warmup, or allow training.restarts",
        )

    def _restart(self, fault: _NumericalError) -> None:
        """Back to the last anchor, with the next seed; what is not finite never came into a state."""
        faults = len(self.faults) + 1
        kept = self._latest(self._anchors) if faults <= self.how.restarts else None
        if kept is None or self.states is None:
            raise fault
        if self._all.is_first:
            self.states.forget()  # they are of the training that failed
        self._unread.clear()
        before = self.faults
        self._restore(kept)
        self.faults = [*before, f"{fault.what}; on from step {self.done}"]
        torch.manual_seed(seed_of(self.seed, "restart", str(faults), str(self._all.rank)))
        self._say(f"{self.faults[-1]} with the next seed")

    def _stop(self, number: int, _: FrameType | None) -> None:
        self._is_stopped = True

    def _keep(self, states: StateFolder) -> None:
        """Save the state if it is time, or all is to end."""
        is_due, is_stopped = self._all.any(states.is_due, self._is_stopped)
        if not (is_due or is_stopped):
            return
        self._read_losses()
        self._save(states)
        if is_stopped:
            self._say(f"stopped after step {self.done}, its state is kept")
            sys.exit(128 + signal.SIGTERM)

    def _save(self, states: StateFolder) -> None:
        state = self._state()
        if self._all.is_first:
            states.save(self.done, state)
        states.reset_clock()
        self._all.wait()

    def _latest(self, states: StateFolder | None) -> State | None:
        """The latest whole state; the first process looks alone, since it deletes what is damaged."""
        if states is None:
            return None
        found = states.latest() if self._all.is_first else None
        self._all.wait()
        return found if self._all.is_first else states.latest()

    def costs(self) -> dict[str, Any]:
        """What it took, for the card; all processes have to ask."""
        return self.meter.summary(self._all.gathered(self.meter.own()))

    def _say(self, what: str) -> None:
        if self._all.is_first:
            print(f"{self.label}: {what}", file=sys.stderr)

    def _state(self) -> State:
        watched = self.watcher.state()
        moments = {
            f"optimiser.{place}.{name}": value
            for place, values in self._optimiser.state_dict()["state"].items()
            for name, value in values.items()
        }
        tensors = {
            **{f"weights.{name}": tensor for name, tensor in tensors_of(self.modules).items()},
            **moments,
            **self._random_states(),
            **{f"watcher.{name}": tensor for name, tensor in watched.tensors.items()},
        }
        facts: dict[str, Any] = {
            "done": self.done,
            "faults": self.faults,
            "losses": self._losses.state(),
            "spent": self.meter.spent(),
            "watcher": watched.facts,
        }
        return State(written(tensors, self._all.is_first), facts)

    def _random_states(self) -> dict[str, Tensor]:
        gathered = self._all.gathered(random_states(self.device))
        return {
            f"random{rank}.{name}": tensor
            for rank, states in enumerate(gathered)
            for name, tensor in states.items()
        }

    def _restore(self, state: State) -> None:
        fill(self.modules, _below("weights", state.tensors))
        moments: dict[int, dict[str, Tensor]] = {}
        for name, tensor in _below("optimiser", state.tensors).items():
            place, key = name.split(".")
            moments.setdefault(int(place), {})[key] = tensor
        groups = self._optimiser.state_dict()["param_groups"]
        parts = {place: parts_like(kept, self._parameters[place]) for place, kept in moments.items()}
        self._optimiser.load_state_dict({"state": parts, "param_groups": groups})
        restore_random_states(self.device, _below(f"random{self._all.rank}", state.tensors))
        self.watcher.restore(State(_below("watcher", state.tensors), state.facts["watcher"]))
        self.done, self.faults = state.facts["done"], state.facts["faults"]
        self._losses.restore(state.facts["losses"])
        self.meter.resume(state.facts["spent"])


def rate(done: int, steps: int, warmup: float) -> float:
    """Share of the peak learning rate after `done` steps: linear rise, linear fall to zero."""
    rise = max(1, round(steps * warmup))
    if done < rise:
        return (done + 1) / rise
    return max(0.0, (steps - done) / max(1, steps - rise))


def _below(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    start = f"{prefix}."
    return {name.removeprefix(start): value for name, value in tensors.items() if name.startswith(start)}


def _groups(modules: Iterable[nn.Module]) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """Matrices decay; biases and norms do not."""
    parameters = [p for module in modules for p in module.parameters() if p.requires_grad]
    return [p for p in parameters if p.ndim > 1], [p for p in parameters if p.ndim <= 1]
