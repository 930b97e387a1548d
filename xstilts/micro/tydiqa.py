"""Span questions in TyDiQA-GoldP's place: evaluation in every language, training in a few."""

from xstilts.micro.cldr import selected_languages
from xstilts.micro.facts import squad
from xstilts.micro.phrases import Sampler
from xstilts.micro.settings import MicroSettings
from xstilts.micro.sizes import chance


def splits(settings: MicroSettings) -> dict[str, tuple[str, ...]]:
    """The languages of each split."""
    chosen = selected_languages(settings.languages)
    train = tuple(code for code in chosen if code in settings.tydiqa_train_languages)
    return {"train": train, "dev": chosen}


def build(settings: MicroSettings, split: str, language: str) -> tuple[str, ...]:
    """The file of one split and language."""
    sampler = Sampler(chance(settings, "tydiqa", split, language), (language,))
    if split == "train":
        return (squad(sampler, language, settings.tydiqa_train_examples, "train", "tydiqa-train"),)
    return (squad(sampler, language, settings.evaluation_examples, "test", "tydiqa-dev"),)
