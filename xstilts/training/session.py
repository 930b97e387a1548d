"""One job that trains, from its options to its checkpoint: device, kept state, log and card."""

import hashlib
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from xstilts import card
from xstilts.model import checkpoint as checkpoints
from xstilts.model.checkpoint import Model
from xstilts.model.device import precision_of, prepare
from xstilts.model.processes import Processes
from xstilts.training import training_log
from xstilts.training.loop import Loop
from xstilts.training.place import Place
from xstilts.training.state import StateFolder


class Session:
    """Where a training runs, and all that decides it.

    Args:
        device: `auto`, `cpu` or `cuda`.
        threads: CPU threads.
        precision: `auto`, `float32` or `bfloat16`.
        is_sharded: Whether each of several processes keeps only its part of the weights.
        state: Folder for what is kept while it runs; None: an interrupted training begins anew.
        seconds: How much time may be lost.
        reads: Files and folders of data that are trained on.
        decided: What else decides the weights (settings, code, parent, seed, ...), ready for JSON.

    Raises:
        NoGpuError: if a GPU is asked for and there is none.
    """

    def __init__(
        self,
        device: str,
        threads: int,
        precision: str,
        is_sharded: bool,
        state: Path | None,
        seconds: float,
        reads: Sequence[Path],
        **decided: Any,
    ) -> None:
        self._begun = time.monotonic()
        self.device = prepare(device, threads)
        chosen, processes = precision_of(precision, self.device), Processes(self.device, is_sharded)
        self._decided = decided | {
            "device": _name(self.device),
            "threads": threads,
            "processes": processes.count,
            "sharded": is_sharded,
            "dtype": str(chosen).removeprefix("torch."),
        }
        states = StateFolder(state, self._fingerprint(reads), seconds) if state else None
        self.place, self._is_first = Place(chosen, states, processes), processes.is_first

    def _fingerprint(self, reads: Sequence[Path]) -> str:
        """Of everything that decides the weights: a state of anything else is not resumed."""
        decided = self._decided | {"data": [_digest(path) for path in reads], "torch": torch.__version__}
        return hashlib.sha256(json.dumps(decided, sort_keys=True).encode()).hexdigest()[:16]

    def finish(
        self, model: Model, output: Path, loop: Loop, rows: list[dict[str, Any]], **facts: Any
    ) -> None:
        """Write checkpoint, log and card; only then is the kept state deleted."""
        costs = loop.costs()
        checkpoints.save(model, output, self._is_first)
        if not self._is_first:
            return
        training_log.write(rows, output)
        card.write(
            output,
            self._begun,
            **self._decided,
            **facts,
            **costs,
            faults=loop.faults,
            parameters=model.parameters,
        )
        if self.place.states:
            self.place.states.clear()


def _name(device: torch.device) -> str:
    """`cpu`, or the name of the GPU."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


def _digest(path: Path) -> str:
    """SHA-256 of a file, or of the files of a folder with their names."""
    if path.is_file():
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    files = sorted(file for file in path.rglob("*") if file.is_file())
    named = [f"{file.relative_to(path).as_posix()} {_digest(file)}" for file in files]
    return hashlib.sha256("\n".join(named).encode()).hexdigest()
