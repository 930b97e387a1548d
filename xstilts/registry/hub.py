"""Where the Hugging Face hub has the data sets, as data (hub.yaml): repository, commit, files, columns.

A registry of its own, beside datasets.yaml: an entry made for the hub changes nothing for other sources.
"""

from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import Field

from xstilts import registry
from xstilts.errors import DataError, RegistryError
from xstilts.registry import FOLDER, Entry, TaskType

WHOLE = "all"
"""The part of a split whose files hold all of its languages."""


class HubSplit(Entry):
    """The files of one split; `languages` where they are others than the data set's."""

    files: str
    languages: list[str] | None = None


Commit = Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")]


class Elsewhere(Entry):
    """Another repository that has some languages, in the same columns; `splits` are patterns of files."""

    repository: str
    revision: Commit
    languages: list[str]
    splits: dict[str, str]


class HubDataset(Entry):
    """A repository of Parquet files at a fixed commit, and how a row becomes an example.

    `published` are counts of a version of its own, where the hub has another than datasets.yaml describes.
    """

    repository: str
    revision: Commit
    type: TaskType
    splits: dict[str, HubSplit]
    columns: dict[str, str | list[str]]
    languages: list[str] = Field(["en"])
    codes: dict[str, str] = Field({})
    labels: dict[str, str] = Field({})
    rows: dict[str, str] = Field({})
    drop: dict[str, list[str]] = Field({})
    published: dict[str, int] = Field({})
    elsewhere: list[Elsewhere] = Field([])

    def languages_of(self, split: str) -> list[str]:
        """The languages of a split; none if there is no such split."""
        found = [code for other in self.elsewhere if split in other.splits for code in other.languages]
        if split not in self.splits:
            return found
        chosen = self.splits[split].languages
        return [*(self.languages if chosen is None else chosen), *found]

    def part(self, split: str, language: str) -> str:
        """What is fetched to read one language: its own files, or those of the whole split."""
        return language if self._other(split, language) or "{" in self.splits[split].files else WHOLE

    def _other(self, split: str, language: str) -> Elsewhere | None:
        fitting = (each for each in self.elsewhere if split in each.splits and language in each.languages)
        return next(fitting, None)

    def of_part(self, dataset: str, split: str, part: str) -> "HubDataset":
        """The entry of one part alone, its pattern filled, so that others may change without it."""
        other = self._other(split, part)
        files, languages = (
            other.splits[split] if other else self.splits[split].files,
            self.languages_of(split),
        )
        if part != WHOLE:
            files, languages = self.fill(files, dataset, part), [part]
        own = {
            "repository": other.repository if other else self.repository,
            "revision": other.revision if other else self.revision,
            "splits": {split: HubSplit(files=files)},
            "languages": languages,
            "codes": {code: name for code, name in self.codes.items() if code in languages},
            "elsewhere": [],
            "published": {},
        }
        return self.model_copy(update=own)

    def fill(self, pattern: str, dataset: str, language: str) -> str:
        """A pattern with the names of one language put in."""
        known = registry.languages()[language]
        codes = {**registry.datasets()[dataset].codes, **self.codes}
        return pattern.format(language=language, code=codes.get(language, known.iso639_3), name=known.name)


@cache
def hub_datasets(path: Path = FOLDER / "hub.yaml") -> dict[str, HubDataset]:
    """All data sets that the hub has, by the names of datasets.yaml.

    Raises:
        RegistryError: if an entry is at fault, or is of a data set, split or language that is not registered.
    """
    entries = registry.parse_entries(HubDataset, registry.load_yaml(path), path)
    for name, entry in entries.items():
        known = registry.datasets().get(name)
        for split in sorted({*entry.splits, *(s for other in entry.elsewhere for s in other.splits)}):
            unknown = sorted(set(entry.languages_of(split)) - set(registry.languages()))
            if known is None or split not in known.splits or unknown:
                what = f"{name}/{split} is not in datasets.yaml"
                if unknown:
                    what = f"{name}/{split} names the unknown language '{unknown[0]}'"
                raise RegistryError(what, where=str(path), hint="add it there first")
    return entries


def hub_dataset(name: str) -> HubDataset:
    """The entry of a data set.

    Raises:
        DataError: if the hub does not have it.
    """
    entries = hub_datasets()
    if name not in entries:
        hint = f"it has {', '.join(sorted(entries))}; add an entry to xstilts/registry/hub.yaml"
        raise DataError(f"the source `hub` has no data set '{name}'", where="data.source", hint=hint)
    return entries[name]
