"""Parquet files of the hub, by the column map of xstilts/registry/hub.yaml: one parser for all data sets.

Two things that hub copies do to published texts are undone: line ends kept in a sentence (Tatoeba), and
answers whose offsets count white space that was stripped from the paragraph (XTREME's question answering).
"""

import json
from collections.abc import Callable, Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from xstilts.data.examples import (
    ChoiceExample,
    Example,
    PairExample,
    ParallelExample,
    SpanExample,
    TaggedExample,
)
from xstilts.data.reading import malformed
from xstilts.registry.hub import HubDataset, hub_dataset

Fields = dict[str, Any]
"""A row by columns, or by the fields of an example that the column map fills from them."""


def parse(paths: Sequence[Path], *, dataset: str, split: str, language: str) -> Iterator[Example]:
    """One example a row, in the files' order.

    Ids are those of the publishers' own files wherever the rows have the same ids or the same order: the
    publisher's where the map names a column and they are unique, else made of the row's index.

    Raises:
        DataError: if a file is not Parquet, lacks a column, or a row is no example of its type.
    """
    entry = hub_dataset(dataset)
    rows = list(_rows(paths, entry, dataset, language))
    ids = [_value(row, entry.columns["id"]) for *_, row in rows] if "id" in entry.columns else []
    unique = bool(ids) and len(set(ids)) == len(ids)
    for index, (path, number, row) in enumerate(rows):
        if _is_dropped(row, entry):
            continue
        try:
            fields = {name: _value(row, columns) for name, columns in entry.columns.items()}
            key = ids[index] if unique else f"{dataset}-{split}-{language}-{fields.get('index', index)}"
            yield _MAKERS[entry.type](str(key), language, fields, entry)
        except (KeyError, TypeError, ValueError) as error:
            what = f"not an example of type {entry.type}: {error}"
            raise malformed(path, f"row {number}", what) from error


def dropped(paths: Sequence[Path], dataset: str, language: str) -> int:
    """The number of rows of one language that are no examples."""
    entry = hub_dataset(dataset)
    rows = _rows(paths, entry, dataset, language) if entry.drop else ()
    return sum(_is_dropped(row, entry) for *_, row in rows)


def _is_dropped(row: Fields, entry: HubDataset) -> bool:
    return any(str(row[column]).strip() in values for column, values in entry.drop.items())


def _rows(
    paths: Sequence[Path], entry: HubDataset, dataset: str, language: str
) -> Iterator[tuple[Path, int, Fields]]:
    """The rows of one language, each with its file and its number in it."""
    wanted = {column: entry.fill(pattern, dataset, language) for column, pattern in entry.rows.items()}
    for path in paths:
        for number, row in enumerate(_table(path, entry)):
            if all(fnmatchcase(str(row[column]), pattern) for column, pattern in wanted.items()):
                yield path, number, row


def _table(path: Path, entry: HubDataset) -> Iterator[Fields]:
    """The rows of a file, classes by their names."""
    import pyarrow as pa
    from pyarrow import parquet

    maps = [columns if isinstance(columns, list) else [columns] for columns in entry.columns.values()]
    named = {name.split(".")[0] for names in maps for name in names}
    needed = sorted(named | set(entry.rows) | set(entry.drop))
    try:
        file = parquet.ParquetFile(path)
        if lacking := sorted(set(needed) - set(file.schema_arrow.names)):
            there = ", ".join(file.schema_arrow.names)
            raise malformed(path, "the schema", f"the column '{lacking[0]}' is missing; there are {there}")
        classes = _classes(file.schema_arrow.metadata or {})
        for batch in file.iter_batches(columns=needed):
            for row in batch.to_pylist():
                yield {name: _named(value, classes.get(name)) for name, value in row.items()}
    except pa.ArrowException as error:
        raise malformed(path, "the whole file", f"not Parquet: {error}") from error


def _classes(metadata: dict[bytes, bytes]) -> dict[str, list[str]]:
    """The names of the classes of columns that hold numbers of classes, as `datasets` writes them."""
    features = json.loads(metadata.get(b"huggingface", b"{}")).get("info", {}).get("features", {})
    inner = {
        name: value.get("feature", value) if isinstance(value, dict) else {}
        for name, value in features.items()
    }
    return {name: value["names"] for name, value in inner.items() if "names" in value}


def _named(value: Any, names: list[str] | None) -> Any:
    if names is None or value is None:
        return value
    if isinstance(value, list):
        return [_named(item, names) for item in value]
    return names[value] if 0 <= value < len(names) else value


def _value(row: Fields, columns: str | list[str]) -> Any:
    if isinstance(columns, list):
        return [_value(row, column) for column in columns]
    value: Any = row
    for name in columns.split("."):
        value = value[name]
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected a text, found {value!r}")
    return value


def _line(value: Any) -> str:
    return _text(value).removesuffix("\n").removesuffix("\r")


def _label(value: Any, entry: HubDataset) -> str | None:
    found = "" if value is None else str(value)
    return entry.labels.get(found, found) or None


def _pair(key: str, language: str, fields: Fields, entry: HubDataset) -> PairExample:
    second = _text(fields["second"]) if "second" in fields else None
    return PairExample(key, language, _text(fields["first"]), second, _label(fields.get("label"), entry))


def _choice(key: str, language: str, fields: Fields, entry: HubDataset) -> ChoiceExample:
    choices = tuple(_text(choice) for choice in fields["choices"])
    found = _label(fields.get("label"), entry)
    letters = fields.get("letters") or [str(number) for number in range(len(choices))]
    label = None if found is None or found == "-1" else letters.index(found)
    context, question = _text(fields.get("context", "")), _text(fields.get("question", ""))
    return ChoiceExample(key, language, context, question, choices, label)


def _span(key: str, language: str, fields: Fields, entry: HubDataset) -> SpanExample:
    context, question = _text(fields["context"]), _text(fields["question"])
    answers = tuple(_text(answer) for answer in fields["answers"])
    pairs = zip(answers, fields["starts"], strict=True)
    starts = tuple(_start(context, answer, int(start)) for answer, start in pairs)
    return SpanExample(key, language, context, question, answers, starts)


def _start(context: str, answer: str, start: int) -> int:
    """The offset given, or, if the answer is not there, the nearest at which it is."""
    if context[start : start + len(answer)] == answer and start >= 0:
        return start
    before, after = context.rfind(answer, 0, max(start, 0) + len(answer)), context.find(answer, max(start, 0))
    found = [place for place in (before, after) if place >= 0]
    if not found:
        raise ValueError(f"the answer '{answer}' does not stand in its paragraph")
    return min(found, key=lambda place: abs(place - start))


def _tagged(key: str, language: str, fields: Fields, entry: HubDataset) -> TaggedExample:
    words = tuple(_text(word) for word in fields["words"])
    tags = tuple(entry.labels.get(str(tag), str(tag)) for tag in fields["tags"])
    if len(words) != len(tags) or not words:
        raise ValueError(f"{len(words)} words have {len(tags)} tags")
    return TaggedExample(key, language, words, tags)


def _parallel(key: str, language: str, fields: Fields, entry: HubDataset) -> ParallelExample:
    return ParallelExample(key, language, _line(fields["text"]), _line(fields["english"]))


_MAKERS: dict[str, Callable[[str, str, Fields, HubDataset], Example]] = {
    "classification": _pair,
    "multiple_choice": _choice,
    "span": _span,
    "tagging": _tagged,
    "retrieval": _parallel,
}
