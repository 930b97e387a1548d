"""One stage of a recipe: its tasks trained together on top of a checkpoint.

Batches are homogeneous (one task each) and drawn in proportion to each task's number of steps; every
task has a fresh head, the optimiser starts fresh, and the weights with the best mean score on the
English dev sets are kept (early selection). Continued masked LM may be one of the tasks: it has lines
of text instead of examples, keeps its head, and counts for no selection.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from xstilts.data.examples import Example, TaggedExample
from xstilts.errors import TrainingError
from xstilts.job_settings import PartJob, PretrainingJob, StageJob
from xstilts.model import batches, features
from xstilts.model.checkpoint import LanguageModelHead, Model
from xstilts.model.device import seed_of
from xstilts.model.features import Feature, Lengths
from xstilts.model.heads import IGNORED, RankingHead
from xstilts.model.pooling import pool
from xstilts.prediction.predict import Decoding, predict
from xstilts.scoring import headline
from xstilts.training.loop import Optimisation, Step, optimise
from xstilts.training.pretrain import Corpus, keep_lm_head, masked_lm_steps

DEV_BATCH_TOKENS = 4096  # changes no prediction, so it is no setting that could rerun a stage
MASKED = -1e4  # a logit that cannot win


@dataclass(frozen=True)
class Part:
    """One task of the stage: registry entry, settings and examples."""

    name: str
    settings: PartJob
    train: Sequence[Example]
    dev: Sequence[Example]

    @property
    def lengths(self) -> Lengths:
        """How its inputs are cut."""
        return Lengths(self.settings.max_length, self.settings.stride or 0)


@dataclass(frozen=True)
class Text:
    """Continued masked LM as part of a stage: the run's text, and how many steps of which size."""

    corpus: Corpus
    settings: PretrainingJob


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


def train_stage(
    model: Model, parts: Sequence[Part], shared: StageJob, seed: int, stage: str, text: Text | None = None
) -> list[dict[str, Any]]:
    """Train in place.

    Args:
        model: The prefix's checkpoint, on its device; its old heads are dropped.
        parts: The stage's tasks.
        shared: What they share.
        seed: The run's seed.
        stage: Text of the stage; with the seed it decides head initialisation and data order.
        text: Where continued masked LM is part of the stage.

    Returns:
        One row per selection and task: step, mean loss since the last one, task, metric and value.

    Raises:
        ConfigError: if the inputs may be longer than the model allows.
        TrainingError: if a task has no examples, or the loss is not finite.
    """
    _check(model, parts)
    if text is None:
        model.heads.clear()
        model.head_entries.clear()
    else:
        model.check_length(text.settings.max_length)
        keep_lm_head(model, seed)
    torch.manual_seed(seed_of(seed, stage))
    for part in parts:
        model.add_head(part.name, part.settings.entry.type, _labels(part))
    model.to(model.encoder.device)
    rows = {part.name: _rows(model, part) for part in parts}
    counts = {part.name: _steps(len(rows[part.name]), part.settings) for part in parts}
    total = sum(counts.values()) + (text.settings.steps if text else 0)
    selection = _Selection(model, parts, shared.selections, total)
    how = Optimisation(total, shared.learning_rate, shared.warmup, shared.weight_decay, shared.clip)
    generator = np.random.default_rng(seed_of(seed, stage, "order"))
    model.train()
    steps = _drawn(model, parts, rows, counts, text, generator)
    optimise(model.modules(), steps, how, f"train {stage}", selection.after)
    selection.restore()
    return selection.rows


def _labels(part: Part) -> list[str]:
    """The task's labels; of tagging without any, those of the training examples."""
    entry = part.settings.entry
    if entry.type != "tagging" or entry.labels:
        return entry.labels
    tagged = [example for example in part.train if isinstance(example, TaggedExample)]
    return sorted({tag for example in tagged for tag in example.tags or ()})


def _check(model: Model, parts: Sequence[Part]) -> None:
    for part in parts:
        model.check_length(part.settings.max_length)
        for kind, examples in (("training", part.train), ("English dev", part.dev)):
            if not examples:
                raise TrainingError(
                    f"there are no {kind} examples", where=part.name, hint="check the task's splits"
                )


def _rows(model: Model, part: Part) -> list[list[Feature]]:
    """Rows grouped so that what belongs together stays together: all choices, or a query and its answer."""
    entry = model.head_entries[part.name]
    built = features.build(entry["type"], part.train, model.pieces, part.lengths, entry["labels"])
    if entry["type"] not in ("multiple_choice", "dual_encoder"):
        return [[row] for row in built]
    groups: dict[int, list[Feature]] = {}
    for row in built:
        groups.setdefault(row.example, []).append(row)
    return list(groups.values())


