"""Phrases with their translations, for retrieval.

No phrase holds a digit, since digits are retrieved without any learning. The phrases come in groups that
share all items but one, so that it does not do to recognise a single item.
"""

import re
from collections.abc import Iterator
from dataclasses import replace

from xstilts.errors import ConfigError
from xstilts.micro.partition import identity, pool_of
from xstilts.micro.phrases import Phrase, Sampler, of_atom, write

FAMILIES = ("names", "mixed", "remark", "statement", "span")
GROUP = 4
_DIGIT = re.compile(r"\d")


def _replaced(phrase: Phrase, old: str, new: str) -> Phrase:
    if phrase.form == "atom":
        return of_atom(new) if phrase.atom == old else phrase
    return replace(phrase, parts=tuple(_replaced(part, old, new) for part in phrase.parts))


def _variant(phrase: Phrase, sampler: Sampler) -> Phrase | None:
    """The phrase with one item replaced by another of its kind, if that belongs to the pool too."""
    old = sampler.rng.choice(phrase.atoms())
    new = sampler.atom(old.partition(":")[0])
    changed = _replaced(phrase, old, new)
    atoms = changed.atoms()
    fits = len(set(map(identity, atoms))) == len(atoms) and pool_of(atoms) == "test"
    return changed if fits else None


def _phrases(sampler: Sampler) -> Iterator[Phrase]:
    while True:
        phrase = sampler.phrase(FAMILIES, "test")
        yield phrase
        drawn = (_variant(phrase, sampler) for _ in range(60))
        yield from [variant for variant in drawn if variant][: GROUP - 1]


def translations(sampler: Sampler, language: str, count: int) -> list[tuple[str, str]]:
    """`count` pairs of a phrase and its English translation, each of which occurs once.

    Raises:
        ConfigError: if there are fewer different phrases.
    """
    pairs: list[tuple[str, str]] = []
    seen: set[object] = set()
    for _, phrase in zip(range(100 * count), _phrases(sampler), strict=False):
        sides = write(phrase, language), write(phrase, "en")
        # the same items in another order or wording would be another right answer
        keys = {*sides, frozenset(map(identity, phrase.atoms()))}
        if keys & seen or any(map(_DIGIT.search, sides)):
            continue
        seen |= keys
        pairs.append(sides)
        if len(pairs) == count:
            return pairs
    raise ConfigError(
        f"CLDR gives only {len(pairs)} different phrases in '{language}', not {count}",
        where="data.micro.retrieval_phrases",
    )
