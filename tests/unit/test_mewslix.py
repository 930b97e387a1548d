"""Mewsli-X's files, in the layout of its release."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from xstilts import registry
from xstilts.data.examples import Candidate, QueryExample
from xstilts.data.leakage import EvaluationKeys, evaluation_keys
from xstilts.data.preparation import prepare_task
from xstilts.data.queries import gold
from xstilts.data.sources import FolderSource
from xstilts.errors import DataError


def spans(*pairs: tuple[int, int]) -> list[dict[str, int]]:
    return [{"start": start, "end": end} for start, end in pairs]


def context(language: str, text: str, *sentences: tuple[int, int]) -> dict[str, Any]:
    return {
        "document_title": "t",
        "document_url": "https://example.org",
        "document_id": f"{language}-1",
        "language": language,
        "text": text,
        "sentence_spans": spans(*sentences),
    }


def mention(name: str, entity: str, text: str, start: int) -> dict[str, Any]:
    span = {"start": start, "end": start + len(text), "text": text}
    return {"example_id": name, "entity_id": entity, "mention_span": span, "metadata": {"bin_name": "b"}}


def entity(name: str, language: str, description: str, *sentences: tuple[int, int]) -> dict[str, Any]:
    return {
        "entity_id": name,
        "title": f"title of {name}",
        "description": description,
        "description_url": "https://example.org",
        "description_language": language,
        "sentence_spans": spans(*sentences),
    }


GERMAN = "Gestern. Die Stadt {alt} Bern\nfeiert  heute. Ende."
ARTICLES = [
    {
        "context": context("de", GERMAN, (0, 8), (9, 44), (45, 50)),
        "mentions": [mention("m1", "Q70", "Bern", 25), mention("m2", "Q2", "Die Stadt", 9)],
    },
    *(
        {"context": context(code, "Bern.", (0, 5)), "mentions": [mention(f"m-{code}", "Q70", "Bern", 0)]}
        for code in ("ar", "en", "es", "fa", "ja", "pl", "ro", "ta", "tr", "uk")
    ),
]
ENTITIES = [
    entity("Q70", "fr", "Berne est une ville.\nElle est  belle. Non.", (0, 20), (21, 37)),
    entity("Q2", "de", "Eine Stadt ist groß.", (0, 20)),
    entity("Q3", "en", "Nobody asks for it.", (0, 19)),
]


def pair(number: int, text: str = "An old town lies there.") -> dict[str, Any]:
    return {
        "contextual_mention": {
            "context": context("en", text, (0, len(text))),
            "mention": mention(f"p{number}", f"Q{number}", "old town", text.index("old")),
        },
        "entity": entity(f"Q{number}", "en", f"Town number {number} of many.", (0, 22)),
    }


def write(root: Path, name: str, *records: dict[str, Any]) -> None:
    path = root / "mewslix" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records))


@pytest.fixture
def source(tmp_path: Path) -> FolderSource:
    for split in ("dev", "test"):
        write(tmp_path, f"wikinews_mentions-{split}.jsonl", *ARTICLES)
    write(tmp_path, "candidate_set_entities.jsonl", *ENTITIES)
    write(tmp_path, "wikipedia_pairs-train.jsonl", *(pair(number) for number in range(1, 5)))
    write(tmp_path, "wikipedia_pairs-dev.jsonl", pair(7), pair(8))
    return FolderSource(tmp_path)


def test_mentions_are_queries_in_their_language(source: FolderSource) -> None:
    origin = ("Die Stadt {alt} Bern\nfeiert  heute.", GERMAN)
    assert source.read("mewslix", "test", "de") == [
        QueryExample("m1", "de", "Bern: Die Stadt (alt) { Bern } feiert heute.", "", "", ("Q70",), origin),
        QueryExample(
            "m2", "de", "Die Stadt: { Die Stadt } (alt) Bern feiert heute.", "", "", ("Q2",), origin
        ),
    ]
    assert [query.id for query in source.read("mewslix", "test", "tr")] == ["m-tr"]


def test_all_entities_are_one_pool_whatever_the_languages(source: FolderSource) -> None:
    expected = [
        Candidate("Q70", "fr", "Berne est une ville. Elle est belle.", ""),
        Candidate("Q2", "de", "Eine Stadt ist groß.", ""),
        Candidate("Q3", "en", "Nobody asks for it.", ""),
    ]
    for languages in (["de"], ["de", "tr"]):
        assert list(source.candidates("mewslix", dict.fromkeys(languages, "test"))) == expected
    task = registry.evaluation_tasks()["mewslix"]
    found = {code: [e.candidates for e in part if isinstance(e, QueryExample)]
             for code, part in gold(source, task, ["de", "tr"])}  # fmt: skip
    assert found == {"de": [("Q70",), ("Q2",)], "tr": [("Q70",)]}


def test_pairs_are_trained_and_selected_on(source: FolderSource) -> None:
    keys = EvaluationKeys(evaluation_keys(source))
    prepared = prepare_task(source, "mewslix", registry.training_tasks()["mewslix"], keys)
    assert prepared.train[0] == QueryExample(
        "p1", "en", "old town: An { old town } lies there.", "Town number 1 of many.", "", ("Q1",)
    )
    assert [example.id for example in prepared.train] == ["p1", "p2", "p3", "p4"]
    assert [example.id for example in prepared.dev] == ["p7", "p8"]


def test_sentences_and_articles_of_mentions_are_protected(source: FolderSource) -> None:
    """As they stand in their publisher's files, not as queries mark them up."""
    keys = EvaluationKeys(evaluation_keys(source))
    for text in ("Die Stadt (alt) Bern feiert heute!", GERMAN, "Gestern. Die Stadt {alt} Bern"):
        assert keys.of_text(text) == ("mewslix",)
    assert keys.of_text("Gestern ist die Stadt Bern") == ()
    leaked = pair(5, GERMAN.replace("Bern", "old town"))
    write(source.root, "wikinews_mentions-test.jsonl", *ARTICLES, {
        "context": context("en", "Much later an old town burnt down.", (0, 34)),
        "mentions": [mention("m9", "Q2", "old town", 14)],
    })  # fmt: skip
    write(
        source.root,
        "wikipedia_pairs-train.jsonl",
        pair(1),
        pair(2, "Much later an old town burnt down."),
        leaked,
    )
    prepared = prepare_task(
        source, "mewslix", registry.training_tasks()["mewslix"], EvaluationKeys(evaluation_keys(source))
    )
    assert [example.id for example in prepared.train] == ["p1"], "p5 shares a line of its article"
    assert prepared.leakage.values.tolist()[0] == ["mewslix", "train", "en", "any", 2, 3]


