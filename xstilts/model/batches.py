"""Rows to batches: of similar length, so that little is spent on padding; the order follows the seed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

POOL = 32  # batches whose rows are sorted by length together


@dataclass(frozen=True)
class Batch:
    """Ids and attention mask, both (rows, length), and the indices of the rows."""

    rows: list[int]
    ids: Tensor
    mask: Tensor


Row = Sequence[int] | np.ndarray


def pad(rows: Sequence[Row], value: int) -> Tensor:
    """Rows of unequal length as one matrix (rows, longest)."""
    matrix = np.full((len(rows), max(map(len, rows))), value, dtype=np.int64)
    for i, row in enumerate(rows):
        matrix[i, : len(row)] = row
    return torch.from_numpy(matrix)


def collate(ids: Sequence[Row], rows: list[int], padding: int, device: torch.device) -> Batch:
    """The batch of some rows."""
    matrix = pad([ids[row] for row in rows], padding)
    lengths = torch.tensor([len(ids[row]) for row in rows])
    mask = torch.arange(matrix.shape[1])[None, :] < lengths[:, None]
    return Batch(rows, matrix.to(device), mask.long().to(device))


def shuffled(lengths: Sequence[int], size: int, generator: np.random.Generator) -> list[list[int]]:
    """One epoch: every row once, in batches of `size` rows of similar length, in random order."""
    order = generator.permutation(len(lengths))
    batches: list[list[int]] = []
    for begin in range(0, len(order), size * POOL):
        pool = sorted(order[begin : begin + size * POOL].tolist(), key=lambda row: lengths[row])
        batches += [pool[i : i + size] for i in range(0, len(pool), size)]
    return [batches[i] for i in generator.permutation(len(batches))]


def endless(lengths: Sequence[int], size: int, generator: np.random.Generator) -> Iterator[list[int]]:
    """Epoch after epoch."""
    while True:
        yield from shuffled(lengths, size, generator)


def by_tokens(lengths: Sequence[int], budget: int) -> Iterator[list[int]]:
    """Every row once, longest first, in batches of at most `budget` pieces, padding included."""
    order = sorted(range(len(lengths)), key=lambda row: (-lengths[row], row))
    begin = 0
    while begin < len(order):
        size = max(1, budget // max(1, lengths[order[begin]]))
        yield order[begin : begin + size]
        begin += size


def within(budget: int, lengths: Sequence[int], sizes: Sequence[int]) -> list[list[int]]:
    """Micro-batches: all groups of rows of one step, longest first, each within a budget of pieces.

    Args:
        budget: Most pieces of a micro-batch, padding included; a group that is larger has one of its own.
        lengths: Longest row of each group.
        sizes: Rows of each group.

    Returns:
        Indices of groups.
    """
    order = sorted(range(len(lengths)), key=lambda group: (-lengths[group], group))
    found: list[list[int]] = []
    rows = 0
    for group in order:
        if found and (rows + sizes[group]) * lengths[found[-1][0]] <= budget:
            found[-1].append(group)
            rows += sizes[group]
        else:
            found.append([group])
            rows = sizes[group]
    return found
