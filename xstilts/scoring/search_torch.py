"""The search of xstilts.scoring.search on a device of torch: block by block, so that it fits into a GPU."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xstilts.scoring.search import SHIFT, Floats, Keys, Means


@torch.inference_mode()
def best_keys(
    queries: Floats, candidates: Floats, k: int, block: int, means: Means | None, device: str
) -> Keys:
    """Scores and indices of the k best candidates of each query, packed as in xstilts.scoring.search.

    Args:
        queries: Shape (n, d).
        candidates: Shape (m, d).
        k: How many to find, within 1 to m.
        block: How many queries, and how many candidates, are on the device at a time.
        means: If given, the margin ranks instead of the product.
        device: A device of torch.

    Returns:
        Ascending keys, shape (n, k).
    """
    best = np.empty((len(queries), k), dtype=np.int64)
    for start in range(0, len(queries), block):
        rows = slice(start, start + block)
        ours = None if means is None else _on(means.queries[rows], device)[:, None]
        best[rows] = _best(_on(queries[rows], device), candidates, k, block, ours, means).cpu().numpy()
    return best


def _best(
    queries: Tensor, candidates: Floats, k: int, block: int, ours: Tensor | None, means: Means | None
) -> Tensor:
    device = str(queries.device)
    best = torch.empty((len(queries), 0), dtype=torch.int64, device=device)
    for start in range(0, len(candidates), block):
        columns = slice(start, start + block)
        values = queries @ _on(candidates[columns], device).T
        if ours is not None and means is not None:
            middle = (ours + _on(means.candidates[columns], device)) / 2
            values = torch.where(middle > 0, values / middle, 0.0)
        keys = torch.cat([best, _keys(values.float(), start)], dim=1)
        best = keys.topk(k, dim=1, largest=False).values if keys.shape[1] > k else keys
    return best.sort(dim=1).values


def _on(vectors: NDArray[np.floating], device: str) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(vectors)).to(device).double()


def _keys(scores: Tensor, start: int) -> Tensor:
    bits = (scores + 0.0).view(torch.int32)
    rising = bits ^ ((bits >> 31) & 0x7FFFFFFF)
    index = torch.arange(start, start + scores.shape[1], device=scores.device)
    return (~rising).long() << SHIFT | index
