"""Span questions in XQuAD's place: as there, every language has the same paragraphs and questions."""

from functools import lru_cache

from xstilts.micro.cldr import selected_languages
from xstilts.micro.facts import Facts, asked, document, draw
from xstilts.micro.phrases import Sampler
from xstilts.micro.settings import MicroSettings
from xstilts.micro.sizes import chance

LANGUAGES = ("ar", "de", "el", "en", "es", "hi", "ro", "ru", "th", "tr", "vi", "zh")


def splits(settings: MicroSettings) -> dict[str, tuple[str, ...]]:
    """The languages of each split."""
    return {"test": selected_languages(settings.languages, LANGUAGES)}


@lru_cache(maxsize=1)
def _examples(settings: MicroSettings, split: str) -> tuple[Facts, ...]:
    languages = splits(settings)[split]
    sampler = Sampler(chance(settings, "xquad", split), languages)
    found: dict[tuple[object, ...], Facts] = {}
    while len(found) < settings.evaluation_examples:
        facts = draw(sampler, languages, "test")
        found.setdefault(facts.told, facts)
    return tuple(found.values())


def build(settings: MicroSettings, split: str, language: str) -> tuple[str, ...]:
    """The file of one language; the ids are the same in all."""
    paragraphs = (
        {"context": facts.context(language), "qas": [asked(facts, language, f"xquad-{split}-{i}")]}
        for i, facts in enumerate(_examples(settings, split))
    )
    return (document(paragraphs, f"xquad-{split}"),)
