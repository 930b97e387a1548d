"""claims.yaml: what is claimed, of which quantity, and who says so."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, ValidationError, field_validator, model_validator

from xstilts import recipes, registry
from xstilts.errors import ConfigError, XstiltsError
from xstilts.registry import Entry, TaskType

Tier = Literal["paper", "data", "configuration", "any"]
Relation = Literal["equal", "at_least", "at_most", "above", "below"]


def _evaluated(task: str) -> str:
    if task not in registry.evaluation_tasks():
        raise ValueError(f"unknown evaluation task '{task}'")
    return task


def _trained(task: str) -> str:
    if task not in registry.training_tasks():
        raise ValueError(f"unknown training task '{task}'")
    return task


def _named(recipe: str) -> str:
    try:
        parsed = recipes.parse(recipe)
    except XstiltsError as error:
        raise ValueError(error.what) from error
    for task in sorted(parsed.tasks):
        _trained(task)
    if not parsed.stages:
        raise ValueError(f"'{recipe}' is no intermediate training")
    if str(parsed) != recipe:
        raise ValueError(f"'{recipe}' is not how the recipe is named; write {parsed}")
    return recipe


Target = Annotated[str, AfterValidator(_evaluated)]
"""An evaluation task."""
Trained = Annotated[str, AfterValidator(_trained)]
"""A training task."""
Recipe = Annotated[str, AfterValidator(_named)]
"""A recipe of intermediate training."""
Targets = Annotated[list[Target], Field(min_length=1)]
Recipes = Annotated[list[Recipe], Field(min_length=1)]
Points = Annotated[float, Field(ge=-100, le=100)]


class Quantity(Entry):
    """Base of what can be claimed; `tiers` are those at which it can be evaluated at all."""

    tiers: ClassVar[tuple[Tier, ...]] = ("any",)

    @property
    def in_words(self) -> str:
        """What is measured."""
        raise NotImplementedError


class GainQuantity(Quantity):
    """Base of the quantities that are made of gains: they speak of a model, so they need that model.

    `metrics` are those of which a task's score is the mean, where it is not the task's first metric.
    """

    tiers: ClassVar[tuple[Tier, ...]] = ("paper",)

    tasks: Targets
    metrics: dict[Target, Annotated[list[str], Field(min_length=1)]] = Field({})

    @field_validator("metrics")
    @classmethod
    def _metrics_of_the_task(cls, metrics: dict[str, list[str]]) -> dict[str, list[str]]:
        for task, names in metrics.items():
            known = registry.evaluation_tasks()[task].metrics
            if unknown := sorted(set(names) - set(known)):
                raise ValueError(f"{task} has no metric '{unknown[0]}' (it has {', '.join(known)})")
        return metrics

    def metrics_of(self, task: str) -> list[str]:
        """The metrics of which a task's score is the mean."""
        return self.metrics.get(task, registry.evaluation_tasks()[task].metrics[:1])


class MeanGain(GainQuantity):
    """The mean gain of some recipes over some tasks; with `best_of`, none of those may have a higher one."""

    function: Literal["mean_gain"]
    recipes: Recipes
    best_of: list[Recipe] = Field([])

    @property
    def in_words(self) -> str:
        """What is measured."""
        best = f", and whether that is the most of {_listed(self.best_of)}" if self.best_of else ""
        return f"mean gain of {_listed(self.recipes)} over {_listed(self.tasks)}{best}"


class CountGains(GainQuantity):
    """How many recipes have, in every one of some tasks, a gain of `at_least` or `above` so many points."""

    function: Literal["count_gains"]
    recipes: Recipes
    at_least: Points | None = None
    above: Points | None = None

    @model_validator(mode="after")
    def _has_one_threshold(self) -> "CountGains":
        if (self.at_least is None) == (self.above is None):
            raise ValueError("give one of at_least and above")
        return self

    @property
    def in_words(self) -> str:
        """What is measured."""
        threshold = f"above {self.above:g}" if self.above is not None else f"of at least {self.at_least:g}"
        where = f"in {_listed(self.tasks)}" if len(self.tasks) == 1 else f"in each of {_listed(self.tasks)}"
        return f"recipes of {_listed(self.recipes)} with a gain {threshold} points {where}"


