"""English multiple choice in CommonsenseQA's place: which of three choices follows in a sequence?"""

import json

from xstilts.micro.cldr import write_atom
from xstilts.micro.phrases import Phrase, Sampler, write
from xstilts.micro.sequences import Asked, ask, shuffled
from xstilts.micro.settings import MicroSettings
from xstilts.micro.sizes import chance, english

KEYS = "ABC"


def splits(_: MicroSettings) -> dict[str, tuple[str, ...]]:
    """The languages of each split."""
    return {"train": ("en",), "dev": ("en",)}


def _row(sampler: Sampler, name: str, language: str, asked: Asked) -> dict[str, object]:
    choices, right = shuffled(sampler, asked.follows, asked.wrong)
    return {
        "answerKey": KEYS[right],
        "id": name,
        "question": {
            "choices": [
                {"label": key, "text": write_atom(atom, language)}
                for key, atom in zip(KEYS, choices, strict=True)
            ],
            "stem": write(asked.phrase, language),
        },
    }


def build(settings: MicroSettings, split: str, language: str) -> tuple[str, ...]:
    """The file of one split: one JSON object per line."""
    sampler = Sampler(chance(settings, "csqa", split), (language,))
    pool, count = english(settings, split)
    rows: dict[Phrase, dict[str, object]] = {}
    while len(rows) < count:
        asked = ask(sampler, pool, len(KEYS) - 1)
        rows.setdefault(asked.phrase, _row(sampler, f"csqa-{split}-{len(rows)}", language, asked))
    return ("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows.values()),)
