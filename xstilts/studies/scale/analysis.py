"""Study S2: does the gain from English intermediate training depend on similarity to English, and on size?

Each run of each model has one slope of gain on similarity over languages. The model is the replicate: its
seeds share one pre-trained checkpoint, and slopes vary between checkpoints, so an interaction term over
rows of languages would be no test. The statistics are in xstilts.statistics.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

import pandas as pd

from xstilts.errors import StudyError
from xstilts.statistics.correlation import correlation, steiger
from xstilts.statistics.crossed import crossed_mean
from xstilts.statistics.errors import NotEstimableError
from xstilts.statistics.family import leave_one_family_out
from xstilts.statistics.seeds import mean_over_seeds
from xstilts.statistics.slopes import SlopeOfSlopes, slope_of_slopes
from xstilts.studies.floor import Floor, floor_rows, has_floor, of_all
from xstilts.studies.rows import Role, Row, filled, not_estimable, tests_table
from xstilts.studies.scale.cells import SIMILARITY, Cell, Ladder
from xstilts.studies.scale.verdict import decide
from xstilts.studies.scores import Scores
from xstilts.studies.settings import MLM, ScaleJob
from xstilts.studies.subsets import ALL
from xstilts.studies.tables import Tables
from xstilts.studies.verdict import Verdict

STUDY = "scale"
MEASURES = {"gain": "score", "logit_gain": "log odds"}
LEAST_WITHOUT_ONE = 5
"""With so many sizes, one at a time is left out."""


def analyse(tables: Tables, settings: ScaleJob) -> tuple[pd.DataFrame, Verdict]:
    """Run the study.

    Returns:
        tests.tsv and the verdict.

    Raises:
        StudyError: if a table lacks something or contradicts itself.
    """
    if tables.fertility is None and "fertility" in settings.covariates:
        raise StudyError(
            "fertility is a covariate, but no fertility table is given",
            where="studies.scale.covariates",
            hint="give the table, or take fertility out of the covariates",
        )
    ladder = Ladder(Scores.checked(tables.scores, settings), tables, settings)
    rows: list[Row] = []
    for recipe in settings.recipes:
        for task in settings.tasks:
            cells = ladder.cells(recipe, task)
            primary = (recipe, task) == (settings.recipes[0], settings.tasks[0])
            rows.append(_change_row(ladder, cells, recipe, task, "primary" if primary else "exploratory"))
            rows += _cell_rows(ladder, cells)
            rows += [_neighbour_row(*pair) for pair in pairwise(cells)]
            if primary:
                rows += [*_sensitivity_rows(ladder, cells, recipe, task), *_fitted_rows(ladder, cells)]
    rows += _floor_rows(ladder)
    return tests_table(rows, settings.correction, settings.alpha), _verdict(ladder)


def _verdict(ladder: Ladder) -> Verdict:
    settings = ladder.settings
    recipe, task = settings.recipes[0], settings.tasks[0]
    cells = ladder.cells(recipe, task)
    fit: SlopeOfSlopes | str
    try:
        fit = _change(ladder, cells)
    except NotEstimableError as error:
        fit = error.reason
    floors: dict[str, Floor | str] = {}
    for model in ladder.models if has_floor(task) else ():
        try:
            floors[model] = of_all(ladder.scores, model, [MLM, recipe], [task], settings.alpha)
        except NotEstimableError as error:
            floors[model] = error.reason
    means = ladder.slopes(cells)[0].groupby("model", sort=False)["slope"].mean()
    slopes = {str(model): float(slope) for model, slope in means.items()}
    return decide(fit, floors, slopes, settings, _change_id(settings, recipe, task))


def _change(
    ladder: Ladder, cells: Sequence[Cell], outcome: str = "gain", extra: Sequence[str] = ()
) -> SlopeOfSlopes:
    """The change of the slope per tenfold parameters.

    Raises:
        NotEstimableError: too few sizes, or slopes that leave nothing to estimate.
    """
    slopes, missing = ladder.slopes(cells, outcome, extra)
    try:
        return slope_of_slopes(
            slopes, alpha=ladder.settings.alpha, minimum_sizes=ladder.settings.minimum_sizes
        )
    except NotEstimableError as error:
        raise NotEstimableError("; ".join(filter(None, [error.reason, missing]))) from error


def _change_id(settings: ScaleJob, recipe: str, task: str, variant: str = "") -> str:
    return "/".join(filter(None, ["slope_change", settings.distance, recipe, task, variant]))


def _change_row(
    ladder: Ladder,
    cells: Sequence[Cell],
    recipe: str,
    task: str,
    role: Role,
    *,
    outcome: str = "gain",
    extra: Sequence[str] = (),
    variant: str = "",
) -> Row:
    """How the slope of gain on similarity changes with the size of the model."""
    settings = ladder.settings

    def fill(row: Row) -> Row:
        fit = _change(ladder, cells, outcome, extra)
        missing = ladder.slopes(cells, outcome, extra)[1]
        return replace(
            row,
            estimate=fit.estimate,
            low=fit.low,
            high=fit.high,
            p=fit.p,
            n=fit.sizes,
            method=f"{row.method}; t with {fit.freedom} df",
            note="; ".join(filter(None, [_sizes(cells), missing])),
        )

    row = Row(
        study=STUDY,
        id=_change_id(settings, recipe, task, variant),
        role=role,
        statistic=f"slope_change:{settings.distance}",
        method=(
            f"slope of {outcome.replace('_', ' ')} on similarity of each run "
            f"({_model_in_words([*settings.covariates, *extra])}), averaged over seeds, regressed on log10 "
            "parameters; n counts sizes"
        ),
        unit=f"{MEASURES[outcome]} per unit of similarity, per tenfold parameters",
        recipe=recipe,
        task=task,
        subset=ALL,
    )
    return filled(row, fill, cells[0].remark if cells else "", ladder.left_out(cells))


def _model_in_words(covariates: Sequence[str]) -> str:
    return f"linear mixed model, random intercept per family; covariates: {', '.join(covariates) or 'none'}"


def _sizes(cells: Sequence[Cell]) -> str:
    counts = sorted({len(cell.seeds) for cell in cells if not cell.problem})
    runs = " to ".join(str(count) for count in {counts[0]: 0, counts[-1]: 0}) if counts else "0"
    return f"{runs} run{'' if runs == '1' else 's'} per size"


def _sensitivity_rows(ladder: Ladder, cells: Sequence[Cell], recipe: str, task: str) -> Iterator[Row]:
    """The primary change of slope under other choices."""

    def change(
        variant: str, of: Sequence[Cell] = cells, outcome: str = "gain", extra: Sequence[str] = ()
    ) -> Row:
        return _change_row(
            ladder, of, recipe, task, "sensitivity", outcome=outcome, extra=extra, variant=variant
        )

    yield change("logit", outcome="logit_gain")
    yield change("baseline_as_covariate", extra=["baseline"])
    if "size" not in ladder.settings.covariates:
        yield change("size_as_covariate", extra=["size"])
    for cell in cells if len(cells) >= LEAST_WITHOUT_ONE else ():
        yield change(f"without_{cell.model}", of=[other for other in cells if other is not cell])


def _cell_rows(ladder: Ladder, cells: Sequence[Cell]) -> Iterator[Row]:
    """What is said of every size: slope, its runs, mean gain, correlation."""
    for cell in cells:
        yield _slope_row(ladder, cell)
        yield from _run_rows(ladder, cell)
        yield _mean_row(ladder, cell)
        yield _correlation_row(cell, ladder.settings.distance)


def _row(cell: Cell, role: Role, statistic: str, method: str, unit: str, variant: str = "") -> Row:
    """A row of `cell` without its numbers."""
    parts = [statistic.replace(":", "/"), cell.model, cell.recipe, cell.task, variant]
    return Row(
        study=STUDY,
        id="/".join(filter(None, parts)),
        role=role,
        statistic=statistic,
        method=method,
        unit=unit,
        model=cell.model,
        recipe=cell.recipe,
        task=cell.task,
        subset=ALL,
    )


def _filled(row: Row, cell: Cell, fill: Callable[[Row], Row], *remarks: str) -> Row:
    def checked(row: Row) -> Row:
        if cell.problem:
            raise NotEstimableError(cell.problem)
        return fill(row)

    return filled(row, checked, cell.remark, *remarks)


def _slope_row(ladder: Ladder, cell: Cell) -> Row:
    """The slope of one size: runs are its replicates."""
    settings = ladder.settings

    def fill(row: Row) -> Row:
        slopes = [fit.estimate for fit in ladder.fits(cell).values()]
        found = replace(row, estimate=sum(slopes) / len(slopes), n=len(slopes))
        try:
            mean, low, high, _ = mean_over_seeds(slopes, alpha=settings.alpha, minimum=settings.minimum_seeds)
        except NotEstimableError as error:
            return replace(found, note=f"interval {not_estimable(error.reason)}")
        return replace(found, estimate=mean, low=low, high=high)

    method = (
        f"mean over runs of the slope ({_model_in_words(settings.covariates)}); low and high: t over runs, "
        "languages taken as they are; n counts runs"
    )
    row = _row(cell, "descriptive", f"slope:{settings.distance}", method, "score per unit of similarity")
    return _filled(row, cell, fill, ladder.left_out([cell]))


def _run_rows(ladder: Ladder, cell: Cell) -> Iterator[Row]:
    """The slope of every run, for the figure."""
    settings = ladder.settings
    try:
        fits = ladder.fits(cell)
    except NotEstimableError:
        return
    for seed, fit in fits.items():
        method = f"{_model_in_words(settings.covariates)}; low and high: t with {fit.freedom} df"
        statistic, unit = f"run_slope:{settings.distance}", "score per unit of similarity"
        row = _row(cell, "descriptive", statistic, method, unit, f"seed{seed}")
        note = f"seed {seed}, {fit.families} families"
        yield replace(row, estimate=fit.estimate, low=fit.low, high=fit.high, n=fit.languages, note=note)


def _mean_row(ladder: Ladder, cell: Cell) -> Row:
    """The mean gain of one size, for new runs and languages."""
    settings = ladder.settings

    def fill(row: Row) -> Row:
        found = replace(row, estimate=float(cell.means["gain"].mean()), n=len(cell.means))
        try:
            mean = crossed_mean(cell.runs, "gain", alpha=settings.alpha, minimum_seeds=settings.minimum_seeds)
        except NotEstimableError as error:
            return replace(found, note=f"interval {not_estimable(error.reason)}")
        note = f"{mean.seeds} runs, {mean.languages} languages of {mean.families} families"
        method = f"{row.method}; t with {mean.freedom} df"
        return replace(found, low=mean.low, high=mean.high, p=mean.p, method=method, note=note)

    method = f"score minus that of {MLM}, mean over runs and languages, which are crossed"
    return _filled(_row(cell, "exploratory", "mean_gain", method, "score"), cell, fill)


def _correlation_row(cell: Cell, distance: str) -> Row:
    """Spearman's correlation of gain and similarity, with its range over families."""

    def value(frame: pd.DataFrame) -> float:
        return correlation(frame, SIMILARITY, "gain")[0]

    def fill(row: Row) -> Row:
        estimate, n = correlation(cell.means, SIMILARITY, "gain")
        complete = cell.means.dropna(subset=[SIMILARITY, "gain"])
        try:
            low, high = leave_one_family_out(complete, value)
        except NotEstimableError as error:
            return replace(row, estimate=estimate, n=n, note=f"range {not_estimable(error.reason)}")
        return replace(row, estimate=estimate, low=low, high=high, n=n)

    method = "Spearman, means over runs; low and high: range over leaving out one family at a time"
    return _filled(_row(cell, "descriptive", f"spearman:{distance}", method, "correlation"), cell, fill)


