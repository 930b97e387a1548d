"""Reading data sets from a folder, checked against a lock if there is one."""

import importlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from xstilts import registry
from xstilts.data import counts
from xstilts.data.examples import Candidate, Example
from xstilts.data.lock import Lock, gather_lock, load_lock, sha256_of
from xstilts.errors import DataError, RegistryError

FAULTS_SHOWN = 5
HUB = "hub"
PARQUET = "parquet"
FETCH = "fetch it again, or point data.mirror to the right folder"
RELOCK = "fetch it again; if the change is meant, lock it again with scripts/lock_data.py"


@dataclass(frozen=True)
class FolderSource:
    """A folder of data sets: a mirror or files of the hub (with a lock), or what a micro run wrote (without).

    Of a `generated` one no counts are published. `format` names the parser of all its files, where that is
    not the one of each data set's publisher.
    """

    root: Path
    lock: Lock | None = None
    generated: bool = False
    format: str = ""

    def splits(self, dataset: str) -> list[str]:
        """The splits of a data set of which any file is there (or locked)."""
        if self.lock:
            return self.lock.splits(dataset)
        return [split for split in sorted(dataset_entry(dataset).splits) if self.holds(dataset, split)]

    def holds(self, dataset: str, split: str) -> bool:
        """Whether any file of the split is there (or locked)."""
        if self.lock:
            return dataset in self.lock.datasets() and split in self.lock.splits(dataset)
        return bool(self.languages(dataset, split))

    def languages(self, dataset: str, split: str) -> list[str]:
        """The languages of a split, sorted: those of the lock, else those of which a file is there.

        Raises:
            DataError: if the folder is missing, or the lock does not hold the split.
        """
        if self.lock:
            return self.lock.languages(dataset, split)
        self._check_root()
        return [
            language
            for language in _possible_languages(dataset, split)
            if any((self.root / path).is_file() for path in self._relative(dataset, split, language))
        ]

    def paths(self, dataset: str, split: str, language: str) -> list[Path]:
        """The files of one language, in the order that the parser wants."""
        return [self.root / path for path in self._relative(dataset, split, language)]

    def read(self, dataset: str, split: str, language: str) -> list[Example]:
        """The examples of one language, in the file's order, after checking the files.

        Raises:
            DataError: if a file is missing, truncated, altered, malformed or without examples, or an
                id occurs twice.
        """
        paths = self.verified(dataset, split, language)
        parser = format_module(dataset, self.format)
        if not hasattr(parser, "parse"):
            raise RegistryError(f"{dataset} is plain text: it has lines, not examples")
        examples = list(parser.parse(paths, dataset=dataset, split=split, language=language))
        if not examples:
            raise _empty(paths)
        id_, times = Counter(example.id for example in examples).most_common(1)[0]
        if times > 1:
            raise DataError(f"the id '{id_}' occurs {times} times", where=str(paths[0]), hint=RELOCK)
        if not self.generated:
            dropped = self.dropped(dataset, split, language)
            counts.say(dataset, split, language, len(examples), dropped, self.format == PARQUET)
        return examples

    def dropped(self, dataset: str, split: str, language: str) -> int:
        """The number of rows of one language that are no examples."""
        locked = self.lock.counts(dataset, split, language) if self.lock else {}
        if "dropped" in locked:
            return locked["dropped"]
        parser, paths = format_module(dataset, self.format), self.paths(dataset, split, language)
        if not hasattr(parser, "dropped"):
            return 0
        number: int = parser.dropped(paths, dataset, language) if self.format else parser.dropped(paths)
        return number

    def candidates(self, dataset: str, splits: Mapping[str, str]) -> Iterator[Candidate]:
        """The pool that the queries of a split of each language search, one by one; raises as `read` does."""
        files = {language: self.verified(dataset, split, language) for language, split in splits.items()}
        pool: Iterator[Candidate] = format_module(dataset).candidates(files)
        return pool

    def lines(self, dataset: str, split: str, language: str) -> list[str]:
        """The lines of plain text of one language; raises as `read` does."""
        paths = self.verified(dataset, split, language)
        lines = list(format_module(dataset, self.format).lines(paths))
        if not lines:
            raise _empty(paths)
        return lines

    def verified(self, dataset: str, split: str, language: str) -> list[Path]:
        """As `paths`, after checking that the files are there and, by the lock, unchanged."""
        relative = self._relative(dataset, split, language)
        for path in relative:
            if fault := self._fault(dataset, path):
                raise DataError(fault, where=str(self.root / path), hint=FETCH)
            if self.lock:
                expected, found = self.lock.file(dataset, path).sha256, sha256_of(self.root / path)
                if expected != found:
                    what = f"{path} differs from the lock: expected sha256 {expected}, found {found}"
                    raise DataError(what, where=str(self.root / path), hint=RELOCK)
        return [self.root / path for path in relative]

    def check(self, datasets: Iterable[str]) -> None:
        """Check quickly that all files are there and of the right size.

        Args:
            datasets: Names of data sets, or of one split as `tatoeba/test`.

        Raises:
            DataError: that lists at most a few faults.
        """
        self._check_root()
        faults = [fault for name in datasets for fault in self._faults(name)]
        if faults:
            shown = "\n    ".join(faults[:FAULTS_SHOWN])
            more = f"\n    and {len(faults) - FAULTS_SHOWN} more" if len(faults) > FAULTS_SHOWN else ""
            raise DataError(
                f"files at fault: {len(faults)}\n    {shown}{more}", where=str(self.root), hint=FETCH
            )

    def _faults(self, name: str) -> Iterator[str]:
        dataset, _, split = name.partition("/")
        dataset_entry(dataset)
        for part in [split] if split else self.splits(dataset):
            languages = self.languages(dataset, part)
            if not languages:
                yield f"{dataset}/{part}: no file is there"
            for language in languages:
                for path in self._relative(dataset, part, language):
                    if fault := self._fault(dataset, path):
                        yield fault
        if not split and not self.splits(dataset):
            yield f"{dataset}: no file is there"

    def _fault(self, dataset: str, path: str) -> str:
        self._check_root()
        file = self.root / path
        if not file.is_file():
            return f"{path} is missing"
        found = file.stat().st_size
        if self.lock:
            expected = self.lock.file(dataset, path).bytes
            if found < expected:
                return f"{path} looks like a truncated download: expected {expected} bytes, found {found}"
            if found > expected:
                return f"{path} differs from the lock: expected {expected} bytes, found {found}"
        return "" if found else f"{path} is empty"

    def _relative(self, dataset: str, split: str, language: str) -> list[str]:
        if self.lock:
            return self.lock.paths(dataset, split, language)
        return [
            path for pattern in relative_paths(dataset, split, language) for path in self._expanded(pattern)
        ]

    def _expanded(self, pattern: str) -> list[str]:
        """The files that a pattern matches, sorted; the pattern itself where there are none."""
        if "*" not in pattern:
            return [pattern]
        return sorted(path.relative_to(self.root).as_posix() for path in self.root.glob(pattern)) or [pattern]

    def _check_root(self) -> None:
        if not self.root.is_dir():
            hint = "point data.mirror to the folder that holds the data sets"
            raise DataError("the data folder is missing", where=str(self.root), hint=hint)