class BestRecipeGain(GainQuantity):
    """The gain on `split`, averaged over tasks, of the recipe that is best on each task's own split."""

    function: Literal["best_recipe_gain"]
    recipes: Recipes
    split: str

    @property
    def in_words(self) -> str:
        """What is measured."""
        return (
            f"mean gain over {_listed(self.tasks)} on the split {self.split} of the recipe of "
            f"{_listed(self.recipes)} that is best on each task's development split"
        )


class GainDifference(GainQuantity):
    """The mean gain of the first recipe of each pair minus that of the second, averaged over the pairs."""

    function: Literal["gain_difference"]
    pairs: Annotated[list[tuple[Recipe, Recipe]], Field(min_length=1)]

    @property
    def in_words(self) -> str:
        """What is measured."""
        pairs = _listed([f"{first} minus {second}" for first, second in self.pairs])
        return f"difference in mean gain over {_listed(self.tasks)}: {pairs}"


class StartingModel(Quantity):
    """The share of the run's models that start from the model that the claims are about."""

    tiers: ClassVar[tuple[Tier, ...]] = ("paper",)

    function: Literal["starting_model"]

    @property
    def in_words(self) -> str:
        """What is measured."""
        return "share of the run's models that start from it"


class ConfiguredQuantity(Quantity):
    """Base of the quantities that follow from the registry and the run's plan, whatever its scores are."""

    tiers: ClassVar[tuple[Tier, ...]] = ("configuration",)


class TargetTasks(ConfiguredQuantity):
    """How many evaluation tasks the registry has from XTREME; they must be these `tasks` and no others."""

    function: Literal["target_tasks"]
    tasks: Targets

    @property
    def in_words(self) -> str:
        """What is measured."""
        return f"evaluation tasks that XTREME has, and whether they are {_listed(self.tasks)}"


class IntermediateTasks(ConfiguredQuantity):
    """How many of some intermediate tasks are of the type they are listed under, if the run trains on all."""

    function: Literal["intermediate_tasks"]
    types: dict[TaskType, Annotated[list[Trained], Field(min_length=1)]]

    @property
    def in_words(self) -> str:
        """What is measured."""
        types = "; ".join(f"{kind}: {_listed(tasks)}" for kind, tasks in self.types.items())
        return f"intermediate tasks of these types that the run trains on ({types})"


class LanguagesPerTask(ConfiguredQuantity):
    """The most languages of XTREME that any of some tasks has."""

    function: Literal["languages_per_task"]
    tasks: Targets

    @property
    def in_words(self) -> str:
        """What is measured."""
        return f"most languages of XTREME in any of {_listed(self.tasks)}"


class TasksWithTrainingData(ConfiguredQuantity):
    """How many of some tasks have training data of their own, in the registry or in the run."""

    function: Literal["tasks_with_training_data"]
    tasks: Targets

    @property
    def in_words(self) -> str:
        """What is measured."""
        return f"tasks with training data of their own, of {_listed(self.tasks)}"


class TrainingPhases(ConfiguredQuantity):
    """The most phases of any history that the run plans: masked LM, intermediate and target training."""

    function: Literal["training_phases"]

    @property
    def in_words(self) -> str:
        """What is measured."""
        return (
            "most phases that the run plans for a checkpoint: masked LM (taken over or pre-trained), English"
            " intermediate training, training on the target task's English data"
        )


class TrainingExamples(Quantity):
    """How many examples the training splits of a task have, before any is filtered out."""

    tiers: ClassVar[tuple[Tier, ...]] = ("data",)

    function: Literal["training_examples"]
    task: Trained

    @property
    def in_words(self) -> str:
        """What is measured."""
        return f"training examples of {self.task}, before any is filtered out"


