"""Mentions of entities in Mewsli-X's layout: an entity is a place or a language that CLDR has a name for.

A sentence says something of an entity and begins with its name, which is the mention. The entity's
description, mostly in another language, says something else of it: they have but the name in common, or its
translation.
"""

from functools import cache
from typing import Any

from xstilts.micro.answering import breaks
from xstilts.micro.cldr import inventory, write_atom
from xstilts.micro.partition import Pool, identity, pool_of
from xstilts.micro.phrases import Phrase, Sampler, fact, write_all

LANGUAGES = ("ar", "de", "en", "es", "fa", "ja", "pl", "ro", "ta", "tr", "uk")
KINDS = ("territory", "language")
ADDRESS = "https://example.org/"


@cache
def entities(languages: tuple[str, ...] = LANGUAGES) -> dict[str, str]:
    """The entities that have a name in all languages: ids by atoms; of those written alike, one."""
    named = inventory(languages)
    first = {identity(atom): atom for kind in KINDS for atom in sorted(named[kind], reverse=True)}
    return {atom: f"Q{number}" for number, atom in enumerate(sorted(first.values()), start=1)}


def said_of(sampler: Sampler, atom: str, pool: Pool) -> Phrase:
    """Something that is said of an entity: a currency and an amount."""
    while True:
        phrase = fact(atom, [sampler.atom("currency"), sampler.quantity()])
        if pool_of(phrase.atoms()) == pool and len(set(map(identity, phrase.atoms()))) == 3:
            return phrase


def context(phrases: list[Phrase], language: str, name: str) -> dict[str, Any]:
    """An article of some sentences."""
    return {
        "document_title": name,
        "document_url": f"{ADDRESS}{name}",
        "document_id": name,
        "language": language,
        "text": write_all(phrases, language),
        "sentence_spans": _spans(phrases, language),
    }


def mention(phrases: list[Phrase], index: int, language: str, name: str) -> dict[str, Any]:
    """The mention with which the sentence of that index begins."""
    atom = phrases[index].parts[0].atom
    start, text = _spans(phrases, language)[index]["start"], write_atom(atom, language)
    return {
        "example_id": name,
        "entity_id": entities()[atom],
        "mention_span": {"start": start, "end": start + len(text), "text": text},
        "metadata": {"bin_name": "micro"},
    }


def entity(atom: str, phrases: list[Phrase], language: str) -> dict[str, Any]:
    """An entity with its description."""
    name = entities()[atom]
    return {
        "entity_id": name,
        "title": write_atom(atom, language),
        "description": write_all(phrases, language),
        "description_url": f"{ADDRESS}{name}",
        "description_language": language,
        "sentence_spans": _spans(phrases, language),
    }


def _spans(phrases: list[Phrase], language: str) -> list[dict[str, int]]:
    sentences = [write_all([phrase], language) for phrase in phrases]
    return [{"start": start, "end": end} for start, end in breaks(sentences, language)]
