"""Study S4: does the order of the intermediate tasks change zero-shot scores, compared with random sequences?

Sequences with a common beginning share its training and so its luck; the primary test relabels the tasks
within each seed, which keeps what is shared. The statistics are in xstilts.statistics.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pandas as pd

from xstilts.statistics.crossed import crossed_mean
from xstilts.statistics.errors import NotEstimableError, count, require
from xstilts.statistics.family import leave_one_family_out
from xstilts.statistics.permutation import OrderTest, order_component, order_test
from xstilts.statistics.power import detectable_by_simulation, order_finder
from xstilts.statistics.seeds import mean_over_seeds
from xstilts.statistics.variance import decompose
from xstilts.studies.floor import Floor, floor_rows, has_floor, of_all
from xstilts.studies.order.arms import Arms, Study
from xstilts.studies.order.verdict import decide
from xstilts.studies.rows import Role, Row, filled, not_estimable, tests_table
from xstilts.studies.scores import Scores
from xstilts.studies.settings import MLM, OrderJob
from xstilts.studies.subsets import ALL
from xstilts.studies.tables import Tables
from xstilts.studies.verdict import Verdict

STUDY = "order"
SEQUENCES = "sequences"
"""What stands in the column `recipe` of a row about all of them."""
DEVIATION = "standard deviation between sequences (method of moments, 0 if its variance is not positive)"


def analyse(tables: Tables, settings: OrderJob) -> tuple[pd.DataFrame, Verdict]:
    """Run the study.

    Returns:
        tests.tsv and the verdict.

    Raises:
        StudyError: if a table lacks something or contradicts itself.
    """
    study = Study(Scores.checked(tables.scores, settings), tables, settings)
    rows: list[Row] = []
    for number, model in enumerate(study.models):
        arms = study.arms(model)
        rows += _effect_rows(arms, primary=number == 0)
        rows += _sensitivity_rows(arms) if number == 0 else []
        rows += _contrast_rows(arms, study.mixture)
        rows += [*_variance_rows(arms), *_position_rows(arms), *_mean_rows(arms), *_named_rows(arms)]
        for task in filter(has_floor, settings.tasks):
            for recipe in [*arms.others, *arms.orders]:
                rows += floor_rows(STUDY, study.scores, model, recipe, task)
    return tests_table(rows, settings.correction, settings.alpha), _verdict(study)


def _verdict(study: Study) -> Verdict:
    settings, arms = study.settings, study.arms(study.models[0])
    test: OrderTest | str
    detectable: float | str
    floors: dict[str, Floor | str] = {}
    try:
        test = _order_effect(arms)
    except NotEstimableError as error:
        test = error.reason
    try:
        found, largest = order_finder(arms.runs(), alpha=settings.alpha)
        detectable = detectable_by_simulation(found, power=settings.power, largest=largest)
    except NotEstimableError as error:
        detectable = error.reason
    for task in filter(has_floor, settings.tasks) if arms.orders else ():
        try:
            floors[task] = of_all(study.scores, arms.model, arms.orders, [task], settings.alpha)
        except NotEstimableError as error:
            floors[task] = error.reason
    primary_id = _row(arms, "primary", "order_effect", "", "").id
    return decide(test, detectable, floors, settings, primary_id, arms.seeds)


def _order_effect(
    arms: Arms, subset: str = ALL, task: str | None = None, measure: str = "value"
) -> OrderTest:
    """The permutation test.

    Raises:
        NotEstimableError: if it cannot be made, or could not reach the level whatever the scores.
    """
    settings = arms.settings
    test = order_test(arms.runs(subset, task, measure), minimum_seeds=settings.minimum_seeds)
    if 1 / test.distinct > settings.alpha:
        raise NotEstimableError(
            f"{test.orders} sequences with {test.seeds} seeds have {test.distinct} relabellings, with "
            f"which no p is below {1 / test.distinct:.3f}"
        )
    return test


def _row(
    arms: Arms,
    role: Role,
    statistic: str,
    method: str,
    unit: str,
    *,
    recipe: str = SEQUENCES,
    task: str = "",
    subset: str = ALL,
    variant: str = "",
) -> Row:
    """A row of one model without its numbers; without `task` it is about all tasks."""
    about = task or ", ".join(arms.settings.tasks)
    place = "" if subset == ALL else subset
    return Row(
        study=STUDY,
        id="/".join(filter(None, [statistic.replace(":", "/"), arms.model, recipe, task, place, variant])),
        role=role,
        statistic=statistic,
        method=method,
        unit=unit,
        model=arms.model,
        recipe=recipe,
        task=about,
        subset=subset,
    )


def _filled(arms: Arms, row: Row, fill: Callable[[Row], Row], *remarks: str) -> Row:
    return filled(row, fill, arms.remark, *remarks)


def _effect_rows(arms: Arms, *, primary: bool) -> Iterator[Row]:
    """Do the sequences differ? In all languages, in each subset, and in each of several tasks."""
    yield _effect_row(arms, "primary" if primary else "exploratory")
    for subset in arms.subsets:
        if subset != ALL:
            yield _effect_row(arms, "exploratory", subset=subset)
    for task in arms.settings.tasks if len(arms.settings.tasks) > 1 else ():
        yield _effect_row(arms, "exploratory", task=task)


def _effect_row(arms: Arms, role: Role, *, subset: str = ALL, task: str = "", logits: bool = False) -> Row:
    measure = "logit" if logits else "value"

    def fill(row: Row) -> Row:
        test = _order_effect(arms, subset, task or None, measure)
        languages = arms.languages(subset, task or None, measure)["language"].nunique()
        kind = "all" if test.exact else "a sample of"
        note = (
            f"{test.orders} sequences, {test.seeds} seeds, {languages} languages; {kind} {test.relabellings} "
            f"relabellings; mean square {test.statistic:.3g}"
        )
        return replace(row, estimate=test.component**0.5, p=test.p, n=test.orders * test.seeds, note=note)

    method = (
        f"{DEVIATION} of the mean over languages{' of empirical logits' * logits}; p by relabelling the "
        "tasks within each seed; n counts runs"
    )
    unit, variant = _scale(logits)
    row = _row(arms, role, "order_effect", method, unit, subset=subset, task=task, variant=variant)
    return _filled(arms, row, fill, arms.uncounted * logits)


def _scale(logits: bool) -> tuple[str, str]:
    """The unit of a score or its logit, and the last part of the id."""
    return ("log odds", "logit") if logits else ("score", "")


def _sensitivity_rows(arms: Arms) -> Iterator[Row]:
    """The primary statistic of logits, and its range without any one family or task."""
    yield _effect_row(arms, "sensitivity", logits=True)
    yield _range_row(arms, "family", lambda: _without_a_family(arms))
    if len(arms.settings.tasks) > 1:
        yield _range_row(arms, "task", lambda: _without_a_task(arms))


def _range_row(arms: Arms, what: str, bounds: Callable[[], tuple[float, float]]) -> Row:
    """The primary statistic with its range over leaving out one `what` at a time."""

    def fill(row: Row) -> Row:
        estimate = _deviation(arms, arms.cells)
        low, high = bounds()
        return replace(row, estimate=estimate, low=low, high=high, n=len(arms.orders) * arms.seeds)

    method = (
        f"{DEVIATION} of the mean over languages; low and high: range over leaving out one {what} at a time; "
        "n counts runs"
    )
    row = _row(arms, "sensitivity", "order_effect", method, "score", variant=f"leave_one_{what}_out")
    return _filled(arms, row, fill)


def _without_a_family(arms: Arms) -> tuple[float, float]:
    cells = arms.cells.merge(arms.known[["language", "family"]], on="language", validate="many_to_one")
    return leave_one_family_out(cells, lambda kept: _deviation(arms, kept))


def _without_a_task(arms: Arms) -> tuple[float, float]:
    tasks = sorted(arms.cells["task"].unique())
    require(len(tasks) > 1, count(len(tasks), "task"))
    values = [_deviation(arms, arms.cells[arms.cells["task"] != task]) for task in tasks]
    return min(values), max(values)


def _deviation(arms: Arms, cells: pd.DataFrame) -> float:
    """The primary statistic of some of the cells."""
    runs = replace(arms, cells=cells).runs()
    return float(order_component(runs, minimum_seeds=arms.settings.minimum_seeds) ** 0.5)


def _contrast_rows(arms: Arms, mixture: str) -> Iterator[Row]:
    """The mean sequence against the mixture, and every sequence against the baseline, both also as logits."""
    for logits in (False, True):
        if arms.settings.mixture:
            yield _contrast_row(arms, SEQUENCES, arms.orders, mixture, "gain_over_mixture", logits=logits)
        for order in arms.orders:
            yield _contrast_row(arms, order, [order], MLM, f"gain_over_{MLM}", logits=logits)


def _contrast_row(
    arms: Arms, recipe: str, orders: list[str], baseline: str, statistic: str, *, logits: bool
) -> Row:
    settings = arms.settings

    def fill(row: Row) -> Row:
        if not orders:
            arms.languages()  # says why there are none
        contrast = arms.contrast(orders, baseline, "logit" if logits else "value")
        mean = float(contrast.groupby("language")["value"].mean().mean())
        found = replace(row, estimate=mean, n=contrast["language"].nunique())
        try:
            crossed = crossed_mean(contrast, alpha=settings.alpha, minimum_seeds=settings.minimum_seeds)
        except NotEstimableError as error:
            return replace(found, note=f"interval {not_estimable(error.reason)}")
        note = f"{crossed.seeds} runs, {crossed.languages} languages of {crossed.families} families"
        numbers = replace(found, estimate=crossed.estimate, low=crossed.low, high=crossed.high, p=crossed.p)
        return replace(numbers, method=f"{row.method}; t with {crossed.freedom} df", note=note)

    what = "mean over sequences" if recipe == SEQUENCES else "score"
    method = (
        f"{what} minus that of {baseline}{', as empirical logits' * logits}, mean over runs and languages, "
        "which are crossed"
    )
    role: Role = "sensitivity" if logits else "exploratory"
    unit, variant = _scale(logits)
    row = _row(arms, role, statistic, method, unit, recipe=recipe, variant=variant)
    return _filled(arms, row, fill, arms.uncounted * logits)


def _variance_rows(arms: Arms) -> Iterator[Row]:
    """How much of the variance is due to order, seed, language, their interactions and the rest."""
    method = "crossed random effects, method of moments; order:seed is the noise of a single run"
    unit = "share of the variance"
    try:
        table = decompose(arms.languages())
    except NotEstimableError as error:
        row = _row(arms, "descriptive", "variance", method, unit)
        yield replace(row, note=not_estimable(error.reason))
        return
    for part in table.to_dict("records"):
        note = f"standard deviation {part['variance'] ** 0.5:.4f}"
        note += "; a negative estimate, set to 0" if part["negative"] else ""
        name = str(part["component"]).replace(":", " by ")
        row = _row(arms, "descriptive", f"variance:{name}", method, unit)
        yield _filled(arms, replace(row, estimate=float(part["share"]), note=note), lambda row: row)


def _position_rows(arms: Arms) -> Iterator[Row]:
    """What a task's place in the sequence is worth: runs are the replicates."""
    settings = arms.settings
    for task in settings.ordered:
        for place in range(1, len(settings.ordered) + 1):

            def fill(row: Row, task: str = task, place: int = place) -> Row:
                wide = arms.runs().pivot(index="seed", columns="order", values="value")
                there = [order for order in arms.orders if order.split("-")[place - 1] == task]
                if not there:
                    raise NotEstimableError(f"no sequence has {task} at position {place}")
                effects = (wide[there].mean(axis=1) - wide.mean(axis=1)).tolist()
                found = replace(row, estimate=sum(effects) / len(effects), n=len(effects))
                try:
                    mean, low, high, _ = mean_over_seeds(
                        effects, alpha=settings.alpha, minimum=settings.minimum_seeds
                    )
                except NotEstimableError as error:
                    return replace(found, note=f"interval {not_estimable(error.reason)}")
                return replace(found, estimate=mean, low=low, high=high, note=f"{len(there)} sequences")

            method = (
                "mean of the sequences with the task at this position minus the mean of all; low and high: t "
                "over runs; n counts runs"
            )
            row = _row(arms, "descriptive", f"position:{place}", method, "score", recipe=task)
            yield _filled(arms, row, fill)