def _neighbour_row(small: Cell, large: Cell) -> Row:
    """Do gain and similarity correlate more in the next size? A description: languages as independent."""

    def fill(row: Row) -> Row:
        if large.problem:
            raise NotEstimableError(large.problem)
        columns = ["language", SIMILARITY, "gain"]
        both = small.means[columns].merge(large.means[["language", "gain"]], on="language").dropna()
        if (both[[SIMILARITY, "gain_x", "gain_y"]].nunique() < 2).any():
            raise NotEstimableError("gain or similarity is constant")
        r = both[[SIMILARITY, "gain_x", "gain_y"]].corr().to_numpy()
        found = steiger(r[0, 2], r[0, 1], r[1, 2], len(both))
        note = (
            f"Pearson {r[0, 1]:.2f} in {small.model}, {r[0, 2]:.2f} in {large.model}; t = {found.t:.2f} with "
            f"{found.freedom} df, p = {found.p:.3f} if languages were independent, which they are not"
        )
        return replace(row, estimate=found.difference, n=len(both), note=note)

    method = "Williams's t for two correlations that share a variable (Steiger 1980), means over runs"
    row = _row(large, "descriptive", "correlation_change", method, "correlation", f"from_{small.model}")
    return _filled(row, small, fill)


def _floor_rows(ladder: Ladder) -> Iterator[Row]:
    """The controls of every arm, in tasks where something is searched."""
    for task in filter(has_floor, ladder.settings.tasks):
        for model in ladder.models:
            for recipe in [MLM, *ladder.settings.recipes]:
                yield from floor_rows(STUDY, ladder.scores, model, recipe, task)


