"""English inference in ANLI's place: one JSON object per line, a file for each of three rounds.

A context tells of two things; the hypothesis is about one of them.
"""

import json

from xstilts.micro.inference import Inference, examples
from xstilts.micro.partition import identity
from xstilts.micro.phrases import Phrase, Sampler, write, write_all
from xstilts.micro.settings import MicroSettings
from xstilts.micro.sizes import chance, english

ROUNDS = 3
LETTERS = {"entailment": "e", "neutral": "n", "contradiction": "c"}


def splits(_: MicroSettings) -> dict[str, tuple[str, ...]]:
    """The languages of each split."""
    return {"train": ("en",), "dev": ("en",)}


def _context(sampler: Sampler, example: Inference, others: list[Inference]) -> list[Phrase]:
    """The premise and, before or after it, another example's, which is about something else."""
    about = {identity(phrase.atoms()[0]) for phrase in (example.premise, example.hypothesis)}
    while True:
        other = sampler.rng.choice(others).premise
        if identity(other.atoms()[0]) not in about:
            told = [example.premise, other]
            sampler.rng.shuffle(told)
            return told


def build(settings: MicroSettings, split: str, language: str) -> tuple[str, ...]:
    """The files of one split, round by round; together they have as many examples as other tasks."""
    sampler = Sampler(chance(settings, "anli", split), (language,))
    pool, count = english(settings, split)
    drawn = examples(sampler, count, pool)
    rows = [
        {
            "uid": f"anli-{split}-{i}",
            "context": write_all(_context(sampler, example, drawn), language),
            "hypothesis": write(example.hypothesis, language),
            "label": LETTERS[example.label],
        }
        for i, example in enumerate(drawn)
    ]
    size = -(-count // ROUNDS)
    parts = (rows[start : start + size] for start in range(0, ROUNDS * size, size))
    return tuple("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in part) for part in parts)
