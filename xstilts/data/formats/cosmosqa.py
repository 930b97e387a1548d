"""Cosmos QA: comma-separated values (id, context, question, answer0 to answer3, label)."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from xstilts.data.examples import ChoiceExample
from xstilts.data.reading import malformed

ANSWERS = ("answer0", "answer1", "answer2", "answer3")
COLUMNS = ["id", "context", "question", *ANSWERS, "label"]


def parse(paths: Sequence[Path], *, dataset: str, split: str, language: str) -> Iterator[ChoiceExample]:
    """One question a record; ids are the publisher's."""
    (path,) = paths
    with path.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.DictReader(stream, strict=True)
        try:
            if reader.fieldnames != COLUMNS:
                raise malformed(path, 1, f"expected the columns {', '.join(COLUMNS)}")
            for record in reader:
                if None in record or None in record.values():
                    raise malformed(path, reader.line_num, f"expected {len(COLUMNS)} values")
                if record["label"] not in ("0", "1", "2", "3"):
                    raise malformed(path, reader.line_num, f"the label '{record['label']}' is none of 0 to 3")
                choices = tuple(record[name] for name in ANSWERS)
                question, label = record["question"], int(record["label"])
                yield ChoiceExample(record["id"], language, record["context"], question, choices, label)
        except (csv.Error, UnicodeDecodeError) as error:
            raise malformed(path, reader.line_num + 1, f"not comma-separated UTF-8: {error}") from error
