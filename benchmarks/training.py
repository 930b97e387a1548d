"""Training against transformers.Trainer: same weights, examples, optimiser, schedule and batch size."""

import math
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from transformers import DataCollatorForSeq2Seq, DataCollatorWithPadding, Trainer, TrainingArguments

from benchmarks.rounds import OURS, Outcome, Side, alternate
from benchmarks.tokens import hub_tokenizer
from xstilts.data.examples import Example
from xstilts.job_settings import PartJob, StageJob
from xstilts.model import batches, features
from xstilts.model.checkpoint import Model
from xstilts.model.device import seed_of
from xstilts.model.heads import IGNORED, ClassificationHead, SpanHead
from xstilts.prediction.predict import rows_of
from xstilts.training.place import Place
from xstilts.training.stage import MASKED, Part, train_stage

DYNAMIC, PADDED = "Trainer, dynamic padding", "Trainer, maximal length"
WARMUP, CLIP, EPSILON = 0.1, 1.0, 1e-6
DEV_TOKENS = 4096


@dataclass(frozen=True)
class Work:
    """What is trained, the same for all sides.

    Attributes:
        name: Of the comparison.
        make: The model that training begins with, from a seed.
        settings: The task's own.
        learning_rate: Peak.
        train: Examples to train on.
        dev: Examples that the loss is measured on afterwards.
        device: Where.
        precision: Of matrix products.
    """

    name: str
    make: Callable[[int], Model]
    settings: PartJob
    learning_rate: float
    train: Sequence[Example]
    dev: Sequence[Example]
    device: torch.device
    precision: torch.dtype = torch.float32

    def model(self, seed: int) -> Model:
        """A fresh model without heads."""
        made = self.make(seed)
        made.heads.clear()
        made.head_entries.clear()
        return made.to(self.device)

    def rows(self, model: Model, examples: Sequence[Example]) -> list[features.Feature]:
        """Model input."""
        return rows_of(model, self.name, examples, Part(self.name, self.settings, examples, examples).lengths)


def compare(
    work: Work, rounds: int, sides: Sequence[str] = (OURS, DYNAMIC, PADDED)
) -> Iterator[dict[str, Any]]:
    """Rows of the table."""
    every: Mapping[str, Side] = {
        OURS: partial(_ours, work),
        DYNAMIC: partial(_by_trainer, work, True),
        PADDED: partial(_by_trainer, work, "max_length"),
    }
    return alternate(work.name, {name: every[name] for name in sides}, rounds)


def with_loss(model: Model, name: str) -> nn.Module:
    """A model as Trainer wants it: the mean loss of a batch; an mT5 is so by itself."""
    return model.transformer if model.writes(name) else WithLoss(model, name)


class WithLoss(nn.Module):
    """Encoder and head as one."""

    def __init__(self, model: Model, name: str) -> None:
        super().__init__()
        head = model.heads[name]
        assert isinstance(head, ClassificationHead | SpanHead)
        self.encoder, self.head = model.encoder, head

    def forward(self, input_ids: Tensor, attention_mask: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """`loss`; labels are (batch,), or (batch, 2) of spans."""
        hidden = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        logits: Tensor = self.head(hidden)
        if isinstance(self.head, SpanHead):
            logits = logits.masked_fill(attention_mask[..., None] == 0, MASKED)
        return {"loss": self.head.loss(logits, labels) / len(labels)}


def _ours(work: Work, seed: int) -> Outcome:
    model = work.model(seed)
    part = Part(work.name, work.settings, work.train, work.dev[:1])  # early selection costs next to nothing
    shared = StageJob(
        learning_rate=work.learning_rate,
        warmup=WARMUP,
        weight_decay=0.0,
        clip=CLIP,
        selections=1,
        parts={work.name: work.settings},
    )
    trained = train_stage(model, [part], shared, seed, work.name, place=Place(work.precision))
    seconds = trained.loop.meter.spent()["seconds"]
    return _outcome(work, model, seconds)


def _by_trainer(work: Work, padding: bool | str, seed: int) -> Outcome:
    model = work.model(seed)
    torch.manual_seed(seed_of(seed, work.name))
    model.add_head(work.name, work.settings.entry.type, work.settings.entry.labels)
    rows = [
        {"input_ids": row.ids, "attention_mask": [1] * len(row.ids), "labels": row.targets or row.gold}
        for row in work.rows(model, work.train)
    ]
    longest = work.settings.max_length
    collate = DataCollatorForSeq2Seq if model.writes(work.name) else DataCollatorWithPadding
    collator = collate(hub_tokenizer(model.pieces, longest), padding=padding, max_length=longest)
    steps = max(1, round(work.settings.epochs * len(rows) / work.settings.batch_size))
    if work.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            folder,
            per_device_train_batch_size=work.settings.batch_size,
            max_steps=steps,
            learning_rate=work.learning_rate,
            warmup_steps=max(1, round(WARMUP * steps)),
            max_grad_norm=CLIP,
            weight_decay=0.0,
            adam_epsilon=EPSILON,
            bf16=work.precision == torch.bfloat16,
            use_cpu=work.device.type == "cpu",
            seed=seed,
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
        )
        trained = with_loss(model, work.name).to(work.device)
        trainer = Trainer(trained, arguments, collator, train_dataset=rows)
        begun = time.perf_counter()
        trainer.train()
        seconds = time.perf_counter() - begun
    return _outcome(work, model, seconds)


def _outcome(work: Work, model: Model, seconds: float) -> Outcome:
    memory = torch.cuda.max_memory_allocated() / 2**20 if work.device.type == "cuda" else None
    items = round(work.settings.epochs * len(work.train))
    return Outcome(seconds, items, dev_loss(work, model), memory)


@torch.inference_mode()
def dev_loss(work: Work, model: Model) -> float:
    """Mean loss of the development rows."""
    model.train(False)
    rows = work.rows(model, work.dev)
    measured, total = with_loss(model, work.name), []
    for group in batches.by_tokens([len(row.ids) for row in rows], DEV_TOKENS):
        batch = batches.collate([row.ids for row in rows], group, model.pieces.pad, work.device)
        targets = [rows[i].targets for i in group]
        gold = batches.pad(targets, IGNORED) if targets[0] else torch.tensor([rows[i].gold for i in group])
        found = measured(batch.ids, batch.mask, labels=gold.to(work.device))
        total.append(float(found["loss"]) * len(group))
    return math.fsum(total) / len(rows)
