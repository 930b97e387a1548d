"""Counts of examples as published, beside those found: a difference is said, and is no error."""

import sys
from functools import cache

from xstilts import registry
from xstilts.registry.hub import hub_datasets


def published(dataset: str, split: str, language: str, on_hub: bool = False) -> int | None:
    """How many examples the publisher counts in one language of a split (None: no figure is known).

    `on_hub`: of the hub's copy, which may be of another version.
    """
    figures: int | dict[str, int] | None = registry.datasets()[dataset].published.get(split)
    if on_hub and dataset in hub_datasets():
        figures = hub_datasets()[dataset].published.get(split, figures)
    return figures.get(language) if isinstance(figures, dict) else figures


def remark(
    dataset: str, split: str, language: str, found: int, dropped: int = 0, on_hub: bool = False
) -> str:
    """In words, how the number found differs from the published one, and how many rows are no examples.

    Empty if there is nothing to say.
    """
    expected = published(dataset, split, language, on_hub)
    words = []
    if expected not in (None, found):
        words.append(f"published are {expected}")
    if dropped:
        filtered = registry.datasets()[dataset].filtered
        words.append(f"rows left out: {dropped}" + (f" ({filtered})" if filtered else ""))
    return f"{dataset}/{split}, {language}: {found} examples; {'; '.join(words)}" if words else ""


@cache
def say(dataset: str, split: str, language: str, found: int, dropped: int, on_hub: bool) -> None:
    """Say that on stderr, once."""
    if words := remark(dataset, split, language, found, dropped, on_hub):
        print(words, file=sys.stderr)
