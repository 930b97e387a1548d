"""Our files, handed to readers and metrics written here as XTREME's evaluate.py defines them.

Its readers: `read_label` strips every line of a file; `read_tag` also starts a new example at each empty
line; `read_squad` loads JSON. Its metrics: accuracy over lines, seqeval's f1_score over the lists of tags,
SQuAD v1.1's exact match and F1, MLQA's by its own normalisation, in percent.
"""

import json
import os
import random
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from xstilts.data.examples import Example, PairExample, ParallelExample, SpanExample, TaggedExample
from xstilts.prediction.submission import prediction_path, read_predictions, write_predictions
from xstilts.registry import Normalisation
from xstilts.scoring import score
from xstilts.scoring.mining import is_tuned_on

UD = "ADJ ADP ADV AUX CCONJ DET INTJ NOUN NUM PART PRON PROPN PUNCT SCONJ SYM VERB X".split()
PANX = "B-LOC B-ORG B-PER I-LOC I-ORG I-PER O".split()
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


def spaced(text: str) -> list[str]:
    return text.lower().split()


def ideographs(text: str) -> list[str]:
    return [part for word in spaced(text) for part in (word if "\u4e00" <= word[0] <= "\u9fa5" else [word])]


def answer_scores(data: Any, predictions: Path, words_of: Callable[[str], list[str]]) -> dict[str, float]:
    """SQuAD v1.1 or MLQA over questions that are answered in words without articles or punctuation."""
    answers = json.loads(predictions.read_text(encoding="ascii"))
    total = exact = f1 = 0.0
    for article in data:
        for paragraph in article["paragraphs"]:
            for question in paragraph["qas"]:
                found = words_of(answers[question["id"]])
                golden = [words_of(answer["text"]) for answer in question["answers"]]
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


def scored(
    task_type: Any,
    examples: list[Example],
    path: Path,
    labels: list[str],
    normalisation: Normalisation = "squad",
) -> dict[str, float]:
    found = score(task_type, examples, read_predictions(path, task_type, examples), labels, normalisation)
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
@pytest.mark.parametrize("tags", [UD, PANX], ids=["udpos", "panx"])
def test_tagging(tmp_path: Path, tags: list[str], seed: int) -> None:
    draw = random.Random(seed)
    golden = [tuple(draw.choices(tags, k=draw.randrange(1, 9))) for _ in range(12)]
    found = [tuple(draw.choice([tag, draw.choice(tags)]) for tag in sentence) for sentence in golden]
    examples: list[Example] = [TaggedExample(f"x{i}", "en", gold, gold) for i, gold in enumerate(golden)]
    labels, predictions = write_both(tmp_path, "tagging", examples, golden, found)
    assert sentences(predictions) == [list(tags) for tags in found]
    value = scored("tagging", examples, predictions, tags)["f1"]
    assert value * 100 == pytest.approx(tag_f1(labels, predictions), abs=1e-12)


