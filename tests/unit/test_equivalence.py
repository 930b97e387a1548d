"""The same training by other means: micro-batches, precision, recomputed states; processes elsewhere."""

from pathlib import Path

import pytest
import torch
from stage_tasks import LABELS, part
from tiny_models import tiny

from xstilts.job_settings import StageJob
from xstilts.training.place import Place
from xstilts.training.stage import Trained, train_stage

SHARED = StageJob(learning_rate=3e-3, warmup=0.1, weight_decay=0.01, clip=1.0, selections=3, parts={})
TYPES = sorted(LABELS)


def trained(
    tokens: Path, task_type: str, budget: int = 10**9, precision: torch.dtype = torch.float32, **changes: bool
) -> tuple[dict[str, torch.Tensor], Trained]:
    model = tiny(tokens, dropout=0.0)
    learnt = part(task_type, epochs=8, batch_tokens=budget)
    shared = SHARED.model_copy(update=changes)
    found = train_stage(model, [learnt], shared, 1, task_type, place=Place(precision))
    weights = {f"{i}.{n}": p for i, each in enumerate(model.modules()) for n, p in each.named_parameters()}
    return weights, found


def losses(found: Trained) -> list[float]:
    return [float(row["loss"]) for row in found.rows]


@pytest.mark.parametrize("task_type", TYPES)
@pytest.mark.parametrize("budget", [1, 40])
def test_micro_batches_add_up_to_the_whole_batch(tokens: Path, task_type: str, budget: int) -> None:
    """Of 12 rows a step at once, or a few (or one) at a time: within 0.001 of each mean loss."""
    whole, first = trained(tokens, task_type)
    cut, second = trained(tokens, task_type, budget)
    assert losses(second) == pytest.approx(losses(first), rel=1e-3, abs=1e-5)
    for name, weight in whole.items():
        torch.testing.assert_close(cut[name], weight, rtol=0, atol=1e-3, msg=name)


@pytest.mark.parametrize("task_type", TYPES)
def test_recomputed_states_are_the_same(tokens: Path, task_type: str) -> None:
    kept, first = trained(tokens, task_type)
    again, second = trained(tokens, task_type, gradient_checkpointing=True)
    assert losses(second) == pytest.approx(losses(first), rel=1e-5)
    for name, weight in kept.items():
        torch.testing.assert_close(again[name], weight, rtol=0, atol=1e-5, msg=name)


@pytest.mark.parametrize("task_type", TYPES)
def test_bfloat16_learns_likewise(tokens: Path, task_type: str) -> None:
    """Each mean loss within 10 % (or 0.02) of float32's, and weights that are float32."""
    _, first = trained(tokens, task_type)
    weights, second = trained(tokens, task_type, precision=torch.bfloat16)
    assert losses(second) == pytest.approx(losses(first), rel=0.1, abs=0.02)
    assert {weight.dtype for weight in weights.values()} == {torch.float32}
    assert losses(second) != losses(first)
