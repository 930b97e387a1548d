"""Study S1: does zero-shot degradation in sentence retrieval rise with typological distance from English?

Inputs are tables (any scores of these columns will do, published ones too), outputs are tests.tsv and a
verdict. docs/ and STUDIES name the reasons for each test; the statistics are in xstilts.statistics.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import pandas as pd

from xstilts.errors import StudyError
from xstilts.statistics.correlation import correlation
from xstilts.statistics.errors import NotEstimableError
from xstilts.statistics.family import FamilyFit, family_model, leave_one_family_out
from xstilts.statistics.seeds import mean_over_seeds
from xstilts.studies import floor
from xstilts.studies.predictors import join, left_out
from xstilts.studies.rows import Role, Row, filled, not_estimable, tests_table
from xstilts.studies.scores import Scores, mean_over_seeds_of
from xstilts.studies.settings import TypologyJob
from xstilts.studies.tables import Tables
from xstilts.studies.typology.degradation import degradation
from xstilts.studies.typology.verdict import decide
from xstilts.studies.verdict import Verdict
from xstilts.studies.words import LEAVE_ONE_OUT

STUDY = "typology"
NAMES = {"size": "log10 pre-training size", "fertility": "fertility", "other_script": "script (not Latin)"}


@dataclass(frozen=True)
class Cell:
    """The degradation of one model and recipe in one task.

    Attributes:
        runs: One row per seed and language, with the predictors.
        means: One row per language that every seed has, means over seeds, with the predictors.
        problem: Why there is nothing to analyse; empty if there is.
        remark: What a reader of its rows must know.
    """

    model: str
    recipe: str
    task: str
    runs: pd.DataFrame
    means: pd.DataFrame
    problem: str = ""
    remark: str = ""


@dataclass(frozen=True)
class Study:
    """The checked inputs of one analysis."""

    scores: Scores
    tables: Tables
    settings: TypologyJob

    def known(self, model: str) -> pd.DataFrame:
        """What is known of each language; a distance that languages.tsv lacks is missing throughout."""
        known = self.tables.known(model, self.settings)
        absent = [f"distance_{name}" for name in self.settings.distances if f"distance_{name}" not in known]
        return known.assign(**dict.fromkeys(absent, float("nan")))

    @cached_property
    def models(self) -> list[str]:
        """The models, the primary one first."""
        return self.scores.models() or ["-"]

    def cell(self, model: str, recipe: str, task: str) -> Cell:
        """The scores of one model, recipe and task, turned into degradation.

        Raises:
            StudyError: if nothing is known of a language.
        """
        rows = self.scores.of(model, recipe, task)
        runs = degradation(rows, self.settings.ceilings.get(task, 1.0)).dropna(subset=["degradation"])
        known = self.known(model)
        means = join(mean_over_seeds_of(runs), known)
        runs = runs.merge(known, on="language", validate="many_to_one")
        problem = "" if len(runs) else f"the scores hold no {task} of {model}, {recipe}"
        partly = sorted(set(runs["language"]) - set(means["language"]))
        remark = f"not scored with every seed: {', '.join(partly)} ({len(partly)})" if partly else ""
        return Cell(model, recipe, task, runs, means, problem, remark)

    @cached_property
    def primary(self) -> Cell:
        """The cell of the primary hypothesis."""
        return self.cell(self.models[0], self.settings.primary_recipe, self.settings.primary_task)

    def fit(
        self, frame: pd.DataFrame, predictor: str, covariates: Sequence[str], outcome: str = "degradation"
    ) -> FamilyFit:
        """The family model with the thresholds of the settings."""
        return family_model(
            frame,
            outcome,
            predictor,
            covariates,
            alpha=self.settings.alpha,
            minimum_languages=self.settings.minimum_languages,
            minimum_families=self.settings.minimum_families,
        )


def analyse(tables: Tables, settings: TypologyJob) -> tuple[pd.DataFrame, Verdict]:
    """Run the study; `tables.extra` are scores with candidate pools of equal size, as in scores.tsv.

    Returns:
        tests.tsv and the verdict.

    Raises:
        StudyError: if a table lacks something or contradicts itself.
    """
    if tables.fertility is None and "fertility" in settings.covariates:
        raise StudyError(
            "fertility is a covariate, but no fertility table is given",
            where="studies.typology.covariates",
            hint="give the table, or take fertility out of the covariates",
        )
    study = Study(Scores.checked(tables.scores, settings), tables, settings)
    pools = None if tables.extra is None else replace(study, scores=Scores.checked(tables.extra, settings))
    rows = [*_cell_rows(study), *_change_rows(study), *_sensitivity_rows(study, pools)]
    rows += [*_coverage_rows(study), *_fitted_rows(study)]
    return tests_table(rows, settings.correction, settings.alpha), _verdict(study)


def _verdict(study: Study) -> Verdict:
    settings, cell = study.settings, study.primary
    column = f"distance_{settings.primary_distance}"
    fit: FamilyFit | str
    against: floor.Floor | str
    span = 0.0
    try:
        fit = _primary_fit(study)
        used = cell.means.dropna(subset=[column, *settings.covariates])[column]
        span = float(used.max() - used.min())
    except NotEstimableError as error:
        fit = error.reason
    try:
        against = floor.against_chance(study.scores, cell.model, cell.recipe, cell.task, settings.alpha)
    except NotEstimableError as error:
        against = error.reason
    return decide(fit, against, settings, _id("slope", settings.primary_distance, cell), span)


def _primary_fit(study: Study) -> FamilyFit:
    if study.primary.problem:
        raise NotEstimableError(study.primary.problem)
    column = f"distance_{study.settings.primary_distance}"
    return study.fit(study.primary.means, column, study.settings.covariates)


def _id(statistic: str, about: str, cell: Cell, variant: str = "") -> str:
    return "/".join(filter(None, [statistic, about, cell.model, cell.recipe, cell.task, variant]))


def _row(
    cell: Cell, role: Role, statistic: str, about: str, method: str, unit: str, variant: str = ""
) -> Row:
    """A row of `cell` without its numbers; `about` is the predictor or control that it is about."""
    return Row(
        study=STUDY,
        id=_id(statistic, about, cell, variant),
        role=role,
        model=cell.model,
        recipe=cell.recipe,
        task=cell.task,
        subset="all languages but English",
        statistic=f"{statistic}:{about}" if about else statistic,
        method=method,
        unit=unit,
    )


def _filled(row: Row, cell: Cell, fill: Callable[[Row], Row], columns: Sequence[str] = ()) -> Row:
    """`row` with its numbers, or with the reason why there are none; either way with who was left out."""

    def checked(row: Row) -> Row:
        if cell.problem:
            raise NotEstimableError(cell.problem)
        return fill(row)

    return filled(row, checked, cell.remark, left_out(cell.means, columns))


def _cell_rows(study: Study) -> Iterator[Row]:
    """All that is asked of every cell: slopes, correlations, floor, description."""
    settings = study.settings
    for model in study.models:
        for recipe in settings.recipes:
            for task in settings.tasks:
                cell = study.cell(model, recipe, task)
                primary = (model, recipe, task) == (
                    *(study.models[0], settings.primary_recipe, settings.primary_task),
                )
                for distance in settings.distances:
                    main = primary and distance == settings.primary_distance
                    column = f"distance_{distance}"
                    yield _slope_row(study, cell, "primary" if main else "exploratory", distance, column)
                    yield _correlation_row(cell, "spearman", distance, column, ())
                    if settings.covariates:
                        yield _correlation_row(
                            cell, "partial_spearman", distance, column, settings.covariates
                        )
                yield _slope_row(study, cell, "exploratory", "script", "other_script")
                for covariate in settings.covariates:
                    yield _correlation_row(cell, "spearman", covariate, covariate, ())
                yield _mean_row(cell)
                yield from floor.floor_rows(STUDY, study.scores, model, recipe, task)


def _slope_row(
    study: Study,
    cell: Cell,
    role: Role,
    about: str,
    column: str,
    *,
    covariates: Sequence[str] | None = None,
    outcome: str = "degradation",
    variant: str = "",
) -> Row:
    """The slope of degradation on one predictor, by the family model."""
    given = study.settings.covariates if covariates is None else covariates
    measure = "log odds" if outcome == "logit_degradation" else "score"
    unit = f"{measure}, other scripts minus Latin" if about == "script" else f"{measure} per unit of distance"

    def fill(row: Row) -> Row:
        fit = study.fit(cell.means, column, given, outcome)
        return replace(
            row,
            estimate=fit.estimate,
            low=fit.low,
            high=fit.high,
            p=fit.p,
            n=fit.languages,
            method=f"{row.method}; t with {fit.freedom} df",
            note=f"{fit.families} families, variance between over within {fit.ratio:.2f}",
        )

    names = ", ".join(NAMES.get(name, name.replace("_", " ")) for name in given) or "none"
    method = f"linear mixed model, random intercept per family (REML); covariates: {names}"
    return _filled(_row(cell, role, "slope", about, method, unit, variant), cell, fill, [column, *given])


def _correlation_row(cell: Cell, statistic: str, about: str, column: str, covariates: Sequence[str]) -> Row:
    """An effect size: Spearman's correlation, partial given covariates, with its range over families."""

    def value(frame: pd.DataFrame) -> float:
        return correlation(frame, column, "degradation", covariates)[0]

    def fill(row: Row) -> Row:
        estimate, n = correlation(cell.means, column, "degradation", covariates)
        complete = cell.means.dropna(subset=[column, "degradation", *covariates])
        try:
            low, high = leave_one_family_out(complete, value)
        except NotEstimableError as error:
            return replace(row, estimate=estimate, n=n, note=f"range {not_estimable(error.reason)}")
        return replace(row, estimate=estimate, low=low, high=high, n=n)

    given = f" given {', '.join(NAMES[name] for name in covariates)}" if covariates else ""
    method = f"Spearman{given}; low and high: range over leaving out one family at a time"
    row = _row(cell, "descriptive", statistic, about, method, "correlation")
    return _filled(row, cell, fill, [column, *covariates])


