"""The optimisation loop that pre-training and every stage share."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from xstilts.errors import TrainingError
from xstilts.progress import Progress


@dataclass(frozen=True)
class Optimisation:
    """How weights are updated: AdamW, linear warm-up and decay, clipped gradients."""

    steps: int
    learning_rate: float
    warmup: float
    weight_decay: float
    clip: float


@dataclass(frozen=True)
class Step:
    """One step's loss (a scalar with a graph) and the number of examples behind it."""

    loss: Tensor
    examples: int


def optimise(
    modules: Iterable[nn.Module],
    steps: Iterable[Callable[[], Step]],
    how: Optimisation,
    label: str,
    after_step: Callable[[int, float], None] = lambda step, loss: None,
) -> None:
    """Run `how.steps` steps.

    Args:
        modules: Everything that is trained.
        steps: Closures that compute a loss, drawn one by one.
        how: The optimiser's settings.
        label: What progress is shown under.
        after_step: Called with the number of steps done and the step's loss.

    Raises:
        TrainingError: if the loss is not finite.
    """
    decayed, others = _groups(modules)
    groups = [{"params": decayed, "weight_decay": how.weight_decay}, {"params": others, "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, lr=how.learning_rate, eps=1e-6, fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda done: rate(done, how.steps, how.warmup))
    progress = Progress(label, how.steps)
    for number, compute in zip(range(1, how.steps + 1), steps, strict=False):
        step = compute()
        loss = float(step.loss.detach())
        if not math.isfinite(loss):
            raise TrainingError(
                f"the loss is {loss} at step {number}", where=label, hint="lower training.learning_rate"
            )
        optimiser.zero_grad(set_to_none=True)
        step.loss.backward()
        torch.nn.utils.clip_grad_norm_([*decayed, *others], how.clip)
        optimiser.step()
        schedule.step()
        progress.advance(step.examples, loss=loss)
        after_step(number, loss)


def rate(done: int, steps: int, warmup: float) -> float:
    """Share of the peak learning rate after `done` steps: linear rise, linear fall to zero."""
    rise = max(1, round(steps * warmup))
    if done < rise:
        return (done + 1) / rise
    return max(0.0, (steps - done) / max(1, steps - rise))


def _groups(modules: Iterable[nn.Module]) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """Matrices decay; biases and norms do not."""
    parameters = [p for module in modules for p in module.parameters() if p.requires_grad]
    return [p for p in parameters if p.ndim > 1], [p for p in parameters if p.ndim <= 1]
