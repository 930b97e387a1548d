"""data.lock: which files a mirror holds, their sha256, and how many examples they give.

Only the standard library is imported here: the workflow reads the lock to plan its jobs.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xstilts.errors import DataError

Part = tuple[str, str, Sequence[str] | None]
"""A data set, a split, and some of its languages (None: all that there are)."""


@dataclass(frozen=True)
class LockedFile:
    """What a file must be; `origin` is where it was fetched from, with the revision."""

    bytes: int
    sha256: str
    origin: str


@dataclass(frozen=True)
class Lock:
    """The content of data.lock; `where` names it in messages."""

    content: dict[str, Any]
    where: str

    def datasets(self) -> list[str]:
        """The names of all locked data sets."""
        return sorted(self.content)

    def splits(self, dataset: str) -> list[str]:
        """The locked splits of a data set."""
        return sorted(self._dataset(dataset)["splits"])

    def languages(self, dataset: str, split: str) -> list[str]:
        """The locked languages of a split."""
        return sorted(self._split(dataset, split))

    def counts(self, dataset: str, split: str, language: str) -> dict[str, int]:
        """Numbers of `examples`, `dropped` rows that are no examples, and `unlabelled` examples."""
        entry = self._language(dataset, split, language)
        return {name: int(value) for name, value in entry.items() if name != "files"}

    def paths(self, dataset: str, split: str, language: str) -> list[str]:
        """The files of one language, relative to the root of the mirror, in the parser's order."""
        return list(self._language(dataset, split, language)["files"])

    def file(self, dataset: str, path: str) -> LockedFile:
        """What a file of a data set must be."""
        return LockedFile(**self._get(self._dataset(dataset)["files"], path, dataset))

    def _dataset(self, dataset: str) -> dict[str, Any]:
        return self._get(self.content, dataset, "the lock")

    def _split(self, dataset: str, split: str) -> dict[str, Any]:
        return self._get(self._dataset(dataset)["splits"], split, dataset)

    def _language(self, dataset: str, split: str, language: str) -> dict[str, Any]:
        return self._get(self._split(dataset, split), language, f"{dataset}/{split}")

    def _get(self, table: dict[str, Any], key: str, inside: str) -> dict[str, Any]:
        if key in table:
            entry: dict[str, Any] = table[key]
            return entry
        hint = f"choose one of {', '.join(sorted(table))}; or add the files and run scripts/lock_data.py"
        raise DataError(f"'{key}' is not in {inside}", where=self.where, hint=hint)


def load_lock(path: Path) -> Lock:
    """Read a lock.

    Raises:
        DataError: if it is missing or not a lock.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if not all({"files", "splits"} <= set(entry) for entry in content.values()):
            raise ValueError("a data set without files or splits")
    except FileNotFoundError as error:
        raise DataError("the data lock is missing", where=str(path), hint=_HINT) from error
    except (ValueError, AttributeError, TypeError) as error:
        raise DataError(f"not a data lock: {error}", where=str(path), hint=_HINT) from error
    return Lock(content, str(path))


PART_LOCK = "lock.json"
"""The lock of a fetched part of a data set, beside its files."""


def gather_lock(root: Path) -> Lock:
    """The lock of all that was fetched to `<root>/<data set>/<split>/<part>`, from the locks of the parts."""
    content: dict[str, Any] = {}
    for path in sorted(root.glob(f"*/*/*/{PART_LOCK}")):
        part, folder = json.loads(path.read_text(encoding="utf-8")), path.parent.relative_to(root)
        files = {f"{folder.as_posix()}/{name}": value for name, value in part["files"].items()}
        dataset, split, _ = folder.parts
        entry = content.setdefault(dataset, {"files": {}, "splits": {}})
        entry["files"] |= files
        languages = {language: {"files": list(files)} for language in part["languages"]}
        entry["splits"].setdefault(split, {}).update(languages)
    return Lock(content, f"the files fetched to {root}")


_HINT = "restore it from the repository, or make it with scripts/lock_data.py"


def save_lock(lock: Lock, path: Path) -> None:
    """Write a lock as JSON: sorted, one line per file and per language."""
    partial = path.with_name(path.name + ".partial")
    partial.write_text(_render(lock.content, 0) + "\n", encoding="utf-8", newline="\n")
    partial.replace(path)


def lock_entry(lock: Lock, parts: Iterable[Part]) -> dict[str, str]:
    """What a job reads, as `{relative path: sha256}`: put it into the job's params.

    Raises:
        DataError: if the lock does not hold a part.
    """
    entry: dict[str, str] = {}
    for dataset, split, languages in parts:
        for language in lock.languages(dataset, split) if languages is None else languages:
            for path in lock.paths(dataset, split, language):
                entry[path] = lock.file(dataset, path).sha256
    return dict(sorted(entry.items()))


def sha256_of(path: Path) -> str:
    """The sha256 of a file, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _render(value: Any, depth: int) -> str:
    if not isinstance(value, dict) or not any(isinstance(item, dict) for item in value.values()):
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
    indent = " " * (depth + 1)
    items = (f"{indent}{json.dumps(key)}: {_render(value[key], depth + 1)}" for key in sorted(value))
    return "{\n" + ",\n".join(items) + "\n" + " " * depth + "}"