class PublishedLead(Quantity):
    """By how much a system leads those before it in published figures: the least over the sources."""

    function: Literal["published_lead"]
    system: str

    @property
    def in_words(self) -> str:
        """What is measured."""
        return f"mean figure of {self.system} minus that of the best system before it, as published"


AnyQuantity = Annotated[
    MeanGain
    | CountGains
    | BestRecipeGain
    | GainDifference
    | StartingModel
    | TargetTasks
    | IntermediateTasks
    | LanguagesPerTask
    | TasksWithTrainingData
    | TrainingPhases
    | TrainingExamples
    | PublishedLead,
    Field(discriminator="function"),
]


class Claim(Entry):
    """One claim; `operationalised` where its threshold is this project's and not the source's."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    statement: Annotated[str, Field(min_length=1)]
    source: Annotated[str, Field(min_length=1)]
    tier: Tier
    quantity: AnyQuantity
    relation: Relation
    expected: float
    tolerance: Annotated[float, Field(ge=0)] = 0.0
    unit: Annotated[str, Field(min_length=1)]
    operationalised: bool = False

    @model_validator(mode="after")
    def _keys_agree(self) -> "Claim":
        if self.tier not in self.quantity.tiers:
            allowed = " or ".join(self.quantity.tiers)
            raise ValueError(f"tier: {self.quantity.function} is of the tier {allowed}, not {self.tier}")
        if self.tolerance and self.relation != "equal":
            raise ValueError(f"tolerance: the relation {self.relation} has none")
        return self


class Model(Entry):
    """The model that the claims are about; `parameters` to within a twentieth."""

    title: str
    repository: str
    parameters: Annotated[int, Field(gt=0)]


class Published(Entry):
    """Published figures of one system, in percent, by task and metric.

    A `later` system was made public after the date of the claim.
    """

    system: str
    source: str
    figures: dict[Target, Annotated[dict[str, float], Field(min_length=1)]]
    later: bool = False


class Claims(Entry):
    """The whole of claims.yaml."""

    model: Model
    published: list[Published] = Field([])
    claims: Annotated[list[Claim], Field(min_length=1)]

    @model_validator(mode="after")
    def _claims_are_consistent(self) -> "Claims":
        ids = [claim.id for claim in self.claims]
        if twice := sorted({name for name in ids if ids.count(name) > 1}):
            raise ValueError(f"the claim '{twice[0]}' stands twice")
        systems = {row.system for row in self.published}
        for claim in self.claims:
            if isinstance(claim.quantity, PublishedLead) and claim.quantity.system not in systems:
                raise ValueError(
                    f"claim '{claim.id}': quantity.system: published has no '{claim.quantity.system}'"
                )
        return self


def load(path: Path) -> Claims:
    """The claims of a file.

    Raises:
        ConfigError: naming the claim and the key at fault.
        RegistryError: if the file cannot be read, is not YAML, or gives a key twice.
    """
    raw = registry.load_yaml(path)
    try:
        return Claims.model_validate(raw)
    except ValidationError as error:
        faults = dict.fromkeys(_describe(fault, raw) for fault in error.errors())
        raise ConfigError(
            "; ".join(faults),
            where=str(path),
            hint="the head of claims.yaml and xstilts/claims/schema.py say what a claim holds",
        ) from error


def _describe(fault: Any, raw: Any) -> str:
    location = list(fault["loc"])
    message = str(fault["msg"]).removeprefix("Value error, ")
    message = {"extra_forbidden": "unknown key", "missing": "is missing"}.get(fault["type"], message)
    about = ""
    if location[:1] == ["claims"] and len(location) > 1:
        entry = raw["claims"][location[1]]
        name = entry.get("id", f"number {location[1] + 1}") if isinstance(entry, dict) else location[1] + 1
        about, location = f"claim '{name}': ", location[2:]
        if location[:1] == ["quantity"]:  # pydantic puts the name of the function in between
            location = [location[0], *location[2:]]
    key = ".".join(map(str, location))
    return f"{about}{key}: {message}" if key else f"{about}{message}"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:-1]) + " and " + names[-1] if len(names) > 1 else names[0]
