"""English multiple choice in Social IQa's place: which of three answers follows, or goes before?

It asks in words what XCOPA asks by `effect` and `cause`.
"""

import json

from xstilts.micro.cldr import write_atom
from xstilts.micro.phrases import Phrase, Sampler, write
from xstilts.micro.sequences import QUESTIONS, ask, shuffled
from xstilts.micro.settings import MicroSettings
from xstilts.micro.sizes import chance, english

ANSWERS = ("answerA", "answerB", "answerC")


def splits(_: MicroSettings) -> dict[str, tuple[str, ...]]:
    """The languages of each split."""
    return {"train": ("en",), "dev": ("en",)}


def build(settings: MicroSettings, split: str, language: str) -> tuple[str, ...]:
    """The questions of one split, one JSON object per line, and the numbers of the right answers."""
    sampler = Sampler(chance(settings, "siqa", split), (language,))
    pool, count = english(settings, split)
    rows: dict[Phrase, tuple[dict[str, str], int]] = {}
    while len(rows) < count:
        question = QUESTIONS[len(rows) % len(QUESTIONS)]
        asked = ask(sampler, pool, len(ANSWERS) - 1, question)
        answers, right = shuffled(sampler, asked.follows, asked.wrong)
        row = {"context": write(asked.phrase, language), "question": f"What is the {question}?"}
        row |= {name: write_atom(atom, language) for name, atom in zip(ANSWERS, answers, strict=True)}
        rows.setdefault(asked.phrase, (row, right + 1))
    questions = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row, _ in rows.values())
    return questions, "".join(f"{number}\n" for _, number in rows.values())
