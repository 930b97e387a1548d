"""Where a training runs."""

from dataclasses import dataclass

import torch

from xstilts.model.processes import Processes
from xstilts.training.state import StateFolder


@dataclass(frozen=True)
class Place:
    """What a training is given beside its settings.

    Attributes:
        precision: Of matrix products (torch's autocast); weights and sums are float32.
        states: Where it is kept, to go on after an interruption; None: it would begin anew.
        processes: Which share the work; None: this one alone.
    """

    precision: torch.dtype = torch.float32
    states: StateFolder | None = None
    processes: Processes | None = None


HERE = Place()
