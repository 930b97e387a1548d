"""SQuAD's training questions in other languages, in the place of XTREME's machine translation of them.

Those are here that a language has names for. As of a machine's translations, an answer may be lost: where it
does not stand in the paragraph once, its offset is -1.
"""

from typing import Any

from xstilts.micro import squad1
from xstilts.micro.cldr import inventory, selected_languages, write_atom
from xstilts.micro.facts import Facts, answer_stands_once, document
from xstilts.micro.phrases import ask
from xstilts.micro.settings import MicroSettings

LANGUAGES = ("ar", "de", "el", "es", "hi", "ru", "th", "tr", "vi", "zh")


def splits(settings: MicroSettings) -> dict[str, tuple[str, ...]]:
    """The languages of each split."""
    chosen = selected_languages(settings.languages, LANGUAGES)
    return {"train": tuple(code for code in chosen if code != "en")}


def _translated(facts: Facts, language: str, name: str) -> dict[str, Any]:
    context, answer = facts.context(language), write_atom(facts.question.answer, language)
    start = context.index(answer) if answer_stands_once(facts, language) else -1
    question = ask(facts.question.phrase(), language)
    asked = {"answers": [{"answer_start": start, "text": answer}], "question": question, "id": name}
    return {"context": context, "qas": [asked]}


def build(settings: MicroSettings, split: str, language: str) -> tuple[str, ...]:
    """The file of one language."""
    named = {atom for atoms in inventory((language,)).values() for atom in atoms}
    paragraphs = [
        _translated(facts, language, name)
        for name, facts in squad1.questions(settings, split).items()
        if all(_can_write(atom, named) for atom in facts.atoms())
    ]
    return (document(paragraphs, f"squad1_mt-{split}-{language}"),)


def _can_write(atom: str, named: set[str]) -> bool:
    """Whether there is a name of the atom: of an amount, of its unit."""
    kind, _, rest = atom.partition(":")
    return (f"unit:{rest.partition(':')[0]}" if kind == "quantity" else atom) in named
