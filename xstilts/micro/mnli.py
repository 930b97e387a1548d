"""English inference in MultiNLI's place: one JSON object per line."""

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
    sampler = Sampler(chance(settings, "mnli", split), ("en",))
    pool, count = english(settings, split)
    rows = (
        {
            "premise": write(example.premise, language),
            "hypothesis": write(example.hypothesis, language),
            "label": example.label,
        }
        for example in examples(sampler, count, pool)
    )
    return ("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows),)
