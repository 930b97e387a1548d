"""The gains of each model by each recipe in each task, with the similarity of each language to English."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import pandas as pd

from xstilts.statistics.errors import NotEstimableError
from xstilts.statistics.family import FamilyFit, family_model
from xstilts.studies.predictors import join, left_out
from xstilts.studies.scores import Scores, gains, mean_over_seeds_of
from xstilts.studies.settings import MLM, ScaleJob
from xstilts.studies.tables import Tables

SIMILARITY = "similarity"


@dataclass(frozen=True)
class Cell:
    """The gains of one model by one recipe in one task.

    Attributes:
        parameters: How many the model has.
        runs: One row per seed and language: what `gains` gives, the predictors, and similarity.
        means: One row per language that every seed has, means over seeds.
        problem: Why there is nothing to analyse; empty if there is.
        remark: What a reader of its rows must know.
    """

    model: str
    parameters: int
    recipe: str
    task: str
    runs: pd.DataFrame
    means: pd.DataFrame
    problem: str = ""
    remark: str = ""

    @property
    def seeds(self) -> list[int]:
        """Its runs, sorted."""
        return sorted(self.runs["seed"].unique())


@dataclass(frozen=True)
class Ladder:
    """All models of the study, and what each gains."""

    scores: Scores
    tables: Tables
    settings: ScaleJob
    _fitted: dict[tuple[str, ...], dict[int, FamilyFit] | str] = field(default_factory=dict, repr=False)

    @cached_property
    def models(self) -> dict[str, int]:
        """The models and their parameters, the smallest first."""
        size = self.scores.parameters().set_index("model")["parameters"]
        names = self.scores.models()
        return {
            name: int(size.get(name, 0)) for name in sorted(names, key=lambda name: (size.get(name, 0), name))
        }

    @cached_property
    def _known(self) -> dict[str, pd.DataFrame]:
        """What is known of each language by model; a distance that languages.tsv lacks is missing."""
        found, column = {}, f"distance_{self.settings.distance}"
        for model in self.models:
            known = self.tables.known(model, self.settings)
            distance = known.get(column, pd.Series(float("nan"), index=known.index))
            found[model] = known.assign(**{SIMILARITY: 1 - distance})
        return found

    def cells(self, recipe: str, task: str) -> list[Cell]:
        """One cell per model, the smallest first, of the languages that every model with scores has.

        Raises:
            StudyError: if nothing is known of a language.
        """
        runs = {model: gains(self.scores, model, recipe, task) for model in self.models}
        runs = {model: frame.dropna(subset=["gain"]) for model, frame in runs.items()}
        scored = {
            model: set(mean_over_seeds_of(frame)["language"]) for model, frame in runs.items() if len(frame)
        }
        shared = set.intersection(*scored.values()) if scored else set()
        every = {code for frame in runs.values() for code in frame["language"]}
        lost = sorted(every - shared)
        remark = f"not scored with every model and seed: {', '.join(lost)} ({len(lost)})" if lost else ""
        return [self._cell(model, recipe, task, runs[model], shared, remark) for model in self.models]

    def _cell(
        self, model: str, recipe: str, task: str, runs: pd.DataFrame, shared: set[str], remark: str
    ) -> Cell:
        problem = ""
        if runs.empty:
            problem = f"the scores hold no {task} of {model}, {recipe} and {MLM}"
        elif not shared:
            problem = "no language is scored with every model and seed"
        kept, known = runs[runs["language"].isin(shared)], self._known[model]
        means = join(mean_over_seeds_of(kept), known)
        runs = kept.merge(known, on="language", validate="many_to_one")
        return Cell(model, self.models[model], recipe, task, runs, means, problem, remark)

    def fits(self, cell: Cell, outcome: str = "gain", extra: Sequence[str] = ()) -> dict[int, FamilyFit]:
        """The family model of each run of a cell, by seed.

        Args:
            cell: The model, recipe and task.
            outcome: `gain` or `logit_gain`.
            extra: Covariates besides those of the settings.

        Raises:
            NotEstimableError: if a run has no slope.
        """
        key = (cell.model, cell.recipe, cell.task, outcome, *extra)
        if key not in self._fitted:
            try:
                self._fitted[key] = self._fits(cell, outcome, [*self.settings.covariates, *extra])
            except NotEstimableError as error:
                self._fitted[key] = error.reason
        found = self._fitted[key]
        if isinstance(found, str):
            raise NotEstimableError(found)
        return found

    def _fits(self, cell: Cell, outcome: str, covariates: Sequence[str]) -> dict[int, FamilyFit]:
        if cell.problem:
            raise NotEstimableError(cell.problem)
        return {
            seed: family_model(
                cell.runs[cell.runs["seed"] == seed],
                outcome,
                SIMILARITY,
                covariates,
                alpha=self.settings.alpha,
                minimum_languages=self.settings.minimum_languages,
                minimum_families=self.settings.minimum_families,
            )
            for seed in cell.seeds
        }

    def slopes(
        self, cells: Sequence[Cell], outcome: str = "gain", extra: Sequence[str] = ()
    ) -> tuple[pd.DataFrame, str]:
        """One slope per model and seed, and which models have none, in words.

        Returns:
            Columns model, parameters, seed, slope; the words are empty if every model has slopes.
        """
        rows, missing = [], []
        for cell in cells:
            try:
                fits = self.fits(cell, outcome, extra)
            except NotEstimableError as error:
                missing.append(f"{cell.model}: no slope, because {error.reason}")
                continue
            rows += [(cell.model, cell.parameters, seed, fit.estimate) for seed, fit in fits.items()]
        return pd.DataFrame(rows, columns=["model", "parameters", "seed", "slope"]), "; ".join(missing)

    def left_out(self, cells: Sequence[Cell]) -> str:
        """The languages that no slope of these cells has, for want of a predictor."""
        columns = [SIMILARITY, *self.settings.covariates]
        parts = {left_out(cell.means, columns) for cell in cells}
        return "; ".join(sorted(filter(None, parts)))
