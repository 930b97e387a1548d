"""Rankings as TREC run files, which trec_eval and its kin read: `query Q0 candidate rank score tag`.

Ranks count from 1. Scores are float32 with as many digits as bring them back.
"""

import math
import struct
from collections.abc import Mapping, Sequence

from xstilts.errors import PredictionError

TAG = "xstilts"
COLUMNS = 6

Run = dict[str, list[tuple[str, float]]]


def write(run: Mapping[str, Sequence[tuple[str, float]]]) -> str:
    """A run file.

    Args:
        run: By query, (candidate, score) pairs, best first. A query without candidates leaves no line.

    Raises:
        PredictionError: if the format cannot hold an id, or a score rises or is no number.
    """
    lines = []
    for query, ranking in run.items():
        _check_id(query)
        before = math.inf
        for rank, (candidate, score) in enumerate(ranking, 1):
            _check_id(candidate)
            if not (math.isfinite(score) and score <= before):
                raise PredictionError(f"the score {score} cannot follow {before}", where=f"query {query}")
            before = score
            lines.append(f"{query} Q0 {candidate} {rank} {score:.9g} {TAG}\n")
    return "".join(lines)


def _check_id(name: str) -> None:
    if not name or any(character.isspace() for character in name):
        raise PredictionError(f"{name!r} cannot be an id in a run file, which is divided by white space")


def read(text: str) -> Run:
    """Read what `write` wrote.

    Raises:
        PredictionError: naming the line, if it is malformed, its rank is not the next of its query, its
            score is higher than the one before, or its candidate is there already.
    """
    run: Run = {}
    known: set[tuple[str, str]] = set()
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        query, candidate, rank, score = _fields(line, number)
        ranking = run.setdefault(query, [])
        if rank != len(ranking) + 1:
            raise _fault(number, f"rank {rank} of {query} comes after {len(ranking)}")
        if ranking and not score <= ranking[-1][1]:
            raise _fault(number, f"the score of {query} rises")
        if (query, candidate) in known:
            raise _fault(number, f"{candidate} is ranked twice for {query}")
        known.add((query, candidate))
        ranking.append((candidate, score))
    return run


def _fields(line: str, number: int) -> tuple[str, str, int, float]:
    parts = line.split()
    if len(parts) != COLUMNS:
        raise _fault(number, f"{len(parts)} fields instead of {COLUMNS}")
    try:
        rank, score = int(parts[3]), _single(float(parts[4]))
    except (ValueError, OverflowError) as error:
        raise _fault(number, "the rank or the score is no number") from error
    if not math.isfinite(score):
        raise _fault(number, f"the score {score} is not finite")
    return parts[0], parts[2], rank, score


def _single(value: float) -> float:
    """`value` as float32 holds it."""
    single: float = struct.unpack("<f", struct.pack("<f", value))[0]
    return single


def _fault(number: int, what: str) -> PredictionError:
    return PredictionError(what, where=f"line {number}", hint="predict this language again")
