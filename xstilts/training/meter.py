"""What a training costs: time, speed, memory and, where the device tells, energy."""

import resource
import time
from collections.abc import Sequence
from typing import Any

import torch

MEBIBYTE = 2**20


class Meter:
    """Counts from when it is made; `spent` of an interrupted training counts on.

    Args:
        device: Where the model runs.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.examples = self.pieces = 0
        self._before: dict[str, float] = {}
        self._begun = time.monotonic()
        self._energy_begun = _joules(device)
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)

    def add(self, examples: int, pieces: int) -> None:
        """One more step, of so many examples and pieces (without padding)."""
        self.examples += examples
        self.pieces += pieces

    def spent(self) -> dict[str, float]:
        """What has been spent so far, as `resume` takes it."""
        now = {
            "seconds": time.monotonic() - self._begun,
            "examples": self.examples,
            "pieces": self.pieces,
            "joules": (_joules(self.device) or 0.0) - (self._energy_begun or 0.0),
        }
        return {name: value + self._before.get(name, 0.0) for name, value in now.items()}

    def resume(self, spent: dict[str, float]) -> None:
        """Count on from what was spent up to the state that is gone back to."""
        self._before = dict(spent)
        self.examples = self.pieces = 0
        self._begun, self._energy_begun = time.monotonic(), _joules(self.device)

    def own(self) -> dict[str, float | None]:
        """What this process alone has taken: memory (MiB) and energy (joules, None where it is not told)."""
        joules = None if self._energy_begun is None else self.spent()["joules"]
        return {"mebibytes": _peak_mebibytes(self.device), "joules": joules}

    def summary(self, every: Sequence[dict[str, float | None]]) -> dict[str, Any]:
        """For the card: seconds, examples and pieces per second, peak memory in MiB, energy in kJ or None.

        Memory is the device's where that is a GPU, else the process's: of several, that of the largest.

        Args:
            every: What each process has of its own.
        """
        spent = self.spent()
        joules = [own["joules"] for own in every if own["joules"] is not None]
        seconds = max(spent["seconds"], 1e-9)
        return {
            "training_seconds": round(seconds, 1),
            "examples_per_second": round(spent["examples"] / seconds, 1),
            "pieces_per_second": round(spent["pieces"] / seconds, 1),
            "peak_memory_mib": round(max(own["mebibytes"] or 0.0 for own in every)),
            "energy_kilojoules": round(sum(joules) / 1000, 1) if joules else None,
        }


def _peak_mebibytes(device: torch.device) -> float:
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / MEBIBYTE
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _joules(device: torch.device) -> float | None:
    """The energy counter of a GPU, by NVIDIA's management library; None where there is none."""
    if device.type != "cuda":
        return None
    import pynvml

    try:
        pynvml.nvmlInit()
        uuid = str(torch.cuda.get_device_properties(device).uuid)  # without the prefix that NVML wants
        handle = pynvml.nvmlDeviceGetHandleByUUID(uuid if uuid.startswith("GPU-") else f"GPU-{uuid}")
        return float(pynvml.nvmlDeviceGetTotalEnergyConsumption(handle)) / 1000
    except pynvml.NVMLError:
        return None
