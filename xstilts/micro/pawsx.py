"""Paraphrases in PAWS-X's place: `sentence1 <TAB> sentence2 <TAB> label`.

As published, the training file has a header and ids, and the others, in XTREME's layout, have not. Line i
of every language is the same pair.
"""

from functools import lru_cache

from xstilts.micro.cldr import selected_languages
from xstilts.micro.paraphrases import Pair, pairs
from xstilts.micro.phrases import Sampler, write
from xstilts.micro.settings import MicroSettings
from xstilts.micro.sizes import chance

LANGUAGES = ("de", "en", "es", "fr", "ja", "ko", "zh")
HEADER = ("id", "sentence1", "sentence2", "label")


def splits(settings: MicroSettings) -> dict[str, tuple[str, ...]]:
    """The languages of each split."""
    chosen = selected_languages(settings.languages, LANGUAGES)
    return {"train": ("en",), "dev": chosen, "test": chosen}


@lru_cache(maxsize=1)
def _pairs(settings: MicroSettings, split: str) -> tuple[Pair, ...]:
    sampler = Sampler(chance(settings, "pawsx", split), splits(settings)[split])
    if split == "train":
        return tuple(pairs(sampler, settings.train_examples, "train"))
    return tuple(pairs(sampler, settings.evaluation_examples, "test"))


def build(settings: MicroSettings, split: str, language: str) -> tuple[str, ...]:
    """The file of one split and language."""
    rows = [
        f"{write(pair.first, language)}\t{write(pair.second, language)}\t{int(pair.same)}\n"
        for pair in _pairs(settings, split)
    ]
    if split == "train":
        rows = ["\t".join(HEADER) + "\n", *(f"{i}\t{row}" for i, row in enumerate(rows, start=1))]
    return ("".join(rows),)
