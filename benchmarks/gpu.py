"""Training of an XLM-R-Large-shaped encoder on a GPU: its share of the card's measured matrix rate."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from benchmarks import training
from benchmarks.rounds import OURS
from benchmarks.training import DYNAMIC, Work
from xstilts.data.examples import PairExample
from xstilts.job_settings import Architecture, PartJob

XLMR_LARGE = Architecture(
    layers=24, hidden=1024, heads=16, feed_forward=4096, positions=512, dropout=0.1
)  # the row of mT5-Large takes the shape of its encoder here
LENGTHS = (128, 384)


def compare(
    settings: PartJob,
    texts: Sequence[str],
    tokenizer: Path,
    architecture: Architecture,
    rounds: int,
    device: torch.device,
    size: int = 8192,
) -> Iterator[dict[str, Any]]:
    """Rows of the table, one comparison per length; every input is as long as that.

    Args:
        settings: Of a classification task.
        texts: What inputs are made of.
        tokenizer: Folder of tokenizer.json.
        architecture: Of the encoder.
        rounds: How often.
        device: Where.
        size: Of the square matrices whose product's rate is measured.
    """
    rate = matrix_rate(device, size)
    for length in LENGTHS:
        train = [_filled(i, texts, length, settings.entry.labels) for i in range(settings.examples or 0)]
        own = settings.model_copy(update={"max_length": length})
        work = Work(f"large-{length}", architecture, tokenizer, own, 1e-5, train, train[:8], device)
        work = replace(work, precision=torch.bfloat16)
        for row in training.compare(work, rounds, (OURS, DYNAMIC)):
            done = operations(architecture, length) * length * row["items"]
            yield row | {"share": done / row["seconds"] / rate}


def operations(shape: Architecture, length: int) -> float:
    """Floating-point operations per piece, forward and backward, without the embeddings.

    Six per weight and piece, and twelve per layer, width and piece attended to (Chowdhery et al. 2022, B).
    """
    weights = shape.layers * (4 * shape.hidden**2 + 2 * shape.hidden * shape.feed_forward)
    return 6.0 * weights + 12.0 * shape.layers * shape.hidden * length


def matrix_rate(device: torch.device, size: int) -> float:
    """Operations per second of products of square bfloat16 matrices, the best of several."""
    matrix = torch.randn(size, size, device=device, dtype=torch.bfloat16)
    best = 0.0
    for _ in range(5):
        _wait(device)
        begun = time.perf_counter()
        for _ in range(4):
            matrix @ matrix
        _wait(device)
        best = max(best, 4 * 2.0 * size**3 / (time.perf_counter() - begun))
    return best


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _filled(number: int, texts: Sequence[str], length: int, labels: Sequence[str]) -> PairExample:
    """An input that is cut to the length: of so many texts that they are longer."""
    some = [texts[(number * 7 + i) % len(texts)] for i in range(length)]
    return PairExample(str(number), "en", " ".join(some), some[0], labels[number % len(labels)])
