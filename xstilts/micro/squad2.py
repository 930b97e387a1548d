"""English span questions in SQuAD v2.0's place: half of them have no answer in their paragraph.

Such a question asks of one of the paragraph's places what is told of the other alone, or asks of a third
place. Its plausible answer is an item of the kind that is asked for.
"""

from typing import Any

from xstilts.micro.cldr import UNKNOWN, write_atom
from xstilts.micro.facts import Facts, asked, document, draw
from xstilts.micro.partition import Pool, identity, pool_of
from xstilts.micro.phrases import Sampler, ask
from xstilts.micro.settings import MicroSettings
from xstilts.micro.sizes import chance, english
from xstilts.micro.statements import Question


def splits(_: MicroSettings) -> dict[str, tuple[str, ...]]:
    """The languages of each split."""
    return {"train": ("en",), "dev": ("en",)}


def _asked_for(item: str) -> str:
    """What asks for an item: the unknown of its kind, or the unit of an amount."""
    kind, _, rest = item.partition(":")
    return UNKNOWN.get(kind) or f"unit:{rest.partition(':')[0]}"


def _unanswered(sampler: Sampler, facts: Facts, pool: Pool) -> Question:
    """A question in `pool` that the facts do not answer, with a plausible answer."""
    told = {identity(place): items for place, *items in (phrase.atoms() for phrase in facts.told)}
    places = [phrase.atoms()[0] for phrase in facts.told]
    while True:
        plausible = sampler.rng.choice([item for items in told.values() for item in items])
        place = sampler.rng.choice([*places, *sampler.atoms("territory", len(places))])
        asked_for = _asked_for(plausible)
        answered = {identity(_asked_for(item)) for item in told.get(identity(place), ())}
        if identity(asked_for) not in answered and pool_of((place, asked_for)) == pool:
            return Question(place, asked_for, plausible)


def _impossible(question: Question, context: str, language: str, name: str) -> dict[str, Any]:
    text = write_atom(question.answer, language)
    return {
        "plausible_answers": [{"answer_start": context.index(text), "text": text}],
        "question": ask(question.phrase(), language),
        "id": name,
        "answers": [],
        "is_impossible": True,
    }


def build(settings: MicroSettings, split: str, language: str) -> tuple[str, ...]:
    """The file of one split: a paragraph for each question."""
    sampler = Sampler(chance(settings, "squad2", split), (language,))
    pool, count = english(settings, split)
    paragraphs: dict[str, dict[str, Any]] = {}
    while len(paragraphs) < count:
        facts = draw(sampler, (language,), pool)
        context, name = facts.context(language), f"squad2-{split}-{len(paragraphs)}"
        if len(paragraphs) % 2:
            question = _impossible(_unanswered(sampler, facts, pool), context, language, name)
        else:
            question = asked(facts, language, name) | {"is_impossible": False}
        paragraphs.setdefault(context, {"context": context, "qas": [question]})
    return (document(paragraphs.values(), f"squad2-{split}", "v2.0"),)
