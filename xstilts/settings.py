"""The configuration: one source of truth for keys, types, defaults and their meaning.

`config.yaml` and the overlays in config/ are validated against these models before anything runs; the
JSON schema (config/schema.json) and the reference page (docs/configuration.md) are generated from them.
Values that may vary by model, recipe or task are explained in xstilts.varied.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from xstilts.errors import ConfigError
from xstilts.micro.settings import MicroSettings
from xstilts.studies.settings import TypologySettings
from xstilts.varied import VariedFloat, VariedInt

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Positive = Annotated[int, Field(gt=0)]
Share = Annotated[float, Field(ge=0, le=1)]


class Section(BaseModel):
    """Base of all sections: immutable, and strict about unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class DataSettings(Section):
    """Where data come from, and how much of them is used."""

    source: Literal["micro", "mirror"] = Field(
        description="`micro` generates micro-XTREME offline; `mirror` reads a folder of the publishers' files"
    )
    mirror: str | None = Field(None, description="Folder of the publishers' files, for `source: mirror`")
    lock: str = Field("data.lock", description="Checksums and counts of the mirror's files")
    micro: MicroSettings = Field(description="What micro-XTREME is made of")
    text_lines: Positive | None = Field(
        None, description="Cap on the lines of pre-training text per language (a seeded sample); null: all"
    )

    @model_validator(mode="after")
    def _mirror_has_a_folder(self) -> "DataSettings":
        if self.source == "mirror" and not self.mirror:
            raise ValueError("`source: mirror` needs `mirror`, the folder of the publishers' files")
        return self


class Architecture(Section):
    """The shape of an XLM-R-shaped encoder that the run pre-trains itself."""

    layers: Positive = Field(description="Transformer layers")
    hidden: Positive = Field(description="Width of the hidden states")
    heads: Positive = Field(description="Attention heads per layer")
    feed_forward: Positive = Field(description="Width of the feed-forward layers")
    positions: Positive = Field(description="Longest input, in pieces")
    dropout: Share = Field(0.1, description="Dropout of hidden states and attention")

    @model_validator(mode="after")
    def _heads_divide_width(self) -> "Architecture":
        if self.hidden % self.heads:
            raise ValueError(f"hidden ({self.hidden}) is not a multiple of heads ({self.heads})")
        return self


class ModelSettings(Section):
    """One model of the catalogue: pre-trained by the run, a local folder, or a repository of the hub."""

    source: Literal["pretrain", "folder", "hub"] = Field(description="Where the masked LM comes from")
    architecture: Architecture | None = Field(None, description="Its shape, for `source: pretrain`")
    folder: str | None = Field(None, description="Folder with config.json, safetensors and tokenizer")
    repository: str | None = Field(None, description="Repository of the Hugging Face hub")
    revision: str | None = Field(None, description="40-digit commit of that repository")
    retrieval_layer: Positive | None = Field(
        None, description="Hidden state that retrieval reads; null: round(14/24 of the layers)"
    )

    @model_validator(mode="after")
    def _source_has_its_keys(self) -> "ModelSettings":
        needed = {"pretrain": ["architecture"], "folder": ["folder"], "hub": ["repository", "revision"]}
        for key in needed[self.source]:
            if getattr(self, key) is None:
                raise ValueError(f"`source: {self.source}` needs `{key}`")
        return self


class TokenizerSettings(Section):
    """The tokenizer of the models that the run pre-trains: Unigram, in SentencePiece's manner."""

    vocabulary: Positive = Field(description="Pieces, special ones included")
    lines: Positive | None = Field(None, description="Cap on the lines per language to learn from; null: all")


class PretrainingSettings(Section):
    """Masked LM on the run's text and, where the source has translations, translation ranking."""

    steps: VariedInt = Field(description="Optimiser steps")
    learning_rate: VariedFloat = Field(description="Peak learning rate")
    warmup: Share = Field(0.1, description="Share of the steps over which the learning rate rises")
    weight_decay: float = Field(0.01, ge=0, description="AdamW's weight decay")
    clip: float = Field(1.0, gt=0, description="Largest norm of the gradient")
    batch_lines: Positive = Field(description="Lines of text per step")
    batch_pairs: Positive = Field(description="Translation pairs per step, each the others' negative")
    masked: Share = Field(0.15, description="Share of the pieces that is predicted")
    temperature: float = Field(0.05, gt=0, description="Temperature of the translation-ranking softmax")
    max_length: Positive = Field(description="Longest input, in pieces")
    sampling_exponent: Share = Field(
        1.0, description="Languages are drawn in proportion to their lines to this power (XLM-R: 0.3)"
    )


