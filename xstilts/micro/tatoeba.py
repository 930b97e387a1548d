"""Retrieval test sets in Tatoeba's layout: line i of one file translates line i of the other."""

from xstilts.micro.cldr import selected_languages
from xstilts.micro.phrases import Sampler
from xstilts.micro.settings import MicroSettings
from xstilts.micro.sizes import chance
from xstilts.micro.translations import translations


def splits(settings: MicroSettings) -> dict[str, tuple[str, ...]]:
    """The languages of each split: all but English."""
    return {"test": tuple(code for code in selected_languages(settings.languages) if code != "en")}


def build(settings: MicroSettings, split: str, language: str) -> tuple[str, ...]:
    """The language's file and the English one, in this order.

    Raises:
        ConfigError: if there are fewer different phrases than `retrieval_phrases`.
    """
    sampler = Sampler(chance(settings, "tatoeba", split, language), ("en", language))
    pairs = translations(sampler, language, settings.retrieval_phrases)
    return "".join(f"{phrase}\n" for phrase, _ in pairs), "".join(f"{english}\n" for _, english in pairs)
