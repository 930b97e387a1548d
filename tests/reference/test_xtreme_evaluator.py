"""Our files, handed to readers and metrics written here as XTREME's evaluate.py defines them.

Its readers: `read_label` strips every line of a file; `read_tag` also starts a new example at each empty
line; `read_squad` loads JSON. Its metrics: accuracy over lines, seqeval's f1_score over the lists of tags,
SQuAD v1.1's exact match and F1, in percent.
"""

import json
import os
import random
import warnings
from pathlib import Path
from typing import Any

import pytest

from xstilts.data.examples import Example, PairExample, ParallelExample, SpanExample, TaggedExample
from xstilts.prediction.submission import prediction_path, read_predictions, write_predictions
from xstilts.scoring import score

UD = "ADJ ADP ADV AUX CCONJ DET INTJ NOUN NUM PART PRON PROPN PUNCT SCONJ SYM VERB X".split()
XNLI = ["contradiction", "entailment", "neutral"]
MIRROR = Path(os.environ.get("XSTILTS_MIRROR", Path(__file__).parents[3] / "shared" / "data"))
needs_mirror = pytest.mark.skipif(
    not MIRROR.is_dir(), reason=f"no mirror of the data sets at {MIRROR} (set XSTILTS_MIRROR)"
)


def stripped_lines(path: Path) -> list[str]:
    with path.open(encoding="ascii") as stream:
        return [line.strip() for line in stream]


def accuracy(labels: Path, predictions: Path) -> float:
    golden, found = stripped_lines(labels), stripped_lines(predictions)
    assert len(golden) == len(found)
    return 100 * sum(a == b for a, b in zip(golden, found, strict=True)) / len(found)


def sentences(path: Path) -> list[list[str]]:
    blocks: list[list[str]] = [[]]
    for line in stripped_lines(path):
        if line:
            blocks[-1].append(line)
        else:
            blocks.append([])
    return blocks if blocks[-1] else blocks[:-1]


def tag_f1(labels: Path, predictions: Path) -> float:
    from seqeval.metrics import f1_score

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return 100 * float(f1_score(sentences(labels), sentences(predictions)))


def squad(data: Any, predictions: Path) -> dict[str, float]:
    """SQuAD v1.1 over questions that are answered in words without articles or punctuation."""
    answers = json.loads(predictions.read_text(encoding="ascii"))
    total = exact = f1 = 0.0
    for article in data:
        for paragraph in article["paragraphs"]:
            for question in paragraph["qas"]:
                found = answers[question["id"]].lower().split()
                golden = [answer["text"].lower().split() for answer in question["answers"]]
                total += 1
                exact += found in golden
                f1 += max(_overlap(found, words) for words in golden)
    return {"exact_match": 100 * exact / total, "f1": 100 * f1 / total}


def _overlap(found: list[str], golden: list[str]) -> float:
    shared = sum(min(found.count(word), golden.count(word)) for word in set(found))
    return 2 * shared / (len(found) + len(golden)) if shared else 0.0


def write_both(
    folder: Path, task_type: Any, examples: list[Example], golden: Any, found: Any
) -> tuple[Path, Path]:
    paths = []
    for name, values in (("labels", golden), ("predictions", found)):
        path = prediction_path(folder / name, task_type, "test", "en")
        write_predictions(path, task_type, examples, dict(zip([e.id for e in examples], values, strict=True)))
        paths.append(path)
    return paths[0], paths[1]


def scored(task_type: Any, examples: list[Example], path: Path, labels: list[str]) -> dict[str, float]:
    found = score(task_type, examples, read_predictions(path, task_type, examples), labels)
    return {metric: measure.value for metric, measure in found.items()}