def changed(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(json.dumps(ARTICLES[0]))
    change(record)
    return record


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (changed(lambda r: r["context"].update(text="")), "no text: restore it with get-mewsli-x.sh"),
        (changed(lambda r: r["context"].update(text="x" * 60)), "'Bern' is not at its offset 25"),
        (changed(lambda r: r["context"].update(sentence_spans=spans((0, 26)))), "within no sentence"),
        (changed(lambda r: r["mentions"][0].pop("entity_id")), "the key 'entity_id' is missing"),
        (changed(lambda r: r.pop("context")), "the key 'context' is missing"),
        (changed(lambda r: r.update(context=3)), "not in Mewsli-X's format"),
        ({**pair(1), "entity": pair(2)["entity"]}, "the mention p1 is of another entity"),
    ],
)
def test_faults_name_file_and_line(tmp_path: Path, record: dict[str, Any], message: str) -> None:
    write(tmp_path, "wikinews_mentions-test.jsonl", ARTICLES[0], record)
    write(tmp_path, "candidate_set_entities.jsonl", *ENTITIES)
    with pytest.raises(DataError, match=message) as caught:
        FolderSource(tmp_path).read("mewslix", "test", "de")
    assert caught.value.where.endswith("wikinews_mentions-test.jsonl, line 2")


def test_faults_of_entities_name_the_line(source: FolderSource) -> None:
    write(source.root, "candidate_set_entities.jsonl", ENTITIES[0], {"entity_id": "Q5"})
    with pytest.raises(DataError, match="the key 'description_language' is missing") as caught:
        list(source.candidates("mewslix", {"de": "test"}))
    assert caught.value.where.endswith("candidate_set_entities.jsonl, line 2")