def _mean_rows(arms: Arms) -> Iterator[Row]:
    """The mean score of every arm, in every subset."""
    method = "mean over runs and languages; low and high: least and best run; n counts runs"
    for subset in arms.subsets or [ALL]:
        scored = {recipe: arms.other_runs(recipe, subset)["value"] for recipe in arms.others}
        if arms.orders:
            scored |= {str(order): rows["value"] for order, rows in arms.runs(subset).groupby("order")}
        for recipe in [*arms.settings.orders, *arms.others]:
            values = scored.get(recipe, pd.Series(dtype=float))

            def fill(row: Row, recipe: str = recipe, values: "pd.Series[float]" = values) -> Row:
                if values.empty:
                    raise NotEstimableError(f"the scores hold no {recipe} of {arms.model} with every seed")
                least, best = float(values.min()), float(values.max())
                return replace(row, estimate=float(values.mean()), low=least, high=best, n=len(values))

            row = _row(arms, "descriptive", "mean_score", method, "score", recipe=recipe, subset=subset)
            yield filled(row, fill)


def _named_rows(arms: Arms) -> Iterator[Row]:
    """Where each named order stands among the random sequences: a description, never a test."""
    settings = arms.settings
    for name, order in sorted(settings.named.items()):

        def fill(row: Row, order: str = order) -> Row:
            means = arms.runs().groupby("order")["value"].mean()
            if order not in means:
                raise NotEstimableError(f"the scores hold no {order} of {arms.model} with every seed")
            # All orders are the random sequences; of a sample, the named ones were not drawn.
            chosen = set() if settings.sequences is None else set(settings.named.values()) - {order}
            others = means.drop([other for other in chosen if other in means])
            share = float((others <= means[order] + 1e-12).mean())
            note = (
                f"with {len(others)} sequences no p of a single one can fall below 1/{len(others)} = "
                f"{1 / len(others):.3f}"
            )
            return replace(row, estimate=share, n=len(others), note=note)

        method = (
            f"share of the random sequences, {name} ({order}) included, that score no higher in the mean; n "
            "counts sequences"
        )
        row = _row(arms, "descriptive", f"percentile:{name}", method, "share of sequences", recipe=order)
        yield _filled(arms, row, fill)
