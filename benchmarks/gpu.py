"""Training of large models on a GPU: their share of the card's measured matrix rate."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from transformers import MT5Config

from benchmarks import training
from benchmarks.rounds import OURS
from benchmarks.training import DYNAMIC, Work
from xstilts.data.examples import PairExample
from xstilts.job_settings import Architecture, PartJob
from xstilts.model.checkpoint import Model, initialise, randomise

XLMR_LARGE = Architecture(layers=24, hidden=1024, heads=16, feed_forward=4096, positions=512, dropout=0.1)
LENGTHS = (128, 384)
NAMES = ("XLM-R Large", "mT5 Large")
MT5_PIECES = {"<s>": "<first>", "<mask>": "<second>"}  # an mT5 has neither


@dataclass(frozen=True)
class Large:
    """A model of random weights.

    Attributes:
        name: As the table has it.
        make: From a seed.
        operations: From the length of inputs, floating-point operations per piece, forward and backward.
    """

    name: str
    make: Callable[[int], Model]
    operations: Callable[[int], float]


def both(shape: Architecture, tokenizer: Path) -> list[Large]:
    """XLM-R of a shape, and the mT5 whose encoder has as many layers, of that width.

    Args:
        shape: Of the encoder; mT5 Large has XLM-R Large's but for its feed-forward layers of 2,816, gated.
        tokenizer: Folder of tokenizer.json, below which that of the mT5 is written.
    """
    folder = _mt5(shape, tokenizer)
    heads, gated = 4 * shape.hidden**2, 3 * shape.hidden * _gated(shape)
    return [
        Large(
            NAMES[0],
            partial(initialise, shape, tokenizer),
            partial(_operations, shape, heads + 2 * shape.hidden * shape.feed_forward),
        ),
        Large(NAMES[1], partial(randomise, folder), partial(_operations, shape, heads + gated)),
    ]


def compare(
    settings: PartJob,
    texts: Sequence[str],
    models: Sequence[Large],
    rounds: int,
    device: torch.device,
    size: int = 8192,
) -> Iterator[dict[str, Any]]:
    """Rows of the table, one comparison per model and length; every input is as long as that.

    Args:
        settings: Of a classification task.
        texts: What inputs are made of.
        models: What is trained.
        rounds: How often.
        device: Where.
        size: Of the square matrices whose product's rate is measured.
    """
    rate = matrix_rate(device, size)
    for large in models:
        for length in LENGTHS:
            train = [_filled(i, texts, length, settings.entry.labels) for i in range(settings.examples or 0)]
            own = settings.model_copy(update={"max_length": length})
            name = f"{large.name}, {length}"
            work = Work(name, large.make, own, 1e-5, train, train[:8], device, torch.bfloat16)
            for row in training.compare(work, rounds, (OURS, DYNAMIC)):
                done = large.operations(length) * length * row["items"]
                yield row | {"share": done / row["seconds"] / rate}


def _operations(shape: Architecture, weights: int, length: int) -> float:
    """Six per weight and piece, and twelve per layer, width and piece attended to (Chowdhery et al. 2022, B).

    Without embeddings, and of an mT5 without the few pieces that its decoder writes.
    """
    return shape.layers * (6.0 * weights + 12.0 * shape.hidden * length)


def _gated(shape: Architecture) -> int:
    """Width of mT5's feed-forward layers, as 2,816 is to 4,096."""
    return round(shape.feed_forward * 2816 / 4096)


def _mt5(shape: Architecture, tokenizer: Path) -> Path:
    """A folder with the configuration of an mT5, and the same tokenizer with an mT5's special pieces."""
    folder = tokenizer / "mt5"
    folder.mkdir(exist_ok=True)
    stored = json.loads((tokenizer / "tokenizer.json").read_text(encoding="utf-8"))
    for piece in stored["added_tokens"]:
        piece["content"] = MT5_PIECES.get(piece["content"], piece["content"])
    vocabulary = stored["model"]["vocab"]
    stored["model"]["vocab"] = {MT5_PIECES.get(piece, piece): i for piece, i in vocabulary.items()}
    (folder / "tokenizer.json").write_text(json.dumps(stored), encoding="utf-8")
    config = MT5Config(
        vocab_size=len(vocabulary),
        d_model=shape.hidden,
        d_kv=shape.hidden // shape.heads,
        d_ff=_gated(shape),
        num_layers=shape.layers,
        num_heads=shape.heads,
        dropout_rate=shape.dropout,
        pad_token_id=vocabulary["<pad>"],
        eos_token_id=vocabulary["</s>"],
        decoder_start_token_id=vocabulary["<pad>"],
    )
    config.save_pretrained(folder)
    return folder


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
