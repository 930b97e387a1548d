"""Parallel questions: for spans, and for retrieval of the sentence that answers (LAReQA).

XQuAD and XQuAD-R, MLQA and MLQA-R have the same paragraphs and questions, as the real ones do; the files for
retrieval have besides SQuAD's layout the sentences of each paragraph and where they begin and end. Every
language has the same paragraphs and questions. `German (Peru): euro, 12 days and 3 km.` answers
`German (Peru): Kilometres?`, and since no two sentences are about the same, it is the only one of its
language that does.
"""

from functools import lru_cache
from typing import Any, NamedTuple

from xstilts.micro.cldr import UNKNOWN, write_atom
from xstilts.micro.facts import document
from xstilts.micro.partition import identity, pool_of
from xstilts.micro.phrases import WIDE, Phrase, Sampler, ask, list_of, of_atom, write_all
from xstilts.micro.settings import MicroSettings
from xstilts.micro.sizes import chance

SENTENCES = 3  # of a paragraph, with one question each


class Statement(NamedTuple):
    """A sentence, a question that it answers, and the atom that is the answer."""

    sentence: Phrase
    question: Phrase
    answer: str


def _state(sampler: Sampler) -> Statement:
    """A currency and two amounts, said of a language in a place; sentence and question are for tests."""
    while True:
        about = [sampler.atom("language"), sampler.atom("territory")]
        said = [sampler.atom("currency"), sampler.quantity(), sampler.quantity()]
        asked = [UNKNOWN["currency"], *(f"unit:{quantity.split(':')[1]}" for quantity in said[1:])]
        if len(set(map(identity, about + said))) < 5 or len(set(map(identity, asked))) < 3:
            continue
        answers = [i for i, atom in enumerate(asked) if pool_of([*about, atom]) == "test"]
        if answers and pool_of(about + said) == "test":
            i = sampler.rng.choice(answers)
            subject = Phrase("of", tuple(map(of_atom, about)))
            order = sampler.rng.sample(said, len(said))
            sentence = Phrase("fact", (subject, list_of(order)))
            return Statement(sentence, Phrase("fact", (subject, of_atom(asked[i]))), said[i])


@lru_cache(maxsize=1)
def _paragraphs(settings: MicroSettings, dataset: str, languages: tuple[str, ...]) -> list[list[Statement]]:
    sampler = Sampler(chance(settings, dataset), languages)
    about: set[tuple[str, ...]] = set()
    paragraphs: list[list[Statement]] = []
    while len(about) < settings.evaluation_examples:
        size = min(SENTENCES, settings.evaluation_examples - len(about))
        paragraph = [_state(sampler) for _ in range(size)]
        subjects = {tuple(map(identity, said.sentence.parts[0].atoms())) for said in paragraph}
        if len(subjects) == size and not subjects & about and _is_clear(paragraph, languages):
            about |= subjects
            paragraphs.append(paragraph)
    return paragraphs


def _is_clear(paragraph: list[Statement], languages: tuple[str, ...]) -> bool:
    """Whether each answer stands in the paragraph once, in every language."""
    return all(
        _context(paragraph, language).count(write_atom(said.answer, language)) == 1
        for language in languages
        for said in paragraph
    )


def _context(paragraph: list[Statement], language: str) -> str:
    return write_all([said.sentence for said in paragraph], language)


def breaks(sentences: list[str], language: str) -> list[list[int]]:
    """Where each sentence begins and ends in the paragraph."""
    breaks: list[list[int]] = []
    start = 0
    for sentence in sentences:
        breaks.append([start, start + len(sentence)])
        start += len(sentence) + (language not in WIDE)
    return breaks


def _paragraph(paragraph: list[Statement], language: str, name: str) -> dict[str, Any]:
    context = _context(paragraph, language)
    answers = [write_atom(said.answer, language) for said in paragraph]
    return {
        "context": context,
        "qas": [
            {
                "answers": [{"answer_start": context.index(answer), "text": answer}],
                "id": f"{name}-{i}",
                "question": ask(said.question, language),
            }
            for i, (said, answer) in enumerate(zip(paragraph, answers, strict=True))
        ],
    }


def _sentences(paragraph: list[Statement], language: str) -> dict[str, Any]:
    sentences = [write_all([said.sentence], language) for said in paragraph]
    return {"sentence_breaks": breaks(sentences, language), "sentences": sentences}


def answering(
    settings: MicroSettings, dataset: str, languages: tuple[str, ...], language: str, *, retrieval: bool
) -> str:
    """The JSON of one language of a data set that has `languages`; the ids are the same in all.

    Args:
        settings: Sizes and seed.
        dataset: The data set of spans.
        languages: Those of it.
        language: One of them.
        retrieval: Whether paragraphs come with their sentences.
    """
    paragraphs = (
        _paragraph(paragraph, language, f"{dataset}-{i}")
        | (_sentences(paragraph, language) if retrieval else {})
        for i, paragraph in enumerate(_paragraphs(settings, dataset, languages))
    )
    return document(paragraphs, dataset)