@pytest.mark.parametrize("seed", range(50))
def test_classification(tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    golden, found = (draw.choices(XNLI, k=30) for _ in range(2))
    examples: list[Example] = [PairExample(f"x{i}", "en", "a", "b", label) for i, label in enumerate(golden)]
    labels, predictions = write_both(tmp_path, "classification", examples, golden, found)
    value = scored("classification", examples, predictions, XNLI)["accuracy"]
    assert value * 100 == pytest.approx(accuracy(labels, predictions), abs=1e-12)


@pytest.mark.parametrize("seed", range(50))
def test_tagging(tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    golden = [tuple(draw.choices(UD, k=draw.randrange(1, 9))) for _ in range(12)]
    found = [tuple(draw.choice([tag, draw.choice(UD)]) for tag in sentence) for sentence in golden]
    examples: list[Example] = [TaggedExample(f"x{i}", "en", tags, tags) for i, tags in enumerate(golden)]
    labels, predictions = write_both(tmp_path, "tagging", examples, golden, found)
    assert sentences(predictions) == [list(tags) for tags in found]
    value = scored("tagging", examples, predictions, UD)["f1"]
    assert value * 100 == pytest.approx(tag_f1(labels, predictions), abs=1e-12)


@pytest.mark.parametrize("seed", range(50))
def test_retrieval(tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    found = [draw.choice([line, draw.randrange(25)]) for line in range(25)]
    examples: list[Example] = [ParallelExample(f"x{i}", "de", "a", "b") for i in range(25)]
    labels, predictions = write_both(tmp_path, "retrieval", examples, range(25), found)
    value = scored("retrieval", examples, predictions, [])["accuracy"]
    assert value * 100 == pytest.approx(accuracy(labels, predictions), abs=1e-12)


@pytest.mark.parametrize("seed", range(50))
def test_question_answering(tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    words = ["Zürich", "東京", "القاهرة", "мост", "Bern", "bern", "12"]
    golden = [
        tuple(" ".join(draw.choices(words, k=draw.randrange(1, 4))) for _ in range(2)) for _ in range(20)
    ]
    found = [draw.choice([*answers, " ".join(draw.choices(words, k=2)), "", "\n\t"]) for answers in golden]
    examples: list[Example] = [SpanExample(f"x{i}", "en", "", "?", a, (0, 0)) for i, a in enumerate(golden)]
    path = prediction_path(tmp_path, "span", "test", "en")
    write_predictions(path, "span", examples, {f"x{i}": text for i, text in enumerate(found)})
    questions = [{"id": f"x{i}", "answers": [{"text": t} for t in a]} for i, a in enumerate(golden)]
    expected = squad([{"paragraphs": [{"qas": questions}]}], path)
    values = scored("span", examples, path, [])
    assert {metric: value * 100 for metric, value in values.items()} == pytest.approx(expected, abs=1e-12)


@needs_mirror
@pytest.mark.parametrize("language", ["en", "zh", "ar"])
def test_real_tags(tmp_path: Path, language: str) -> None:
    blocks = (MIRROR / "udpos" / f"dev-{language}.tsv").read_text(encoding="utf-8").strip("\n").split("\n\n")
    golden = [tuple(line.split("\t")[1] for line in block.split("\n")) for block in blocks]
    draw = random.Random(language)
    found = [tuple(tag if draw.random() < 0.8 else draw.choice(UD) for tag in tags) for tags in golden]
    examples: list[Example] = [TaggedExample(f"x{i}", language, tags, tags) for i, tags in enumerate(golden)]
    labels, predictions = write_both(tmp_path, "tagging", examples, golden, found)
    values = scored("tagging", examples, predictions, UD)
    assert values["f1"] * 100 == pytest.approx(tag_f1(labels, predictions), abs=1e-12)
    assert abs(values["tag_accuracy"] - 0.8 - 0.2 / len(UD)) < 0.02
    assert scored("tagging", examples, labels, UD) == {"f1": 1.0, "tag_accuracy": 1.0}


@needs_mirror
@pytest.mark.parametrize(
    ("language", "file"),
    [
        ("ko", "tydiqa_goldp/tydiqa.goldp.ko.train.json"),
        ("ar", "xquad/xquad.ar.json"),
        ("zh", "xquad/xquad.zh.json"),
    ],
)
def test_real_answers_are_right(tmp_path: Path, language: str, file: str) -> None:
    data = json.loads((MIRROR / file).read_text(encoding="utf-8"))["data"]
    questions = [q for article in data for p in article["paragraphs"] for q in p["qas"]]
    answers = [tuple(answer["text"] for answer in question["answers"]) for question in questions]
    examples: list[Example] = [SpanExample(f"x{i}", language, "", "", a, ()) for i, a in enumerate(answers)]
    path = prediction_path(tmp_path, "span", "dev", language)
    write_predictions(path, "span", examples, {f"x{i}": texts[-1] for i, texts in enumerate(answers)})
    values = scored("span", examples, path, [])
    assert values["exact_match"] == 1.0
    assert values["f1"] > 0.99
