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


class HubDataset(Entry):
    """A repository of Parquet files at a fixed commit, and how a row becomes an example."""

    repository: str
    revision: Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")]
    type: TaskType
    splits: dict[str, HubSplit]
    columns: dict[str, str | list[str]]
    languages: list[str] = Field(["en"])
    codes: dict[str, str] = Field({})
    labels: dict[str, str] = Field({})
    rows: dict[str, str] = Field({})
    drop: dict[str, list[str]] = Field({})

    def languages_of(self, split: str) -> list[str]:
        """The languages of a split; none if there is no such split."""
        if split not in self.splits:
            return []
        chosen = self.splits[split].languages
        return self.languages if chosen is None else chosen

    def part(self, split: str, language: str) -> str:
        """What is fetched to read one language: its own files, or those of the whole split."""
        return language if "{" in self.splits[split].files else WHOLE

    def of_part(self, dataset: str, split: str, part: str) -> "HubDataset":
        """The entry of one part alone, its pattern filled, so that others may change without it."""
        files, languages = self.splits[split].files, self.languages_of(split)
        if part != WHOLE:
            files, languages = self.fill(files, dataset, part), [part]
        codes = {code: name for code, name in self.codes.items() if code in languages}
        own = {split: HubSplit(files=files)}
        return self.model_copy(update={"splits": own, "languages": languages, "codes": codes})

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
        for split in entry.splits:
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
