"""Rows to batches."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from xstilts.model import batches

lengths = st.lists(st.integers(1, 50), min_size=1, max_size=300)


@given(lengths, st.integers(1, 9), st.integers(0, 5))
def test_an_epoch_has_every_row_once(sizes: list[int], size: int, seed: int) -> None:
    epoch = batches.shuffled(sizes, size, np.random.default_rng(seed))
    assert sorted(row for batch in epoch for row in batch) == list(range(len(sizes)))
    assert all(0 < len(batch) <= size for batch in epoch)
    assert epoch == batches.shuffled(sizes, size, np.random.default_rng(seed))


@given(lengths, st.integers(1, 200))
def test_batches_keep_to_the_budget(sizes: list[int], budget: int) -> None:
    groups = list(batches.by_tokens(sizes, budget))
    assert sorted(row for group in groups for row in group) == list(range(len(sizes)))
    for group in groups:
        assert len(group) == 1 or len(group) * max(sizes[row] for row in group) <= budget


def test_an_epoch_follows_another() -> None:
    stream = batches.endless([1, 2, 3], 2, np.random.default_rng(0))
    drawn = [row for _ in range(4) for row in next(stream)]
    assert sorted(drawn[:3]) == sorted(drawn[3:]) == [0, 1, 2]


@given(st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=6), min_size=1, max_size=5))
def test_collate_pads_and_masks(ids: list[list[int]]) -> None:
    rows = list(range(len(ids)))[::-1]
    batch = batches.collate(ids, rows, 7, torch.device("cpu"))
    for i, row in enumerate(rows):
        kept = batch.mask[i].bool()
        assert batch.ids[i][kept].tolist() == ids[row]
        assert batch.mask[i].sum() == len(ids[row])
        assert set(batch.ids[i][~kept].tolist()) <= {7}


def test_rows_of_a_batch_are_of_similar_length() -> None:
    sizes = np.random.default_rng(0).integers(1, 100, 960).tolist()
    epoch = batches.shuffled(sizes, 30, np.random.default_rng(0))
    spread = [max(sizes[i] for i in batch) - min(sizes[i] for i in batch) for batch in epoch]
    assert max(spread) < 20