class TrainingSettings(Section):
    """Fine-tuning of one stage. A stage of several tasks takes the smallest of its tasks' values."""

    epochs: VariedFloat = Field(description="Passes over the training examples")
    learning_rate: VariedFloat = Field(description="Peak learning rate")
    batch_size: VariedInt = Field(description="Examples per step")
    max_length: VariedInt = Field(description="Longest input, in pieces; longer texts are cut or windowed")
    stride: VariedInt = Field(32, description="Overlap of neighbouring windows, in pieces")
    warmup: VariedFloat = Field(0.1, description="Share of the steps over which the learning rate rises")
    weight_decay: VariedFloat = Field(0.0, description="AdamW's weight decay")
    clip: VariedFloat = Field(1.0, description="Largest norm of the gradient")
    selections: VariedInt = Field(4, description="How often the English dev set is scored; the best is kept")


class PredictionSettings(Section):
    """How predictions are made; none of these values may change a prediction but for `max_answer`."""

    batch_tokens: Positive = Field(4096, description="Pieces per batch, padding included")
    max_answer: Positive = Field(30, description="Longest answer of span QA, in pieces")


class RetrievalSettings(Section):
    """How sentences are compared; recorded with every score as layer-pool-direction-similarity."""

    pool: Literal["mean", "mean_words", "cls"] = Field(
        "mean", description="`mean` over all pieces, `mean_words` without special pieces, or the first piece"
    )
    direction: Literal["en2xx", "xx2en"] = Field(
        "en2xx", description="`en2xx`: English lines query the other language's, as in XTREME's code"
    )
    similarity: Literal["cosine"] = Field("cosine", description="Similarity of two embeddings")


class Evaluation(Section):
    """A block of scores: every recipe on every task (and, before it, the task's own English training)."""

    recipes: list[str] = Field(min_length=1, description="Recipes of the intermediate training")
    tasks: list[Name] = Field(min_length=1, description="Evaluation tasks")


class Studies(Section):
    """The catalogue of studies."""

    typology: TypologySettings = Field(description="S1: typological distance and degradation in retrieval")


class Run(Section):
    """What this run selects from the catalogues."""

    name: Name = Field(description="Results lie in results/<name>/")
    miniature: bool = Field(description="Every page that shows a number of this run says that it is one")
    models: list[Name] = Field(min_length=1, description="Models, by their names in the catalogue")
    seeds: list[Annotated[int, Field(ge=0)]] = Field(min_length=1, description="Seeds of fine-tuning")
    languages: dict[str, list[str]] = Field(
        description="Languages of evaluation: a list per task, `*` for all others"
    )
    pretraining_languages: list[str] | None = Field(
        None, description="Languages of the pre-training text; null: all that the source has"
    )
    targets: dict[Name, str] = Field(
        {}, description="Stage that stands in for a task's own English training data, by task"
    )
    studies: list[Literal["typology"]] = Field(description="Studies, by their names in the catalogue")
    evaluations: list[Evaluation] = Field([], description="Scores beyond those that the studies need")
    threads: VariedInt = Field(1, description="CPU threads of a model job; more or fewer change the weights")
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="Where models run")

    @model_validator(mode="after")
    def _names_are_unique(self) -> "Run":
        lists = {"models": self.models, "seeds": self.seeds, "studies": self.studies}
        for key, values in lists.items():
            twice = sorted({str(value) for value in values if values.count(value) > 1})
            if twice:
                raise ValueError(f"{key} names {', '.join(twice)} twice")
        if "*" not in self.languages:
            raise ValueError("languages needs a '*' entry as its fallback")
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
    studies: Studies


def load(config: Mapping[str, Any], where: str = "config.yaml") -> Settings:
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
    location = [str(part) for part in fault["loc"] if not _is_branch(str(part))]
    message = str(fault["msg"]).removeprefix("Value error, ")
    if fault["type"] == "extra_forbidden":
        message = "unknown key"
    given = fault.get("input")
    shown = f" (given: {given!r})" if isinstance(given, str | int | float | bool | None) else ""
    return f"{'.'.join(location)}: {message}{shown}"


def _is_branch(part: str) -> bool:
    """Whether a part of pydantic's location names a branch of a union and no key."""
    return part in {"int", "float"} or part.startswith(("dict[", "function-", "list["))


def read(*paths: Path) -> Settings:
    """The configuration of YAML files, each overlaying the ones before, as Snakemake merges them."""
    from xstilts.registry import load_yaml

    merged: dict[str, Any] = {}
    for path in paths:
        merged = _overlay(merged, load_yaml(path) or {})
    return load(merged, where=", ".join(path.name for path in paths))


def _overlay(base: dict[str, Any], top: dict[str, Any]) -> dict[str, Any]:
    both = {
        key: _overlay(base[key], value) if isinstance(value, dict) and isinstance(base.get(key), dict) else value
        for key, value in top.items()
    }
    return {**base, **both}
