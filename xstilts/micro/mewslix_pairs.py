"""Pairs of a mention and its entity in English, in the place of those that Mewsli-X gives to train on."""

import json

from xstilts.micro.mentions import context, entities, entity, mention, said_of
from xstilts.micro.phrases import Sampler
from xstilts.micro.settings import MicroSettings
from xstilts.micro.sizes import chance, english


def splits(_: MicroSettings) -> dict[str, tuple[str, ...]]:
    """The languages of each split."""
    return {"train": ("en",), "dev": ("en",)}


def build(settings: MicroSettings, split: str, language: str) -> tuple[str, ...]:
    """The file of one split: every entity in turn, always with something else said of it."""
    sampler = Sampler(chance(settings, "mewslix_pairs", split), (language,))
    pool, count = english(settings, split)
    atoms = sorted(entities())
    rows = []
    for i in range(count):
        atom = atoms[i % len(atoms)]
        said, described = [said_of(sampler, atom, pool)], [said_of(sampler, atom, pool)]
        name = f"mewslix_pairs-{split}-{i}"
        mentioned = {"context": context(said, language, name), "mention": mention(said, 0, language, name)}
        rows.append({"contextual_mention": mentioned, "entity": entity(atom, described, language)})
    return ("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows),)
