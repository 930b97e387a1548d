"""Comparisons side by side: in every round each side does the same work once, in turn."""

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

OURS = "xstilts"


@dataclass(frozen=True)
class Outcome:
    """What one side took for its work in one round.

    Attributes:
        seconds: Wall-clock time.
        items: Examples, texts or queries that it got through.
        loss: On the development set afterwards; None where nothing is trained.
        mebibytes: Peak memory; None where it is not measured.
        needed: MiB of inputs and outputs, where peak memory is compared with them.
        share: Of the device's measured matrix rate; None on a CPU.
    """

    seconds: float
    items: int
    loss: float | None = None
    mebibytes: float | None = None
    needed: float | None = None
    share: float | None = None


Side = Callable[[int], Outcome]


def alternate(comparison: str, sides: Mapping[str, Side], rounds: int) -> Iterator[dict[str, Any]]:
    """Rows of the table: one per round and side.

    Every other round goes through the sides backwards, so that what a machine does beside hits all alike.

    Args:
        comparison: Its name.
        sides: What is compared, by name; each gets the number of the round, its seed.
        rounds: How often.
    """
    for number in range(1, rounds + 1):
        names = list(sides) if number % 2 else list(sides)[::-1]
        for name in names:
            found = sides[name](number)
            print(f"{comparison}, round {number} of {rounds}, {name}: {found.seconds:.2f} s", file=sys.stderr)
            yield {"comparison": comparison, "side": name, "round": number, **asdict(found)}
