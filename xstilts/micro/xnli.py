"""Inference in every language, in XTREME's layout: `premise <TAB> hypothesis <TAB> label`.

As in XNLI, line i of every language is the same example.
"""

from functools import lru_cache

from xstilts.micro.cldr import selected_languages
from xstilts.micro.inference import Inference, examples
from xstilts.micro.phrases import Sampler, write
from xstilts.micro.settings import MicroSettings
from xstilts.micro.sizes import chance


def splits(settings: MicroSettings) -> dict[str, tuple[str, ...]]:
    """The languages of each split."""
    return dict.fromkeys(("dev", "test"), selected_languages(settings.languages))


@lru_cache(maxsize=1)
def _examples(settings: MicroSettings, split: str) -> tuple[Inference, ...]:
    sampler = Sampler(chance(settings, "xnli", split), splits(settings)[split])
    return tuple(examples(sampler, settings.evaluation_examples, "test"))


def build(settings: MicroSettings, split: str, language: str) -> tuple[str, ...]:
    """The file of one language."""
    rows = (
        f"{write(example.premise, language)}\t{write(example.hypothesis, language)}\t{example.label}\n"
        for example in _examples(settings, split)
    )
    return ("".join(rows),)
