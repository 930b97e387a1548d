"""XQuAD-R of the mirror: published counts, the gold of LAReQA's own code, English sentences, leakage."""

import json
from typing import Any

import numpy as np
import pytest

from tests.reference.test_mirror import MIRROR
from xstilts import registry
from xstilts.data.examples import QueryExample
from xstilts.data.leakage import EvaluationKeys, evaluation_keys
from xstilts.data.preparation import prepare_task
from xstilts.data.queries import gold
from xstilts.data.sentences import sentence_at, sentence_spans
from xstilts.data.sources import FolderSource
from xstilts.scoring import score

pytestmark = pytest.mark.skipif(not MIRROR.is_dir(), reason=f"no mirror of real data at {MIRROR}")

CANDIDATES = {
    "ar": 1222, "de": 1276, "el": 1234, "en": 1180, "es": 1215, "hi": 1244,
    "ru": 1219, "th": 852, "tr": 1167, "vi": 1209, "zh": 1196,
}  # fmt: skip
"""Candidate sentences by language, as LAReQA's README counts them; each language has 1,190 questions."""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> FolderSource:
    """The part of the mirror that LAReQA needs."""
    root = tmp_path_factory.mktemp("mirror")
    for name in ("xquad_r", "squad_v1.1"):
        (root / name).symlink_to(MIRROR / name)
    return FolderSource(root)


@pytest.fixture(scope="module")
def queries(source: FolderSource) -> dict[str, list[QueryExample]]:
    found = gold(source, registry.evaluation_tasks()["lareqa"], list(CANDIDATES))
    return {code: [e for e in part if isinstance(e, QueryExample)] for code, part in found}


def paragraphs(language: str) -> list[dict[str, Any]]:
    document = json.loads((MIRROR / "xquad_r" / f"{language}.json").read_text(encoding="utf-8"))
    return [paragraph for article in document["data"] for paragraph in article["paragraphs"]]


def test_counts_are_the_published_ones(source: FolderSource, queries: dict[str, list[QueryExample]]) -> None:
    assert {code: len(part) for code, part in queries.items()} == dict.fromkeys(CANDIDATES, 1190)
    pool = list(source.candidates("xquad_r", dict.fromkeys(CANDIDATES, "test")))
    assert {code: sum(c.language == code for c in pool) for code in CANDIDATES} == CANDIDATES
    assert len({candidate.id for candidate in pool}) == len(pool) == 13014


def test_a_question_has_one_answer_in_each_language(
    source: FolderSource, queries: dict[str, list[QueryExample]]
) -> None:
    texts = {
        c.id: (c.text, c.context) for c in source.candidates("xquad_r", dict.fromkeys(CANDIDATES, "test"))
    }
    for code, part in queries.items():
        for query in part:
            assert [name.partition("_")[0] for name in query.candidates] == list(CANDIDATES)
            own = query.candidates[list(CANDIDATES).index(code)]
            assert texts[own] == (query.answer, query.context)


@pytest.mark.parametrize("language", sorted(CANDIDATES))
def test_the_answer_is_the_sentence_that_the_gold_answer_begins_in(
    queries: dict[str, list[QueryExample]], language: str
) -> None:
    """LAReQA's code: the first sentence with start <= answer_start < end, cut from the paragraph."""
    expected = []
    for paragraph in paragraphs(language):
        for question in paragraph["qas"]:
            at = question["answers"][0]["answer_start"]
            (start, end) = next(pair for pair in paragraph["sentence_breaks"] if pair[0] <= at < pair[1])
            expected.append((question["id"], question["question"], paragraph["context"][start:end]))
    assert [(query.id, query.query, query.answer) for query in queries[language]] == expected


def test_recall_at_10_has_a_ceiling_of_ten_elevenths(queries: dict[str, list[QueryExample]]) -> None:
    perfect = {query.id: [(name, 1.0) for name in query.candidates] for query in queries["th"]}
    measures = score("dual_encoder", queries["th"], perfect)
    assert measures["map_at_20"].value == measures["mrr"].value == 1
    assert measures["recall_at_10"].value == pytest.approx(10 / 11)
    assert measures["recall_at_10_ceiling"].value == pytest.approx(10 / 11)


def test_the_rule_finds_the_english_sentences_of_xquad_r() -> None:
    """Training paragraphs have no breaks of their own; where there are some, the rule agrees with them."""
    agreed = total = 0
    answers = []
    for paragraph in paragraphs("en"):
        spans, breaks = sentence_spans(paragraph["context"]), paragraph["sentence_breaks"]
        found, published = {start for start, _ in spans[1:]}, {start for start, _ in breaks[1:]}
        agreed += 2 * len(found & published)
        total += len(found) + len(published)
        for question in paragraph["qas"]:
            at = question["answers"][0]["answer_start"]
            own = next(tuple(pair) for pair in breaks if pair[0] <= at < pair[1])
            answers.append(spans[sentence_at(spans, at)] == own)
    assert agreed / total > 0.995
    assert np.mean(answers) > 0.985


def test_no_paragraph_of_xquad_r_is_trained_on(
    source: FolderSource, queries: dict[str, list[QueryExample]]
) -> None:
    keys = EvaluationKeys(evaluation_keys(source))
    task = registry.training_tasks()["lareqa_dev"]
    prepared = prepare_task(source, "lareqa_dev", task, keys)
    assert prepared.leakage.values.tolist() == [
        ["lareqa_dev", "train", "en", "any", 1190, 10570],
        ["lareqa_dev", "train", "en", "xquad_r", 1190, 10570],
    ]
    assert len(prepared.train) + len(prepared.dev) == 10570 - 1190
    held = {query.context for query in queries["en"]}
    assert len(held) == 240
    for example in (*prepared.train, *prepared.dev):
        assert isinstance(example, QueryExample)
        assert example.context not in held
        assert example.answer in example.context
