"""Mentions in Mewsli-X's place: articles in all its languages, and one set of entities that they search.

As its publisher's, each file holds all languages, whichever the settings choose.
"""

import json
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from xstilts.micro.mentions import LANGUAGES, context, entities, entity, mention, said_of
from xstilts.micro.phrases import Sampler
from xstilts.micro.settings import MicroSettings
from xstilts.micro.sizes import chance

SENTENCES = 3  # of an article, with one mention each


def splits(_: MicroSettings) -> dict[str, tuple[str, ...]]:
    """The languages of each split."""
    return {"dev": LANGUAGES, "test": LANGUAGES}


def _article(sampler: Sampler, atoms: list[str], language: str, name: str, first: int) -> dict[str, Any]:
    phrases = [said_of(sampler, atom, "test") for atom in atoms]
    mentions = [mention(phrases, i, language, f"{name}-{first + i}") for i in range(len(phrases))]
    return {"context": context(phrases, language, f"{name}-{first}"), "mentions": mentions}


def _articles(settings: MicroSettings, split: str, language: str) -> Iterable[dict[str, Any]]:
    sampler = Sampler(chance(settings, "mewslix", split, language), (language,))
    order = sampler.rng.sample(sorted(entities()), len(entities()))
    atoms = [order[i % len(order)] for i in range(settings.evaluation_examples)]
    for first in range(0, len(atoms), SENTENCES):
        some = atoms[first : first + SENTENCES]
        yield _article(sampler, some, language, f"mewslix-{split}-{language}", first)


def _entities(settings: MicroSettings) -> Iterable[dict[str, Any]]:
    """Every entity, described in one language after the other."""
    for number, atom in enumerate(entities()):
        language = LANGUAGES[number % len(LANGUAGES)]
        sampler = Sampler(chance(settings, "mewslix", atom), (language,))
        yield entity(atom, [said_of(sampler, atom, "test") for _ in range(2)], language)


def _lines(records: Iterable[dict[str, Any]]) -> str:
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


@lru_cache(maxsize=1)
def _files(settings: MicroSettings, split: str) -> tuple[str, ...]:
    articles = "".join(_lines(_articles(settings, split, language)) for language in LANGUAGES)
    return articles, _lines(_entities(settings))


def build(settings: MicroSettings, split: str, language: str) -> tuple[str, ...]:
    """The articles and the entities; the same for every language."""
    return _files(settings, split)
