"""One head per task type, all on the encoder's last hidden state.

Every head maps hidden states of shape (batch, length, width) to logits; `loss` compares them with gold
labels. Which heads a checkpoint holds is written in its heads.json.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

IGNORED = -100  # a position without a gold label


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
        """Mean cross-entropy; gold: (batch,)."""
        return functional.cross_entropy(logits.float(), gold)


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
        """Mean cross-entropy over positions of start and end; gold: (batch, 2), logits masked at padding."""
        return functional.cross_entropy(logits.float(), gold)


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
        """Mean cross-entropy over positions with a gold tag, 0 without any; gold: (batch, length)."""
        total = functional.cross_entropy(
            logits.float().transpose(1, 2), gold, ignore_index=IGNORED, reduction="sum"
        )
        return total / (gold != IGNORED).sum().clamp(min=1)


Head = ClassificationHead | SpanHead | TaggingHead


def build(task_type: str, width: int, labels: int, dropout: float) -> Head:
    """A head with fresh weights for a task type of the registry."""
    heads: dict[str, Any] = {
        "classification": lambda: ClassificationHead(width, labels, dropout),
        "multiple_choice": lambda: ChoiceHead(width, dropout),
        "span": lambda: SpanHead(width),
        "tagging": lambda: TaggingHead(width, labels, dropout),
    }
    head: Head = heads[task_type]()
    for module in head.modules():
        if isinstance(module, nn.Linear):  # BERT's initialisation
            nn.init.normal_(module.weight, std=0.02)
            nn.init.zeros_(module.bias)
    return head
