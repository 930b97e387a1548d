"""Where a model runs, and what makes a run repeatable there."""

import hashlib
import os
from collections.abc import Mapping

import torch
from torch import Tensor

from xstilts import gpus
from xstilts.errors import NoGpuError


def prepare(device: str, threads: int) -> torch.device:
    """The device that the run asks for, set up so that the same job gives the same bytes.

    A GPU is one that no other job of this machine has; of several processes each has its own.

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
    place = os.environ.get("LOCAL_RANK")
    if device != "cpu" and place is None:  # else xstilts.launch has taken them
        gpus.take(1)
    if device == "cuda" and not torch.cuda.is_available():
        raise NoGpuError
    if device == "cpu" or not torch.cuda.is_available():
        return torch.device("cpu")
    torch.cuda.set_device(int(place or 0))
    return torch.device("cuda", int(place or 0))


def precision_of(precision: str, device: torch.device) -> torch.dtype:
    """What matrix products of training are made in: `auto` is bfloat16 where a GPU has it, else float32."""
    if precision == "auto":
        has_it = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
        return torch.bfloat16 if has_it else torch.float32
    return torch.bfloat16 if precision == "bfloat16" else torch.float32


def seed_of(seed: int, *names: str) -> int:
    """A 63-bit seed from the run's seed and what it is for, so that runs of one seed are paired."""
    digest = hashlib.sha256("/".join((str(seed), *names)).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def random_states(device: torch.device) -> dict[str, Tensor]:
    """The states of torch's random generators that a job on this device draws from."""
    states = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        states["cuda"] = torch.cuda.get_rng_state(device)
    return states


def restore_random_states(device: torch.device, states: Mapping[str, Tensor]) -> None:
    """Set the generators to what `random_states` gave."""
    torch.set_rng_state(states["cpu"])
    if device.type == "cuda":
        torch.cuda.set_rng_state(states["cuda"], device)