def _fitted_rows(ladder: Ladder, cells: Sequence[Cell]) -> Iterator[Row]:
    """The ends of all fitted lines of the primary cell, so that the figures need no statistics."""
    settings = ladder.settings
    for cell in cells:
        try:
            fits = ladder.fits(cell)
        except NotEstimableError:
            continue
        columns = [SIMILARITY, *settings.covariates]
        values = cell.means.dropna(subset=columns)[columns].astype(float)
        middle = values.mean().to_numpy(float).copy()
        for variant, at in {"least": values[SIMILARITY].min(), "most": values[SIMILARITY].max()}.items():
            middle[0] = at
            mean = sum(fit.fitted(middle)[0] for fit in fits.values()) / len(fits)
            method = "mean over runs of the fitted gain, covariates at their means"
            row = _row(cell, "descriptive", f"fitted_gain:{settings.distance}", method, "score", variant)
            yield replace(row, subset=f"similarity {at:.6f}", estimate=mean, n=len(values))
    try:
        fit = _change(ladder, cells)
    except NotEstimableError:
        return
    estimable = set(ladder.slopes(cells)[0]["model"])
    used = [cell for cell in cells if cell.model in estimable]
    for cell in (used[0], used[-1]):
        method = "fitted slope at this size, of the primary model"
        row = _row(
            cell, "descriptive", f"fitted_slope:{settings.distance}", method, "score per unit of similarity"
        )
        yield replace(row, estimate=fit.intercept + fit.estimate * math.log10(cell.parameters), n=fit.sizes)
