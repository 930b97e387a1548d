"""How many lines each language gets, and where each data set draws its chance from."""

from random import Random

from xstilts.micro.partition import Pool
from xstilts.micro.settings import MicroSettings
from xstilts.registry import datasets
from xstilts.registry import languages as registered_languages


def lines_for(language: str, largest: int, settings: MicroSettings) -> int:
    """Lines of a language if the largest one has `largest`: as XLM-R samples languages, with a floor.

    `size_exponent` is the alpha of Conneau et al. (2020), applied to CC-100 sizes in GiB.
    """
    registry = registered_languages()
    most = max(entry.cc100_gib or 0.0 for entry in registry.values())
    size = registry[language].cc100_gib if language in registry else None
    share = (size / most) ** settings.size_exponent if size else 0.0
    return max(round(largest * share), settings.fewest_lines)


def english(settings: MicroSettings, split: str) -> tuple[Pool, int]:
    """The pool that an English `train` or `dev` split draws from, and how many examples it has."""
    return ("train", settings.train_examples) if split == "train" else ("dev", settings.dev_examples)


def size_of(dataset: str, split: str, settings: MicroSettings) -> int:
    """How many examples a split of a task with training data has in each of its languages, at most."""
    if dataset == "tydiqa" and split == "train":
        return settings.tydiqa_train_examples
    if split in datasets()[dataset].evaluation:
        return settings.evaluation_examples
    return english(settings, split)[1]


def chance(settings: MicroSettings, *names: str) -> Random:
    """A generator of its own for every (seed, data set, split, language)."""
    return Random("/".join((str(settings.seed), *names)))
