"""What a training costs: time, speed, memory and, where the device tells, energy."""

import resource
import time
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
        """Count on from what was spent before an interruption."""
        self._before = dict(spent)

    def summary(self) -> dict[str, Any]:
        """For the card: seconds, examples and pieces per second, peak memory in MiB, energy in kJ or None.

        Memory is the device's where that is a GPU, else the process's.
        """
        spent = self.spent()
        seconds = max(spent["seconds"], 1e-9)
        return {
            "training_seconds": round(seconds, 1),
            "examples_per_second": round(spent["examples"] / seconds, 1),
            "pieces_per_second": round(spent["pieces"] / seconds, 1),
            "peak_memory_mib": round(_peak_mebibytes(self.device)),
            "energy_kilojoules": None if self._energy_begun is None else round(spent["joules"] / 1000, 1),
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
        handle = pynvml.nvmlDeviceGetHandleByUUID(str(torch.cuda.get_device_properties(device).uuid))
        return float(pynvml.nvmlDeviceGetTotalEnergyConsumption(handle)) / 1000
    except pynvml.NVMLError:
        return None
