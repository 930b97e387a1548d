"""Prepared examples on disk: JSON lines, each with the type of its example."""

import json
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any

from xstilts.data.examples import Example
from xstilts.data.labels import EXAMPLE_TYPES
from xstilts.data.reading import json_lines
from xstilts.errors import DataError

_NAMES = {kind: name for name, kind in EXAMPLE_TYPES.items()}


def write_examples(path: Path, examples: Iterable[Example]) -> None:
    """Write one example a line; `type` is the task type that reads it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    with partial.open("w", encoding="utf-8", newline="\n") as stream:
        for example in examples:
            values = {field.name: getattr(example, field.name) for field in fields(example)}
            record = {"type": _NAMES[type(example)], **values}
            stream.write(json.dumps(record, ensure_ascii=False) + "\n")
    partial.replace(path)


def read_examples(path: Path) -> list[Example]:
    """Read what `write_examples` wrote.

    Raises:
        DataError: if the file is missing, or a line is not an example.
    """
    try:
        return [_example(path, number, record) for number, record in json_lines(path)]
    except FileNotFoundError as error:
        raise DataError("prepared examples are missing", where=str(path), hint="rebuild them") from error


def _example(path: Path, number: int, record: dict[str, Any]) -> Example:
    try:
        kind = EXAMPLE_TYPES[record.pop("type")]
        values: dict[str, Any] = {n: tuple(v) if isinstance(v, list) else v for n, v in record.items()}
        return kind(**values)
    except (KeyError, TypeError) as error:
        what = f"not an example: {error}"
        raise DataError(
            what, where=f"{path}, line {number}", hint="delete the file and rebuild it"
        ) from error