@pytest.mark.parametrize("seed", range(50))
def test_retrieval(tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    found = [draw.choice([line, draw.randrange(25)]) for line in range(25)]
    examples: list[Example] = [ParallelExample(f"x{i}", "de", "a", "b") for i in range(25)]
    rankings = [[((index, 1.0),) for index in indices] for indices in (range(25), found)]
    labels, predictions = write_both(tmp_path, "retrieval", examples, *rankings)
    value = scored("retrieval", examples, predictions, [])["accuracy"]
    assert value * 100 == pytest.approx(accuracy(labels, predictions), abs=1e-12)


def bucc_f1(labels: list[str], predictions: list[str]) -> dict[str, float]:
    golden, found = ({tuple(line.split("\t")) for line in lines} for lines in (labels, predictions))
    right = len(golden & found)
    precision, recall = (right / len(side) if right else 0.0 for side in (found, golden))
    f1 = 2 * precision * recall / (precision + recall) if right else 0.0
    return {"f1": 100 * f1, "precision": 100 * precision, "recall": 100 * recall}


@pytest.mark.parametrize("seed", range(50))
def test_mining(tmp_path: Path, seed: int) -> None:
    """XTREME's metrics over the half that is scored; a submission holds the pairs of both halves."""
    draw = random.Random(seed)
    examples = [ParallelExample(f"zh-{i:03d}:en-{i:03d}", "zh", "a", "b") for i in range(40)]
    examples += [ParallelExample(f"zh-{i:03d}", "zh", "a", "") for i in range(40, 60)]
    mined: dict[str, Any] = {example.id: None for example in examples}
    for i, name in enumerate(mined):
        if draw.random() < 0.8:
            target = draw.choice([min(i, 39), draw.randrange(40)])
            mined[name] = (f"en-{target:03d}", float(draw.choice([1.0, 1.25, 1.5])))
    path = prediction_path(tmp_path, "mining", "test", "zh")
    write_predictions(path, "mining", examples, mined)
    golden = [example.id.replace(":", "\t") for example in examples if ":" in example.id]
    halves = [
        [line for line in lines if not is_tuned_on(line.partition("\t")[0])]
        for lines in (golden, stripped_lines(path))
    ]
    values = scored("mining", [*examples], path, [])
    for metric, value in bucc_f1(*halves).items():
        assert values[metric] * 100 == pytest.approx(value, abs=1e-12)


@pytest.mark.parametrize("seed", range(50))
@pytest.mark.parametrize(
    ("normalisation", "language", "words_of"),
    [("squad", "en", spaced), ("mlqa", "de", spaced), ("mlqa", "zh", ideographs)],
)
def test_question_answering(
    tmp_path: Path, normalisation: Any, language: str, words_of: Callable[[str], list[str]], seed: int
) -> None:
    draw = random.Random(seed)
    words = ["Zürich", "東京", "京", "القاهرة", "мост", "Bern", "bern", "12"]
    golden = [
        tuple(" ".join(draw.choices(words, k=draw.randrange(1, 4))) for _ in range(2)) for _ in range(20)
    ]
    found = [draw.choice([*answers, " ".join(draw.choices(words, k=2)), "", "\n\t"]) for answers in golden]
    examples: list[Example] = [
        SpanExample(f"x{i}", language, "", "?", answers, (0, 0)) for i, answers in enumerate(golden)
    ]
    path = prediction_path(tmp_path, "span", "test", language)
    write_predictions(path, "span", examples, {f"x{i}": text for i, text in enumerate(found)})
    questions = [{"id": f"x{i}", "answers": [{"text": t} for t in a]} for i, a in enumerate(golden)]
    expected = answer_scores([{"paragraphs": [{"qas": questions}]}], path, words_of)
    values = scored("span", examples, path, [], normalisation)
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
    ("language", "file", "normalisation"),
    [
        ("ko", "tydiqa_goldp/tydiqa.goldp.ko.train.json", "squad"),
        ("ar", "xquad/xquad.ar.json", "squad"),
        ("zh", "xquad/xquad.zh.json", "squad"),
        *(
            (code, f"mlqa/dev-context-{code}-question-{code}.json", "mlqa")
            for code in ("ar", "de", "en", "es", "hi", "vi", "zh")
        ),
    ],
)
def test_real_answers_are_right(tmp_path: Path, language: str, file: str, normalisation: Any) -> None:
    data = json.loads((MIRROR / file).read_text(encoding="utf-8"))["data"]
    questions = [q for article in data for p in article["paragraphs"] for q in p["qas"]]
    answers = [tuple(answer["text"] for answer in question["answers"]) for question in questions]
    examples: list[Example] = [SpanExample(f"x{i}", language, "", "", a, ()) for i, a in enumerate(answers)]
    path = prediction_path(tmp_path, "span", "dev", language)
    write_predictions(path, "span", examples, {f"x{i}": texts[-1] for i, texts in enumerate(answers)})
    values = scored("span", examples, path, [], normalisation)
    assert values["exact_match"] == 1.0
    assert values["f1"] > 0.99
