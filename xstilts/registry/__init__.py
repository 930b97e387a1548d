"""The registries: which data sets, tasks and languages there are, as data (YAML beside this file).

Jobs get the entries that they need as parameters, so that an entry added for something else
reruns nothing.
"""

from collections.abc import Hashable
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from xstilts.errors import RegistryError

FOLDER = Path(__file__).parent
PIVOT = "en"
"""The language that is transferred from."""

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


def _with_fallback(split: dict[str, str]) -> dict[str, str]:
    if "*" not in split:
        raise ValueError('a split by language needs "*", that of all others')
    return split


class HeldOut(Entry):
    """What is scored: a split of a data set; by language, where it is not the same one in all of them.

    `{"*": dev, kk: test}` is the development split, but in Kazakh the test split.
    """

    dataset: str
    split: str | Annotated[dict[str, str], AfterValidator(_with_fallback)]

    def of(self, language: str) -> str:
        """The split of one language."""
        return self.split if isinstance(self.split, str) else self.split.get(language, self.split["*"])

    @property
    def splits(self) -> list[str]:
        """All its splits."""
        return [self.split] if isinstance(self.split, str) else sorted(set(self.split.values()))


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
    task is trained on: nothing trained on it may be scored on them. `dev_if_test` is selected on in place of
    `dev` by a run that scores test splits: a development split that is itself scored otherwise.
    """

    type: TaskType
    labels: list[str] = []
    train: Splits
    dev: Splits | Holdout | None = None
    dev_if_test: Splits | None = None
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
    data: HeldOut
    tune: HeldOut | None = None
    """What a threshold is tuned on (mining); none: half of `data`, and the other half is scored."""
    cap: int | None = None
    """Most examples per language: the run's (see xstilts.plan), not the registry's."""

    def parts(self, language: str) -> list[tuple[str, str]]:
        """Data set and split of all that is predicted in a language; what is scored comes last."""
        held = [self.tune, self.data] if self.tune else [self.data]
        return [(each.dataset, each.of(language)) for each in held]

    def scored(self, language: str) -> str:
        """What scores.tsv calls what is scored: a split, or the half of it that no threshold is tuned on."""
        half = "-half" if self.type == "mining" and not self.tune else ""
        return self.data.of(language) + half

    @property
    def is_headless(self) -> bool:
        """Whether sentences are compared by their embeddings, without a head."""
        return self.type in ("retrieval", "mining")

    @property
    def is_retrieval(self) -> bool:
        """Whether anything is searched, with or without a head: chance and TF-IDF stand beside its scores."""
        return self.is_headless or self.type == "dual_encoder"


Benchmark = Literal["xtreme", "xtreme_r"]
BENCHMARKS: tuple[Benchmark, ...] = get_args(Benchmark)
"""Whose lists of languages can be asked for by name."""


class Languages(Entry):
    """The languages of an evaluation task: each benchmark's, and others of its data (none given: all).

    English is never among all: it is what the others are compared with.
    """

    xtreme: list[str] = []
    xtreme_r: list[str] = []
    others: list[str] | None = []

    def of(self, name: str) -> list[str]:
        """The list of a benchmark, or a language, if the task has it."""
        if name in BENCHMARKS:
            found: list[str] = getattr(self, name)
            return found
        if self.others is None:
            return [name] if name != PIVOT else []
        return [name] if name in self.known else []

    @property
    def known(self) -> list[str]:
        """Every language that is named, sorted."""
        return sorted({*self.xtreme, *self.xtreme_r, *(self.others or [])})


def _as_others(value: Any) -> Any:
    return {"others": value} if isinstance(value, list) else value


class EvaluationTask(PredictionTask):
    """Something that a checkpoint is scored on.

    `test` is what a run that scores test splits scores in place of `data`. A list of languages that is no
    benchmark's may be given as it is.
    """

    test: HeldOut | None = None
    metrics: list[str]
    normalisation: Normalisation = "squad"
    languages: Annotated[Languages, BeforeValidator(_as_others)] = Languages(others=None)
    target: str | None = None

    @property
    def held_out(self) -> list[HeldOut]:
        """All that it may be scored on."""
        return [self.data, *([self.test] if self.test else [])]


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