def _mean_row(cell: Cell) -> Row:
    def fill(row: Row) -> Row:
        values = cell.means.set_index("language")["degradation"]
        if values.empty:
            raise NotEstimableError("no language is scored with every seed")
        note = f"least in {values.idxmin()}, most in {values.idxmax()}"
        return replace(
            row, estimate=values.mean(), low=values.min(), high=values.max(), n=len(values), note=note
        )

    method = "mean over languages; low and high: least and most degraded language"
    return _filled(_row(cell, "descriptive", "mean_degradation", "", method, "score"), cell, fill)


def _change_rows(study: Study) -> Iterator[Row]:
    """How the slope of every recipe differs from the primary recipe's: runs are the replicates."""
    settings = study.settings
    for model in study.models:
        for task in settings.tasks:
            baseline = study.cell(model, settings.primary_recipe, task)
            for recipe in settings.recipes:
                if recipe != settings.primary_recipe:
                    yield _change_row(study, study.cell(model, recipe, task), baseline)


def _change_row(study: Study, cell: Cell, baseline: Cell) -> Row:
    settings = study.settings

    def fill(row: Row) -> Row:
        if baseline.problem:
            raise NotEstimableError(baseline.problem)
        changes = _slope_changes(study, cell, baseline)
        n = f"{len(changes)} runs"
        mean = sum(changes) / len(changes)
        try:
            mean, low, high, p = mean_over_seeds(
                changes, alpha=settings.alpha, minimum=settings.minimum_seeds
            )
        except NotEstimableError as error:
            return replace(row, estimate=mean, n=len(changes), note=f"inconclusive: runs ({error.reason})")
        return replace(row, estimate=mean, low=low, high=high, p=p, n=len(changes), note=n)

    about = settings.primary_distance
    method = (
        f"slope of each run (family model) minus that of {baseline.recipe}; t over runs; n counts runs, "
        "languages are taken as they are"
    )
    row = _row(cell, "exploratory", "slope_change", about, method, "score per unit of distance")
    return _filled(row, cell, fill, [f"distance_{about}", *settings.covariates])


