"""English span questions in SQuAD v1.1's place."""

from xstilts.micro.facts import Facts, distinct_facts, squad
from xstilts.micro.phrases import Sampler
from xstilts.micro.settings import MicroSettings
from xstilts.micro.sizes import chance, english


def splits(_: MicroSettings) -> dict[str, tuple[str, ...]]:
    """The languages of each split."""
    return {"train": ("en",), "dev": ("en",)}


def questions(settings: MicroSettings, split: str) -> dict[str, Facts]:
    """The paragraphs of one split and what is asked, by ids."""
    sampler = Sampler(chance(settings, "squad1", split), ("en",))
    pool, count = english(settings, split)
    return distinct_facts(sampler, "en", count, pool, f"squad1-{split}")


def build(settings: MicroSettings, split: str, language: str) -> tuple[str, ...]:
    """The file of one split."""
    return (squad(questions(settings, split), language, f"squad1-{split}"),)
