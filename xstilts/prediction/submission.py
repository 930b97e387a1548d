"""Prediction files in XTREME's submission format, as its evaluate.py reads them.

- classification (`read_label`): one label per line;
- tagging (`read_tag`): one tag per line without the word, an empty line between sentences;
- span (`read_squad`): a JSON object from question id to answer text. It is written in ASCII, because
  XTREME's reader opens files in the encoding of the locale;
- retrieval in aligned pools, that is Tatoeba (`read_label`): for each query, the number of the candidate's
  line, counted from 0;
- mining, that is BUCC 2018 (`read_label`): the ids of a pair above the threshold, with a tab between;
- multiple choice, which XTREME does not have: the index of the choice, counted from 0, one per line.

Lines stand in the order of the examples. XTREME-R adds

- dual encoders that rank one pool, that is Mewsli-X (`utils_mewslix.evaluate_all`) and LAReQA: a JSON
  object from query id to the ids of the first 20 candidates.

Where more is found than such a file holds, all of it is kept beside it in a TREC run file, which is what is
scored: of retrieval and of pools the rankings, of mining every pair with its score, whatever the threshold. A
query and a candidate of retrieval have the id of their example, sentences of mining the publisher's.
"""

import gzip
import json
import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from xstilts.data.examples import Example, ParallelExample, TaggedExample, sentence_ids
from xstilts.errors import PredictionError
from xstilts.prediction import trec
from xstilts.registry import TaskType
from xstilts.scoring import SCORERS, align

SUBMITTED = 20  # candidates of a pool (utils_mewslix.TOP_K)
AGAIN = "predict this language again"


class Format(NamedTuple):
    """How the predictions of a task type are written (in the order of the examples) and read."""

    suffix: str
    write: Callable[[Sequence[Any], Sequence[Any]], str]
    read: Callable[[str, Sequence[Any]], dict[str, Any]] | None
    """None: the run file is read instead."""


class RunFormat(NamedTuple):
    """How predictions become the rankings of a run file, and rankings predictions."""

    to_run: Callable[[Sequence[Any], Sequence[Any]], dict[str, Sequence[tuple[str, float]]]]
    from_run: Callable[[trec.Run, Sequence[Any]], dict[str, Any]]


def suffix(task_type: TaskType) -> str:
    """The ending of prediction files, without the dot: `json` for span and dual encoders, else `tsv`."""
    return FORMATS[task_type].suffix


def prediction_path(folder: Path, task_type: TaskType, split: str, language: str) -> Path:
    """The file with the predictions for one split and language, below a task's folder."""
    return folder / f"{split}-{language}.{suffix(task_type)}"


def written_files(path: Path, task_type: TaskType) -> list[Path]:
    """The prediction file at `path` and, of retrieval and mining, the run file beside it."""
    return [path, path.with_suffix(".trec.gz")] if task_type in RUN_FORMATS else [path]


def write_predictions(
    path: Path,
    task_type: TaskType,
    examples: Sequence[Example],
    predictions: Mapping[str, Any],
    threshold: float | None = None,
) -> None:
    """Write predictions (by example id, see `xstilts.scoring.score`), each file all at once or not at all.

    Mined pairs are written if they reach the threshold; without one, that tuned on half of them.

    Raises:
        PredictionError: if ids are missing or extra, or the format cannot hold a prediction.
    """
    values = align(examples, predictions, where=str(path))
    if threshold is None:
        submitted = FORMATS[task_type].write(examples, values)
    else:
        submitted = _write_mined(examples, values, threshold)
    contents = [submitted.encode()]
    if task_type in RUN_FORMATS:
        run = trec.write(RUN_FORMATS[task_type].to_run(examples, values))
        contents.append(gzip.compress(run.encode(), mtime=0))  # no time, so that equal runs are equal bytes
    path.parent.mkdir(parents=True, exist_ok=True)
    for target, content in zip(written_files(path, task_type), contents, strict=True):
        partial = target.with_name(target.name + ".partial")
        partial.write_bytes(content)
        partial.replace(target)


def read_predictions(path: Path, task_type: TaskType, examples: Sequence[Example]) -> dict[str, Any]:
    """Read predictions for `examples`, by example id: from the run file, where there is one.

    Raises:
        PredictionError: if the file is missing or malformed, has not one line per example (or one tag per
            word), or its ids are not those of the examples.
    """
    file = written_files(path, task_type)[-1]
    try:
        predictions = _read(file, task_type, examples)
    except FileNotFoundError as error:
        raise PredictionError("predictions are missing", where=str(file), hint=AGAIN) from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise PredictionError("predictions are cut short or altered", where=str(file), hint=AGAIN) from error
    except UnicodeDecodeError as error:
        raise PredictionError("predictions are not UTF-8", where=f"{file}, byte {error.start}") from error
    except PredictionError as error:
        raise PredictionError(
            error.what, where=f"{file}{', ' + error.where if error.where else ''}", hint=error.hint
        ) from error
    align(examples, predictions, where=str(file))
    return predictions


