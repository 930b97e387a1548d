"""Comparable corpora in BUCC 2018's layout: two files `id <TAB> sentence`, and the gold pairs of ids.

Half of the sentences of either side have a translation on the other. Of the rest, most differ from one
that has by a single item, so that the closest sentence need not be a translation.
"""

from collections.abc import Sequence
from random import Random

from xstilts.micro.cldr import selected_languages
from xstilts.micro.phrases import Sampler
from xstilts.micro.settings import MicroSettings
from xstilts.micro.sizes import chance
from xstilts.micro.translations import translations

LANGUAGES = ("de", "fr", "ru", "zh")


def splits(settings: MicroSettings) -> dict[str, tuple[str, ...]]:
    """The languages of each split."""
    return dict.fromkeys(("dev", "test"), selected_languages(settings.languages, LANGUAGES))


def _numbered(rng: Random, sentences: Sequence[str], language: str) -> dict[str, str]:
    """The sentences in a random order, each with its id."""
    order = rng.sample(sentences, len(sentences))
    return {sentence: f"{language}-{i:09d}" for i, sentence in enumerate(order, start=1)}


def _file(sentences: dict[str, str]) -> str:
    return "".join(f"{key}\t{sentence}\n" for sentence, key in sentences.items())


def build(settings: MicroSettings, split: str, language: str) -> tuple[str, ...]:
    """The language's file, the English one and the gold pairs, in this order.

    Raises:
        ConfigError: if there are too few different phrases.
    """
    sampler = Sampler(chance(settings, "bucc2018", split, language), ("en", language))
    size = settings.retrieval_phrases
    gold, alone = size // 2, size - size // 2
    pairs = translations(sampler, language, gold + 2 * alone)
    sampler.rng.shuffle(pairs)
    texts = _numbered(sampler.rng, [text for text, _ in pairs[:size]], language)
    english = _numbered(sampler.rng, [text for _, text in [*pairs[:gold], *pairs[size:]]], "en")
    matched = sorted((texts[text], english[other]) for text, other in pairs[:gold])
    return _file(texts), _file(english), "".join(f"{key}\t{other}\n" for key, other in matched)
