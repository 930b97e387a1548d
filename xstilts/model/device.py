"""Where a model runs, and what makes a run repeatable there."""

import hashlib
import os

import torch

from xstilts.errors import NoGpuError


def prepare(device: str, threads: int) -> torch.device:
    """The device that the run asks for, set up so that the same job gives the same bytes.

    Args:
        device: `auto`, `cpu` or `cuda`.
        threads: CPU threads; their number changes the order of sums, and so the weights.

    Raises:
        NoGpuError: if a GPU is asked for and there is none.
    """
    os.environ["RAYON_NUM_THREADS"] = str(threads)  # the tokenizer's
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # without it cuBLAS is not deterministic
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True, warn_only=True)
    if device == "cuda" and not torch.cuda.is_available():
        raise NoGpuError
    chosen = "cuda" if device != "cpu" and torch.cuda.is_available() else "cpu"
    return torch.device(chosen)


def seed_of(seed: int, *names: str) -> int:
    """A 63-bit seed from the run's seed and what it is for, so that runs of one seed are paired."""
    digest = hashlib.sha256("/".join((str(seed), *names)).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1
