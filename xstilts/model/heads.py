"""One head per task type, all on the encoder's last hidden state.

Every head maps hidden states of shape (batch, length, width) to logits (a dual encoder's, pooled ones to
vectors); `loss` compares them with gold labels, as a sum, which a step divides by all that is in its
micro-batches. Which heads a checkpoint holds is written in its heads.json.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

IGNORED = -100  # a position without a gold label
SCALE = 100.0  # of cosines, at first (XTREME-R)


class ClassificationHead(nn.Module):
    """RoBERTa's classifier: dense, tanh and projection of the first piece. Logits: (batch, labels)."""

    def __init__(self, width: int, labels: int, dropout: float) -> None:
        super().__init__()
        self.dense = nn.Linear(width, width)
        self.out = nn.Linear(width, labels)
        self.dropout = nn.Dropout(dropout)

    def forward(self, hidden: Tensor) -> Tensor:
        """Logits of shape (batch, labels)."""
        pooled = self.dropout(torch.tanh(self.dense(self.dropout(hidden[:, 0]))))
        logits: Tensor = self.out(pooled)
        return logits

    def loss(self, logits: Tensor, gold: Tensor) -> Tensor:
        """Summed cross-entropy; gold: (batch,)."""
        return functional.cross_entropy(logits.float(), gold, reduction="sum")


class ChoiceHead(ClassificationHead):
    """Multiple choice: each (question, choice) pair gets one logit, and the choices compete."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__(width, 1, dropout)


class SpanHead(nn.Module):
    """Start and end of the answer. Logits: (batch, length, 2)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.out = nn.Linear(width, 2)

    def forward(self, hidden: Tensor) -> Tensor:
        """Logits of shape (batch, length, 2)."""
        logits: Tensor = self.out(hidden)
        return logits

    def loss(self, logits: Tensor, gold: Tensor) -> Tensor:
        """Sum over rows of the mean cross-entropy of start and end; gold: (batch, 2), padding is masked."""
        return functional.cross_entropy(logits.float(), gold, reduction="sum") / 2


class TaggingHead(nn.Module):
    """A tag for each position. Logits: (batch, length, labels)."""

    def __init__(self, width: int, labels: int, dropout: float) -> None:
        super().__init__()
        self.out = nn.Linear(width, labels)
        self.dropout = nn.Dropout(dropout)

    def forward(self, hidden: Tensor) -> Tensor:
        """Logits of shape (batch, length, labels)."""
        logits: Tensor = self.out(self.dropout(hidden))
        return logits

    def loss(self, logits: Tensor, gold: Tensor) -> Tensor:
        """Summed cross-entropy over positions with a gold tag; gold: (batch, length)."""
        return functional.cross_entropy(
            logits.float().transpose(1, 2), gold, ignore_index=IGNORED, reduction="sum"
        )


class RankingHead(nn.Module):
    """A dual encoder's: the vectors of queries and of candidates, whose cosines rank.

    As in XTREME-R's code for LAReQA and Mewsli-X: both sides share all; BERT's pooler (dense, tanh) and
    unit length; for each query a softmax over the batch's candidates of cosines times a trained scale.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.dense = nn.Linear(width, width)
        self.scale = nn.Parameter(torch.full((1,), SCALE))

    def forward(self, pooled: Tensor) -> Tensor:
        """Unit vectors (batch, width) of pooled hidden states (batch, width)."""
        return functional.normalize(torch.tanh(self.dense(pooled)).float(), dim=-1)

    def loss(self, queries: Tensor, candidates: Tensor, answers: Tensor) -> Tensor:
        """Mean loss of queries and candidates, (batch, width); equal candidates have equal `answers`."""
        return ranking_loss(cosines(queries, candidates) * self.scale, answers)


def cosines(first: Tensor, second: Tensor) -> Tensor:
    """Of unit vectors, (n, width) and (m, width): (n, m).

    In float32 also where other products are in bfloat16: its cosines near 1 are 1/256 apart, and a scale of
    100 or a temperature of 0.05 magnifies that.
    """
    with torch.autocast(first.device.type, enabled=False):
        return first.float() @ second.float().T


def ranking_loss(similarity: Tensor, answers: Tensor | None = None) -> Tensor:
    """Mean cross-entropy of each row's softmax; gold is the diagonal.

    Args:
        similarity: Logits of queries (rows) and their candidates (columns), (batch, batch).
        answers: A number for each candidate, (batch,); those of a row's own number are no negatives of it.
    """
    gold = torch.arange(len(similarity), device=similarity.device)
    if answers is not None:
        twins = (answers[:, None] == answers[None, :]) & (gold[:, None] != gold[None, :])
        similarity = similarity.masked_fill(twins, -torch.inf)
    return functional.cross_entropy(similarity.float(), gold)


Head = ClassificationHead | SpanHead | TaggingHead | RankingHead


def build(task_type: str, width: int, labels: int, dropout: float) -> Head:
    """A head with fresh weights for a task type of the registry."""
    heads: dict[str, Any] = {
        "classification": lambda: ClassificationHead(width, labels, dropout),
        "multiple_choice": lambda: ChoiceHead(width, dropout),
        "span": lambda: SpanHead(width),
        "tagging": lambda: TaggingHead(width, labels, dropout),
        "dual_encoder": lambda: RankingHead(width),
    }
    head: Head = heads[task_type]()
    for module in head.modules():
        if isinstance(module, nn.Linear):  # BERT's initialisation
            nn.init.normal_(module.weight, std=0.02)
            nn.init.zeros_(module.bias)
    return head
