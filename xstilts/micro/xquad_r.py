"""Question answering retrieval in the place of LAReQA's XQuAD-R: the paragraphs and questions of XQuAD."""

from xstilts.micro import xquad
from xstilts.micro.answering import answering
from xstilts.micro.cldr import selected_languages
from xstilts.micro.settings import MicroSettings

LANGUAGES = ("ar", "de", "el", "en", "es", "hi", "ru", "th", "tr", "vi", "zh")


def splits(settings: MicroSettings) -> dict[str, tuple[str, ...]]:
    """The languages of each split."""
    return {"test": selected_languages(settings.languages, LANGUAGES)}


def build(settings: MicroSettings, split: str, language: str) -> tuple[str, ...]:
    """The file of one language."""
    return (answering(settings, "xquad", xquad.splits(settings)["test"], language, retrieval=True),)
