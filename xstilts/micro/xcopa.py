"""Two choices in XCOPA's place: which comes after a sequence (its effect), or before it (its cause)?

As in XCOPA, line i of every language is the same question. In evaluation a choice is a name or an amount
that no other data set has as a text of its own; days and months are too few for that.
"""

import json
from functools import lru_cache, partial
from typing import NamedTuple

from xstilts.micro.cldr import selected_languages, write_atom
from xstilts.micro.partition import Pool, identity, pool_of
from xstilts.micro.phrases import Phrase, Sampler, fact, write
from xstilts.micro.sequences import QUESTIONS, alternation, amounts, shown_for
from xstilts.micro.settings import MicroSettings
from xstilts.micro.sizes import chance

LANGUAGES = ("et", "ht", "id", "it", "qu", "sw", "ta", "th", "tr", "vi", "zh")
# An amount may rise or fall, so that neither the longer nor the shorter choice is the right one.
KINDS = (amounts, partial(amounts, falling=True), alternation)
TURNS = tuple((question, label) for question in QUESTIONS for label in (0, 1))


class Choice(NamedTuple):
    """A premise, what is asked, two choices, and which is right."""

    premise: Phrase
    question: str
    choices: tuple[str, str]
    label: int


def splits(settings: MicroSettings) -> dict[str, tuple[str, ...]]:
    """The languages of each split; English has COPA's own, without a test set."""
    return {
        "train": ("en",),
        "dev": selected_languages(settings.languages, (*LANGUAGES, "en")),
        "test": selected_languages(settings.languages, LANGUAGES),
    }


def _draw(sampler: Sampler, pool: Pool, question: str, label: int) -> Choice:
    evaluated = pool == "test"
    while True:
        sequence = sampler.rng.choice(KINDS)(sampler, 3)
        right = sequence.follows
        if evaluated and pool_of([right]) != pool:
            continue
        premise = fact(sampler.atom("territory"), shown_for(question, sequence))
        if pool_of(premise.atoms()) != pool:
            continue
        wrong = [atom for atom in sequence.wrong if identity(atom) != identity(right)]
        if wrong := [atom for atom in wrong if not evaluated or pool_of([atom]) == pool]:
            other = sampler.rng.choice(wrong)
            return Choice(premise, question, (other, right) if label else (right, other), label)


def _distinct(sampler: Sampler, pool: Pool, count: int) -> list[Choice]:
    """`count` choices without a common premise; questions and labels are equally frequent."""
    found: dict[frozenset[str], Choice] = {}
    while len(found) < count:
        choice = _draw(sampler, pool, *TURNS[len(found) % len(TURNS)])
        found.setdefault(frozenset(map(identity, choice.premise.atoms())), choice)
    return list(found.values())


@lru_cache(maxsize=1)
def _evaluated(settings: MicroSettings) -> list[Choice]:
    """Those of dev, then those of test."""
    sampler = Sampler(chance(settings, "xcopa"), splits(settings)["dev"])
    return _distinct(sampler, "test", 2 * settings.evaluation_examples)


def _choices(settings: MicroSettings, split: str) -> list[Choice]:
    size = settings.evaluation_examples
    if split == "train":
        sampler = Sampler(chance(settings, "xcopa", split), ("en",))
        return _distinct(sampler, "train", settings.train_examples)
    return _evaluated(settings)[:size] if split == "dev" else _evaluated(settings)[size:]


def build(settings: MicroSettings, split: str, language: str) -> tuple[str, ...]:
    """The file of one split and language: one JSON object per line."""
    rows = (
        {
            "premise": write(choice.premise, language),
            "choice1": write_atom(choice.choices[0], language),
            "choice2": write_atom(choice.choices[1], language),
            "question": choice.question,
            "label": choice.label,
            "idx": i,
            "changed": False,
        }
        for i, choice in enumerate(_choices(settings, split))
    )
    return ("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows),)
