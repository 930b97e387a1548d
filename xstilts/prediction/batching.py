"""Rows of model input in batches, with progress."""

from collections.abc import Iterator, Sequence

from xstilts.model import batches
from xstilts.model.batches import Batch
from xstilts.model.checkpoint import Model
from xstilts.progress import Progress


def in_batches(
    model: Model,
    ids: Sequence[Sequence[int]],
    budget: int,
    label: str = "",
    costs: Sequence[int] | None = None,
) -> Iterator[Batch]:
    """All rows, longest first, on the model's device.

    Args:
        model: The model.
        ids: Pieces of each row.
        budget: Pieces per batch, padding included.
        label: What progress is shown under; empty for none.
        costs: What each row takes of the budget, where that is not just its pieces.
    """
    groups = list(batches.by_tokens(costs or [len(row) for row in ids], budget))
    progress = Progress(label, len(groups), "rows") if label else None
    for group in groups:
        yield batches.collate(ids, group, model.pieces.pad, model.encoder.device)
        if progress:
            progress.advance(len(group))
