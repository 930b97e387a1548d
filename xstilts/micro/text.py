"""Plain text to pre-train on: single phrases, and short texts in which a thing is taken up again.

The second kind is what a masked LM learns from to look things up in its context, which inference,
question answering and multiple choice all need.
"""

from collections.abc import Iterator

from xstilts.micro.cldr import selected_languages
from xstilts.micro.partition import pool_of
from xstilts.micro.phrases import FAMILIES, Phrase, Sampler, distinct, fact, write, write_all
from xstilts.micro.settings import MicroSettings
from xstilts.micro.sizes import chance, lines_for
from xstilts.micro.statements import state

CYCLES = {"weekday": 7, "month": 12}


def splits(settings: MicroSettings) -> dict[str, tuple[str, ...]]:
    """The languages of each split."""
    return {"train": selected_languages(settings.languages)}


def _own(phrase: Phrase) -> bool:
    return pool_of(phrase.atoms()) == "text"


def _repeated(sampler: Sampler) -> tuple[Phrase, ...]:
    """A statement, and part of it once more."""
    while True:
        subject = sampler.quantity() if sampler.rng.random() < 0.4 else sampler.subject()
        said = sampler.atoms(sampler.kind(), sampler.rng.randint(2, 4))
        whole = fact(subject, said)
        if not _own(whole):
            continue
        for _ in range(6):
            part = fact(subject, sampler.rng.sample(said, sampler.rng.randint(1, len(said) - 1)))
            if _own(part):
                return whole, part


def _looked_up(sampler: Sampler) -> tuple[Phrase, ...]:
    """Facts about two places, a question, and the fact that answers it."""
    while True:
        told = [state(sampler, place, "text") for place in sampler.atoms("territory", 2)]
        for question in (question for _, questions in told for question in questions):
            answer = fact(question.place, [question.answer])
            if _own(answer):
                return (*(statement for statement, _ in told), question.phrase(), answer)


def _sequence(sampler: Sampler) -> tuple[Phrase, ...]:
    """Days or months in their order, about a place."""
    while True:
        kind = sampler.rng.choice(tuple(CYCLES))
        first = 0 if kind == "weekday" else 1  # as CLDR counts
        start, step = sampler.rng.randrange(CYCLES[kind]), sampler.rng.choice((-1, 1))
        atoms = [f"{kind}:{(start + i * step) % CYCLES[kind] + first}" for i in range(4)]
        phrase = fact(sampler.atom("territory"), atoms)
        if _own(phrase):
            return (phrase,)


def _texts(sampler: Sampler, language: str) -> Iterator[tuple[str, ...]]:
    while True:
        draw = sampler.rng.random()
        if draw < 0.6:
            yield (write(sampler.phrase(tuple(FAMILIES), "text"), language),)
        else:
            texts = _repeated if draw < 0.78 else _looked_up if draw < 0.92 else _sequence
            yield (write_all(texts(sampler), language),)


def build(settings: MicroSettings, split: str, language: str) -> tuple[str, ...]:
    """The file of one language: a text per line."""
    sampler = Sampler(chance(settings, "text", split, language), (language,))
    lines = distinct(_texts(sampler, language), lines_for(language, settings.text_lines, settings))
    return ("".join(f"{line}\n" for (line,) in lines),)
