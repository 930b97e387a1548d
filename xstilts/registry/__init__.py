"""The registries: which data sets, tasks and languages there are, as data (YAML beside this file).

Jobs get the entries that they need as parameters, so that an entry added for something else
reruns nothing.
"""

from collections.abc import Hashable
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from xstilts.errors import RegistryError

FOLDER = Path(__file__).parent

E = TypeVar("E", bound="Entry")
TaskType = Literal["classification", "multiple_choice", "span", "tagging", "retrieval", "masked_lm"]


class Entry(BaseModel):
    """Base of all registry entries: immutable, and strict about unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Dataset(Entry):
    """How a published data set is named, licensed and laid out."""

    title: str
    format: str
    licence: str
    splits: dict[str, list[str]]
    evaluation: list[str] = []
    codes: dict[str, str] = {}


class Split(Entry):
    """One split of one data set."""

    dataset: str
    split: str


class Holdout(Entry):
    """A share of the training examples, taken by the hash of their ids."""

    holdout: Annotated[float, Field(gt=0, lt=1)]


class TrainingTask(Entry):
    """Something that a recipe may name."""

    type: TaskType
    labels: list[str] = []
    train: Split
    dev: Split | Holdout | None = None


class PredictionTask(Entry):
    """What a prediction job needs to know of an evaluation task."""

    type: TaskType
    labels: list[str] = []
    data: Split


class EvaluationTask(PredictionTask):
    """Something that a checkpoint is scored on."""

    metrics: list[str]
    languages: list[str] | None = None
    target: str | None = None


class Language(Entry):
    """Facts about one language; distances are computed (see xstilts.languages)."""

    name: str
    iso639_3: str
    glottocode: str
    family: str
    script: str
    cc100_gib: float | None = None
    xtreme: bool = False


class UniqueKeyLoader(yaml.CSafeLoader):  # type: ignore[misc]
    """YAML that refuses a key given twice (PyYAML silently keeps the last)."""


def _mapping_of_unique_keys(loader: UniqueKeyLoader, node: yaml.MappingNode) -> dict[Hashable, Any]:
    seen: set[Hashable] = set()
    for key_node, _ in node.value:
        key = loader.construct_object(key_node, deep=True)
        if key in seen:
            raise RegistryError(
                f"the key '{key}' is given twice",
                where=f"{node.start_mark.name}, line {key_node.start_mark.line + 1}",
                hint="remove or rename one of the two entries",
            )
        seen.add(key)
    mapping: dict[Hashable, Any] = loader.construct_mapping(node, deep=True)
    return mapping


UniqueKeyLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping_of_unique_keys)


def load_yaml(path: Path) -> Any:
    """The content of a YAML file.

    Raises:
        RegistryError: if it cannot be read, is not YAML, or gives a key twice.
    """
    try:
        with path.open(encoding="utf-8") as stream:
            return yaml.load(stream, Loader=UniqueKeyLoader)  # noqa: S506 - a subclass of the safe loader
    except OSError as error:
        raise RegistryError(f"cannot read {path.name}: {error.strerror}", where=str(path)) from error
    except yaml.YAMLError as error:
        raise RegistryError(f"{path.name} is not valid YAML", where=str(error)) from error


def _entries(kind: type[E], raw: dict[str, Any], path: Path) -> dict[str, E]:
    entries = {}
    for name, value in raw.items():
        try:
            entries[str(name)] = kind.model_validate(value)
        except ValidationError as error:
            fault = error.errors()[0]
            key = ".".join(map(str, (name, *fault["loc"])))
            raise RegistryError(f"{key}: {fault['msg']}", where=str(path)) from error
    return entries


@cache
def datasets(path: Path = FOLDER / "datasets.yaml") -> dict[str, Dataset]:
    """All data sets, by name."""
    return _entries(Dataset, load_yaml(path), path)


@cache
def training_tasks(path: Path = FOLDER / "tasks.yaml") -> dict[str, TrainingTask]:
    """All tasks that a recipe may name."""
    return _entries(TrainingTask, load_yaml(path)["training"], path)


@cache
def evaluation_tasks(path: Path = FOLDER / "tasks.yaml") -> dict[str, EvaluationTask]:
    """All tasks that a checkpoint may be scored on."""
    return _entries(EvaluationTask, load_yaml(path)["evaluation"], path)


@cache
def languages(path: Path = FOLDER / "languages.yaml") -> dict[str, Language]:
    """All languages, by the project's code.

    Raises:
        RegistryError: also if two entries share an ISO 639-3 code.
    """
    entries = _entries(Language, load_yaml(path), path)
    first: dict[str, str] = {}
    for code, language in entries.items():
        if language.iso639_3 in first:
            raise RegistryError(
                f"'{first[language.iso639_3]}' and '{code}' are the same language ({language.iso639_3})",
                where=str(path),
                hint="keep one of the two entries",
            )
        first[language.iso639_3] = code
    return entries
