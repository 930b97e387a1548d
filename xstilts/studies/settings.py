"""Settings of the studies. Light: the configuration is validated with them before anything runs."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Distance = Literal["syntactic", "phonological", "inventory", "featural", "genetic", "geographic"]
Covariate = Literal["size", "fertility"]
Share = Annotated[float, Field(ge=0, le=1)]


class TypologySettings(BaseModel):
    """Study S1: typological distance from English and degradation in sentence retrieval.

    The verdict follows from `alpha`, `floor_share`, `minimum_*` and `smallest_slope`; the rule in words
    is made from them (xstilts.studies.verdict.rule_in_words), so that text and decision cannot differ.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    alpha: float = Field(0.05, gt=0, lt=0.5, description="Significance level; intervals cover 1 - alpha")
    power: float = Field(0.8, gt=0.5, lt=1, description="Power of the smallest detectable slope")
    correction: Literal["holm", "fdr_bh", "fdr_by"] = Field(
        "fdr_bh", description="Correction over the exploratory tests (fdr_bh: Benjamini-Hochberg)"
    )
    models: list[str] = Field(
        [], description="Models, the primary one first; empty: those of the run, in its order"
    )
    recipes: list[str] = Field(["mlm"], min_length=1, description="Recipes, as the study reports them")
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
    primary_recipe: str = Field("mlm", description="Recipe of the primary hypothesis; changes are against it")
    primary_task: str = Field("tatoeba", description="Task of the primary hypothesis")
    primary_distance: Distance = Field("syntactic", description="Distance of the primary hypothesis")
    metrics: dict[str, str] = Field(
        {
            "tatoeba": "accuracy",
            "bucc2018": "f1",
            "lareqa": "map_at_20",
            "mewslix": "map_at_20",
        },
        description="The metric of each task that is analysed",
    )
    ceilings: dict[str, Share] = Field(
        {}, description="Highest value that a task's metric can take, where that is not 1"
    )
    retrieval_settings: dict[str, str] = Field(
        {}, description="Per task, which `setting` of scores.tsv to analyse; needed where there are several"
    )
    splits: dict[str, str] = Field(
        {}, description="Per task, which `split` of scores.tsv to analyse; needed where there are several"
    )
    floor_share: Share = Field(
        1 / 3, description="If a larger share of the languages is not above chance: not estimable"
    )
    smallest_slope: float = Field(
        0.0, ge=0, description="Slope (score per unit of distance) that the interval must clear to support"
    )
    pool_size: int = Field(
        200, gt=1, description="Pairs per pool where the primary task is scored again with equal pools"
    )
    pool_draws: int = Field(20, gt=0, description="Pools per language")
    minimum_languages: int = Field(5, ge=5, description="Fewer languages: not estimable")
    minimum_families: int = Field(5, ge=5, description="Fewer language families: not estimable")
    minimum_seeds: int = Field(3, ge=2, description="Fewer seeds: a change between recipes is inconclusive")

    @model_validator(mode="after")
    def _the_primary_cell_is_analysed(self) -> "TypologySettings":
        selected: dict[str, tuple[str, list[str]]] = {
            "recipes": (self.primary_recipe, self.recipes),
            "tasks": (self.primary_task, self.tasks),
            "distances": (self.primary_distance, list(self.distances)),
        }
        for key, (primary, values) in selected.items():
            if primary not in values:
                raise ValueError(f"{key} lacks '{primary}', which the primary hypothesis is about")
            if len(set(values)) < len(values):
                raise ValueError(f"{key} names something twice")
        if len(set(self.models)) < len(self.models):
            raise ValueError("models names something twice")
        without = sorted(set(self.tasks) - set(self.metrics))
        if without:
            raise ValueError(f"metrics has no entry for {', '.join(without)}")
        return self
