"""Retrieval test sets in Tatoeba's layout: line i of one file translates line i of the other.

No phrase holds a digit, since digits are retrieved without any learning. The phrases come in groups that
share all items but one, so that it does not do to recognise a single item.
"""

import re
from collections.abc import Iterator
from dataclasses import replace

from xstilts.errors import ConfigError
from xstilts.micro.cldr import selected_languages
from xstilts.micro.partition import identity, pool_of
from xstilts.micro.phrases import Phrase, Sampler, of_atom, write
from xstilts.micro.settings import MicroSettings
from xstilts.micro.sizes import chance

FAMILIES = ("names", "mixed", "remark", "statement", "span")
GROUP = 4
_DIGIT = re.compile(r"\d")


def splits(settings: MicroSettings) -> dict[str, tuple[str, ...]]:
    """The languages of each split: all but English."""
    return {"test": tuple(code for code in selected_languages(settings.languages) if code != "en")}


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


def build(settings: MicroSettings, split: str, language: str) -> tuple[str, ...]:
    """The language's file and the English one, in this order.

    Raises:
        ConfigError: if there are fewer different phrases than `retrieval_phrases`.
    """
    sampler = Sampler(chance(settings, "tatoeba", split, language), ("en", language))
    texts: list[str] = []
    english: list[str] = []
    seen: set[object] = set()
    for _, phrase in zip(range(100 * settings.retrieval_phrases), _phrases(sampler), strict=False):
        sides = write(phrase, language), write(phrase, "en")
        # the same items in another order or wording would be another right answer
        keys = {*sides, frozenset(map(identity, phrase.atoms()))}
        if keys & seen or any(map(_DIGIT.search, sides)):
            continue
        seen |= keys
        texts.append(sides[0])
        english.append(sides[1])
        if len(texts) == settings.retrieval_phrases:
            return "".join(f"{line}\n" for line in texts), "".join(f"{line}\n" for line in english)
    raise ConfigError(
        f"CLDR gives only {len(texts)} different phrases in '{language}'",
        where="data.micro.retrieval_phrases",
    )
