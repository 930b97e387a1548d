"""Span questions in TyDiQA-GoldP's place: evaluation in every language, training in a few."""

from xstilts.micro.cldr import selected_languages
from xstilts.micro.facts import distinct_facts, squad
from xstilts.micro.partition import Pool
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
    pool: Pool = "train" if split == "train" else "test"
    count = settings.tydiqa_train_examples if split == "train" else settings.evaluation_examples
    title = f"tydiqa-{split}"
    return (squad(distinct_facts(sampler, language, count, pool, title), language, title),)
