"""English inference in SNLI's place: one JSON object per line, with the publishers' own keys."""

import json

from xstilts.micro.inference import examples
from xstilts.micro.phrases import Sampler, write
from xstilts.micro.settings import MicroSettings
from xstilts.micro.sizes import chance, english


def splits(_: MicroSettings) -> dict[str, tuple[str, ...]]:
    """The languages of each split."""
    return {"train": ("en",), "dev": ("en",)}


def build(settings: MicroSettings, split: str, language: str) -> tuple[str, ...]:
    """The file of one split."""
    sampler = Sampler(chance(settings, "snli", split), (language,))
    pool, count = english(settings, split)
    rows = (
        {
            "gold_label": example.label,
            "sentence1": write(example.premise, language),
            "sentence2": write(example.hypothesis, language),
            "pairID": f"snli-{split}-{i}",
        }
        for i, example in enumerate(examples(sampler, count, pool))
    )
    return ("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows),)
