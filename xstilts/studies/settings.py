"""Settings of the studies. Light: the configuration is validated with them before anything runs.

Each study has a section of the configuration (`TypologySettings`) and the settings that its jobs get
(`TypologyJob`): that section with all choices made, and what all studies share.
"""

import random
from itertools import permutations
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Distance = Literal["syntactic", "phonological", "inventory", "featural", "genetic", "geographic"]
Covariate = Literal["size", "fertility"]
Correction = Literal["holm", "fdr_bh", "fdr_by"]
Share = Annotated[float, Field(ge=0, le=1)]

MLM = "mlm"
LONGEST_ENUMERATED = 4
"""Orders of more tasks than this are sampled."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class StatisticsSettings(_Strict):
    """What all studies share: levels, corrections, and when a question cannot be answered."""

    alpha: float = Field(0.05, gt=0, lt=0.5, description="Significance level; intervals cover 1 - alpha")
    power: float = Field(0.8, gt=0.5, lt=1, description="Power of the smallest detectable effect")
    correction: Correction = Field(
        "fdr_bh",
        description="Correction over the exploratory tests of a study (fdr_bh: Benjamini-Hochberg)",
    )
    primary_correction: Correction = Field(
        "holm", description="Correction over the primary tests of the studies"
    )
    floor_share: Share = Field(
        1 / 3, description="If a larger share of the languages is not above chance: not estimable"
    )
    minimum_languages: int = Field(5, ge=5, description="Fewer languages: not estimable")
    minimum_families: int = Field(5, ge=5, description="Fewer language families: not estimable")
    minimum_seeds: int = Field(3, ge=2, description="Fewer seeds: a contrast of recipes is inconclusive")


class StudySettings(_Strict):
    """What every study selects from the table of scores."""

    models: list[str] = Field([], description="Models, the primary one first; empty: the first of the run")
    tasks: list[str] = Field(min_length=1, description="Evaluation tasks")
    metrics: dict[str, str] = Field(
        {}, description="Per task, the metric that is analysed; without an entry, the task's headline metric"
    )
    retrieval_settings: dict[str, str] = Field(
        {}, description="Per task, which `setting` of scores.tsv to analyse; needed where there are several"
    )
    splits: dict[str, str] = Field(
        {}, description="Per task, which `split` of scores.tsv to analyse; needed where there are several"
    )

    @property
    def planned(self) -> list[str]:
        """The recipes that have to be scored on every task, baseline included."""
        raise NotImplementedError

    @property
    def needed(self) -> list[str]:
        """The recipes that the study cannot go without."""
        return []

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        for key in ("models", "tasks"):
            _refuse_twice(key, getattr(self, key))
        return self


class TypologySettings(StudySettings):
    """Study S1: typological distance from English and degradation in sentence retrieval.

    The verdict follows from the thresholds; the rule in words is made from them, so that text and
    decision cannot differ.
    """

    recipes: list[str] = Field([MLM], min_length=1, description="Recipes, as the study reports them")
    tasks: list[str] = Field(["tatoeba"], min_length=1, description="Retrieval tasks")
    distances: list[Distance] = Field(
        ["syntactic", "phonological", "inventory", "featural", "genetic", "geographic"],
        min_length=1,
        description="Distances from English (columns distance_<name> of languages.tsv)",
    )
    covariates: list[Covariate] = Field(
        ["size", "fertility"],
        description="Covariates of every model: log10 of the pre-training size, fertility of the tokenizer",
    )
    primary_recipe: str = Field(MLM, description="Recipe of the primary hypothesis; changes are against it")
    primary_task: str = Field("tatoeba", description="Task of the primary hypothesis")
    primary_distance: Distance = Field("syntactic", description="Distance of the primary hypothesis")
    ceilings: dict[str, Share] = Field(
        {}, description="Highest value that a task's metric can take, where that is not 1"
    )
    smallest_slope: float = Field(
        0.0, ge=0, description="Slope (score per unit of distance) that the interval must clear to support"
    )
    pool_size: int = Field(
        200, gt=1, description="Pairs per pool where the primary task is scored again with equal pools"
    )
    pool_draws: int = Field(20, gt=0, description="Pools per language")

    @property
    def planned(self) -> list[str]:
        """The recipes of the study."""
        return self.recipes

    @property
    def needed(self) -> list[str]:
        """The primary recipe."""
        return [self.primary_recipe]

    @model_validator(mode="after")
    def _the_primary_cell_is_analysed(self) -> Self:
        selected: dict[str, tuple[str, list[str]]] = {
            "recipes": (self.primary_recipe, self.recipes),
            "tasks": (self.primary_task, self.tasks),
            "distances": (self.primary_distance, list(self.distances)),
        }
        for key, (primary, values) in selected.items():
            if primary not in values:
                raise ValueError(f"{key} lacks '{primary}', which the primary hypothesis is about")
            _refuse_twice(key, values)
        return self


class ScaleSettings(StudySettings):
    """Study S2: linguistic similarity to English, and the size of the model.

    The first recipe and the first task are those of the primary hypothesis.
    """

    models: list[str] = Field([], description="One family's ladder of sizes; empty: all models of the run")
    recipes: list[str] = Field(["mnli"], min_length=1, description="Intermediate recipes; the first: primary")
    tasks: list[str] = Field(["tatoeba"], min_length=1, description="Evaluation tasks; the first: primary")
    distance: Distance = Field("syntactic", description="Similarity is 1 minus this distance from English")
    covariates: list[Covariate] = Field([], description="Covariates of every slope of gain on similarity")
    smallest_effect: float = Field(
        0.0, ge=0, description="Change of the slope per tenfold parameters that the interval must clear"
    )
    minimum_sizes: int = Field(4, ge=3, description="Fewer sizes: not estimable")

    @property
    def planned(self) -> list[str]:
        """The baseline and the intermediate recipes."""
        return [MLM, *self.recipes]

    @property
    def needed(self) -> list[str]:
        """The primary recipe."""
        return self.recipes[:1]

    @model_validator(mode="after")
    def _recipes_are_unique(self) -> Self:
        _refuse_twice("recipes", self.recipes)
        return self


class QARetrievalSettings(StudySettings):
    """Study S3: English against multilingual question answering as the intermediate task of retrieval."""

    english: list[str] = Field(["squad1"], min_length=1, description="English QA tasks")
    multilingual: list[str] = Field(["tydiqa_all"], min_length=1, description="Multilingual QA tasks")
    others: list[str] = Field([], description="Other arms: English tasks that are no QA, mixtures")
    matched_examples: int = Field(
        600, gt=0, description="Training examples of every QA arm of the primary contrast"
    )
    tasks: list[str] = Field(["tatoeba"], min_length=1, description="Retrieval tasks")
    metric: str = Field("recall_at_10", description="The metric, but for tasks with an entry in `metrics`")
    margin: float = Field(
        0.01, gt=0, description="Margin of equivalence of the two kinds of QA, in units of the metric"
    )

    @property
    def matched(self) -> dict[str, list[str]]:
        """The arms of the primary contrast: every QA task with the same number of examples."""
        sides = {"english": self.english, "multilingual": self.multilingual}
        return {side: [f"{task}@{self.matched_examples}" for task in tasks] for side, tasks in sides.items()}

    @property
    def planned(self) -> list[str]:
        """The baseline, the arms as they are, and those of one size."""
        whole = [*self.english, *self.multilingual, *self.others]
        return [MLM, *whole, *self.needed]

    @property
    def needed(self) -> list[str]:
        """The arms of the primary contrast."""
        return [recipe for arms in self.matched.values() for recipe in arms]

    @model_validator(mode="after")
    def _arms_are_single_tasks(self) -> Self:
        _refuse_twice("english, multilingual and others", [*self.english, *self.multilingual, *self.others])
        for task in (*self.english, *self.multilingual):
            if not task.replace("_", "").isalnum():
                raise ValueError(f"'{task}' is no single task without a cap; matched_examples is the cap")
        return self


class OrderSettings(StudySettings):
    """Study S4: the order of the intermediate tasks, against random sequences."""

    ordered: list[str] = Field(
        ["csqa", "mnli", "squad1"], min_length=2, description="Intermediate tasks whose order is varied"
    )
    tasks: list[str] = Field(["tatoeba"], min_length=1, description="Evaluation tasks")
    mixture: bool = Field(True, description="Whether the simultaneous mixture stands beside the sequences")
    sequences: int | None = Field(
        None, gt=1, description="Random sequences of more than four tasks; null: all orders (up to four)"
    )
    sequence_seed: int = Field(1, ge=0, description="Seed of the random sequences")
    named: dict[str, str] = Field(
        {}, description="Orders with a name (small_to_large: csqa-squad1-mnli), shown by their percentile"
    )
    low_resource_gib: float = Field(
        5.0, gt=0, description="Low-resource: less CC-100 text than this (GiB), or unseen"
    )

    @property
    def orders(self) -> list[str]:
        """Every sequence of the study as a recipe, sorted: all orders, or a seeded sample with the named."""
        if self.sequences is None:
            return sorted("-".join(order) for order in permutations(self.ordered))
        draw, found = random.Random(self.sequence_seed), set(self.named.values())
        while len(found) < self.sequences:
            found.add("-".join(draw.sample(self.ordered, len(self.ordered))))
        return sorted(found)

    @property
    def planned(self) -> list[str]:
        """The baseline, the sequences and the mixture."""
        return [MLM, *self.orders, *(["+".join(sorted(self.ordered))] if self.mixture else [])]

    @property
    def needed(self) -> list[str]:
        """All sequences: without one the others are no random ones."""
        return self.orders

    @model_validator(mode="after")
    def _orders_are_of_the_tasks(self) -> Self:
        _refuse_twice("ordered", self.ordered)
        many = len(self.ordered) > LONGEST_ENUMERATED
        if many != (self.sequences is not None):
            raise ValueError(
                f"sequences is needed for more than {LONGEST_ENUMERATED} tasks, and only there; "
                f"ordered names {len(self.ordered)}"
            )
        for name, order in self.named.items():
            if sorted(order.split("-")) != sorted(self.ordered):
                raise ValueError(f"named.{name} ('{order}') is no order of {', '.join(self.ordered)}")
        if self.sequences is not None and self.sequences < len(set(self.named.values())):
            raise ValueError("sequences is less than the number of named orders")
        return self


class SentenceEncoder(_Strict):
    """What embeds the English examples of two tasks to compare them."""

    source: Literal["run", "folder", "hub"] = Field(
        "run", description="`run`: the primary model's masked LM; or a sentence-transformers model"
    )
    folder: str | None = Field(None, description="Folder of the model, for `source: folder`")
    repository: str | None = Field(None, description="Repository of the Hugging Face hub")
    revision: str | None = Field(None, pattern=r"^[0-9a-f]{40}$", description="40-digit commit of it")

    @model_validator(mode="after")
    def _source_has_its_keys(self) -> Self:
        needed = {"run": [], "folder": ["folder"], "hub": ["repository", "revision"]}
        for key in needed[self.source]:
            if getattr(self, key) is None:
                raise ValueError(f"`source: {self.source}` needs `{key}`")
        return self


class SimilaritySettings(StudySettings):
    """Study S5: semantic similarity of intermediate and target tasks, and gains in low-resource languages."""

    recipes: list[str] = Field(
        ["csqa", "hellaswag", "mnli", "qqp", "squad1"], min_length=2, description="Single intermediate tasks"
    )
    tasks: list[str] = Field(["tatoeba"], min_length=1, description="Target tasks")
    encoder: SentenceEncoder = Field(
        default_factory=lambda: SentenceEncoder.model_validate({}),
        description="What embeds the tasks' English examples",
    )
    sample: int = Field(200, gt=1, description="English examples of each task that are compared")
    low_resource_gib: float = Field(
        5.0, gt=0, description="Low-resource: less CC-100 text than this (GiB), or unseen"
    )
    minimum_low_resource: int = Field(
        3, gt=0, description="A target task with fewer low-resource languages is left out"
    )
    minimum_intermediates: int = Field(5, ge=4, description="Fewer intermediate tasks: not estimable")

    @property
    def planned(self) -> list[str]:
        """The baseline and the intermediate tasks."""
        return [MLM, *self.recipes]

    @model_validator(mode="after")
    def _recipes_are_unique(self) -> Self:
        _refuse_twice("recipes", self.recipes)
        return self


class Resolved(StatisticsSettings, StudySettings):
    """What every job of a study gets besides its own section: what all share, and all choices made."""

    pretrained: list[str] = Field([], description="Models whose pre-training size is that of corpus.tsv")

    @model_validator(mode="after")
    def _every_task_has_a_metric(self) -> Self:
        if without := sorted(set(self.tasks) - set(self.metrics)):
            raise ValueError(f"metrics has no entry for {', '.join(without)}")
        return self


class TypologyJob(TypologySettings, Resolved):
    """Settings of the jobs of study S1."""


class ScaleJob(ScaleSettings, Resolved):
    """Settings of the jobs of study S2."""


class QARetrievalJob(QARetrievalSettings, Resolved):
    """Settings of the jobs of study S3."""

    trained_languages: dict[str, list[str]] = Field({}, description="Languages of each multilingual QA task")
    non_qa: list[str] = Field([], description="Of the other arms, those that are one English task but no QA")


class OrderJob(OrderSettings, Resolved):
    """Settings of the jobs of study S4."""


class SimilarityJob(SimilaritySettings, Resolved):
    """Settings of the jobs of study S5."""


StudyJob = TypologyJob | ScaleJob | QARetrievalJob | OrderJob | SimilarityJob
JOBS: dict[str, type[StudyJob]] = {
    "typology": TypologyJob,
    "scale": ScaleJob,
    "qa_retrieval": QARetrievalJob,
    "order": OrderJob,
    "similarity": SimilarityJob,
}
"""The studies, in the order of the report."""


def _refuse_twice(key: str, values: list[str]) -> None:
    twice = sorted({value for value in values if values.count(value) > 1})
    if twice:
        raise ValueError(f"{key} names something twice: {', '.join(twice)}")
