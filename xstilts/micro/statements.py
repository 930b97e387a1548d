"""Invented facts about a place, and the questions that they answer."""

from dataclasses import dataclass

from xstilts.micro.cldr import UNKNOWN
from xstilts.micro.partition import Pool, identity, pool_of
from xstilts.micro.phrases import Phrase, Sampler, fact


@dataclass(frozen=True, slots=True)
class Question:
    """A question about a place, and the atom that answers it."""

    place: str
    asked: str
    answer: str

    def phrase(self) -> Phrase:
        """The question as a statement: `Peru: Unknown language`."""
        return fact(self.place, [self.asked])


def state(sampler: Sampler, place: str, pool: Pool) -> tuple[Phrase, list[Question]]:
    """A language, a currency and an amount said of a place, in any order; and the questions in `pool`."""
    while True:
        language, currency, quantity = sampler.atom("language"), sampler.atom("currency"), sampler.quantity()
        said = [language, currency, quantity]
        if len(set(map(identity, (place, *said)))) < 4 or pool_of((place, *said)) != pool:
            continue
        asked = (UNKNOWN["language"], UNKNOWN["currency"], f"unit:{quantity.split(':')[1]}")
        questions = [Question(place, atom, answer) for atom, answer in zip(asked, said, strict=True)]
        sampler.rng.shuffle(said)
        return fact(place, said), [q for q in questions if pool_of((q.place, q.asked)) == pool]
