"""One stage of a recipe: its tasks trained together on top of a checkpoint.

Steps are homogeneous (one task each) and drawn in proportion to each task's number of steps, which a cap
and a temperature may even out; a step's rows are cut into micro-batches of similar length within a budget of
pieces. Every task has a fresh head, the optimiser starts fresh, and the weights with the best mean score on
the English dev sets are kept (early selection). Continued masked LM may be one of the tasks: it has lines of
text instead of examples, keeps its head, and counts for no selection.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from xstilts.data.examples import Example, TaggedExample
from xstilts.errors import TrainingError
from xstilts.job_settings import PartJob, PretrainingJob, StageJob
from xstilts.model import batches, text_to_text
from xstilts.model.checkpoint import LanguageModelHead, Model
from xstilts.model.device import seed_of
from xstilts.model.features import Feature, Lengths
from xstilts.model.heads import IGNORED, RankingHead
from xstilts.model.pooling import pool
from xstilts.model.processes import Processes, part_like
from xstilts.prediction.predict import Decoding, predict, rows_of
from xstilts.scoring import headline
from xstilts.training.collapse import is_collapsed
from xstilts.training.loop import Draw, Loop, Optimisation, Step
from xstilts.training.place import HERE, Place
from xstilts.training.pretrain import Corpus, keep_lm_head, masked_lm_steps, order_seed
from xstilts.training.state import State, fill, tensors_of

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


@dataclass(frozen=True)
class Trained:
    """What a stage leaves beside the weights: its log's rows, its training, and the tasks that collapsed."""

    rows: list[dict[str, Any]]
    loop: Loop
    collapsed: list[str]


