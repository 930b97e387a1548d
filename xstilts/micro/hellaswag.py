"""English multiple choice in HellaSwag's place: which of four endings goes on as the context does?"""

import json

from xstilts.micro.cldr import write_atom
from xstilts.micro.phrases import Phrase, Sampler, write
from xstilts.micro.sequences import ask, shuffled
from xstilts.micro.settings import MicroSettings
from xstilts.micro.sizes import chance, english

ENDINGS = 4


def splits(_: MicroSettings) -> dict[str, tuple[str, ...]]:
    """The languages of each split."""
    return {"train": ("en",), "dev": ("en",)}


def build(settings: MicroSettings, split: str, language: str) -> tuple[str, ...]:
    """The file of one split: one JSON object per line."""
    sampler = Sampler(chance(settings, "hellaswag", split), (language,))
    pool, count = english(settings, split)
    rows: dict[Phrase, dict[str, object]] = {}
    while len(rows) < count:
        asked = ask(sampler, pool, ENDINGS - 1)
        endings, label = shuffled(sampler, asked.follows, asked.wrong)
        context = write(asked.phrase, language)
        row: dict[str, object] = {
            "ind": len(rows),
            "activity_label": write(asked.phrase.parts[0], language),
            "ctx_a": context,
            "ctx_b": "",
            "ctx": context,
            "endings": [write_atom(atom, language) for atom in endings],
            "label": label,
        }
        rows.setdefault(asked.phrase, row)
    return ("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows.values()),)