def source_of(dataset: str, source: FolderSource, folders: Mapping[str, Path]) -> FolderSource:
    """Where a data set is: in a folder of its own, if it has one, or where all others are."""
    return FolderSource(folders[dataset]) if dataset in folders else source


def folders_from(text: str) -> dict[str, Path]:
    """The folders of data sets that lie elsewhere, from JSON."""
    return {name: Path(folder) for name, folder in json.loads(text).items()}


def open_source(root: Path, lock: str = "") -> FolderSource:
    """The source in `root`; `lock` is the path of its lock, or `hub` for files fetched from there.

    Empty, it is a folder of published data without a lock; `none`, one that the run itself has written.
    """
    if lock == HUB:
        return FolderSource(root, gather_lock(root), format=PARQUET)
    return FolderSource(root, None if lock in ("", "none") else load_lock(Path(lock)), lock == "none")


def dataset_entry(dataset: str) -> registry.Dataset:
    """The registry's entry of a data set.

    Raises:
        RegistryError: if there is no such data set.
    """
    entries = registry.datasets()
    if dataset not in entries:
        raise RegistryError(f"no data set '{dataset}'", hint=f"choose one of {', '.join(sorted(entries))}")
    return entries[dataset]


def relative_paths(dataset: str, split: str, language: str) -> list[str]:
    """The publishers' paths of one language of a split, relative to the root.

    Raises:
        RegistryError: if the data set has no such split, or there is no such language.
    """
    entry = dataset_entry(dataset)
    patterns = _patterns(dataset, split)
    if language not in registry.languages():
        raise RegistryError(f"no language '{language}'", hint="add it to xstilts/registry/languages.yaml")
    code = entry.codes.get(language, registry.languages()[language].iso639_3)
    return [pattern.format(language=language, code=code) for pattern in patterns]


def format_module(dataset: str, format_name: str = "") -> ModuleType:
    """The parser of a data set: of the publisher's format, if no other is named.

    Raises:
        RegistryError: if there is no such format.
    """
    name = f"xstilts.data.formats.{format_name or dataset_entry(dataset).format}"
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise RegistryError(f"no parser {name}", where=f"data set {dataset}") from error


def _patterns(dataset: str, split: str) -> list[str]:
    splits = dataset_entry(dataset).splits
    if split not in splits:
        raise RegistryError(
            f"{dataset} has no split '{split}'", hint=f"choose one of {', '.join(sorted(splits))}"
        )
    return splits[split]


def _possible_languages(dataset: str, split: str) -> list[str]:
    if any("{" in pattern for pattern in _patterns(dataset, split)):
        return sorted(registry.languages())
    return dataset_entry(dataset).languages


def _empty(paths: list[Path]) -> DataError:
    return DataError("the file holds no examples", where=str(paths[0]), hint=FETCH)