def train_stage(
    model: Model,
    parts: Sequence[Part],
    shared: StageJob,
    seed: int,
    stage: str,
    text: Text | None = None,
    place: Place = HERE,
) -> Trained:
    """Train in place.

    Args:
        model: The prefix's checkpoint, on its device; its old heads are dropped.
        parts: The stage's tasks.
        shared: What they share.
        seed: The run's seed.
        stage: Text of the stage; with the seed it decides head initialisation and data order.
        text: Where continued masked LM is part of the stage.
        place: Where it runs and is kept.

    Returns:
        Among others one row per selection and task: step, mean loss of the task since the last one, task,
        metric, value, and whether all its dev predictions were one and the same.

    Raises:
        ConfigError: if the inputs may be longer than the model allows.
        TrainingError: if a task has no examples, or the loss is not finite or diverges.
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
    counts = _counts(parts, rows, shared)
    total = sum(counts.values()) + (text.settings.steps if text else 0)
    everyone = place.processes or Processes(model.encoder.device)
    selection = _Selection(model, parts, shared.selections, total, everyone)
    how = Optimisation(
        total,
        shared.learning_rate,
        shared.warmup,
        shared.weight_decay,
        shared.clip,
        shared.restarts,
    )
    if shared.gradient_checkpointing:
        model.transformer.activation_checkpointing_enable({"use_reentrant": False})
    model.train()

    def steps(restart: int) -> Iterator[Draw]:
        return _drawn(model, parts, rows, counts, text, order_seed(seed, stage, restart))

    loop = Loop(
        model.modules(), steps, how, f"train {stage}", seed, selection, replace(place, processes=everyone)
    )
    loop.run()
    if shared.gradient_checkpointing:
        model.transformer.activation_checkpointing_disable()
    selection.restore_best()
    return Trained(selection.rows, loop, selection.collapsed)


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
    built = rows_of(model, part.name, part.train, part.lengths)
    if part.settings.entry.type not in ("multiple_choice", "dual_encoder"):
        return [[row] for row in built]
    groups: dict[int, list[Feature]] = {}
    for row in built:
        groups.setdefault(row.example, []).append(row)
    return list(groups.values())


def _counts(
    parts: Sequence[Part], rows: Mapping[str, list[list[Feature]]], shared: StageJob
) -> dict[str, int]:
    """Steps of each task.

    Their sum is what each task's epochs of its rows, at most `mixture_cap` of them, ask for; the shares are
    in proportion to those to the power of 1 / temperature (Raffel et al. 2020, section 3.5.2).
    """
    asked = {}
    for part in parts:
        size = min(len(rows[part.name]), shared.mixture_cap or len(rows[part.name]))
        asked[part.name] = max(1, round(part.settings.epochs * size / part.settings.batch_size))
    if shared.mixture_temperature == 1:
        return asked
    weights = {name: count ** (1 / shared.mixture_temperature) for name, count in asked.items()}
    scale = sum(asked.values()) / sum(weights.values())
    return {name: max(1, round(weight * scale)) for name, weight in weights.items()}


def _drawn(
    model: Model,
    parts: Sequence[Part],
    rows: Mapping[str, list[list[Feature]]],
    counts: Mapping[str, int],
    text: Text | None,
    seed: int,
) -> Iterator[Draw]:
    """Steps of all tasks in random order, each task with its own stream of batches."""
    generator = np.random.default_rng(seed)
    streams = {
        part.name: batches.endless(
            [max(row.length for row in group) for group in rows[part.name]],
            part.settings.batch_size,
            np.random.default_rng(generator.integers(2**63)),
        )
        for part in parts
    }
    numbers = [counts[part.name] for part in parts]
    if text:
        masked = masked_lm_steps(model, text.corpus, text.settings, int(generator.integers(2**63)))
        numbers.append(text.settings.steps)
    for which in generator.permutation(np.repeat(np.arange(len(numbers)), numbers)):
        if which == len(parts):
            yield next(masked)
            continue
        part = parts[which]
        groups = [rows[part.name][i] for i in next(streams[part.name])]
        yield partial(_step, model, part, groups)


def _step(model: Model, part: Part, groups: list[list[Feature]]) -> Step:
    """The mean over the step's examples, in micro-batches.

    Of tagging it is that over its tagged words, of a text-to-text model over the pieces that it has to write.
    """
    pieces = sum(row.length for group in groups for row in group)
    ids = [part.train[group[0].example].id for group in groups]
    losses: list[Callable[[], Tensor]]
    if part.settings.entry.type == "dual_encoder":  # each query against the answers of the whole batch
        losses = [partial(_ranking_loss, model, part, groups)]
    else:
        longest = [max(row.length for row in group) for group in groups]
        micro = batches.within(part.settings.batch_tokens, longest, [len(group) for group in groups])
        weight = _weight(part, groups)
        losses = [partial(_loss, model, part, [groups[i] for i in some], weight) for some in micro]
    return Step(losses, part.name, len(groups), pieces, ids)


def _weight(part: Part, groups: list[list[Feature]]) -> int:
    """What the sum of a step's losses is divided by."""
    if targets := [row.targets for group in groups for row in group if row.targets]:
        return sum(piece != IGNORED for row in targets for piece in row)
    if part.settings.entry.type != "tagging":
        return len(groups)
    gold = [row.gold for group in groups for row in group if isinstance(row.gold, list)]
    return max(1, sum(tag != IGNORED for tags in gold for tag in tags))


def _loss(model: Model, part: Part, groups: list[list[Feature]], weight: int) -> Tensor:
    """A micro-batch's summand of the step's loss."""
    rows = [row for group in groups for row in group]
    ids = [row.ids for row in rows]
    batch = batches.collate(ids, list(range(len(ids))), model.pieces.pad, model.encoder.device)
    if model.writes(part.name):
        return text_to_text.loss(model.transformer, batch, [row.targets for row in rows]) / weight
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
    return head.loss(logits, _gold(part, rows).to(hidden.device)) / weight


