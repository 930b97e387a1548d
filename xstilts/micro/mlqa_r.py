"""Question answering retrieval in the place of LAReQA's MLQA-R: the paragraphs and questions of MLQA."""

from xstilts.micro import mlqa
from xstilts.micro.answering import answering
from xstilts.micro.cldr import selected_languages
from xstilts.micro.settings import MicroSettings

LANGUAGES = mlqa.LANGUAGES


def splits(settings: MicroSettings) -> dict[str, tuple[str, ...]]:
    """The languages of each split."""
    return {"test": selected_languages(settings.languages, LANGUAGES)}


def build(settings: MicroSettings, split: str, language: str) -> tuple[str, ...]:
    """The file of one language."""
    return (answering(settings, "mlqa", mlqa.splits(settings)["dev"], language, retrieval=True),)