def _read(file: Path, task_type: TaskType, examples: Sequence[Example]) -> dict[str, Any]:
    content = file.read_bytes()
    if reader := FORMATS[task_type].read:
        return reader(content.decode("utf-8"), examples)
    run = trec.read(gzip.decompress(content).decode("utf-8"))
    return RUN_FORMATS[task_type].from_run(run, examples)


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


def _write_best(examples: Sequence[Example], values: Sequence[Sequence[tuple[int, float]]]) -> str:
    for example, ranking in zip(examples, values, strict=True):
        if not ranking:
            raise PredictionError("the ranking is empty", where=f"prediction for {example.id}")
    return _write_lines(examples, [ranking[0][0] for ranking in values])


def _ranking_run(
    examples: Sequence[Example], values: Sequence[Sequence[tuple[int, float]]]
) -> dict[str, Sequence[tuple[str, float]]]:
    return {
        example.id: [(examples[index].id, score) for index, score in ranking]
        for example, ranking in zip(examples, values, strict=True)
    }


def _run_rankings(run: trec.Run, examples: Sequence[Example]) -> dict[str, tuple[tuple[int, float], ...]]:
    places = {example.id: index for index, example in enumerate(examples)}
    for query, ranking in run.items():
        for candidate, _ in ranking:
            if candidate not in places:
                raise PredictionError(f"there is no candidate {candidate}", where=query, hint=AGAIN)
    return {
        query: tuple((places[candidate], score) for candidate, score in ranking)
        for query, ranking in run.items()
    }


def _write_mined(examples: Sequence[Any], values: Sequence[Any], threshold: float | None = None) -> str:
    predictions = {example.id: value for example, value in zip(examples, values, strict=True)}
    pairs = import_module(SCORERS["mining"]).above_threshold(examples, predictions, threshold)
    return "".join(f"{own}\t{english}\n" for own, english in pairs)


def _mined_run(
    examples: Sequence[ParallelExample], values: Sequence[tuple[str, float] | None]
) -> dict[str, Sequence[tuple[str, float]]]:
    own = (sentence_ids(example)[0] for example in examples)
    return {name: [pair] for name, pair in zip(own, values, strict=True) if pair is not None}


def _run_mined(run: trec.Run, examples: Sequence[ParallelExample]) -> dict[str, tuple[str, float] | None]:
    names = {example.id: sentence_ids(example)[0] for example in examples}
    if unknown := sorted(set(run) - set(names.values())):
        raise PredictionError(f"there is no sentence {unknown[0]}", hint=AGAIN)
    return {id_: run[name][0] if name in run else None for id_, name in names.items()}


def _write_first(examples: Sequence[Example], values: Sequence[Sequence[tuple[str, float]]]) -> str:
    first = {
        example.id: [name for name, _ in ranking[:SUBMITTED]]
        for example, ranking in zip(examples, values, strict=True)
    }
    return json.dumps(first, ensure_ascii=True) + "\n"


def _pool_run(
    examples: Sequence[Example], values: Sequence[Sequence[tuple[str, float]]]
) -> dict[str, Sequence[tuple[str, float]]]:
    return {example.id: ranking for example, ranking in zip(examples, values, strict=True)}


def _run_pool(run: trec.Run, examples: Sequence[Example]) -> dict[str, tuple[tuple[str, float], ...]]:
    return {query: tuple(ranking) for query, ranking in run.items()}


FORMATS: dict[TaskType, Format] = {
    "classification": Format("tsv", _write_lines, _read_labels),
    "multiple_choice": Format("tsv", _write_lines, _read_indices),
    "span": Format("json", _write_answers, _read_answers),
    "tagging": Format("tsv", _write_tags, _read_tags),
    "retrieval": Format("tsv", _write_best, None),
    "mining": Format("tsv", _write_mined, None),
    "dual_encoder": Format("json", _write_first, None),
}
RUN_FORMATS: dict[TaskType, RunFormat] = {
    "retrieval": RunFormat(_ranking_run, _run_rankings),
    "mining": RunFormat(_mined_run, _run_mined),
    "dual_encoder": RunFormat(_pool_run, _run_pool),
}
