"""Exact search against faiss's flat index, each in a process of its own, whose peak memory is measured.

python -m benchmarks.search SIDE ...    is that process; it prints its outcome as JSON
"""

import json
import math
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import faiss
import numpy as np
import torch
from typer import Argument

from benchmarks.rounds import OURS, Outcome, alternate
from xstilts.command_line import run
from xstilts.scoring.search import Floats, Indices, top_k

FAISS = "faiss IndexFlatIP"
NAME = "search"


@dataclass(frozen=True)
class SearchSizes:
    """Numbers of queries and candidates, their width, and how many are found for each query."""

    queries: int
    candidates: int
    width: int
    k: int

    @property
    def mebibytes(self) -> float:
        """Of inputs (float32) and outputs (an index and a score)."""
        return (4 * self.width * (self.queries + self.candidates) + 12 * self.k * self.queries) / 2**20


def compare(sizes: SearchSizes, rounds: int) -> Iterator[dict[str, Any]]:
    """Rows of the table."""
    return alternate(NAME, {side: partial(_in_process, side, sizes) for side in (OURS, FAISS)}, rounds)


def _in_process(side: str, sizes: SearchSizes, seed: int) -> Outcome:
    numbers = [str(value) for value in (*asdict(sizes).values(), seed)]
    command = [sys.executable, "-m", "benchmarks.search", side, *numbers]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return replace(Outcome(**json.loads(done.stdout)), needed=sizes.mebibytes)


def main(
    side: Annotated[str, Argument(help=f"'{OURS}' or '{FAISS}'")],
    queries: Annotated[int, Argument(help="number of queries")],
    candidates: Annotated[int, Argument(help="number of candidates")],
    width: Annotated[int, Argument(help="of the vectors")],
    k: Annotated[int, Argument(help="how many are found for each query")],
    seed: Annotated[int, Argument(help="of the vectors")],
) -> None:
    """Search once, and print time and peak memory."""
    torch.set_num_threads(faiss.omp_get_max_threads())  # torch is loaded, as it is in the jobs that search
    before = _resident("VmRSS")
    generator = np.random.default_rng(seed)
    asked, pool = _unit_rows(generator, queries, width), _unit_rows(generator, candidates, width)
    search: Callable[[Floats, Floats, int], tuple[Indices, Floats]] = top_k if side == OURS else _by_faiss
    begun = time.perf_counter()
    search(asked, pool, k)
    seconds = time.perf_counter() - begun
    print(json.dumps(asdict(Outcome(seconds, queries, mebibytes=_resident("VmHWM") - before))))


def _resident(name: str) -> float:
    """MiB of this program, now (VmRSS) or at most (VmHWM); getrusage counts what it was forked from."""
    status = Path("/proc/self/status")
    found = re.search(rf"{name}:\s+(\d+) kB", status.read_text()) if status.exists() else None
    return int(found[1]) / 1024 if found else math.nan


def _unit_rows(generator: np.random.Generator, rows: int, width: int) -> Floats:
    """Made in place, so that the process's peak is the search's."""
    vectors = np.empty((rows, width), dtype=np.float32)
    generator.standard_normal(out=vectors, dtype=np.float32)
    for vector in vectors:
        vector /= np.linalg.norm(vector)
    return vectors


def _by_faiss(queries: Floats, candidates: Floats, k: int) -> tuple[Indices, Floats]:
    index = faiss.IndexFlatIP(candidates.shape[1])
    index.add(candidates)
    scores, indices = index.search(queries, k)
    return indices, scores


if __name__ == "__main__":
    run(main)