def _slope_changes(study: Study, cell: Cell, baseline: Cell) -> list[float]:
    """Per seed, the slope minus the baseline's of the same seed (or of its only one), same languages."""
    both = set(cell.means["language"]) & set(baseline.means["language"])
    ours, theirs = (_slope_by_seed(study, side.runs, both) for side in (cell, baseline))
    if len(theirs) == 1:
        (only,) = theirs.values()
        return [slope - only for slope in ours.values()]
    shared = sorted(set(ours) & set(theirs))
    if not shared:
        raise NotEstimableError(f"no seed is shared with {baseline.recipe}")
    return [ours[seed] - theirs[seed] for seed in shared]


def _slope_by_seed(study: Study, runs: pd.DataFrame, languages: set[str]) -> dict[int, float]:
    column = f"distance_{study.settings.primary_distance}"
    kept = runs[runs["language"].isin(languages)].sort_values("language")
    return {
        seed: study.fit(kept[kept["seed"] == seed], column, study.settings.covariates).estimate
        for seed in sorted(kept["seed"].unique())
    }


def _sensitivity_rows(study: Study, pools: Study | None) -> Iterator[Row]:
    """The primary slope under other choices."""
    settings, cell = study.settings, study.primary
    about, given = settings.primary_distance, list(settings.covariates)
    column = f"distance_{about}"

    def slope(
        variant: str,
        covariates: Sequence[str] = given,
        of: Cell = cell,
        x: str = column,
        y: str = "degradation",
    ) -> Row:
        return _slope_row(
            study, of, "sensitivity", about, x, covariates=covariates, outcome=y, variant=variant
        )

    yield slope("logit", y="logit_degradation")
    yield slope("script_as_covariate", [*given, "other_script"])
    if given:
        yield slope("no_covariates", [])
    if "size" in given:
        if len(given) > 1:
            yield slope("no_size", [name for name in given if name != "size"])
        if cell.means["unseen"].any():
            yield slope("unseen_as_class", [*given, "unseen"], of=_with_unseen_as_class(cell))
        else:
            yield _not_run(cell, about, "unseen_as_class", "every language was seen in pre-training")
    yield _family_range_row(study)
    second = f"alternative_{about}"
    if second in cell.means:
        yield slope("second_definition", x=second)
    else:
        yield _not_run(cell, about, "second_definition", f"languages.tsv has no column {second}")
    if pools is not None:
        yield slope("equal_pools", of=pools.primary)
    else:
        yield _not_run(cell, about, "equal_pools", "no scores with equal candidate pools were given")


