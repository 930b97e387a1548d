"""The configuration: one source of truth for keys, types, defaults and their meaning.

`config.yaml` and the overlays in config/ are validated against these models before anything runs; the
JSON schema (config/schema.json) and the reference page (docs/configuration.md) are generated from them.
Values that may vary by model, recipe or task are explained in xstilts.varied.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from xstilts.errors import ConfigError
from xstilts.job_settings import (
    Architecture,
    Positive,
    PositiveAmount,
    Precision,
    PretrainingSettings,
    RetrievalSettings,
    Section,
    TokenizerSettings,
    TrainingSettings,
)
from xstilts.micro.settings import MicroSettings
from xstilts.registry import load_yaml
from xstilts.studies.settings import (
    OrderSettings,
    QARetrievalSettings,
    ScaleSettings,
    SimilaritySettings,
    StatisticsSettings,
    TypologySettings,
)
from xstilts.varied import MAP, VALUE, Varied

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


def _quoted(value: object) -> object:
    if value is False:
        raise ValueError('put codes in quotes: YAML reads a bare no (Norwegian) as false; write "no"')
    return value


Code = Annotated[str, BeforeValidator(_quoted)]


class DataSettings(Section):
    """Where data come from, and how much of them is used."""

    source: Literal["micro", "mirror", "hub"] = Field(
        description="`micro` generates micro-XTREME offline; `mirror` reads a folder of publishers' files; "
        "`hub` fetches Parquet files of the Hugging Face hub at the commits of xstilts/registry/hub.yaml"
    )
    mirror: str | None = Field(None, description="Folder of the publishers' files, for `source: mirror`")
    lock: str | None = Field(
        "data.lock",
        description="Checksums of the mirror's files; null: not locked yet (scripts/lock_data.py)",
    )
    folders: dict[Name, str] = Field(
        {},
        description="Folders of data sets that lie elsewhere (licensed, translated, not on the hub), by data "
        "set: the publishers' files, at their paths; text and pairs cannot",
    )
    micro: MicroSettings = Field(description="What micro-XTREME is made of")
    text_lines: Positive | None = Field(
        None, description="Cap on the lines of pre-training text per language (a seeded sample); null: all"
    )

    @model_validator(mode="after")
    def _mirror_has_a_folder(self) -> "DataSettings":
        if self.source == "mirror" and not self.mirror:
            raise ValueError("`source: mirror` needs `mirror`, the folder of the publishers' files")
        return self


class ModelSettings(Section):
    """One model of the catalogue: pre-trained by the run, a local folder, or a repository of the hub."""

    source: Literal["pretrain", "folder", "hub"] = Field(description="Where the masked LM comes from")
    architecture: Architecture | None = Field(None, description="Its shape, for `source: pretrain`")
    folder: str | None = Field(None, description="Folder with config.json, safetensors and tokenizer")
    repository: str | None = Field(None, description="Repository of the Hugging Face hub")
    revision: str | None = Field(
        None, pattern=r"^[0-9a-f]{40}$", description="40-digit commit of that repository"
    )
    retrieval_layer: Positive | None = Field(
        None, description="Hidden state that retrieval reads; null: round(14/24 of the layers)"
    )

    @model_validator(mode="after")
    def _source_has_its_keys(self) -> "ModelSettings":
        needed = {"pretrain": ["architecture"], "folder": ["folder"], "hub": ["repository", "revision"]}
        for key in needed[self.source]:
            if getattr(self, key) is None:
                raise ValueError(f"`source: {self.source}` needs `{key}`")
        if self.architecture and (self.retrieval_layer or 0) > self.architecture.layers:
            raise ValueError(f"retrieval_layer ({self.retrieval_layer}) is above the last of the layers")
        return self


class PredictionSettings(Section):
    """How predictions are made; none of these values may change a prediction but for `max_answer`."""

    batch_tokens: Positive = Field(4096, description="Pieces per batch, padding included")
    max_answer: Positive = Field(30, description="Longest answer of span QA, in pieces")


class Evaluation(Section):
    """A block of scores: every recipe on every task (and, before it, the task's own English training)."""

    recipes: list[str] = Field(min_length=1, description="Recipes of the intermediate training")
    tasks: list[Name] = Field(min_length=1, description="Evaluation tasks")
    models: list[Name] = Field([], description="Models; empty: all of the run")


class Studies(Section):
    """The catalogue of studies."""

    typology: TypologySettings = Field(description="S1: typological distance and degradation in retrieval")
    scale: ScaleSettings = Field(description="S2: linguistic similarity and the size of the model")
    qa_retrieval: QARetrievalSettings = Field(description="S3: English and multilingual QA before retrieval")
    order: OrderSettings = Field(description="S4: the order of intermediate tasks")
    similarity: SimilaritySettings = Field(
        description="S5: semantic similarity of tasks, and gains in low-resource languages"
    )


class ScoresSettings(Section):
    """Where the table of scores comes from that the studies read."""

    source: Literal["run", "file"] = Field(
        "run", description="`run`: made by the run; `file`: a table of published numbers, and no model is run"
    )
    file: str | None = Field(None, description="The table, for `source: file`; its columns: docs/scores.md")

    @model_validator(mode="after")
    def _source_has_its_file(self) -> "ScoresSettings":
        if self.source == "file" and not self.file:
            raise ValueError("`source: file` needs `file`, the table of scores")
        return self


class Run(Section):
    """What this run selects from the catalogues."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_-]*$", description="Results lie in results/<name>/")
    miniature: bool = Field(description="Every page that shows a number of this run says that it is one")
    models: list[Name] = Field(min_length=1, description="Models, by their names in the catalogue")
    seeds: list[Annotated[int, Field(ge=0)]] = Field(min_length=1, description="Seeds of fine-tuning")
    languages: list[Code] = Field(
        min_length=1,
        description="Languages of evaluation; of each task, those that it has are scored. `xtreme` and "
        "`xtreme_r` stand for the languages that the benchmark scores the task in",
    )
    split: Literal["dev", "test"] = Field(
        "dev",
        description="What is scored: development or test splits; of a task that has one of them only, that",
    )
    pretraining_languages: list[Code] | None = Field(
        None, min_length=1, description="Languages of the pre-training text; null: all that the source has"
    )
    targets: dict[Name, str] = Field(
        {}, description="Stage that stands in for a task's own English training data, by task"
    )
    without: list[str] = Field(
        [],
        description="What is left out because its data are not at hand: a training task (with every recipe "
        "that names it), or a language of an evaluation task, as `panx/th` (with all of them, the task)",
    )
    studies: list[Literal["typology", "scale", "qa_retrieval", "order", "similarity"]] = Field(
        description="Studies, by their names in the catalogue"
    )
    evaluations: list[Evaluation] = Field([], description="Scores beyond those that the studies need")
    evaluation_examples: Positive | None = Field(
        None, description="Cap on the examples per language of tasks with a head (a fixed sample); null: all"
    )
    threads: Varied[Positive] = Field(
        1, description="CPU threads of a model job; more or fewer change the weights"
    )
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="Where models run")
    processes: Varied[Positive] = Field(
        1,
        description="Processes that train one model together on one machine, each with a GPU of its own (or "
        "`threads` of the CPU); more or fewer change the weights a little",
    )
    sharded: Varied[bool] = Field(
        False,
        description="Several processes keep a part of the model each, for what one GPU does not hold",
    )
    precision: Precision = Field(
        "auto",
        description="Of matrix products in training (weights stay float32); auto: bfloat16 on a GPU that has "
        "it, else float32",
    )
    state_minutes: PositiveAmount = Field(
        10.0,
        description="How often a training keeps its state: the most that a killed job loses; it changes no "
        "result",
    )

    @model_validator(mode="after")
    def _names_are_unique(self) -> "Run":
        lists: dict[str, Sequence[object]]
        lists = {"models": self.models, "seeds": self.seeds, "studies": self.studies, "without": self.without}
        for key, values in lists.items():
            twice = sorted({str(value) for value in values if values.count(value) > 1})
            if twice:
                raise ValueError(f"{key} names {', '.join(twice)} twice")
        return self


class Settings(Section):
    """The whole configuration of a run."""

    run: Run
    data: DataSettings
    models: dict[Name, ModelSettings] = Field(description="The catalogue of models")
    tokenizer: TokenizerSettings
    pretraining: PretrainingSettings
    training: TrainingSettings
    prediction: PredictionSettings
    retrieval: RetrievalSettings
    scores: ScoresSettings
    statistics: StatisticsSettings
    studies: Studies


def load(config: Mapping[str, Any], where: str = "config.yaml and its overlays") -> Settings:
    """The validated configuration.

    Args:
        config: The merged maps of config.yaml and its overlays.
        where: What to call them in messages.

    Raises:
        ConfigError: naming every key at fault.
    """
    try:
        return Settings.model_validate(dict(config))
    except ValidationError as error:
        faults = [_describe(fault) for fault in error.errors()]
        raise ConfigError(
            "the configuration is not valid: " + "; ".join(dict.fromkeys(faults)),
            where=where,
            hint="docs/configuration.md lists every key with its type and meaning",
        ) from error


def _describe(fault: Any) -> str:
    location = [str(part) for part in fault["loc"] if part not in (VALUE, MAP)]
    message = str(fault["msg"]).removeprefix("Value error, ")
    if fault["type"] == "extra_forbidden":
        message = "unknown key"
    given = fault.get("input")
    shown = f" (given: {given!r})" if isinstance(given, str | int | float | bool | None) else ""
    return f"{'.'.join(location)}: {message}{shown}"


def read(*paths: Path) -> Settings:
    """The configuration of YAML files, each overlaying the ones before, as Snakemake merges them."""
    merged: dict[str, Any] = {}
    for path in paths:
        merged = _overlay(merged, load_yaml(path) or {})
    return load(merged, where=", ".join(path.name for path in paths))


def _overlay(base: dict[str, Any], top: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in top.items():
        below = base.get(key)
        both = isinstance(below, dict) and isinstance(value, dict)
        merged[key] = _overlay(base[key], value) if both else value
    return merged
