"""The files of a run as XTREME's own evaluate.py walks them, with labels of the same rows.

It reads `<predictions>/<task>/test-<language>.<tsv or json>` and the same names below a folder of labels, of
every language of its list (`LANGUAGES`), and stops at a file that is missing or has other rows. What is laid
out is therefore, whatever the split is called here: of capped examples, the rows that were drawn; of BUCC
2018, the half that is scored, since the threshold was tuned on the other; of PAWS-X, the valid rows (XTREME's
preprocessing keeps the others, which have no text); of Tatoeba, the rows in the publisher's order (XTREME's
preprocessing sorts the English side, which changes rows and labels alike, and no accuracy but where
candidates tie).
"""

import json
from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from xstilts.data.examples import Example, ParallelExample, SpanExample
from xstilts.data.labels import is_labelled
from xstilts.data.shares import capped
from xstilts.data.sources import FolderSource
from xstilts.errors import PredictionError
from xstilts.prediction.submission import AGAIN, FORMATS, prediction_path
from xstilts.registry import PredictionTask, TaskType
from xstilts.scoring.mining import gold, is_tuned_on

INCOMPLETE = "incomplete"
"""Folder, beside `predictions` and `labels`, of tasks at which the evaluator would stop."""

LANGUAGES = {
    "bucc2018": "de fr ru zh",
    "mlqa": "ar de en es hi vi zh",
    "panx": "af ar bg bn de el en es et eu fa fi fr he hi hu id it ja jv ka kk ko ml mr ms my nl pt ru sw ta"
    " te th tl tr ur vi yo zh",
    "pawsx": "de en es fr ja ko zh",
    "tatoeba": "af ar bg bn de el es et eu fa fi fr he hi hu id it ja jv ka kk ko ml mr nl pt ru sw ta te th"
    " tl tr ur vi zh",
    "tydiqa": "ar bn en fi id ko ru sw te",
    "udpos": "af ar bg de el en es et eu fa fi fr he hi hu id it ja kk ko mr nl pt ru ta te th tl tr ur vi yo"
    " zh",
    "xnli": "ar bg de el en es fr hi ru sw th tr ur vi zh",
    "xquad": "ar de el en es hi ru th tr vi zh",
}
"""The evaluator's tasks, which are those of XTREME, and the languages that it insists on (TASK2LANGS)."""


def arrange(
    task: str,
    entry: PredictionTask,
    languages: Sequence[str],
    source: FolderSource,
    predictions: Path,
    output: Path,
) -> list[str]:
    """Lay out one task below `output`, in `incomplete` if a language of the evaluator's list is lacking.

    Args:
        task: Its name.
        entry: Its entry.
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
        examples = capped(source.read(entry.data.dataset, entry.data.split, language), entry.cap)
        if any(map(is_labelled, examples)):
            file = prediction_path(predictions, entry.type, entry.data.split, language)
            found[language] = _predictions(file, entry.type), _LABELS[entry.type](examples)
    lacking = sorted(set(LANGUAGES[task].split()) - set(found))
    folder = output / INCOMPLETE if lacking else output
    for language, (own, labels) in found.items():
        for name, content in (("predictions", own), ("labels", labels.encode())):
            path = prediction_path(folder / name / task, entry.type, "test", language)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    return lacking


def _predictions(file: Path, task_type: TaskType) -> bytes:
    try:
        content = file.read_bytes()
    except FileNotFoundError as error:
        raise PredictionError("predictions are missing", where=str(file), hint=AGAIN) from error
    if task_type != "mining":
        return content
    lines = content.decode().splitlines(keepends=True)
    return "".join(line for line in lines if not is_tuned_on(line.split("\t")[0])).encode()


def _gold_lines(attribute: str, task_type: TaskType) -> Callable[[Sequence[Any]], str]:
    def write(examples: Sequence[Any]) -> str:
        return FORMATS[task_type].write(examples, [getattr(example, attribute) for example in examples])

    return write


def _own_lines(examples: Sequence[Example]) -> str:
    return "".join(f"{index}\n" for index, _ in enumerate(examples))


def _gold_pairs(examples: Sequence[ParallelExample]) -> str:
    return "".join(f"{own}\t{english}\n" for own, english in sorted(gold(examples)) if not is_tuned_on(own))


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
    "mining": _gold_pairs,
}
