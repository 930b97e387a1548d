"""A division that depends on names alone: the same today and tomorrow, whatever else there is."""

import hashlib
from collections.abc import Sequence

from xstilts.data.examples import Example


def fraction(text: str) -> float:
    """A number in [0, 1) that depends on the text alone."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6], "big") / 2**48


def capped(examples: Sequence[Example], limit: int | None) -> list[Example]:
    """At most `limit` examples: those whose ids have the smallest hashes, in their old order (None: all).

    The language within an id does not count, so that of parallel data every language has the same items
    (as far as each has them: MLQA's languages do not share all questions).
    """
    if limit is None:
        return list(examples)
    chosen = {example.id for example in sorted(examples, key=_rank)[:limit]}
    return [example for example in examples if example.id in chosen]


def _rank(example: Example) -> tuple[float, str]:
    return fraction(example.id.replace(f"-{example.language}-", "-", 1)), example.id