def _not_run(cell: Cell, about: str, variant: str, reason: str) -> Row:
    row = _row(cell, "sensitivity", "slope", about, "not run", "score per unit of distance", variant)
    return replace(row, note=not_estimable(reason))


def _with_unseen_as_class(cell: Cell) -> Cell:
    """Unseen languages kept: they get the mean size of the seen and an intercept of their own."""
    filled = cell.means.assign(size=cell.means["size"].fillna(cell.means["size"].mean()))
    return replace(cell, means=filled)


def _family_range_row(study: Study) -> Row:
    settings, cell = study.settings, study.primary
    column = f"distance_{settings.primary_distance}"
    columns = [column, *settings.covariates]

    def value(frame: pd.DataFrame) -> float:
        return study.fit(frame, column, settings.covariates).estimate

    def fill(row: Row) -> Row:
        complete = cell.means.dropna(subset=columns)
        estimate = value(complete)
        low, high = leave_one_family_out(complete, value)
        return replace(row, estimate=estimate, low=low, high=high, n=len(complete))

    method = "the primary model; low and high: range over leaving out one family at a time"
    unit = "score per unit of distance"
    about, variant = settings.primary_distance, LEAVE_ONE_OUT
    return _filled(_row(cell, "sensitivity", "slope", about, method, unit, variant), cell, fill, columns)


def _coverage_rows(study: Study) -> Iterator[Row]:
    """For how many of the primary cell's languages each distance has data, and how many features."""
    cell = study.primary
    table = study.tables.languages.set_index("language").reindex(cell.means["language"])
    for distance in study.settings.distances:

        def fill(row: Row, column: str = f"distance_{distance}") -> Row:
            known = cell.means[column].notna()
            return replace(row, estimate=float(known.mean()), n=int(known.sum()))

        def features(row: Row, column: str = f"coverage_{distance}") -> Row:
            if column not in table:
                raise NotEstimableError(f"languages.tsv has no column {column}")
            values = table[column].astype(float).dropna()
            if values.empty:
                raise NotEstimableError("no coverage is given")
            return replace(row, estimate=values.mean(), low=values.min(), high=values.max(), n=len(values))

        method = "languages with data; no feature in common with English is missing, not near"
        row = _row(cell, "descriptive", "coverage", distance, method, "share of languages")
        yield _filled(row, cell, fill, [f"distance_{distance}"])
        method = "features with data in both languages; low and high: least and best covered language"
        row = _row(cell, "descriptive", "feature_coverage", distance, method, "share of features")
        yield _filled(row, cell, features)


def _fitted_rows(study: Study) -> Iterator[Row]:
    """The fitted line at the nearest, the mean and the furthest distance, covariates at their means.

    Three points determine the line and its band (whose squared half-width is a parabola), so that the
    figure needs no statistics.
    """
    settings, cell = study.settings, study.primary
    columns = [f"distance_{settings.primary_distance}", *settings.covariates]
    try:
        fit = _primary_fit(study)
    except NotEstimableError:
        return
    values = cell.means.dropna(subset=columns)[columns].astype(float)
    middle = values.mean().to_numpy(float).copy()
    distances = values[columns[0]]
    for variant, at in {"nearest": distances.min(), "mean": middle[0], "furthest": distances.max()}.items():
        middle[0] = at
        mean, low, high = fit.fitted(middle)
        method = "mean of the primary model, other covariates at their means"
        row = _row(cell, "descriptive", "fitted", settings.primary_distance, method, "score", variant)
        yield replace(row, subset=f"distance {at:.6f}", estimate=mean, low=low, high=high, n=fit.languages)
