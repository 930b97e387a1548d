"""Reading published files line by line or as JSON, so that every fault names file and line."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from xstilts.errors import DataError

AGAIN = "fetch the file again, or correct it and lock it again with scripts/lock_data.py"


def malformed(path: Path, place: int | str, what: str) -> DataError:
    """The error for a fault at a line (or another place) of a file."""
    where = f"{path}, line {place}" if isinstance(place, int) else f"{path}, {place}"
    return DataError(what, where=where, hint=AGAIN)


def numbered_lines(path: Path) -> Iterator[tuple[int, str]]:
    r"""Lines with their numbers from 1, without line ends (`\n` or `\r\n`) and byte order mark.

    Only `\n` ends a line: published texts hold characters at which `str.splitlines` would split too.

    Raises:
        DataError: if the file is not UTF-8.
    """
    number = 0
    with path.open(encoding="utf-8-sig", newline="\n") as stream:
        try:
            for number, line in enumerate(stream, 1):
                yield number, line.removesuffix("\n").removesuffix("\r")
        except UnicodeDecodeError as error:
            raise malformed(path, f"after line {number}", f"not UTF-8: {error.reason}") from error


def fields(path: Path, names: str) -> Iterator[tuple[int, list[str]]]:
    """Lines split at tabs into as many fields as `names` has words.

    Raises:
        DataError: if a line has another number of fields.
    """
    expected = len(names.split())
    for number, line in numbered_lines(path):
        values = line.split("\t")
        if len(values) != expected:
            what = f"expected {expected} fields between tabs ({names}), found {len(values)}"
            raise malformed(path, number, what)
        yield number, values


def json_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """One JSON object per line.

    Raises:
        DataError: if a line is not a JSON object.
    """
    for number, line in numbered_lines(path):
        try:
            record = json.loads(line)
        except json.JSONDecodeError as error:
            raise malformed(path, number, f"not JSON: {error.msg}") from error
        if not isinstance(record, dict):
            raise malformed(path, number, "expected a JSON object")
        yield number, record


def json_document(path: Path) -> Any:
    """The content of a JSON file.

    Raises:
        DataError: if it is not JSON in UTF-8.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except json.JSONDecodeError as error:
        raise malformed(path, error.lineno, f"not JSON: {error.msg}") from error
    except UnicodeDecodeError as error:
        raise malformed(path, f"byte {error.start}", f"not UTF-8: {error.reason}") from error
