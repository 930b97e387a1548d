"""The registries: which data sets, tasks and languages there are, as data (YAML beside this file).

Jobs get the entries that they need as parameters, so that an entry added for something else
reruns nothing.
"""

from collections.abc import Hashable
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from xstilts.errors import RegistryError

FOLDER = Path(__file__).parent

E = TypeVar("E", bound="Entry")
TaskType = Literal[
    "classification", "multiple_choice", "span", "tagging", "retrieval", "mining", "dual_encoder", "masked_lm"
]
Normalisation = Literal["squad", "mlqa"]


class Entry(BaseModel):
    """Base of all registry entries: immutable, and strict about unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Dataset(Entry):
    """How a published data set is named, licensed and laid out.

    `published` counts the examples of a split as its publishers do: in each language, or by language.
    `languages` are those of files that are not named by language.
    """

    title: str
    format: str
    licence: str
    address: str = ""
    splits: dict[str, list[str]]
    evaluation: list[str] = []
    codes: dict[str, str] = {}
    published: dict[str, int | dict[str, int]] = {}
    counted: str = ""
    filtered: str = ""
    obtain: str = ""
    languages: list[str] = ["en"]


class Split(Entry):
    """One split of one data set."""

    dataset: str
    split: str


class Holdout(Entry):
    """A share of the training examples, taken by the hash of their ids."""

    holdout: Annotated[float, Field(gt=0, lt=1)]


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, Split) or (isinstance(value, dict) and "split" in value) else value


Splits = Annotated[list[Split], BeforeValidator(_listed)]
"""Several splits, or one without the list around it."""


class TrainingTask(Entry):
    """Something that a recipe may name.

    Tagging without `labels` takes those of its training examples. `metric` is what its development
    examples are scored by (none: the type's headline). `spends` names the evaluation data sets that the
    task is trained on: nothing trained on it may be scored on them.
    """

    type: TaskType
    labels: list[str] = []
    train: Splits
    dev: Splits | Holdout | None = None
    languages: list[str] = ["en"]
    metric: str = ""
    unanswerable: bool = False
    spends: list[str] = []

    @property
    def splits(self) -> list[Split]:
        """Every split that the task reads: what it trains on, then what it selects on."""
        return [*self.train, *(self.dev if isinstance(self.dev, list) else [])]

    @property
    def is_text(self) -> bool:
        """Whether it is continued masked LM, which has lines of text instead of examples."""
        return self.type == "masked_lm"


class PredictionTask(Entry):
    """What a prediction job needs to know of an evaluation task."""

    type: TaskType
    labels: list[str] = []
    data: Split
    cap: int | None = None
    """Most examples per language: the run's (see xstilts.plan), not the registry's."""

    @property
    def is_headless(self) -> bool:
        """Whether sentences are compared by their embeddings, without a head."""
        return self.type in ("retrieval", "mining")

    @property
    def is_retrieval(self) -> bool:
        """Whether anything is searched, with or without a head: chance and TF-IDF stand beside its scores."""
        return self.is_headless or self.type == "dual_encoder"


class EvaluationTask(PredictionTask):
    """Something that a checkpoint is scored on."""

    metrics: list[str]
    normalisation: Normalisation = "squad"
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


def parse_entries(kind: type[E], raw: dict[str, Any], path: Path) -> dict[str, E]:
    """The validated entries of a registry.

    Raises:
        RegistryError: naming the entry and the key at fault.
    """
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
    return parse_entries(Dataset, load_yaml(path), path)


@cache
def training_tasks(path: Path = FOLDER / "tasks.yaml") -> dict[str, TrainingTask]:
    """All tasks that a recipe may name."""
    return parse_entries(TrainingTask, load_yaml(path)["training"], path)


@cache
def evaluation_tasks(path: Path = FOLDER / "tasks.yaml") -> dict[str, EvaluationTask]:
    """All tasks that a checkpoint may be scored on."""
    return parse_entries(EvaluationTask, load_yaml(path)["evaluation"], path)


@cache
def languages(path: Path = FOLDER / "languages.yaml") -> dict[str, Language]:
    """All languages, by the project's code.

    Raises:
        RegistryError: also if two entries share an ISO 639-3 code.
    """
    entries = parse_entries(Language, load_yaml(path), path)
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
