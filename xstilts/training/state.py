"""Resumable training state on disk: the two latest states of one training, each whole or not there.

A state is one safetensors file whose header holds the facts that are no tensors. Its name is the number of
steps done and the SHA-256 of its bytes, given when all of them are on the disk: a file that was cut short by
a kill has no such name, and one that was altered belies it. Neither is ever loaded; the one before is.
"""

import hashlib
import json
import math
import os
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from xstilts.errors import TrainingError
from xstilts.model.processes import part_like

KEPT = 2
SUFFIX = ".safetensors"
PARTIAL = ".partial"
_FACTS = "facts"


@dataclass(frozen=True)
class State:
    """What a training is after some steps; `facts` are plain values, as JSON holds them."""

    tensors: dict[str, Tensor]
    facts: dict[str, Any]


class StateFolder:
    """Where one training keeps its states.

    Args:
        folder: A folder of its own.
        fingerprint: Of all that decides the training: settings, code, weights and data that go in. States of
            another one are never found, and go when this training is done.
        seconds: How much time may be lost: a state is due when so much has passed since the last one.
    """

    def __init__(self, folder: Path, fingerprint: str, seconds: float) -> None:
        self._all = folder
        self.folder = folder / fingerprint
        self._seconds = seconds
        self._last = time.monotonic()

    @property
    def is_due(self) -> bool:
        """Whether it is time for another state."""
        return time.monotonic() - self._last >= self._seconds

    def save(self, step: int, state: State) -> None:
        """Keep a state, and of those before it the latest.

        Raises:
            TrainingError: if it cannot be written (a full disk); what was kept stays.
        """
        partial = self.folder / f"{step:09d}{PARTIAL}"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            save_file(state.tensors, partial, metadata={_FACTS: json.dumps(state.facts)})
            digest = _flushed_digest(partial)
            partial.rename(self.folder / f"{step:09d}-{digest}{SUFFIX}")
            _flush(self.folder)
        except Exception as error:  # safetensors has an error of its own beside OSError
            partial.unlink(missing_ok=True)
            raise TrainingError(
                f"the state of the training cannot be written: {error}",
                where=str(self.folder),
                hint="is the disk full? The state before it is kept; run again",
            ) from error
        for old in list(self._newest_first())[KEPT:]:
            old.unlink()

    def reset_clock(self) -> None:
        """A state has just been kept."""
        self._last = time.monotonic()

    def latest(self) -> State | None:
        """The latest state that is whole; damaged ones are named on standard error and deleted."""
        for partial in self.folder.glob(f"*{PARTIAL}"):
            partial.unlink()
        for file in self._newest_first():
            if _digest(file) == file.stem.split("-")[1]:
                return _read(file)
            print(f"damaged state, not used: {file}", file=sys.stderr)
            file.unlink()
        return None

    def below(self, name: str) -> "StateFolder":
        """A folder of this one's training for other states, which nothing makes due."""
        return StateFolder(self.folder, name, math.inf)

    def forget(self) -> None:
        """Delete the states of this folder."""
        for file in self._newest_first():
            file.unlink()

    def clear(self) -> None:
        """Delete all states, also those of other fingerprints: the training is done."""
        shutil.rmtree(self._all, ignore_errors=True)

    def _newest_first(self) -> Iterator[Path]:
        yield from sorted(self.folder.glob(f"*-*{SUFFIX}"), reverse=True)


def tensors_of(modules: list[nn.Module]) -> dict[str, Tensor]:
    """Parameters and buffers of some modules, by their place and name; shared ones once."""
    return {
        f"{place}.{name}": tensor
        for place, module in enumerate(modules)
        for name, tensor in [*module.named_parameters(), *module.named_buffers()]
    }


def fill(modules: list[nn.Module], tensors: dict[str, Tensor]) -> None:
    """Copy what `tensors_of` gave back into the modules.

    Raises:
        KeyError: if a tensor is missing.
    """
    with torch.no_grad():
        for name, tensor in tensors_of(modules).items():
            tensor.copy_(part_like(tensors[name], tensor))


def _read(file: Path) -> State:
    with safe_open(file, framework="pt") as stored:
        facts = json.loads(stored.metadata()[_FACTS])
        return State({name: stored.get_tensor(name) for name in stored.keys()}, facts)  # noqa: SIM118


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _flushed_digest(file: Path) -> str:
    _flush(file)
    return _digest(file)


def _flush(path: Path) -> None:
    """Wait until the disk has a file, or the names in a folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
