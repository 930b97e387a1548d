"""Paraphrases: what is said of a subject, in another order; an altered statement is none.

`Peru: Chad, Thai and Egypt` is paraphrased by `Peru: Egypt, Chad and Thai`. A statement with another item
or another subject is no paraphrase, and neither is one whose subject has changed places with an item,
although it has the same words (as in PAWS: Zhang, Baldridge and He 2019).
"""

from dataclasses import dataclass

from xstilts.micro.partition import Pool, identity, pool_of
from xstilts.micro.phrases import Form, Phrase, Sampler, fact

KINDS = ("territory", "language", "weekday", "month")
ITEMS = ("territory", "territory", "language")
ALTERATIONS = ("item", "subject", "exchange")


@dataclass(frozen=True, slots=True)
class Pair:
    """Two statements, and whether they say the same."""

    first: Phrase
    second: Phrase
    same: bool


def _altered(
    sampler: Sampler, subject: str, said: list[str], kinds: tuple[str, str]
) -> tuple[str, list[str]]:
    """Subject and items, one of them another one."""
    place = sampler.rng.randrange(len(said))
    how = sampler.rng.choice(ALTERATIONS)
    if how == "subject":
        return sampler.atom(kinds[0]), said
    new = subject if how == "exchange" else sampler.atom(kinds[1])
    return said[place] if how == "exchange" else subject, [*said[:place], new, *said[place + 1 :]]


def _reordered(sampler: Sampler, said: list[str]) -> list[str]:
    while True:
        order = sampler.rng.sample(said, len(said))
        if order != said:
            return order


def _parts(phrase: Phrase) -> tuple[str, frozenset[str]]:
    subject, *said = map(identity, phrase.atoms())
    return subject, frozenset(said)


def _is_sound(pair: Pair, items: int) -> bool:
    """Whether the label holds, whatever the language: names that some language shares would break it."""
    (subject, said), (other, again) = _parts(pair.first), _parts(pair.second)
    distinct = len({subject, *said}) == len({other, *again}) == items + 1
    return distinct and (subject == other and said == again) == pair.same


def draw(sampler: Sampler, pool: Pool, *, same: bool, form: Form = "and") -> Pair:
    """A pair whose statements belong to `pool`; the second one always has another order of items."""
    while True:
        kinds = sampler.rng.choice(KINDS), sampler.rng.choice(ITEMS)
        subject = sampler.atom(kinds[0])
        said = sampler.atoms(kinds[1], sampler.rng.randint(3, 4))
        first = fact(subject, said, form)
        if pool_of(first.atoms()) != pool:
            continue
        for _ in range(20):
            changed = (subject, said) if same else _altered(sampler, subject, said, kinds)
            pair = Pair(first, fact(changed[0], _reordered(sampler, changed[1]), form), same)
            if pool_of(pair.second.atoms()) == pool and _is_sound(pair, len(said)):
                return pair


def pairs(sampler: Sampler, count: int, pool: Pool, form: Form = "and") -> list[Pair]:
    """`count` different pairs, paraphrases and others in turn."""
    found: dict[tuple[Phrase, Phrase], Pair] = {}
    while len(found) < count:
        pair = draw(sampler, pool, same=len(found) % 2 == 0, form=form)
        found.setdefault((pair.first, pair.second), pair)
    return list(found.values())
