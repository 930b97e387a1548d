"""One training in several processes on one machine, each with a GPU of its own (without GPUs: by gloo).

A step's micro-batches are dealt out, and gradients are added up, so that a step is the same sum however many
processes there are. Weights are whole in every process (torch's DistributedDataParallel) or, for a model that
one GPU does not hold, in parts (torch's `fully_shard`).
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor
from torch.nn.parallel import DistributedDataParallel

from xstilts import launch

Compute = Callable[[], Tensor]


class _Whole(nn.Module):
    """Several modules as one, whose forward pass is whatever is computed with them."""

    def __init__(self, modules: Sequence[nn.Module]) -> None:
        super().__init__()
        self.parts = nn.ModuleList(modules)

    def forward(self, compute: Compute) -> Tensor:
        return compute()


@dataclass
class Processes:
    """The processes of this job, as xstilts.launch has started them; one, where it has not.

    Args:
        device: Of this process.
        is_sharded: Whether each process keeps only its part of weights, gradients and optimiser.
    """

    device: torch.device
    is_sharded: bool = False
    rank: int = field(default_factory=lambda: int(os.environ.get("RANK", "0")))
    count: int = field(default_factory=lambda: int(os.environ.get("WORLD_SIZE", "1")))

    def __post_init__(self) -> None:
        if self.count > 1 and not distributed.is_initialized():
            launch.end_with_launcher()
            backend = "nccl" if self.device.type == "cuda" else "gloo"
            distributed.init_process_group(backend, rank=self.rank, world_size=self.count)

    @cached_property
    def _talk(self) -> distributed.ProcessGroup:
        """Where a few numbers are exchanged without waiting for a GPU."""
        group: distributed.ProcessGroup = distributed.new_group(backend="gloo")
        return group

    @property
    def is_first(self) -> bool:
        """Whether this process writes."""
        return self.rank == 0

    def prepare(self, modules: Sequence[nn.Module]) -> Callable[[Compute], Tensor]:
        """Make gradients of modules that of all processes; what calls a computation with them.

        Sharded, their parameters are torch's DTensors from now on.
        """
        if self.count == 1:
            return lambda compute: compute()
        if self.is_sharded:
            for layer in _layers(modules):
                fully_shard(layer)
            all_modules = _Whole(modules)  # its own group: embeddings and heads
            self._root = fully_shard(all_modules)
            return all_modules
        self._replica = DistributedDataParallel(_Whole(modules), find_unused_parameters=True)
        return self._replica

    def dealt(
        self, losses: Sequence[Compute]
    ) -> Iterator[tuple[Compute, float, AbstractContextManager[None]]]:
        """This process's part of a step's micro-batches.

        Yields:
            What to compute, by what to multiply it, and within what. Every process gets as many; one that
            has fewer computes another's for nothing, since all take part in each exchange.
        """
        turns = -(-len(losses) // self.count)
        for turn in range(turns):
            place = turn * self.count + self.rank
            weight = float(self.count) if place < len(losses) else 0.0
            yield losses[place % len(losses)], weight, self._exchanged(turn == turns - 1)

    def _exchanged(self, is_last: bool) -> AbstractContextManager[None]:
        """Gradients are exchanged once a step."""
        if self.count == 1:
            return nullcontext()
        if self.is_sharded:
            self._root.set_requires_gradient_sync(is_last)
            return nullcontext()
        held: AbstractContextManager[None] = nullcontext() if is_last else self._replica.no_sync()
        return held

    @contextmanager
    def gathered_weights(self) -> Iterator[None]:
        """Within it modules may be called by themselves, and not only as `prepare` says."""
        is_sharded = self.count > 1 and self.is_sharded
        if is_sharded:
            self._root.unshard()
        try:
            yield
        finally:
            if is_sharded:
                self._root.reshard()

    def added(self, value: Tensor) -> Tensor:
        """The sum over all processes of a scalar on the device."""
        if self.count > 1:
            distributed.all_reduce(value)
        return value

    def any(self, *questions: bool) -> list[bool]:
        """Of each question, whether any process says yes."""
        if self.count == 1:
            return list(questions)
        answers = torch.tensor([int(value) for value in questions])
        distributed.all_reduce(answers, distributed.ReduceOp.MAX, group=self._talk)
        return [bool(value) for value in answers.tolist()]

    def agreed(self, value: float) -> float:
        """The first process's value, so that all decide alike."""
        return float(self.gathered(value)[0])

    def gathered(self, value: Any) -> list[Any]:
        """What every process has, by rank."""
        if self.count == 1:
            return [value]
        found: list[Any] = [None] * self.count
        distributed.all_gather_object(found, value, group=self._talk)
        return found

    def wait(self) -> None:
        """Until all processes are here."""
        if self.count > 1:
            distributed.barrier(group=self._talk)


def whole(tensor: Tensor) -> Tensor:
    """A tensor of a sharded module with the parts of all processes; all have to ask."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def written(tensors: Mapping[str, Tensor], is_writer: bool) -> dict[str, Tensor]:
    """Whole tensors on the CPU for the process that writes them, nothing for the others; all have to ask.

    One at a time, so that no GPU ever holds the whole of a sharded model. What is shared stays shared.
    """
    found: dict[int, Tensor] = {}
    for tensor in tensors.values():
        if id(tensor) not in found:
            complete = whole(tensor.detach())
            found[id(tensor)] = complete.cpu().contiguous() if is_writer else torch.empty(0)
    return {name: found[id(tensor)] for name, tensor in tensors.items()} if is_writer else {}


def whole_state(module: nn.Module, is_writer: bool) -> dict[str, Tensor]:
    """A module's state dict as `written` gives it."""
    return written(module.state_dict(keep_vars=True), is_writer)


def part_like(tensor: Tensor, model: Tensor) -> Tensor:
    """This process's part of a whole tensor, on the device and sharded as `model` is."""
    if isinstance(model, DTensor):
        there = tensor.to(model.device)
        return distribute_tensor(there, model.device_mesh, model.placements)
    return tensor.to(model.device)


def parts_like(tensors: Mapping[str, Tensor], model: Tensor) -> dict[str, Tensor]:
    """The same for what an optimiser keeps of one parameter; single numbers stay as they are."""
    return {name: part_like(value, model) if value.ndim else value for name, value in tensors.items()}


def _layers(modules: Iterable[nn.Module]) -> Iterator[nn.Module]:
    """The layers of an encoder or decoder: the members of lists, not of lists within them."""
    for module in modules:
        yield from module if isinstance(module, nn.ModuleList) else _layers(module.children())
