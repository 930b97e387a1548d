"""Span questions: a paragraph of invented facts about two places, and a question about one of them.

`Peru: euro, 12 days and Thai. Chad: ...` with the question `Peru: Unknown language?` has the answer
`Thai`: CLDR's names of the unknown ask for an item of their kind, the name of a unit for an amount.
The files are in SQuAD's layout.
"""

import json

from xstilts.micro.cldr import write_atom
from xstilts.micro.partition import Pool
from xstilts.micro.phrases import Sampler, ask, write_all
from xstilts.micro.statements import state

PLACES = 2


def _example(sampler: Sampler, language: str, pool: Pool) -> tuple[str, str, str]:
    """Context, question and answer; the answer stands in the context once."""
    while True:
        told = [state(sampler, place, pool) for place in sampler.atoms("territory", PLACES)]
        questions = [question for _, answered in told for question in answered]
        if not questions:
            continue
        context = write_all([phrase for phrase, _ in told], language)
        question = sampler.rng.choice(questions)
        answer = write_atom(question.answer, language)
        if context.count(answer) == 1:
            return context, ask(question.phrase(), language), answer


def squad(sampler: Sampler, language: str, count: int, pool: Pool, name: str) -> str:
    """The JSON of `count` examples in SQuAD v1.1's layout, one paragraph each; ids are `name-language-i`."""
    paragraphs: dict[str, dict[str, object]] = {}
    while len(paragraphs) < count:
        context, question, answer = _example(sampler, language, pool)
        asked = {
            "answers": [{"answer_start": context.index(answer), "text": answer}],
            "question": question,
            "id": f"{name}-{language}-{len(paragraphs)}",
        }
        paragraphs.setdefault(context, {"context": context, "qas": [asked]})
    articles = [{"title": f"{name}-{language}", "paragraphs": list(paragraphs.values())}]
    return json.dumps({"data": articles, "version": "1.1"}, ensure_ascii=False) + "\n"
