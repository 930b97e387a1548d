"""A finished run in the hands of XTREME's evaluator: its walk, readers, asserts and metrics written anew.

As evaluate.py (https://github.com/google-research/xtreme, b5d31e7) and its third_party/evaluate_squad.py and
evaluate_mlqa.py define them; its language lists are checked against what the package holds of them.
"""

import collections
import json
import os
import re
import string
import subprocess
import sys
import unicodedata
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from seqeval.metrics import f1_score, precision_score, recall_score

from tests.integration.workflow import TINY, Clone
from xstilts.tables import read_table

ARTICLES = {
    "ar": r"\sال^|ال",
    "de": r"\b(ein|eine|einen|einem|eines|einer|der|die|das|den|dem|des)\b",
    "en": r"\b(a|an|the)\b",
    "es": r"\b(un|una|unos|unas|el|la|los|las)\b",
    "vi": r"\b(của|là|cái|chiếc|những)\b",
}
PUNCTUATION = {chr(i) for i in range(0x110000) if unicodedata.category(chr(i)).startswith("P")}
PUNCTUATION |= set(string.punctuation)

COMPLETE = {  # of the run below
    "pawsx": "de,en,es,fr,ja,ko,zh",
    "xnli": "ar,bg,de,el,en,es,fr,hi,ru,sw,th,tr,ur,vi,zh",
    "bucc2018": "de,fr,ru,zh",
    "xquad": "en,es,de,el,ru,tr,ar,vi,th,zh,hi",
    "mlqa": "en,es,de,ar,hi,vi,zh",
    "tydiqa": "en,ar,bn,fi,id,ko,ru,sw,te",
}
RUN = "ar bg bn de el en es fi fr hi id ja ko ru sw te th tr ur vi zh".split()
PARTIAL = {  # those of its languages that the run has
    "panx": ",".join(RUN),
    "udpos": ",".join(sorted(set(RUN) - {"bn", "sw", "th"})),
    "tatoeba": ",".join(sorted(set(RUN) - {"en"})),
}


def read_tag(file: Path) -> list[list[str]]:
    labels, example = [], []
    with file.open() as stream:
        for line in stream:
            line = line.strip()
            if line:
                example.append(line)
            else:
                labels.append(example)
                example = []
    return [*labels, example] if example else labels


def read_label(file: Path) -> list[str]:
    with file.open() as stream:
        return [line.strip() for line in stream]


def read_squad(file: Path) -> Any:
    with file.open() as stream:
        found = json.load(stream)
    return found.get("data", found)


def f1(labels: Any, predictions: Any, _: str) -> dict[str, float]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scores = {"f1": f1_score, "precision": precision_score, "recall": recall_score}
        return {name: score(labels, predictions) * 100 for name, score in scores.items()}


def accuracy(labels: Any, predictions: Any, _: str) -> dict[str, float]:
    return {
        "accuracy": sum(p == g for p, g in zip(predictions, labels, strict=False)) / len(predictions) * 100
    }


def bucc_f1(labels: Any, predictions: Any, _: str) -> dict[str, float]:
    golden, found = ({tuple(line.split("\t")) for line in lines} for lines in (labels, predictions))
    right = len(golden & found)
    if not right:
        return {"f1": 0, "precision": 0, "recall": 0}
    precision, recall = right / len(found), right / len(golden)
    values = {"f1": 2 * precision * recall / (precision + recall), "precision": precision, "recall": recall}
    return {name: value * 100 for name, value in values.items()}


def answers(words: Callable[[str, str], list[str]]) -> Callable[[Any, Any, str], dict[str, float]]:
    def evaluate(dataset: Any, predictions: Any, language: str) -> dict[str, float]:
        f1 = exact = total = 0.0
        for question in (q for article in dataset for p in article["paragraphs"] for q in p["qas"]):
            total += 1
            if question["id"] not in predictions:
                continue
            found = words(predictions[question["id"]], language)
            golden = [words(answer["text"], language) for answer in question["answers"]]
            exact += max(" ".join(found) == " ".join(gold) for gold in golden)
            f1 += max(overlap(found, gold) for gold in golden)
        return {"exact_match": 100 * exact / total, "f1": 100 * f1 / total}

    return evaluate


def overlap(found: list[str], gold: list[str]) -> float:
    same = sum((collections.Counter(found) & collections.Counter(gold)).values())
    return 2 * same / (len(found) + len(gold)) if same else 0.0


def squad_words(text: str, _: str) -> list[str]:
    text = "".join(c for c in text.lower() if c not in string.punctuation)
    return re.sub(ARTICLES["en"], " ", text).split()


def mlqa_words(text: str, language: str) -> list[str]:
    text = "".join(c for c in text.lower() if c not in PUNCTUATION)
    text = re.sub(ARTICLES[language], " ", text) if language in ARTICLES else text
    if language != "zh":
        return text.split()
    return re.sub("([\u4e00-\u9fa5])", r" \1 ", text).split()


