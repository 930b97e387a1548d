"""English multiple choice in Cosmos QA's place: a paragraph of facts, a question and four answers.

One of the wrong answers is what the paragraph says of the other place.
"""

import csv
import io

from xstilts.micro.cldr import write_atom
from xstilts.micro.facts import Facts, draw
from xstilts.micro.partition import identity
from xstilts.micro.phrases import Sampler, ask
from xstilts.micro.sequences import shuffled
from xstilts.micro.settings import MicroSettings
from xstilts.micro.sizes import chance, english

ANSWERS = 4
COLUMNS = ("id", "context", "question", *(f"answer{i}" for i in range(ANSWERS)), "label")


def splits(_: MicroSettings) -> dict[str, tuple[str, ...]]:
    """The languages of each split."""
    return {"train": ("en",), "dev": ("en",)}


def _another(sampler: Sampler, answer: str) -> str:
    """An atom of the answer's kind; of an amount, another number of its unit."""
    kind, _, rest = answer.partition(":")
    if kind == "quantity":
        return f"quantity:{rest.partition(':')[0]}:{sampler.rng.randint(2, 60)}"
    return sampler.atom(kind)


def _wrong(sampler: Sampler, facts: Facts) -> list[str]:
    """Atoms of the answer's kind: what is told of the other place, and some that are not told."""
    answer = facts.question.answer
    told = [atom for phrase in facts.told for atom in phrase.atoms()]
    kind = answer.partition(":")[0] + ":"
    wrong = [atom for atom in told if atom.startswith(kind) and atom != answer]
    known = set(map(identity, told))
    while len(wrong) < ANSWERS - 1:
        atom = _another(sampler, answer)
        if identity(atom) not in known:
            known.add(identity(atom))
            wrong.append(atom)
    return wrong


def _row(sampler: Sampler, facts: Facts, language: str, name: str) -> tuple[str, ...]:
    answers, label = shuffled(sampler, facts.question.answer, _wrong(sampler, facts))
    texts = (facts.context(language), ask(facts.question.phrase(), language))
    return name, *texts, *(write_atom(atom, language) for atom in answers), str(label)


def build(settings: MicroSettings, split: str, language: str) -> tuple[str, ...]:
    """The file of one split: comma-separated values."""
    sampler = Sampler(chance(settings, "cosmosqa", split), (language,))
    pool, count = english(settings, split)
    rows: dict[object, tuple[str, ...]] = {}
    while len(rows) < count:
        facts = draw(sampler, (language,), pool)
        rows.setdefault(facts.told, _row(sampler, facts, language, f"cosmosqa-{split}-{len(rows)}"))
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows([COLUMNS, *rows.values()])
    return (stream.getvalue(),)
