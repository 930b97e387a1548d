"""Inference: what is said of a day or an amount entails a part of it.

`Monday: Chad, Peru and Egypt` entails `Monday: Peru`, contradicts `Friday: Peru` and says nothing about
`Monday: Peru and Japan`. The three labels are equally frequent.
"""

from dataclasses import dataclass

from xstilts.micro.partition import Pool, identity, pool_of
from xstilts.micro.phrases import Phrase, Sampler, fact

LABELS = ("entailment", "neutral", "contradiction")


@dataclass(frozen=True, slots=True)
class Inference:
    """A premise, a hypothesis and how they stand to each other."""

    premise: Phrase
    hypothesis: Phrase
    label: str


def _subject(sampler: Sampler, kind: str) -> str:
    return sampler.quantity() if kind == "quantity" else sampler.atom(kind)


def _hypothesis(
    sampler: Sampler, label: str, subject: str, said: list[str], kinds: tuple[str, str]
) -> Phrase:
    if label == "neutral":
        new = sampler.atoms(kinds[1], sampler.rng.randint(1, 2))
        kept = sampler.rng.sample(said, sampler.rng.choice((0, 0, 1)))
        part = [*kept, *new]
        sampler.rng.shuffle(part)
        return fact(subject, part)
    if label == "contradiction":
        subject = _subject(sampler, kinds[0])
    return fact(subject, sampler.rng.sample(said, sampler.rng.randint(1, 2)))


def _is_sound(example: Inference) -> bool:
    """Whether the label holds, whatever the language: names that some language shares would break it."""
    (premise, *said), (hypothesis, *again) = (
        tuple(map(identity, phrase.atoms())) for phrase in (example.premise, example.hypothesis)
    )
    return (
        (premise == hypothesis) == (example.label != "contradiction")
        and (set(again) <= set(said)) == (example.label != "neutral")
        and len({hypothesis, *again}) == len(again) + 1
        and len({premise, *said}) == len(said) + 1
    )


def infer(sampler: Sampler, label: str, pool: Pool) -> Inference:
    """An example with this label whose premise and hypothesis belong to `pool`."""
    while True:
        kinds = (
            sampler.rng.choice(("weekday", "month", "quantity")),
            sampler.rng.choice(("territory", "territory", "language")),
        )
        subject = _subject(sampler, kinds[0])
        said = sampler.atoms(kinds[1], sampler.rng.randint(3, 4))
        premise = fact(subject, said)
        if pool_of(premise.atoms()) != pool:
            continue
        for _ in range(20):
            example = Inference(premise, _hypothesis(sampler, label, subject, said, kinds), label)
            if pool_of(example.hypothesis.atoms()) == pool and _is_sound(example):
                return example


def examples(sampler: Sampler, count: int, pool: Pool) -> list[Inference]:
    """`count` different examples, label by label in turn."""
    found: dict[tuple[Phrase, Phrase], Inference] = {}
    while len(found) < count:
        example = infer(sampler, LABELS[len(found) % len(LABELS)], pool)
        found.setdefault((example.premise, example.hypothesis), example)
    return list(found.values())
