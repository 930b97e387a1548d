"""Phrases with their English translations, for translation ranking: `phrase <TAB> English` per line."""

from collections.abc import Iterator

from xstilts.micro.cldr import selected_languages
from xstilts.micro.phrases import FAMILIES, Sampler, distinct, write
from xstilts.micro.settings import MicroSettings
from xstilts.micro.sizes import chance, lines_for


def splits(settings: MicroSettings) -> dict[str, tuple[str, ...]]:
    """The languages of each split: all but English."""
    return {"train": tuple(code for code in selected_languages(settings.languages) if code != "en")}


def _pairs(sampler: Sampler, language: str) -> Iterator[tuple[str, ...]]:
    while True:
        phrase = sampler.phrase(tuple(FAMILIES), "pairs")
        yield write(phrase, language), write(phrase, "en")


def build(settings: MicroSettings, split: str, language: str) -> tuple[str, ...]:
    """The file of one language."""
    sampler = Sampler(chance(settings, "pairs", split, language), ("en", language))
    pairs = distinct(_pairs(sampler, language), lines_for(language, settings.pair_lines, settings))
    return ("".join(f"{phrase}\t{english}\n" for phrase, english in pairs),)
