"""Queries and their candidates: sentences, the conversion of questions, XQuAD-R's format, one pool."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xstilts.data import queries
from xstilts.data.examples import Candidate, QueryExample, SpanExample
from xstilts.data.formats import squad_r
from xstilts.data.leakage import EvaluationKeys, evaluation_keys
from xstilts.data.preparation import prepare_task
from xstilts.data.sentences import sentence_at, sentence_spans
from xstilts.data.sources import FolderSource
from xstilts.data.storage import read_examples, write_examples
from xstilts.errors import DataError
from xstilts.registry import HeldOut, Holdout, PredictionTask, Split, TrainingTask

TEXT = 'Dr. J. Smith won in 1984. "Why?" asked St. Mary. He did.[3] The U.S. The end'
SENTENCES = ["Dr. J. Smith won in 1984.", '"Why?" asked St. Mary.', "He did.[3]", "The U.S.", "The end"]


def cut(text: str) -> list[str]:
    return [text[start:end] for start, end in sentence_spans(text)]


def test_sentences_end_where_a_reader_ends_them() -> None:
    assert cut(TEXT) == SENTENCES
    assert cut("It cost 3.5 million, e.g. in Rs. 20 notes. 7 were lost.") == [
        "It cost 3.5 million, e.g. in Rs. 20 notes.",
        "7 were lost.",
    ]
    assert cut("  one sentence without an end ") == ["one sentence without an end"]
    assert cut(" \n") == []


@given(st.text(st.sampled_from("Aa1. \n?!\"')[](éΩ中")))
def test_sentences_hold_every_character_but_the_space_between(text: str) -> None:
    spans = sentence_spans(text)
    places = [place for start, end in spans for place in range(start, end)]
    assert places == sorted(set(places))
    assert all(text[place].isspace() for place in set(range(len(text))) - set(places))
    assert all(text[start:end] == text[start:end].strip() != "" for start, end in spans)
    for number, (start, end) in enumerate(spans):
        assert {sentence_at(spans, place) for place in range(start, end)} == {number}


def span(name: str, answer: str, context: str = TEXT, start: int | None = None) -> SpanExample:
    place = context.index(answer) if start is None else start
    return SpanExample(name, "en", context, f"Who, {name}?", (answer,), (place,))


def test_a_question_is_answered_by_the_sentence_in_which_its_answer_begins() -> None:
    found = queries.as_queries(
        [
            span("a", "1984"),
            span("b", "Mary. He did"),
            span("c", "end"),
            span("d", "x", "x. X"),
            span("e", " He"),
        ]
    )
    assert [(e.id, e.query, e.answer, e.candidates) for e in found if isinstance(e, QueryExample)] == [
        ("a", "Who, a?", SENTENCES[0], ("en_1_0",)),
        ("b", "Who, b?", SENTENCES[1], ("en_1_1",)),
        ("c", "Who, c?", SENTENCES[4], ("en_1_4",)),
        ("d", "Who, d?", "x.", ("en_2_0",)),
        ("e", "Who, e?", SENTENCES[1], ("en_1_1",)),  # it begins with the space before its sentence
    ]
    assert {e.context for e in found if isinstance(e, QueryExample)} == {TEXT, "x. X"}


def test_equal_sentences_of_a_paragraph_are_one_candidate() -> None:
    first, second = queries.as_queries([span("a", "no", "It is no. It is no.", place) for place in (6, 16)])
    assert isinstance(first, QueryExample) and isinstance(second, QueryExample)
    assert first.candidates == second.candidates == ("en_1_0",)


def test_questions_without_an_answer_are_left_out_and_queries_stay() -> None:
    query = QueryExample("q", "en", "?", "answer", "", ("Q1",))
    assert queries.as_queries([SpanExample("x", "en", TEXT, "?", (), ()), query]) == [query]


def paragraph(language: str, *, begin: int = 3) -> dict[str, Any]:
    """Two sentences, and one question that the second answers."""
    context = f"{language}. It is {language.upper()}."
    start = context.index(language.upper())
    question = {
        "id": "q1",
        "question": f"{language}?",
        "answers": [{"text": language.upper(), "answer_start": start}],
    }
    return {"context": context, "sentence_breaks": [[0, begin], [begin + 1, len(context)]], "qas": [question]}


def write(path: Path, *paragraphs: dict[str, Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"data": [{"paragraphs": list(paragraphs)}], "version": "1.1"}))
    return path


@pytest.fixture
def source(tmp_path: Path) -> FolderSource:
    for language in ("de", "en"):
        empty = {"context": "No one asks.", "sentence_breaks": [[0, 12]], "qas": []}
        write(tmp_path / "xquad_r" / f"{language}.json", empty, paragraph(language))
    return FolderSource(tmp_path)


def test_xquad_r_gives_queries_and_every_sentence(source: FolderSource) -> None:
    assert source.read("xquad_r", "test", "de") == [
        QueryExample("q1", "de", "de?", "It is DE.", "de. It is DE.", ("de_2_1",))
    ]
    assert list(source.candidates("xquad_r", dict.fromkeys(["de", "en"], "test"))) == [
        Candidate("de_1_0", "de", "No one asks.", "No one asks."),
        Candidate("de_2_0", "de", "de.", "de. It is DE."),
        Candidate("de_2_1", "de", "It is DE.", "de. It is DE."),
        Candidate("en_1_0", "en", "No one asks.", "No one asks."),
        Candidate("en_2_0", "en", "en.", "en. It is EN."),
        Candidate("en_2_1", "en", "It is EN.", "en. It is EN."),
    ]


def test_a_query_is_answered_in_every_language_of_the_run(source: FolderSource) -> None:
    entry = PredictionTask(type="dual_encoder", data=HeldOut(dataset="xquad_r", split="test"))
    found = dict(queries.gold(source, entry, ["de", "en"]))
    assert {e.candidates for part in found.values() for e in part if isinstance(e, QueryExample)} == {
        ("de_2_1", "en_2_1")
    }
    ((_, alone),) = queries.gold(source, entry, ["en"])
    assert [e.candidates for e in alone if isinstance(e, QueryExample)] == [("en_2_1",)]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sentence_breaks": [[0, 3], [4, 99]]}, "the sentence from 4 to 99 is not in the paragraph"),
        ({"sentence_breaks": [[0, 3]]}, "the answer 'EN' begins in no sentence"),
        ({"sentence_breaks": None}, "not in the format of XQuAD-R"),
        ({"context": "en. It was EN."}, "the answer 'EN' is not at its offset 10"),
        ({"qas": [{"id": "q1", "question": "?", "answers": []}]}, "question q1 has 0 answers instead of one"),
        ({"qas": [{"id": "q1", "question": "?"}]}, "the key 'answers' is missing"),
    ],
)
def test_faults_name_the_place(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    path = write(tmp_path / "xquad_r" / "en.json", paragraph("en") | changes)
    with pytest.raises(DataError, match=message) as caught:
        list(squad_r.parse([path], dataset="xquad_r", split="test", language="en"))
    assert str(path) in caught.value.where and (
        "paragraph 1" in caught.value.where or "q1" in caught.value.where
    )


def test_paragraphs_of_the_pool_leave_training(tmp_path: Path) -> None:
    held = "Amsterdam is the capital of it. It lies in a low country."
    free = "Rotterdam is a big port for it. It lies in a low country."
    asked = {"id": "q1", "question": "Which?", "answers": [{"text": "It", "answer_start": held.index("It")}]}
    breaks = [[0, 31], [32, len(held)]]
    write(tmp_path / "xquad_r" / "en.json", {"context": held, "sentence_breaks": breaks, "qas": [asked]})
    train = tmp_path / "squad_v1.1" / "dev-v1.1.json"
    texts = [held, *(f"{free} {number} ships." for number in range(40))]
    write(train, *({"context": text, "qas": [asked | {"id": str(i)}]} for i, text in enumerate(texts)))
    source = FolderSource(tmp_path)
    keys = EvaluationKeys(evaluation_keys(source))
    split = Split(dataset="squad1", split="dev")
    task = TrainingTask(type="dual_encoder", train=split, dev=Holdout(holdout=0.3))
    prepared = prepare_task(source, "lareqa_dev", task, keys)
    assert prepared.leakage.values.tolist() == [
        ["lareqa_dev", "train", "en", "any", 1, 41],
        ["lareqa_dev", "train", "en", "xquad_r", 1, 41],
    ]
    parts = [
        {e.context for e in part if isinstance(e, QueryExample)} for part in (prepared.train, prepared.dev)
    ]
    assert all(parts) and not parts[0] & parts[1] and held not in parts[0] | parts[1]
    assert keys.of_text("It lies in a low country!") == ("xquad_r",)  # an answer's sentence
    write_examples(tmp_path / "train.jsonl", prepared.train)
    assert read_examples(tmp_path / "train.jsonl") == prepared.train
