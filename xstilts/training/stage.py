"""One stage of a recipe: its tasks trained together on top of a checkpoint.

Batches are homogeneous (one task each) and drawn in proportion to each task's number of steps; every
task has a fresh head, the optimiser starts fresh, and the weights with the best mean score on the
English dev sets are kept (early selection).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from xstilts.data.examples import Example
from xstilts.errors import TrainingError
from xstilts.model import batches, features
from xstilts.model.checkpoint import Model
from xstilts.model.device import seed_of
from xstilts.model.features import Feature, Lengths
from xstilts.prediction.predict import Decoding, predict
from xstilts.scoring import headline
from xstilts.training.loop import Optimisation, Step, optimise

DEV_BATCH_TOKENS = 4096
MAX_ANSWER = 30


@dataclass(frozen=True)
class Part:
    """One task of the stage: registry entry, settings and examples."""

    name: str
    settings: dict[str, Any]
    train: Sequence[Example]
    dev: Sequence[Example]

    @property
    def entry(self) -> dict[str, Any]:
        """The task's entry in the registry."""
        entry: dict[str, Any] = self.settings["entry"]
        return entry

    @property
    def lengths(self) -> Lengths:
        """How its inputs are cut."""
        return Lengths(self.settings["max_length"], self.settings["stride"])


def cap(examples: Sequence[Example], limit: int | None, seed: int, task: str) -> list[Example]:
    """The first `limit` examples of a permutation that seed and task decide (all, in order, without limit).

    Raises:
        TrainingError: if there are fewer.
    """
    if limit is None:
        return list(examples)
    if limit > len(examples):
        raise TrainingError(
            f"{task}@{limit} asks for more examples than the {len(examples)} there are",
            where=f"{task}@{limit}",
            hint="lower the cap",
        )
    order = np.random.default_rng(seed_of(seed, "cap", task)).permutation(len(examples))
    return [examples[i] for i in order[:limit]]


def train_stage(model: Model, parts: Sequence[Part], shared: dict[str, Any], seed: int, stage: str) -> list[dict]:
    """Train in place.

    Args:
        model: The prefix's checkpoint, on its device; its old heads are dropped.
        parts: The stage's tasks.
        shared: learning_rate, warmup, weight_decay, clip and selections.
        seed: The run's seed.
        stage: Text of the stage; with the seed it decides head initialisation and data order.

    Returns:
        One row per selection: step, task, metric, value and the mean loss since the last one.
    """
    model.heads.clear()
    model.head_entries.clear()
    torch.manual_seed(seed_of(seed, stage))
    for part in parts:
        model.add_head(part.name, part.entry)
    model.to(model.encoder.device)
    rows = {part.name: _rows(model, part) for part in parts}
    counts = {part.name: _steps(len(rows[part.name]), part.settings) for part in parts}
    total = sum(counts.values())
    selection = _Selection(model, parts, max(1, total // shared["selections"]), total)
    how = Optimisation(
        total, shared["learning_rate"], shared["warmup"], shared["weight_decay"], shared["clip"]
    )
    generator = np.random.default_rng(seed_of(seed, stage, "order"))
    model.train()
    optimise(
        model.modules(), _drawn(model, parts, rows, counts, generator), how, f"train {stage}", selection.after
    )
    selection.restore()
    return selection.rows


def _rows(model: Model, part: Part) -> list[list[Feature]]:
    """Rows grouped so that what belongs together stays together (the choices of an example)."""
    entry = part.entry
    built = features.build(entry["type"], part.train, model.pieces, part.lengths, entry["labels"])
    if not built:
        raise TrainingError("there are no training examples", where=part.name)
    if entry["type"] != "multiple_choice":
        return [[row] for row in built]
    groups: dict[int, list[Feature]] = {}
    for row in built:
        groups.setdefault(row.example, []).append(row)
    return list(groups.values())


def _steps(rows: int, settings: dict[str, Any]) -> int:
    return max(1, round(settings["epochs"] * rows / settings["batch_size"]))


def _drawn(
    model: Model,
    parts: Sequence[Part],
    rows: dict[str, list[list[Feature]]],
    counts: dict[str, int],
    generator: np.random.Generator,
) -> Iterator[Callable[[], Step]]:
    """Steps of all tasks in random order, each task with its own stream of batches."""
    streams = {
        part.name: batches.endless(
            [max(len(row.ids) for row in group) for group in rows[part.name]],
            part.settings["batch_size"],
            np.random.default_rng(generator.integers(2**63)),
        )
        for part in parts
    }
    order = np.repeat(np.arange(len(parts)), [counts[part.name] for part in parts])
    for which in generator.permutation(order):
        part = parts[which]
        groups = [rows[part.name][i] for i in next(streams[part.name])]
        yield lambda part=part, groups=groups: Step(_loss(model, part, groups), len(groups))


def _loss(model: Model, part: Part, groups: list[list[Feature]]) -> Tensor:
    flat = [row for group in groups for row in group]
    batch = batches.collate([row.ids for row in flat], list(range(len(flat))), model.pieces.pad, model.encoder.device)
    hidden = model.encoder(input_ids=batch.ids, attention_mask=batch.mask).last_hidden_state
    head = model.heads[part.name]
    logits: Tensor = head(hidden)
    kind = part.entry["type"]
    if kind == "multiple_choice":
        logits = logits.reshape(len(groups), -1)
        gold = [group[0].gold for group in groups]
    else:
        gold = [row.gold for row in flat]
    if kind == "span":
        logits = logits.masked_fill(batch.mask[..., None] == 0, -1e4)
    if kind == "tagging":
        wanted = batches.pad([row for row in gold if isinstance(row, list)], features.IGNORED)
    else:
        wanted = torch.tensor(gold)
    loss: Tensor = head.loss(logits, wanted.to(hidden.device))  # type: ignore[operator]
    return loss


class _Selection:
    """Scores the English dev sets at intervals and remembers the best weights."""

    def __init__(self, model: Model, parts: Sequence[Part], interval: int, total: int) -> None:
        self.model, self.parts, self.interval, self.total = model, parts, interval, total
        self.rows: list[dict[str, Any]] = []
        self.best = -1.0
        self.weights: list[dict[str, Tensor]] = []
        self.losses: list[float] = []

    def after(self, step: int, loss: float) -> None:
        """Called after every step."""
        self.losses.append(loss)
        last_full = self.total - step < self.interval
        if step == self.total or (step % self.interval == 0 and not last_full):
            self._score(step)
            self.model.train()

    def _score(self, step: int) -> None:
        values = []
        for part in self.parts:
            how = Decoding(part.lengths, MAX_ANSWER, DEV_BATCH_TOKENS)
            found = predict(self.model, part.name, part.dev, how)
            metric, value = headline(part.entry["type"], part.dev, found)
            values.append(value)
            self.rows.append(
                {"step": step, "loss": float(np.mean(self.losses)), "task": part.name, "metric": metric, "value": value}
            )
        self.losses.clear()
        if float(np.mean(values)) > self.best:
            self.best = float(np.mean(values))
            self.weights = [
                {key: value.detach().clone() for key, value in module.state_dict().items()}
                for module in self.model.modules()
            ]

    def restore(self) -> None:
        """Put the best weights back."""
        for module, weights in zip(self.model.modules(), self.weights, strict=True):
            module.load_state_dict(weights)
