"""Study S5: do intermediate tasks that are similar to a target gain more for it in low-resource languages?

Similarity varies only between pairs of tasks, and all gains of an intermediate task share the luck of its
checkpoints, so the test permutes the intermediate tasks (xstilts.statistics.permutation).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from xstilts.statistics.correlation import repeated_measures
from xstilts.statistics.errors import NotEstimableError, count, require
from xstilts.statistics.mixed import crossed_model
from xstilts.statistics.permutation import LabelTest, label_permutation_correlation
from xstilts.statistics.power import detectable_by_simulation, label_finder
from xstilts.studies import floor
from xstilts.studies.contrasts import LEAST, Contrast, crossed_row
from xstilts.studies.rows import Role, Row, filled, not_estimable, tests_table
from xstilts.studies.scores import Scores
from xstilts.studies.settings import MLM, SimilarityJob
from xstilts.studies.similarity.pairs import GROUPS, MEASURES, Group, Pairs, centred
from xstilts.studies.similarity.verdict import decide
from xstilts.studies.tables import Tables
from xstilts.studies.verdict import Verdict

STUDY = "similarity"
PRIMARY = "similarity"
SIMULATIONS, STEPS = 200, 6
"""Of the detectable correlation: its power is exact to 3 %, itself to 0.02; it takes a second."""
NAMES = {
    "similarity": "cosine of the centroids of sentence embeddings",
    "best_match": "mean best match of sentence embeddings",
    "tfidf": "cosine of the centroids of TF-IDF vectors",
}
GAINS = {
    "gain": "gain",
    "logit_gain": "gain in log odds",
    "headroom_gain": "gain as a share of what was left to gain",
}


@dataclass(frozen=True)
class Study:
    """The checked inputs of one analysis."""

    scores: Scores
    tables: Tables
    settings: SimilarityJob

    @cached_property
    def models(self) -> list[str]:
        """The models, the primary one first."""
        return self.scores.models() or ["-"]

    @cached_property
    def pairs(self) -> dict[str, Pairs]:
        """The pairs of tasks, by model."""
        return {model: Pairs.of(self.scores, self.tables, self.settings, model) for model in self.models}

    def test(
        self, pairs: pd.DataFrame, measure: str = PRIMARY, gain: str = "gain", least: int | None = None
    ) -> LabelTest:
        """The correlation over pairs, its p by permuting the intermediate tasks."""
        require(len(pairs) > 0, "no pair of tasks is scored in enough of these languages")
        return label_permutation_correlation(
            pairs,
            measure,
            gain,
            label="intermediate",
            group="target",
            minimum_labels=self.settings.minimum_intermediates if least is None else least,
        )


def analyse(tables: Tables, settings: SimilarityJob) -> tuple[pd.DataFrame, Verdict]:
    """Run the study; `tables.extra` is similarity.tsv.

    Returns:
        tests.tsv and the verdict.

    Raises:
        StudyError: if a table is missing, lacks something or contradicts itself.
    """
    study = Study(Scores.checked(tables.scores, settings), tables, settings)
    rows: list[Row] = []
    for model in study.models:
        rows += [_correlation_row(study, model, group) for group in GROUPS]
        rows += _pair_rows(study, model)
    rows += [*_sensitivity_rows(study), *_by_target_rows(study), *_model_rows(study)]
    rows += [*_language_rows(study), *_group_rows(study)]
    return tests_table(rows, settings.correction, settings.alpha), _verdict(study)


def _verdict(study: Study) -> Verdict:
    settings, model = study.settings, study.models[0]
    pairs = study.pairs[model]
    means = pairs.means("low")
    test: LabelTest | str
    smallest: float | str
    try:
        test = study.test(means)
    except NotEstimableError as error:
        test = error.reason
    try:
        smallest = _detectable(means, settings)
    except NotEstimableError as error:
        smallest = error.reason
    primary_id = _id("correlation", model, "low")
    against = _floor(study, pairs)
    return decide(test, against, smallest, settings, primary_id, pairs.few_runs, pairs.remark)


def _detectable(means: pd.DataFrame, settings: SimilarityJob) -> float:
    """The smallest correlation that the test finds in pairs like these, by simulation."""
    known = means.dropna(subset=[PRIMARY, "gain"])
    labels = known["intermediate"].nunique()
    require(labels >= settings.minimum_intermediates, count(labels, "intermediate task"))
    found, largest = label_finder(
        known, PRIMARY, "gain", label="intermediate", group="target", alpha=settings.alpha
    )
    return detectable_by_simulation(
        found, power=settings.power, largest=largest, simulations=SIMULATIONS, steps=STEPS
    )


def _floor(study: Study, pairs: Pairs) -> floor.Floor | str | None:
    """Pairs of retrieval task and low-resource language; None without a retrieval task."""
    tasks = [task for task in study.settings.tasks if task not in pairs.left_out and floor.has_floor(task)]
    if not tasks:
        return None
    codes = {code for task in tasks for code in pairs.codes("low", task)}
    recipes = [MLM, *study.settings.recipes]
    try:
        return floor.of_all(study.scores, pairs.model, recipes, tasks, study.settings.alpha, codes)
    except NotEstimableError as error:
        return error.reason


def _id(statistic: str, model: str, group: Group, variant: str = "") -> str:
    return "/".join(filter(None, [statistic, model, group, variant]))


def _row(
    study: Study,
    role: Role,
    statistic: str,
    method: str,
    unit: str,
    *,
    model: str = "",
    group: Group = "low",
    variant: str = "",
) -> Row:
    """A row about the pairs of a model, without its numbers."""
    name = model or study.models[0]
    tasks = [task for task in study.settings.tasks if task not in study.pairs[name].left_out]
    return Row(
        study=STUDY,
        id=_id(statistic.split(":")[0], name, group, variant),
        role=role,
        model=name,
        recipe="intermediate tasks",
        task="+".join(tasks) or "-",
        subset=GROUPS[group],
        statistic=statistic,
        method=method,
        unit=unit,
    )


def _correlation_row(
    study: Study,
    model: str,
    group: Group,
    *,
    measure: str = PRIMARY,
    gain: str = "gain",
    role: Role | None = None,
    variant: str = "",
) -> Row:
    """The correlation of similarity and gain over pairs, both centred by target."""
    pairs = study.pairs[model]
    is_primary = model == study.models[0] and group == "low" and not variant
    few = f"inconclusive: runs ({pairs.few_runs})" if pairs.few_runs else ""

    def fill(row: Row) -> Row:
        test = study.test(pairs.means(group), measure, gain)
        ways = "all" if test.exact else "random"
        permuted = f"{test.relabellings:,} {ways} permutations"
        note = f"{test.labels} intermediate and {test.groups} target tasks; {permuted}"
        return replace(row, estimate=test.r, p=test.p, n=test.pairs, note=note)

    method = (
        f"Pearson over pairs of tasks, centred by target: {NAMES[measure]} and {GAINS[gain]}, mean over runs "
        "and languages; p by permuting intermediate tasks; n counts pairs"
    )
    given = role or ("primary" if is_primary else "exploratory")
    row = _row(
        study,
        given,
        "correlation:similarity",
        method,
        "correlation",
        model=model,
        group=group,
        variant=variant,
    )
    return filled(row, fill, few, pairs.remark)


def _sensitivity_rows(study: Study) -> Iterator[Row]:
    """The primary correlation under other choices."""
    model = study.models[0]
    for measure in MEASURES[1:]:
        yield _correlation_row(study, model, "low", measure=measure, role="sensitivity", variant=measure)
    for gain, variant in (("logit_gain", "logit"), ("headroom_gain", "share_of_headroom")):
        yield _correlation_row(study, model, "low", gain=gain, role="sensitivity", variant=variant)
    method = "the primary correlation given the baseline's score"
    row = _row(
        study,
        "sensitivity",
        "correlation:similarity",
        method,
        "correlation",
        variant="baseline_as_covariate",
    )
    reason = (
        "all pairs of a target have the same baseline: centring by target has taken it off already "
        "(the share of headroom does change with it)"
    )
    yield replace(row, note=not_estimable(reason))
    yield _leave_one_out_row(study)


def _leave_one_out_row(study: Study) -> Row:
    """The range of the primary correlation over leaving out one intermediate task at a time."""
    pairs = study.pairs[study.models[0]]

    def fill(row: Row) -> Row:
        means = pairs.means("low")
        estimate, least = study.test(means).r, study.settings.minimum_intermediates - 1
        values = {
            name: study.test(means[means["intermediate"] != name], least=least).r
            for name in sorted(means["intermediate"].unique())
        }
        low, high = min(values, key=values.__getitem__), max(values, key=values.__getitem__)
        note = f"least without {low}, most without {high}"
        return replace(row, estimate=estimate, low=values[low], high=values[high], n=len(means), note=note)

    method = "the primary correlation; low and high: range over leaving out one intermediate task at a time"
    variant = "leave_one_intermediate_out"
    row = _row(study, "sensitivity", "correlation:similarity", method, "correlation", variant=variant)
    return filled(row, fill, pairs.remark)


def _by_target_rows(study: Study) -> Iterator[Row]:
    """The correlation over intermediate tasks of each target by itself, as a description."""
    pairs = study.pairs[study.models[0]]
    for target in study.settings.tasks if len(study.settings.tasks) > 1 else ():

        def fill(row: Row, target: str = target) -> Row:
            if target in pairs.left_out:
                raise NotEstimableError(f"{target} is left out ({pairs.left_out[target]})")
            means = pairs.means("low")
            test = study.test(means[means["target"] == target])
            codes = pairs.codes("low", target)
            note = f"languages: {', '.join(codes)} ({len(codes)})"
            return replace(row, estimate=test.r, p=test.p, n=test.pairs, note=note)

        method = "Pearson over intermediate tasks; p by permuting them, as description"
        row = _row(study, "descriptive", "correlation:similarity", method, "correlation", variant=target)
        yield filled(replace(row, task=target), fill)


def _model_rows(study: Study) -> Iterator[Row]:
    """Repeated-measures correlation and the mixed model, over languages and pairs: descriptions."""
    pairs, alpha = study.pairs[study.models[0]], study.settings.alpha
    for group in GROUPS:

        def repeated(row: Row, group: Group = group) -> Row:
            frame = centred(pairs.languages(group), [PRIMARY, "gain"])
            found = repeated_measures(frame, PRIMARY, "gain", "language", alpha=alpha)
            note = "similarity varies only between pairs of tasks, so p and interval are too optimistic"
            return replace(
                row, estimate=found.r, low=found.low, high=found.high, p=found.p, n=found.subjects, note=note
            )

        method = (
            "repeated-measures correlation, language as subject, both sides centred by target; n counts "
            "languages; description only"
        )
        row = _row(study, "descriptive", "repeated_measures:similarity", method, "correlation", group=group)
        yield filled(row, repeated, pairs.remark)
    yield filled(_mixed_row(study), lambda row: _mixed(pairs, alpha, row), pairs.remark)


def _mixed_row(study: Study) -> Row:
    method = (
        "gain ~ similarity + (1|intermediate) + (1|target) + (1|intermediate:target) + (1|language), REML; "
        "normal interval; n counts rows; description only"
    )
    return _row(study, "descriptive", "mixed_model:similarity", method, "gain per unit of similarity")


def _mixed(pairs: Pairs, alpha: float, row: Row) -> Row:
    fit = crossed_model(pairs.languages("low"), alpha=alpha)
    deviations = ", ".join(f"{name} {np.sqrt(value):.4f}" for name, value in fit.variances.items())
    note = f"standard deviations: {deviations}"
    return replace(row, estimate=fit.estimate, low=fit.low, high=fit.high, p=fit.p, n=fit.rows, note=note)


def _pair_rows(study: Study, model: str) -> Iterator[Row]:
    """The gain of every pair in either group of languages, over runs and languages."""
    pairs = study.pairs[model]
    for group in GROUPS:
        rows = pairs.runs[pairs.runs["low"] == (group == "low")]
        cells = dict(iter(rows.groupby(["intermediate", "target"])))
        for target in study.settings.tasks:
            for intermediate in study.settings.recipes:
                part = cells.get((intermediate, target), rows.iloc[:0])

                def fill(row: Row, part: pd.DataFrame = part) -> Row:
                    if part.empty:
                        raise NotEstimableError("the pair is not scored in such languages")
                    return _pair(study, Contrast(part), row)

                row = Row(
                    study=STUDY,
                    id="/".join(["gain", model, group, intermediate, target]),
                    role="descriptive",
                    model=model,
                    recipe=intermediate,
                    task=target,
                    subset=GROUPS[group],
                    statistic=f"gain:{group}",
                    method="mean over runs and languages, crossed, random intercept per family",
                    unit=f"{study.settings.metrics[target]}, fraction",
                )
                yield filled(row, fill)


def _pair(study: Study, found: Contrast, row: Row) -> Row:
    """The mean gain, and its interval where runs, languages and families allow one."""
    try:
        return crossed_row(row, found, study.settings, least=LEAST)
    except NotEstimableError as error:
        frame = found.frame
        note = f"interval {not_estimable(error.reason)}"
        return replace(row, estimate=float(frame["gain"].mean()), n=frame["seed"].nunique(), note=note)


def _language_rows(study: Study) -> Iterator[Row]:
    """The line of each language, for the figure: gain on similarity over its pairs."""
    pairs = study.pairs[study.models[0]]
    for group in GROUPS:
        frame = pairs.languages(group)
        if frame.empty:
            continue
        relative = centred(frame, [PRIMARY])
        # The gain relative to the target's mean over the group, so that languages keep their level.
        relative["gain"] -= relative.groupby("target")["gain"].transform("mean")
        ends = relative[PRIMARY].min(), relative[PRIMARY].max()
        for code, part in relative.groupby("language"):
            if len(part) < 3 or np.ptp(part[PRIMARY]) < 1e-12:
                continue
            slope, level = np.polyfit(part[PRIMARY], part["gain"], 1)
            row = _row(
                study,
                "descriptive",
                f"line:{code}",
                "least squares over its pairs, both relative to the target's mean; low and high: at the "
                "least and the most similar pair; description only",
                "gain per unit of similarity",
                group=group,
                variant=str(code),
            )
            low, high = (float(level + slope * end) for end in ends)
            yield replace(row, estimate=float(slope), low=low, high=high, n=len(part))


def _group_rows(study: Study) -> Iterator[Row]:
    """How many low-resource languages each target has, and which."""
    pairs = study.pairs[study.models[0]]
    for target in study.settings.tasks:
        codes = pairs.codes("low", target)
        method = (
            f"less than {study.settings.low_resource_gib:g} GiB of CC-100, or unseen; scored with every run"
        )
        row = _row(study, "descriptive", "low_resource:languages", method, "languages", variant=target)
        note = ", ".join(codes)
        if target in pairs.left_out:
            note = "; ".join(filter(None, [note, "left out of the correlations"]))
        yield replace(row, task=target, estimate=float(len(codes)), n=len(codes), note=note)
