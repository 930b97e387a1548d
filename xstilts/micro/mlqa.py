"""Span questions in MLQA's place: its languages, in each of which context and question agree."""

from xstilts.micro.answering import answering
from xstilts.micro.cldr import selected_languages
from xstilts.micro.settings import MicroSettings

LANGUAGES = ("ar", "de", "en", "es", "hi", "vi", "zh")


def splits(settings: MicroSettings) -> dict[str, tuple[str, ...]]:
    """The languages of each split."""
    return dict.fromkeys(("dev", "test"), selected_languages(settings.languages, LANGUAGES))


def build(settings: MicroSettings, split: str, language: str) -> tuple[str, ...]:
    """The file of one language."""
    # MLQA-R is made of the development paragraphs
    paragraphs = "mlqa" if split == "dev" else f"mlqa_{split}"
    return (answering(settings, paragraphs, splits(settings)[split], language, retrieval=False),)