def _ranking_loss(model: Model, part: Part, groups: list[list[Feature]]) -> Tensor:
    head, pooling = model.heads[part.name], part.settings.embedding
    assert isinstance(head, RankingHead) and pooling is not None
    sides = []
    for ids in ([group[side].ids for group in groups] for side in (0, 1)):
        batch = batches.collate(ids, list(range(len(ids))), model.pieces.pad, model.encoder.device)
        sides.append(head(pool(model.encoder, batch, model.layers, pooling, model.pieces.special)))
    answers = _gold(part, [group[0] for group in groups]).to(sides[0].device)
    return head.loss(sides[0], sides[1], answers)


def _gold(part: Part, rows: Sequence[Feature]) -> Tensor:
    """Gold labels as the head's loss takes them."""
    if part.settings.entry.type == "tagging":
        return batches.pad([row.gold for row in rows if isinstance(row.gold, list)], IGNORED)
    return torch.tensor([row.gold for row in rows])


@dataclass
class _Selection:
    """Scores the English dev sets at intervals and remembers the best weights."""

    model: Model
    parts: Sequence[Part]
    selections: int
    total: int
    processes: Processes
    rows: list[dict[str, Any]] = field(default_factory=list)
    best: float = -1.0
    collapsed: list[str] = field(default_factory=list)
    weights: dict[str, Tensor] = field(default_factory=dict)
    losses: dict[str, list[float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.steps = {max(1, self.total * i // self.selections) for i in range(1, self.selections + 1)}

    def record(self, step: int, task: str, loss: float) -> None:
        """The loss of a step."""
        self.losses.setdefault(task, []).append(loss)

    def is_due(self, step: int) -> bool:
        """Whether the dev sets are scored after this step."""
        return step in self.steps

    def act(self, step: int) -> None:
        """Score them."""
        values, collapsed = [], []
        with self.processes.gathered_weights():
            predicted = [predict(self.model, part.name, part.dev, _decoding(part)) for part in self.parts]
        for part, found in zip(self.parts, predicted, strict=True):
            entry, losses = part.settings.entry, self.losses.get(part.name)
            metric, value = headline(entry.type, part.dev, found, metric=entry.metric)
            values.append(value)
            if is_collapsed(part.dev, found):
                collapsed.append(part.name)
            self.rows.append(
                {
                    "step": step,
                    "loss": float(np.mean(losses)) if losses else None,
                    "task": part.name,
                    "metric": metric,
                    "value": value,
                    "collapsed": part.name in collapsed,
                }
            )
        for task, losses in self.losses.items():  # masked LM, of which there is no dev set
            if task not in {part.name for part in self.parts}:
                self.rows.append({"step": step, "loss": float(np.mean(losses)), "task": task})
        self.model.train()
        self.losses.clear()
        mean = self.processes.agreed(float(np.mean(values)))
        if mean > self.best:
            self.best, self.collapsed = mean, collapsed
            tensors = tensors_of(self.model.modules())
            self.weights = {name: tensor.detach().clone() for name, tensor in tensors.items()}

    def state(self) -> State:
        """Log, losses of no row yet, and the best weights."""
        facts = {"rows": self.rows, "best": self.best, "collapsed": self.collapsed, "losses": self.losses}
        return State(self.weights, facts)

    def restore(self, state: State) -> None:
        """Take them back."""
        now = tensors_of(self.model.modules())
        self.weights = {name: part_like(tensor, now[name]) for name, tensor in state.tensors.items()}
        self.rows, self.best = state.facts["rows"], state.facts["best"]
        self.collapsed, self.losses = state.facts["collapsed"], state.facts["losses"]

    def restore_best(self) -> None:
        """Put the best weights into the model."""
        fill(self.model.modules(), self.weights)


def _decoding(part: Part) -> Decoding:
    """How the dev set is predicted."""
    settings, entry = part.settings, part.settings.entry
    return Decoding(
        part.lengths, settings.max_answer, DEV_BATCH_TOKENS, entry.unanswerable, settings.embedding
    )
