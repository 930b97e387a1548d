"""Tiny tasks of every type that an encoder can learn by heart."""

from collections.abc import Sequence
from typing import Any

from xstilts.data.examples import (
    ChoiceExample,
    Example,
    PairExample,
    QueryExample,
    SpanExample,
    TaggedExample,
)
from xstilts.job_settings import PartJob
from xstilts.registry import Split, TaskType, TrainingTask
from xstilts.training.stage import Part

COLOURS = ["red", "blue", "green", "white", "black", "brown"]
PLACES = ["river", "town", "museum", "bridge", "sea", "sky"]
LABELS: dict[str, list[str]] = {
    "classification": ["no", "yes"],
    "tagging": ["COLOUR", "PLACE", "WORD"],
    "multiple_choice": [],
    "span": [],
    "dual_encoder": [],
}


def examples(task_type: str) -> list[Example]:
    """One example per colour and place."""
    kinds = {
        "classification": _pair,
        "tagging": _tagged,
        "multiple_choice": _choice,
        "span": _span,
        "dual_encoder": _query,
    }
    made = kinds[task_type]
    return [made(f"{c}-{p}", c, p) for c in range(len(COLOURS)) for p in range(len(PLACES))]


def _pair(name: str, colour: int, place: int) -> Example:
    label = "yes" if colour < 3 else "no"
    return PairExample(name, "en", f"a {COLOURS[colour]} {PLACES[place]}", "is it so?", label)


def _tagged(name: str, colour: int, place: int) -> Example:
    words = ("a", COLOURS[colour], PLACES[place], "here")
    return TaggedExample(name, "en", words, ("WORD", "COLOUR", "PLACE", "WORD"))


def _choice(name: str, colour: int, place: int) -> Example:
    choices = (PLACES[place], COLOURS[colour], "three")[: 2 + place % 2]  # two choices or three
    return ChoiceExample(name, "en", "", "which colour?", choices, 1)


def _span(name: str, colour: int, place: int) -> Example:
    context = f"the {PLACES[place]} is {COLOURS[colour]} now"
    return SpanExample(name, "en", context, "which colour?", (COLOURS[colour],), (context.index(" is ") + 4,))


def _query(name: str, colour: int, place: int) -> Example:
    answer = f"it is {COLOURS[colour]}"  # six questions have one answer
    query, candidate = f"the {PLACES[place]} of {COLOURS[colour]} stone?", f"en_1_{colour}"
    return QueryExample(name, "en", query, answer, "red or blue, green, white, black, brown", (candidate,))


def part(task_type: TaskType, name: str = "", train: Sequence[Example] = (), **changes: Any) -> Part:
    """One task of a stage, trained and selected on the same examples; `changes` to it or its entry."""
    split = [Split(dataset="none", split="none")]
    entry = {"type": task_type, "labels": LABELS[task_type], "train": split, "dev": split}
    entry |= {key: changes.pop(key) for key in TrainingTask.model_fields if key in changes}
    embedding = "mean" if task_type == "dual_encoder" else None
    values = {"epochs": 20, "batch_size": 12, "batch_tokens": 4096, "max_length": 32, "stride": 8}
    values |= {"examples": None, **changes}
    settings = PartJob(
        entry=TrainingTask.model_validate(entry),
        max_answer=10 if task_type == "span" else None,
        embedding=embedding,
        **values,
    )
    given = list(train) or examples(task_type)
    return Part(name or task_type, settings, given, given)
