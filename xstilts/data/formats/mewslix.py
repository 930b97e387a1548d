"""Mewsli-X (Ruder et al. 2021), the release mewsli-x_20220518_6 with its text restored by get-mewsli-x.sh.

- wikipedia_pairs-<split>.jsonl: a mention in an English Wikipedia page and its entity, to train on;
- wikinews_mentions-<split>.jsonl: WikiNews articles of all languages with mentions, whose entity is sought;
- candidate_set_entities.jsonl: the entities, each with a description in one of 50 languages.

Texts are made as in XTREME-R's code (utils_mewslix.py). A query is the mention, then the one sentence around
it, in which the mention stands between braces; a candidate is the description, without its title.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from xstilts.data.examples import Candidate, QueryExample
from xstilts.data.reading import json_lines, malformed

BRACES = re.compile(r"\{(.*?)\}")


def parse(paths: Sequence[Path], *, dataset: str, split: str, language: str) -> Iterator[QueryExample]:
    """One query a mention: of pairs with the entity's description, of articles with the entity's id alone.

    The first of `paths` is read, that of the mentions.

    Raises:
        DataError: if the file is not in this format, its articles have no text, or a mention does not stand
            at its offset within one sentence.
    """
    for number, record in json_lines(paths[0]):
        try:
            yield from _queries(record, language)
        except KeyError as error:
            raise malformed(paths[0], number, f"the key {error} is missing") from error
        except (TypeError, ValueError, AttributeError) as error:
            raise malformed(paths[0], number, f"not in Mewsli-X's format: {error}") from error


def candidates(files: Mapping[str, Sequence[Path]]) -> Iterator[Candidate]:
    """Every entity, in the file's order, whatever the languages of the queries; the last file holds them.

    Raises:
        DataError: if it is not in this format.
    """
    path = next(iter(files.values()))[-1]
    for number, entity in json_lines(path):
        try:
            yield Candidate(entity["entity_id"], entity["description_language"], _description(entity), "")
        except KeyError as error:
            raise malformed(path, number, f"the key {error} is missing") from error
        except (TypeError, ValueError) as error:
            raise malformed(path, number, f"not in Mewsli-X's format: {error}") from error


def _queries(record: dict[str, Any], language: str) -> Iterator[QueryExample]:
    if "entity" in record:
        context, entity = record["contextual_mention"]["context"], record["entity"]
        mentions, answer = [record["contextual_mention"]["mention"]], _description(entity)
        if mentions[0]["entity_id"] != entity["entity_id"]:
            raise ValueError(f"the mention {mentions[0]['example_id']} is of another entity")
    else:
        context, mentions, answer = record["context"], record["mentions"], ""
    if context["language"] == language:
        for mention in mentions:
            query, sentence = _marked(context, mention)
            found = (mention["entity_id"],)
            origin = (sentence, context["text"])
            yield QueryExample(mention["example_id"], language, query, answer, "", found, origin)


def _marked(context: dict[str, Any], mention: dict[str, Any]) -> tuple[str, str]:
    """`Smith: The verdict came back for { Smith }, who stepped down`, and the sentence as it stands.

    Other braces become parentheses.
    """
    text, span = context["text"], mention["mention_span"]
    start, end = span["start"], span["end"]
    if not text:
        raise ValueError("the article has no text: restore it with get-mewsli-x.sh, and read that file")
    if text[start:end] != span["text"]:
        raise ValueError(f"the mention '{span['text']}' is not at its offset {start}")
    around = [s for s in context["sentence_spans"] if s["start"] <= start < end <= s["end"]]
    if not around:
        raise ValueError(f"the mention '{span['text']}' at {start} is within no sentence")
    begin, stop = around[0]["start"], around[0]["end"]
    left, right = text[begin:start], text[end:stop]
    left, right = (BRACES.sub(r"(\1)", side) for side in (left, right))
    return _one_line(f"{span['text']}: {left} {{ {span['text']} }} {right}"), text[begin:stop]


def _description(entity: dict[str, Any]) -> str:
    text, spans = entity["description"], entity["sentence_spans"]
    return _one_line(" ".join(text[span["start"] : span["end"]] for span in spans))


def _one_line(text: str) -> str:
    return " ".join(text.splitlines()).replace("  ", " ").strip()
