"""The files of a run as XTREME's own evaluate.py walks them, with labels of the same rows.

It reads `<predictions>/<task>/test-<language>.<tsv or json>` and the same names below a folder of labels, of
every language of its list (the registry's `xtreme`), and stops at a file that is missing or has other rows.
What is laid out is therefore, whatever the split is called here: of capped examples, the rows that were
drawn; of BUCC 2018, what is scored (the half that no threshold was tuned on, if that was no other split); of
PAWS-X, the valid rows (XTREME's preprocessing keeps the others, which have no text); of Tatoeba, the rows in
the publisher's order (XTREME's preprocessing sorts the English side, which changes rows and labels alike,
and no accuracy but where candidates tie).
"""

import json
from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from xstilts.data.examples import Example, SpanExample
from xstilts.data.labels import is_labelled
from xstilts.data.shares import capped
from xstilts.data.sources import FolderSource
from xstilts.errors import PredictionError
from xstilts.prediction.submission import AGAIN, FORMATS, prediction_path
from xstilts.registry import PredictionTask, TaskType
from xstilts.scoring.mining import gold, is_tuned_on

INCOMPLETE = "incomplete"
"""Folder, beside `predictions` and `labels`, of tasks at which the evaluator would stop."""


def arrange(
    task: str,
    entry: PredictionTask,
    wanted: Sequence[str],
    languages: Sequence[str],
    source: FolderSource,
    predictions: Path,
    output: Path,
) -> list[str]:
    """Lay out one task below `output`, in `incomplete` if a language of the evaluator's list is lacking.

    Args:
        task: Its name.
        entry: Its entry.
        wanted: The languages that the evaluator insists on.
        languages: Those that were predicted.
        source: Where the gold examples are.
        predictions: Folder of the predictions.
        output: Folder to write `predictions` and `labels` in.

    Returns:
        The languages that are lacking: not predicted, or their gold answers withheld.

    Raises:
        DataError, PredictionError: if a file is missing or at fault.
    """
    found: dict[str, tuple[bytes, str]] = {}
    for language in languages:
        split = entry.data.of(language)
        examples = capped(source.read(entry.data.dataset, split, language), entry.cap)
        if any(map(is_labelled, examples)):
            file = prediction_path(predictions, entry.type, split, language)
            found[language] = _predictions(file, entry), _labels(examples, entry)
    lacking = sorted(set(wanted) - set(found))
    folder = output / INCOMPLETE if lacking else output
    for language, (own, labels) in found.items():
        for name, content in (("predictions", own), ("labels", labels.encode())):
            path = prediction_path(folder / name / task, entry.type, "test", language)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    return lacking


def _is_halved(entry: PredictionTask) -> bool:
    return entry.type == "mining" and entry.tune is None


def _labels(examples: Sequence[Any], entry: PredictionTask) -> str:
    if entry.type == "mining":
        pairs = sorted(gold(examples))
        kept = [pair for pair in pairs if not (_is_halved(entry) and is_tuned_on(pair[0]))]
        return "".join(f"{own}\t{english}\n" for own, english in kept)
    return _LABELS[entry.type](examples)


def _predictions(file: Path, entry: PredictionTask) -> bytes:
    try:
        content = file.read_bytes()
    except FileNotFoundError as error:
        raise PredictionError("predictions are missing", where=str(file), hint=AGAIN) from error
    if not _is_halved(entry):
        return content
    lines = content.decode().splitlines(keepends=True)
    return "".join(line for line in lines if not is_tuned_on(line.split("\t")[0])).encode()


def _gold_lines(attribute: str, task_type: TaskType) -> Callable[[Sequence[Any]], str]:
    def write(examples: Sequence[Any]) -> str:
        return FORMATS[task_type].write(examples, [getattr(example, attribute) for example in examples])

    return write


def _own_lines(examples: Sequence[Example]) -> str:
    return "".join(f"{index}\n" for index, _ in enumerate(examples))


def _gold_answers(examples: Sequence[SpanExample]) -> str:
    """SQuAD's layout, in ASCII, since the evaluator opens files in the encoding of the locale."""
    paragraphs = [
        {"context": context, "qas": [_question(example) for example in group]}
        for context, group in groupby(examples, lambda example: example.context)
    ]
    return json.dumps({"data": [{"title": "", "paragraphs": paragraphs}], "version": "1.1"}) + "\n"


def _question(example: SpanExample) -> dict[str, Any]:
    pairs = zip(example.answers, example.starts, strict=True)
    answers = [{"text": text, "answer_start": start} for text, start in pairs]
    return {"id": example.id, "question": example.question, "answers": answers}


_LABELS: dict[TaskType, Callable[[Sequence[Any]], str]] = {
    "classification": _gold_lines("label", "classification"),
    "tagging": _gold_lines("tags", "tagging"),
    "span": _gold_answers,
    "retrieval": _own_lines,
}
