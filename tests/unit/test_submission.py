"""Prediction files come back as they were written, and faults in them are named."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xstilts.data.examples import (
    ChoiceExample,
    Example,
    PairExample,
    ParallelExample,
    SpanExample,
    TaggedExample,
)
from xstilts.errors import PredictionError, XstiltsError
from xstilts.prediction.submission import prediction_path, read_predictions, suffix, write_predictions

IDS = st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=6, unique=True)
LINES = st.text(min_size=1, max_size=8).filter(lambda t: t == t.strip() and not {"\n", "\r"} & set(t))
LONE_SURROGATE = "\ud83d"
SINGLES = st.floats(width=32, allow_nan=False, allow_infinity=False)


def pairs(ids: list[str]) -> list[Example]:
    return [PairExample(name, "en", "one", "two", None) for name in ids]


def spans(ids: list[str]) -> list[Example]:
    return [SpanExample(name, "en", "context", "question", (), ()) for name in ids]


def sentences(ids: list[str], lengths: list[int]) -> list[Example]:
    return [TaggedExample(name, "en", ("w",) * n, None) for name, n in zip(ids, lengths, strict=True)]


def returned(
    folder: Path, task_type: Any, examples: list[Example], predictions: dict[str, Any]
) -> dict[str, Any]:
    path = folder / f"file.{suffix(task_type)}"
    write_predictions(path, task_type, examples, predictions)
    first = path.read_bytes()
    write_predictions(path, task_type, examples, dict(reversed(predictions.items())))
    assert path.read_bytes() == first
    return read_predictions(path, task_type, examples)


@given(st.data(), IDS)
@settings(max_examples=300)
def test_labels_come_back(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, ids: list[str]
) -> None:
    predictions = {name: data.draw(LINES) for name in ids}
    folder = tmp_path_factory.getbasetemp()
    assert returned(folder, "classification", pairs(ids), predictions) == predictions


@given(st.data(), IDS)
@settings(max_examples=300)
def test_answers_come_back(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, ids: list[str]
) -> None:
    texts = st.text() | st.sampled_from(["", " ", "\n", "a\tb\r\nc", "\u2028", LONE_SURROGATE])
    predictions = {name: data.draw(texts) for name in ids}
    assert returned(tmp_path_factory.getbasetemp(), "span", spans(ids), predictions) == predictions


@given(st.data(), IDS)
@settings(max_examples=300)
def test_tags_come_back(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, ids: list[str]
) -> None:
    tags = st.lists(LINES, min_size=1, max_size=5).map(tuple)
    predictions = {name: data.draw(tags) for name in ids}
    examples = sentences(ids, [len(value) for value in predictions.values()])
    assert returned(tmp_path_factory.getbasetemp(), "tagging", examples, predictions) == predictions


@given(st.data(), IDS)
@settings(max_examples=300)
def test_indices_come_back(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, ids: list[str]
) -> None:
    predictions = {name: data.draw(st.integers(0, 10**6)) for name in ids}
    examples: list[Example] = [ChoiceExample(name, "en", "c", "q", ("x", "y"), 0) for name in ids]
    folder = tmp_path_factory.getbasetemp()
    assert returned(folder, "multiple_choice", examples, predictions) == predictions


def falling(data: st.DataObject, count: int) -> list[float]:
    return sorted(data.draw(st.lists(SINGLES, min_size=count, max_size=count)), reverse=True)


@given(st.data(), st.integers(1, 6))
@settings(max_examples=300)
def test_rankings_come_back(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, size: int) -> None:
    examples: list[Example] = [ParallelExample(f"t-{i}", "de", "a", "b") for i in range(size)]
    predictions: dict[str, Any] = {}
    for example in examples:
        order = data.draw(st.permutations(range(size)))[: data.draw(st.integers(1, size))]
        predictions[example.id] = tuple(zip(order, falling(data, len(order)), strict=True))
    folder = tmp_path_factory.getbasetemp()
    assert returned(folder, "retrieval", examples, predictions) == predictions
    best = [ranking[0][0] for ranking in predictions.values()]
    assert (folder / "file.tsv").read_text(encoding="ascii") == "".join(f"{index}\n" for index in best)


@given(st.data(), st.integers(0, 6), st.integers(0, 3), st.integers(1, 3))
@settings(max_examples=300)
def test_mined_pairs_come_back(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, paired: int, alone: int, english: int
) -> None:
    examples: list[Example] = [ParallelExample(f"de-{i}:en-{i}", "de", "a", "b") for i in range(paired)]
    examples += [ParallelExample(f"de-{paired + i}", "de", "a", "") for i in range(alone)]
    examples += [ParallelExample(f"en-{paired + i}", "de", "", "b") for i in range(english)]
    targets = st.sampled_from([f"en-{i}" for i in range(paired + english)])
    values = st.none() | st.tuples(targets, SINGLES)
    predictions = {e.id: data.draw(values) if i < paired + alone else None for i, e in enumerate(examples)}
    folder = tmp_path_factory.getbasetemp()
    assert returned(folder, "mining", examples, predictions) == predictions
    lines = (folder / "file.tsv").read_text(encoding="ascii").splitlines()
    pairs = [f"{name.partition(':')[0]}\t{pair[0]}" for name, pair in predictions.items() if pair]
    assert [line for line in pairs if line in lines] == lines  # those above the threshold, in order


def test_files_are_those_of_xtreme(tmp_path: Path) -> None:
    folder = tmp_path / "predictions" / "task"
    path = prediction_path(folder, "tagging", "test", "af")
    write_predictions(path, "tagging", sentences(["a", "b"], [2, 1]), {"a": ("ADJ", "NOUN"), "b": ("DET",)})
    assert path == folder / "test-af.tsv"
    assert path.read_bytes() == b"ADJ\nNOUN\n\nDET\n"
    path = prediction_path(folder, "span", "test", "en")
    write_predictions(path, "span", spans(["q1"]), {"q1": "Zürich"})
    assert path == folder / "test-en.json"
    assert path.read_bytes() == b'{\n  "q1": "Z\\u00fcrich"\n}\n'
    assert sorted(file.name for file in folder.iterdir()) == ["test-af.tsv", "test-en.json"]


@pytest.mark.parametrize("label", ["", " neutral", "neutral\n", "a\nb", "a\rb", "\u2003"])
def test_labels_that_no_line_can_hold(tmp_path: Path, label: str) -> None:
    path = tmp_path / "dev-en.tsv"
    path.write_text("finished\n", encoding="utf-8")
    with pytest.raises(PredictionError, match="cannot stand on a line"):
        write_predictions(path, "classification", pairs(["a"]), {"a": label})
    assert path.read_text(encoding="utf-8") == "finished\n"


@pytest.mark.parametrize("tags", [(), ("NOUN",), ("NOUN", "VERB", "ADJ")])
def test_tags_that_do_not_fit_the_words(tmp_path: Path, tags: tuple[str, ...]) -> None:
    with pytest.raises(PredictionError, match=f"{len(tags)} tags for 2 words"):
        write_predictions(tmp_path / "dev-en.tsv", "tagging", sentences(["a"], [2]), {"a": tags})


@pytest.mark.parametrize(
    ("task_type", "content", "message"),
    [
        ("classification", b"", "0 lines for 2 examples"),
        ("classification", b"neutral\n", "1 lines for 2"),
        ("classification", b"neutral\nneutral\nneutral\n", "3 lines for 2"),
        ("classification", b"neutral\n\n", "an empty line"),
        ("classification", b"neutral\n\xff\n", "not UTF-8"),
        ("multiple_choice", b"0\n-1\n", "'-1' is not an index"),
        ("multiple_choice", b"0\n1.0\n", "'1.0' is not an index"),
        ("tagging", b"NOUN\n", "1 sentences for 2"),
        ("tagging", b"NOUN\n\nNOUN\n\nNOUN\n", "3 sentences for 2"),
        ("tagging", b"NOUN\nVERB\n\nNOUN\n", "2 tags for 1 words"),
        ("tagging", b"NOUN\n\n\nNOUN\n", "3 sentences for 2"),
        ("span", b"", "not JSON"),
        ("span", b'{"a": "x", "b": "y"', "not JSON"),
        ("span", b'["x", "y"]', "not a JSON object"),
        ("span", b'{"a": "x", "b": null}', "not a text"),
        ("span", b'{"a": "x", "b": "y", "a": "z"}', "two answers for one question"),
        ("span", b'{"a": "x"}', "1 of 2 examples have no prediction: b"),
        ("span", b'{"a": "x", "b": "y", "c": "z"}', "belong to no example: c"),
    ],
)
def test_faulty_files(tmp_path: Path, task_type: Any, content: bytes, message: str) -> None:
    examples = {
        "classification": pairs(["a", "b"]),
        "multiple_choice": [ChoiceExample(name, "en", "c", "q", ("x", "y"), 0) for name in "ab"],
        "tagging": sentences(["a", "b"], [1, 1]),
        "span": spans(["a", "b"]),
    }[task_type]
    path = prediction_path(tmp_path, task_type, "dev", "en")
    path.write_bytes(content)
    with pytest.raises(PredictionError, match=message) as caught:
        read_predictions(path, task_type, examples)
    assert str(path) in caught.value.where


@pytest.mark.parametrize(
    ("task_type", "run", "message"),
    [
        ("retrieval", "a Q0 b 1 1 x\n", "no prediction: b"),
        ("retrieval", "a Q0 b 1 1 x\nb Q0 c 1 1 x\n", "no candidate c"),
        ("retrieval", "a Q0 b 1 1 x\nb Q0 b 1 1 x\nc Q0 b 1 1 x\n", "belong to no example: c"),
        ("retrieval", "a Q0 b 2 1 x\n", "rank 2 of a"),
        ("mining", "c Q0 b 1 1 x\n", "no sentence c"),
        ("mining", "a Q0 b 1 1\n", "5 fields"),
    ],
)
def test_faulty_run_files(tmp_path: Path, task_type: Any, run: str, message: str) -> None:
    examples = [ParallelExample(name, "de", "a", "b") for name in "ab"]
    file = tmp_path / "dev-de.trec.gz"
    file.write_bytes(gzip.compress(run.encode()))
    with pytest.raises(PredictionError, match=message) as caught:
        read_predictions(tmp_path / "dev-de.tsv", task_type, examples)
    assert str(file) in caught.value.where


@pytest.mark.parametrize("damage", ["cut", "text", "gone"])
def test_damaged_run_files(tmp_path: Path, damage: str) -> None:
    examples: list[Example] = [ParallelExample(f"x{i}", "de", "a", "b") for i in range(50)]
    path, file = tmp_path / "dev-de.tsv", tmp_path / "dev-de.trec.gz"
    write_predictions(path, "retrieval", examples, {example.id: ((0, 1.0),) for example in examples})
    content = file.read_bytes()
    file.unlink() if damage == "gone" else file.write_bytes(content[:-20] if damage == "cut" else b"x Q0")
    with pytest.raises(PredictionError, match="missing" if damage == "gone" else "cut short or altered"):
        read_predictions(path, "retrieval", examples)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(XstiltsError, match="missing") as caught:
        read_predictions(tmp_path / "dev-en.tsv", "classification", pairs(["a"]))
    assert "dev-en.tsv" in caught.value.where


def test_a_last_empty_line_and_windows_lines_are_read(tmp_path: Path) -> None:
    path = tmp_path / "dev-en.tsv"
    path.write_bytes(b"NOUN\r\n\r\nVERB\r\n\r\n")
    assert read_predictions(path, "tagging", sentences(["a", "b"], [1, 1])) == {
        "a": ("NOUN",),
        "b": ("VERB",),
    }


def test_answers_are_ascii(tmp_path: Path) -> None:
    path = tmp_path / "dev-ar.json"
    write_predictions(path, "span", spans(["س"]), {"س": "ج" + LONE_SURROGATE})
    assert path.read_bytes().isascii()
    assert json.loads(path.read_text(encoding="ascii")) == {"س": "ج" + LONE_SURROGATE}