def _steps(rows: int, settings: PartJob) -> int:
    return max(1, round(settings.epochs * rows / settings.batch_size))


def _drawn(
    model: Model,
    parts: Sequence[Part],
    rows: Mapping[str, list[list[Feature]]],
    counts: Mapping[str, int],
    text: Text | None,
    generator: np.random.Generator,
) -> Iterator[Callable[[], Step]]:
    """Steps of all tasks in random order, each task with its own stream of batches."""
    streams = {
        part.name: batches.endless(
            [max(len(row.ids) for row in group) for group in rows[part.name]],
            part.settings.batch_size,
            np.random.default_rng(generator.integers(2**63)),
        )
        for part in parts
    }
    numbers = [counts[part.name] for part in parts]
    if text:
        own = np.random.default_rng(generator.integers(2**63))
        masked = masked_lm_steps(model, text.corpus, text.settings, own)
        numbers.append(text.settings.steps)
    for which in generator.permutation(np.repeat(np.arange(len(numbers)), numbers)):
        if which == len(parts):
            yield next(masked)
            continue
        part = parts[which]
        groups = [rows[part.name][i] for i in next(streams[part.name])]
        step = _ranking_step if part.settings.entry.type == "dual_encoder" else _step
        yield partial(step, model, part, groups)


def _step(model: Model, part: Part, groups: list[list[Feature]]) -> Step:
    rows = [row for group in groups for row in group]
    ids = [row.ids for row in rows]
    batch = batches.collate(ids, list(range(len(ids))), model.pieces.pad, model.encoder.device)
    hidden = model.encoder(input_ids=batch.ids, attention_mask=batch.mask).last_hidden_state
    head = model.heads[part.name]
    assert not isinstance(head, LanguageModelHead | RankingHead)
    logits: Tensor = head(hidden)
    if part.settings.entry.type == "multiple_choice":
        by_example = logits.flatten().split([len(group) for group in groups])
        logits = pad_sequence(list(by_example), batch_first=True, padding_value=MASKED)
        rows = [group[0] for group in groups]
    if part.settings.entry.type == "span":
        logits = logits.masked_fill(batch.mask[..., None] == 0, MASKED)
    return Step(head.loss(logits, _gold(part, rows).to(hidden.device)), len(groups))


def _ranking_step(model: Model, part: Part, groups: list[list[Feature]]) -> Step:
    """Each query against the answers of the whole batch."""
    head, pooling = model.heads[part.name], part.settings.embedding
    assert isinstance(head, RankingHead) and pooling is not None
    sides = []
    for ids in ([group[side].ids for group in groups] for side in (0, 1)):
        batch = batches.collate(ids, list(range(len(ids))), model.pieces.pad, model.encoder.device)
        sides.append(head(pool(model.encoder, batch, model.layers, pooling, model.pieces.special)))
    answers = _gold(part, [group[0] for group in groups]).to(sides[0].device)
    return Step(head.loss(sides[0], sides[1], answers), len(groups))


def _gold(part: Part, rows: Sequence[Feature]) -> Tensor:
    """Gold labels as the head's loss takes them."""
    if part.settings.entry.type == "tagging":
        return batches.pad([row.gold for row in rows if isinstance(row.gold, list)], IGNORED)
    return torch.tensor([row.gold for row in rows])


class _Selection:
    """Scores the English dev sets at intervals and remembers the best weights."""

    def __init__(self, model: Model, parts: Sequence[Part], selections: int, total: int) -> None:
        self.model, self.parts = model, parts
        self.steps = {max(1, total * number // selections) for number in range(1, selections + 1)}
        self.rows: list[dict[str, Any]] = []
        self.best = -1.0
        self.weights: list[dict[str, Tensor]] = []
        self.losses: list[float] = []

    def after(self, step: int, loss: float) -> None:
        """Called after every step."""
        self.losses.append(loss)
        if step in self.steps:
            self._score(step)
            self.model.train()

    def _score(self, step: int) -> None:
        loss, values = float(np.mean(self.losses)), []
        for part in self.parts:
            settings, entry = part.settings, part.settings.entry
            how = Decoding(
                part.lengths, settings.max_answer, DEV_BATCH_TOKENS, entry.unanswerable, settings.embedding
            )
            found = predict(self.model, part.name, part.dev, how)
            metric, value = headline(entry.type, part.dev, found, metric=entry.metric)
            values.append(value)
            self.rows.append(
                {"step": step, "loss": loss, "task": part.name, "metric": metric, "value": value}
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
