"""Span questions in MLQA's place: evaluation in its languages, where context and question agree."""

from xstilts.micro.cldr import selected_languages
from xstilts.micro.facts import squad
from xstilts.micro.phrases import Sampler
from xstilts.micro.settings import MicroSettings
from xstilts.micro.sizes import chance

LANGUAGES = ("ar", "de", "en", "es", "hi", "vi", "zh")


def splits(settings: MicroSettings) -> dict[str, tuple[str, ...]]:
    """The languages of each split."""
    return dict.fromkeys(("dev", "test"), selected_languages(settings.languages, LANGUAGES))


def build(settings: MicroSettings, split: str, language: str) -> tuple[str, ...]:
    """The file of one language."""
    sampler = Sampler(chance(settings, "mlqa", split, language), (language,))
    return (squad(sampler, language, settings.evaluation_examples, "test", f"mlqa-{split}"),)
