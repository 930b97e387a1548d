"""Span questions: a paragraph of invented facts about two places, and a question about one of them.

`Peru: euro, 12 days and Thai. Chad: ...` with the question `Peru: Unknown language?` has the answer
`Thai`: CLDR's names of the unknown ask for an item of their kind, the name of a unit for an amount.
The files are in SQuAD's layout.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from xstilts.micro.cldr import write_atom
from xstilts.micro.partition import Pool
from xstilts.micro.phrases import Phrase, Sampler, ask, write_all
from xstilts.micro.statements import Question, state

PLACES = 2


class Facts(NamedTuple):
    """What a paragraph tells, and a question that it answers."""

    told: tuple[Phrase, ...]
    question: Question

    def context(self, language: str) -> str:
        """The paragraph."""
        return write_all(self.told, language)

    def atoms(self) -> tuple[str, ...]:
        """All atoms of the paragraph and the question."""
        told = (atom for phrase in self.told for atom in phrase.atoms())
        return (*told, *self.question.phrase().atoms(), self.question.answer)


def answer_stands_once(facts: Facts, language: str) -> bool:
    """Whether the paragraph holds the answer's text in one place only."""
    return facts.context(language).count(write_atom(facts.question.answer, language)) == 1


def draw(sampler: Sampler, languages: Sequence[str], pool: Pool) -> Facts:
    """Facts whose answer stands in the paragraph once, in each of the languages."""
    while True:
        told = [state(sampler, place, pool) for place in sampler.atoms("territory", PLACES)]
        questions = [question for _, answered in told for question in answered]
        if not questions:
            continue
        facts = Facts(tuple(phrase for phrase, _ in told), sampler.rng.choice(questions))
        if all(answer_stands_once(facts, language) for language in languages):
            return facts


def asked(facts: Facts, language: str, name: str) -> dict[str, Any]:
    """The question in SQuAD's layout; `name` is its id."""
    answer = write_atom(facts.question.answer, language)
    return {
        "answers": [{"answer_start": facts.context(language).index(answer), "text": answer}],
        "question": ask(facts.question.phrase(), language),
        "id": name,
    }


def document(paragraphs: Iterable[dict[str, Any]], title: str, version: str = "1.1") -> str:
    """The JSON of some paragraphs, as one article."""
    articles = [{"title": title, "paragraphs": list(paragraphs)}]
    return json.dumps({"data": articles, "version": version}, ensure_ascii=False) + "\n"


def squad(questions: Mapping[str, Facts], language: str, title: str) -> str:
    """The JSON of some examples, by their ids, in SQuAD v1.1's layout, one paragraph each."""
    paragraphs = (
        {"context": facts.context(language), "qas": [asked(facts, language, id_)]}
        for id_, facts in questions.items()
    )
    return document(paragraphs, f"{title}-{language}")


def distinct_facts(sampler: Sampler, language: str, count: int, pool: Pool, name: str) -> dict[str, Facts]:
    """`count` facts of different paragraphs, by their ids `name-language-i`."""
    found: dict[str, Facts] = {}
    while len(found) < count:
        facts = draw(sampler, (language,), pool)
        found.setdefault(facts.context(language), facts)
    return {f"{name}-{language}-{i}": facts for i, facts in enumerate(found.values())}
