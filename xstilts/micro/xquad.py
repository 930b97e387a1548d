"""Span questions in XQuAD's place: as there, every language has the same paragraphs and questions."""

from xstilts.micro.answering import answering
from xstilts.micro.cldr import selected_languages
from xstilts.micro.settings import MicroSettings

LANGUAGES = ("ar", "de", "el", "en", "es", "hi", "ro", "ru", "th", "tr", "vi", "zh")


def splits(settings: MicroSettings) -> dict[str, tuple[str, ...]]:
    """The languages of each split."""
    return {"test": selected_languages(settings.languages, LANGUAGES)}


def build(settings: MicroSettings, split: str, language: str) -> tuple[str, ...]:
    """The file of one language."""
    return (answering(settings, "xquad", splits(settings)[split], language, retrieval=False),)