READERS = {"xquad": read_squad, "mlqa": read_squad, "tydiqa": read_squad, "panx": read_tag, "udpos": read_tag}
METRICS: dict[str, Callable[[Any, Any, str], dict[str, float]]] = {
    **dict.fromkeys(("pawsx", "xnli", "tatoeba"), accuracy),
    **dict.fromkeys(("panx", "udpos"), f1),
    **dict.fromkeys(("xquad", "tydiqa"), answers(squad_words)),
    "bucc2018": bucc_f1,
    "mlqa": answers(mlqa_words),
}


def evaluate(predictions: Path, labels: Path, languages: dict[str, str]) -> dict[tuple[str, str, str], float]:
    """The evaluator's walk; a fraction by task, language and metric."""
    prediction_tasks = next(os.walk(predictions))[1]
    label_tasks = next(os.walk(labels))[1]
    scores = {}
    for task, codes in languages.items():
        if task in prediction_tasks and task in label_tasks:
            suffix = "json" if task in ("xquad", "mlqa", "tydiqa") else "tsv"
            for code in codes.split(","):
                files = (side / task / f"test-{code}.{suffix}" for side in (predictions, labels))
                found, golden = map(READERS.get(task, read_label), files)
                if task not in ("bucc2018", "mlqa", "tydiqa", "xquad"):
                    assert len(found) == len(golden)
                for metric, value in METRICS[task](golden, found, code).items():
                    scores[task, code, metric] = value / 100
    return scores


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A finished run of all of XTREME's tasks, capped."""
    clone = Clone.make(tmp_path_factory.mktemp("clone"))
    config = yaml.safe_load((clone.folder / TINY).read_text(encoding="utf-8"))
    config["run"] |= {"languages": RUN, "studies": [], "evaluation_examples": 11}
    config["run"]["evaluations"] = [{"recipes": ["mlm"], "tasks": [*COMPLETE, *PARTIAL]}]
    config["data"]["micro"]["languages"] = [code for code in RUN if code != "en"]
    (clone.folder / TINY).write_text(yaml.safe_dump(config), encoding="utf-8")
    clone.build("xtreme", "scores")
    return clone


@pytest.mark.parametrize(("part", "languages"), [("", COMPLETE), ("incomplete", PARTIAL)])
def test_the_evaluator_finds_the_scores_of_the_run(
    clone: Clone, part: str, languages: dict[str, str]
) -> None:
    folder = clone.results() / "xtreme" / "micro" / "mlm" / "seed1" / part
    assert {path.name for path in (folder / "labels").iterdir()} == set(languages)
    found = evaluate(folder / "predictions", folder / "labels", languages)
    assert {(task, code) for task, code, _ in found} == {
        (task, code) for task, codes in languages.items() for code in codes.split(",")
    }
    table = read_table(clone.results() / "scores.tsv")
    table = table[~table["model"].isin(["chance", "tfidf"]) & (table["recipe"] != "untrained")]
    ours = table.set_index(["task", "language", "metric"])["value"].to_dict()
    compared = {key: value for key, value in found.items() if key in ours}
    assert {(task, metric) for task, _, metric in compared} >= {
        (task, "accuracy" if METRICS[task] is accuracy else "f1") for task in languages
    }
    for key, value in compared.items():
        assert ours[key] == pytest.approx(value, abs=1e-6), key
    assert len(set(compared.values())) > 5, "not all alike"


def test_the_untrained_model_has_a_folder_of_its_own(clone: Clone) -> None:
    folder = clone.results() / "xtreme" / "micro" / "untrained" / "seed1"
    found = evaluate(folder / "predictions", folder / "labels", COMPLETE)
    assert {task for task, *_ in found} == {"bucc2018"}
    assert {path.name for path in (folder / "incomplete" / "labels").iterdir()} == {"tatoeba"}


def test_data_in_a_folder_of_their_own_are_laid_out_too(clone: Clone, tmp_path: Path) -> None:
    predictions = clone.results() / "predictions/micro/mlm/seed0/bucc2018"
    data = {"dataset": "bucc2018", "split": "dev"}
    part = {"entry": {"type": "mining", "data": data}, "wanted": ["de"], "languages": ["de"]}
    parts = json.dumps({"bucc2018": part | {"predictions": str(predictions)}})
    command = [sys.executable, "scripts/arrange_xtreme.py", "--parts", parts, "--root", str(tmp_path)]
    command += ["--folders", json.dumps({"bucc2018": str(clone.results() / "source")})]
    command += ["--output", str(tmp_path / "laid")]
    done = subprocess.run(command, cwd=clone.folder, env=clone.environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    expected = clone.results() / "xtreme/micro/mlm/seed1"
    for side in ("predictions", "labels"):
        name = f"{side}/bucc2018/test-de.tsv"
        assert (tmp_path / "laid" / name).read_bytes() == (expected / name).read_bytes()
