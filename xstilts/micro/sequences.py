"""Sequences for multiple choice: what goes on as the days, months, amounts or names before do.

A question names a place and counts days, months or amounts, or repeats itself; the right choice goes on as
the sequence does, the others are near misses of the same kind or of another.
"""

from collections.abc import Callable
from typing import NamedTuple

from xstilts.micro.partition import Pool, identity, pool_of
from xstilts.micro.phrases import Phrase, Sampler, fact

CYCLES = {"weekday": (0, 7), "month": (1, 12)}
QUESTIONS = ("effect", "cause")  # COPA's words: what follows, what goes before


class Sequence(NamedTuple):
    """Three atoms that are shown, the one that follows, and some that do not."""

    shown: list[str]
    follows: str
    wrong: list[str]


Kind = Callable[[Sampler, int], Sequence]


class Asked(NamedTuple):
    """What is shown of a place, what follows, and what does not."""

    phrase: Phrase
    follows: str
    wrong: list[str]


def cycle(sampler: Sampler, count: int) -> Sequence:
    """Days of the week or months, forwards or backwards; `count` others are wrong, three at most."""
    kind = sampler.rng.choice(tuple(CYCLES))
    first, length = CYCLES[kind]
    start, step = sampler.rng.randrange(length), sampler.rng.choice((-1, 1))
    atoms = [f"{kind}:{first + (start + i * step) % length}" for i in range(4)]
    others = sorted(set(sampler.names[kind]) - set(atoms))
    return Sequence(atoms[:3], atoms[3], sampler.rng.sample(others, count))


def amounts(sampler: Sampler, count: int, *, falling: bool = False) -> Sequence:
    """Growing or falling amounts; first the wrong unit, then wrong numbers (four wrong choices at most)."""
    unit = sampler.atom("unit").partition(":")[2]
    start, step = sampler.rng.randint(1, 9), sampler.rng.randint(1, 5)
    terms = [start + i * step for i in range(4)]
    if falling:
        terms = [term + 1 for term in reversed(terms)]  # down to 2: `1 day` has another form
    *shown, follows = terms
    other = sampler.atom("unit").partition(":")[2]
    numbers = [shown[0], shown[1], follows + 20]
    first = sampler.rng.choice(numbers)
    numbers.remove(first)
    wrong = [f"quantity:{other}:{follows}", *(f"quantity:{unit}:{number}" for number in (first, *numbers))]
    quantities = [f"quantity:{unit}:{term}" for term in shown]
    return Sequence(quantities, f"quantity:{unit}:{follows}", wrong[:count])


def alternation(sampler: Sampler, count: int) -> Sequence:
    """Two names in turn; the one that was last, and names that were not there, are wrong."""
    kind = sampler.rng.choice(("territory", "language", "currency"))
    one, two, *others = sampler.atoms(kind, count + 1)
    return Sequence([one, two, one], two, [one, *others])


KINDS: tuple[Kind, ...] = (cycle, amounts, alternation)


def ask(sampler: Sampler, pool: Pool, count: int, question: str = QUESTIONS[0]) -> Asked:
    """A question with `count` wrong choices whose phrase belongs to `pool`."""
    while True:
        sequence = sampler.rng.choice(KINDS)(sampler, count)
        phrase = fact(sampler.atom("territory"), shown_for(question, sequence))
        different = len(set(map(identity, (sequence.follows, *sequence.wrong)))) == count + 1
        if different and pool_of(phrase.atoms()) == pool:
            return Asked(phrase, sequence.follows, sequence.wrong)


def shown_for(question: str, sequence: Sequence) -> list[str]:
    """What is shown so that `follows` is the effect, or backwards so that it is the cause."""
    return sequence.shown if question == "effect" else sequence.shown[::-1]


def shuffled(sampler: Sampler, follows: str, wrong: list[str]) -> tuple[list[str], int]:
    """All choices in a random order, and where the right one stands."""
    choices = [follows, *wrong]
    sampler.rng.shuffle(choices)
    return choices, choices.index(follows)
