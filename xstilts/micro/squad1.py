"""English span questions in SQuAD v1.1's place."""

from xstilts.micro.facts import squad
from xstilts.micro.phrases import Sampler
from xstilts.micro.settings import MicroSettings
from xstilts.micro.sizes import chance, english


def splits(_: MicroSettings) -> dict[str, tuple[str, ...]]:
    """The languages of each split."""
    return {"train": ("en",), "dev": ("en",)}


def build(settings: MicroSettings, split: str, language: str) -> tuple[str, ...]:
    """The file of one split."""
    sampler = Sampler(chance(settings, "squad1", split), (language,))
    pool, count = english(settings, split)
    return (squad(sampler, language, count, pool, f"squad1-{split}"),)
