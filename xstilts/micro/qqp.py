"""English duplicate questions in the place of Quora Question Pairs, in GLUE's layout."""

from xstilts.micro.paraphrases import pairs
from xstilts.micro.phrases import Sampler, ask
from xstilts.micro.settings import MicroSettings
from xstilts.micro.sizes import chance, english

COLUMNS = ("id", "qid1", "qid2", "question1", "question2", "is_duplicate")


def splits(_: MicroSettings) -> dict[str, tuple[str, ...]]:
    """The languages of each split."""
    return {"train": ("en",), "dev": ("en",)}


def build(settings: MicroSettings, split: str, language: str) -> tuple[str, ...]:
    """The file of one split."""
    sampler = Sampler(chance(settings, "qqp", split), (language,))
    pool, count = english(settings, split)
    rows = (
        (i, 2 * i, 2 * i + 1, ask(pair.first, language), ask(pair.second, language), int(pair.same))
        for i, pair in enumerate(pairs(sampler, count, pool, "or"))
    )
    return ("".join("\t".join(map(str, row)) + "\n" for row in (COLUMNS, *rows)),)
