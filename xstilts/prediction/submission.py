"""Prediction files in XTREME's submission format, as its evaluate.py reads them.

- classification (`read_label`): one label per line;
- tagging (`read_tag`): one tag per line without the word, an empty line between sentences;
- span (`read_squad`): a JSON object from question id to answer text. It is written in ASCII, because
  XTREME's reader opens files in the encoding of the locale;
- retrieval in aligned pools, that is Tatoeba (`read_label`): for each query, the number of the candidate's
  line, counted from 0;
- multiple choice, which XTREME does not have: the index of the choice, counted from 0, one per line.

Lines stand in the order of the examples.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from xstilts.data.examples import Example, TaggedExample
from xstilts.errors import PredictionError
from xstilts.registry import TaskType
from xstilts.scoring import align

AGAIN = "predict this language again"


class Format(NamedTuple):
    """How the predictions of a task type are written (in the order of the examples) and read."""

    suffix: str
    write: Callable[[Sequence[Any], Sequence[Any]], str]
    read: Callable[[str, Sequence[Any]], dict[str, Any]]


def suffix(task_type: TaskType) -> str:
    """The ending of prediction files, without the dot: `json` for span, else `tsv`."""
    return FORMATS[task_type].suffix


def prediction_path(folder: Path, task_type: TaskType, split: str, language: str) -> Path:
    """The file with the predictions for one split and language, below a task's folder."""
    return folder / f"{split}-{language}.{suffix(task_type)}"


def write_predictions(
    path: Path, task_type: TaskType, examples: Sequence[Example], predictions: Mapping[str, Any]
) -> None:
    """Write predictions (by example id, see `xstilts.scoring.score`), all at once or not at all.

    Raises:
        PredictionError: if ids are missing or extra, or the format cannot hold a prediction.
    """
    text = FORMATS[task_type].write(examples, align(examples, predictions, where=str(path)))
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    partial.write_text(text, encoding="utf-8", newline="\n")
    partial.replace(path)


def read_predictions(path: Path, task_type: TaskType, examples: Sequence[Example]) -> dict[str, Any]:
    """Read predictions for `examples`, by example id.

    Raises:
        PredictionError: if the file is missing or malformed, has not one line per example (or one tag per
            word), or its ids are not those of the examples.
    """
    try:
        text = path.read_bytes().decode("utf-8")
        predictions = FORMATS[task_type].read(text, examples)
    except FileNotFoundError as error:
        raise PredictionError("predictions are missing", where=str(path), hint=AGAIN) from error
    except UnicodeDecodeError as error:
        raise PredictionError("predictions are not UTF-8", where=f"{path}, byte {error.start}") from error
    except PredictionError as error:
        raise PredictionError(
            error.what, where=f"{path}{', ' + error.where if error.where else ''}", hint=error.hint
        ) from error
    align(examples, predictions, where=str(path))
    return predictions


def _write_lines(examples: Sequence[Example], values: Sequence[Any]) -> str:
    pairs = zip(examples, values, strict=True)
    return "".join(f"{_one_line(str(value), example)}\n" for example, value in pairs)


def _one_line(value: str, example: Example) -> str:
    """`value`, if XTREME's reader, which strips each line, gives it back as it is."""
    if not value or value != value.strip() or re.search(r"[\n\r]", value):
        raise PredictionError(f"{value!r} cannot stand on a line", where=f"prediction for {example.id}")
    return value


def _lines(text: str) -> list[str]:
    lines = [line.strip() for line in re.split(r"\r\n|\r|\n", text)]
    return lines[:-1] if not lines[-1] else lines


def _read_labels(text: str, examples: Sequence[Example]) -> dict[str, str]:
    lines = _lines(text)
    if len(lines) != len(examples):
        raise PredictionError(f"{len(lines)} lines for {len(examples)} examples", hint=AGAIN)
    if "" in lines:
        raise PredictionError("an empty line", where=f"line {lines.index('') + 1}")
    return {example.id: line for example, line in zip(examples, lines, strict=True)}


def _read_indices(text: str, examples: Sequence[Example]) -> dict[str, int]:
    labels = _read_labels(text, examples)
    for number, label in enumerate(labels.values(), 1):
        if not re.fullmatch("[0-9]+", label):
            raise PredictionError(f"{label!r} is not an index", where=f"line {number}")
    return {name: int(label) for name, label in labels.items()}


def _write_tags(examples: Sequence[TaggedExample], values: Sequence[Sequence[str]]) -> str:
    for example, tags in zip(examples, values, strict=True):
        if not tags or len(tags) != len(example.words):
            raise PredictionError(
                f"{len(tags)} tags for {len(example.words)} words", where=f"prediction for {example.id}"
            )
    return "\n".join(_write_lines([e] * len(tags), tags) for e, tags in zip(examples, values, strict=True))


def _read_tags(text: str, examples: Sequence[TaggedExample]) -> dict[str, tuple[str, ...]]:
    lines = _lines(text)
    breaks = [-1, *(number for number, line in enumerate(lines) if not line), len(lines)]
    found = [tuple(lines[start + 1 : stop]) for start, stop in pairwise(breaks)]
    if not found[-1]:  # an empty line also after the last sentence
        found.pop()
    if len(found) != len(examples):
        raise PredictionError(f"{len(found)} sentences for {len(examples)} examples", hint=AGAIN)
    for example, tags in zip(examples, found, strict=True):
        if len(tags) != len(example.words):
            raise PredictionError(f"{len(tags)} tags for {len(example.words)} words", where=example.id)
    return {example.id: tags for example, tags in zip(examples, found, strict=True)}


def _write_answers(examples: Sequence[Example], values: Sequence[str]) -> str:
    answers = {example.id: value for example, value in zip(examples, values, strict=True)}
    return json.dumps(answers, ensure_ascii=True, indent=2) + "\n"


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    answers: dict[str, Any] = {}
    for name, answer in pairs:
        if name in answers:
            raise PredictionError("two answers for one question", where=name)
        answers[name] = answer
    return answers


def _read_answers(text: str, examples: Sequence[Example]) -> dict[str, str]:
    try:
        answers = json.loads(text, object_pairs_hook=_unique_keys)
    except json.JSONDecodeError as error:
        raise PredictionError(f"not JSON: {error.msg}", where=f"line {error.lineno}") from error
    if not isinstance(answers, dict):
        raise PredictionError("not a JSON object from question id to answer")
    for name, answer in answers.items():
        if not isinstance(answer, str):
            raise PredictionError("an answer that is not a text", where=name)
    return answers


FORMATS: dict[TaskType, Format] = {
    "classification": Format("tsv", _write_lines, _read_labels),
    "multiple_choice": Format("tsv", _write_lines, _read_indices),
    "span": Format("json", _write_answers, _read_answers),
    "tagging": Format("tsv", _write_tags, _read_tags),
    "retrieval": Format("tsv", _write_lines, _read_indices),
}
