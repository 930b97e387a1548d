"""Study S3: does multilingual question answering prepare for cross-lingual retrieval better than English?

The estimate of every contrast is the mean over tasks of the mean over each task's languages, and over seeds;
seeds and languages are crossed: xstilts.studies.contrasts makes the table of a contrast,
xstilts.statistics.crossed its interval.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property, partial

import pandas as pd

from xstilts.statistics.crossed import CrossedMean, tost
from xstilts.statistics.errors import NotEstimableError, count, require
from xstilts.statistics.family import leave_one_family_out
from xstilts.statistics.seeds import mean_over_seeds
from xstilts.statistics.signed_rank import signed_rank
from xstilts.studies import floor
from xstilts.studies.contrasts import LEAST, Cells, TooFewRunsError, contrast, crossed, crossed_row
from xstilts.studies.qa_retrieval.verdict import Unanswered, decide
from xstilts.studies.rows import Role, Row, filled, tests_table
from xstilts.studies.scores import ENGLISH, Scores
from xstilts.studies.settings import MLM, QARetrievalJob
from xstilts.studies.tables import Tables
from xstilts.studies.verdict import Verdict
from xstilts.studies.words import LEAVE_ONE_OUT

STUDY = "qa_retrieval"
PRIMARY = "multilingual_minus_english"
EVERYWHERE = "all languages but English"
MATCHED, WHOLE = "matched", "whole"
RECALLS = ("recall_at_1", "recall_at_5", "recall_at_10")
METRICS = (*RECALLS, "success_at_10", "mrr", "map_at_20")


@dataclass(frozen=True)
class Question:
    """Which arms are compared with which, in which tasks; `name` and `sizes` go into the row's id."""

    model: str
    name: str
    ours: tuple[str, ...]
    theirs: tuple[str, ...]
    tasks: tuple[str, ...]
    sizes: str

    @property
    def task(self) -> str:
        """Its tasks, as the rows name them."""
        return "+".join(self.tasks)

    @property
    def recipe(self) -> str:
        """Its arms, as the rows name them."""
        return f"{_mean_of(self.ours)} minus {_mean_of(self.theirs)}"

    def id(self, statistic: str, variant: str = "") -> str:
        """The id of a row about it."""
        parts = [statistic, self.name, self.sizes, self.model, self.task, variant]
        return "/".join(filter(None, parts))


def _method(question: Question, families: str = "random intercept per family") -> str:
    """How the mean of a contrast and its interval are made."""
    weights = "; every task weighs the same, and so does every language within it (linearised)"
    several = len(question.tasks) > 1
    return f"mean over runs and languages, crossed, {families}{weights * several}"


def _mean_of(arms: Sequence[str]) -> str:
    return arms[0] if len(arms) == 1 else f"the mean of {', '.join(arms)}"


@dataclass(frozen=True)
class Study:
    """The checked inputs of one analysis."""

    scores: Scores
    tables: Tables
    settings: QARetrievalJob

    @cached_property
    def models(self) -> list[str]:
        """The models, the primary one first."""
        return self.scores.models() or ["-"]

    @cached_property
    def tasks(self) -> tuple[str, ...]:
        """The retrieval tasks."""
        return tuple(self.settings.tasks)

    @cached_property
    def arms(self) -> dict[str, dict[str, tuple[str, ...]]]:
        """The QA arms of both sides, of one size and as they are."""
        whole = {"english": self.settings.english, "multilingual": self.settings.multilingual}
        return {
            sizes: {side: tuple(arms) for side, arms in sides.items()}
            for sizes, sides in ((MATCHED, self.settings.matched), (WHOLE, whole))
        }

    @cached_property
    def trained(self) -> list[str]:
        """The languages of the multilingual training sets, without English."""
        found = {code for codes in self.settings.trained_languages.values() for code in codes}
        return sorted(found - {ENGLISH})

    @property
    def unit(self) -> str:
        """What the scores are, as fractions."""
        metrics = sorted({self.settings.metrics[task] for task in self.tasks})
        return " and ".join(metrics) + ", fraction"

    def kinds(self, model: str, sizes: str, tasks: Sequence[str]) -> Question:
        """Multilingual minus English QA."""
        sides = self.arms[sizes]
        return Question(model, PRIMARY, sides["multilingual"], sides["english"], tuple(tasks), sizes)

    def gain(self, model: str, arm: str) -> Question:
        """An arm minus the masked LM."""
        return Question(model, f"{arm}_minus_{MLM}", (arm,), (MLM,), self.tasks, "")

    def side(self, model: str, side: str) -> Question:
        """The matched arms of a side, `english` or `multilingual`, minus the masked LM."""
        arms = self.arms[MATCHED][side]
        if len(arms) == 1:
            return self.gain(model, arms[0])
        return Question(model, f"{side}_minus_{MLM}", arms, (MLM,), self.tasks, MATCHED)

    @cached_property
    def primary(self) -> Question:
        """The primary hypothesis."""
        return self.kinds(self.models[0], MATCHED, self.tasks)

    @cached_property
    def known(self) -> dict[str, pd.DataFrame]:
        """What is known of each language, by model."""
        return {model: self.tables.known(model, self.settings) for model in self.models}


def analyse(tables: Tables, settings: QARetrievalJob) -> tuple[pd.DataFrame, Verdict]:
    """Run the study.

    Returns:
        tests.tsv and the verdict.

    Raises:
        StudyError: if a table lacks something or contradicts itself.
    """
    study = Study(Scores.checked(tables.scores, settings), tables, settings)
    compared = _memory(study)
    rows = [row for model in study.models for row in _kind_rows(study, model, compared)]
    rows += [row for model in study.models for row in _arm_rows(study, model, compared)]
    rows += [*_sensitivity_rows(study, compared), _signed_rank_row(study, compared), *_floor_rows(study)]
    rows += [row for model in study.models for row in _description(study, model)]
    return tests_table(rows, settings.correction, settings.alpha), _verdict(study, compared)


Compare = Callable[[Question], Cells]


def _memory(study: Study) -> Compare:
    """The table of each contrast, made once."""

    @cache
    def compared(question: Question) -> Cells:
        model = question.model
        return contrast(
            study.scores, study.known[model], model, question.ours, question.theirs, question.tasks
        )

    return compared


def _verdict(study: Study, compared: Compare) -> Verdict:
    settings, question = study.settings, study.primary
    against: floor.Floor | str
    try:
        arms = [*question.ours, *question.theirs]
        against = floor.of_all(study.scores, question.model, arms, study.tasks, settings.alpha)
    except NotEstimableError as error:
        against = error.reason
    mean, english, multilingual = (
        _answer(compared, asked, settings)
        for asked in (question, *(study.side(question.model, side) for side in study.arms[MATCHED]))
    )
    sides = {"English QA": english, "multilingual QA": multilingual}
    return decide(mean, against, sides, settings, question.id("difference"))


def _answer(compared: Compare, question: Question, settings: QARetrievalJob) -> CrossedMean | Unanswered:
    try:
        return crossed(compared(question).over_tasks().frame, settings)
    except TooFewRunsError as error:
        return Unanswered(error.reason, runs=True)
    except NotEstimableError as error:
        return Unanswered(error.reason)


def _row(
    study: Study,
    question: Question,
    role: Role,
    *,
    statistic: str = "difference",
    method: str = "",
    subset: str = EVERYWHERE,
    variant: str = "",
    unit: str = "",
) -> Row:
    """A row about a contrast, without its numbers."""
    return Row(
        study=STUDY,
        id=question.id(statistic, variant),
        role=role,
        model=question.model,
        recipe=question.recipe,
        task=question.task,
        subset=subset,
        statistic=f"{statistic}:{question.name}",
        method=method or _method(question),
        unit=unit or study.unit,
    )


def _difference(
    study: Study,
    compared: Compare,
    question: Question,
    role: Role,
    *,
    value: str = "gain",
    families: str | None = "family",
    **about: str,
) -> Row:
    """The mean of a contrast over all its languages, with its crossed interval."""

    def fill(row: Row) -> Row:
        found = compared(question).over_tasks(value)
        return crossed_row(row, found, study.settings, value, families=families)

    return filled(_row(study, question, role, **about), fill)


def _kind_rows(study: Study, model: str, compared: Compare) -> Iterator[Row]:
    """Multilingual minus English QA, per task and subset of the languages, with and without equal sizes."""
    for sizes in (MATCHED, WHOLE):
        each = [(task,) for task in study.tasks] if len(study.tasks) > 1 else []
        for tasks in (study.tasks, *each):
            question = study.kinds(model, sizes, tasks)
            is_primary = question == study.primary
            yield _difference(study, compared, question, "primary" if is_primary else "exploratory")
            yield from _subset_rows(study, compared, question)


def _subset_rows(study: Study, compared: Compare, question: Question) -> Iterator[Row]:
    """The same in languages inside and outside the multilingual training sets, and how these differ."""
    names = ", ".join(study.trained)

    def part(row: Row, inside: bool) -> Row:
        if not study.trained:
            raise NotEstimableError("the languages of the multilingual training sets are not given")
        found = compared(question).within(*((study.trained,) if inside else (None, study.trained)))
        if found.frame.empty:
            raise NotEstimableError("no such language is scored with every run")
        return crossed_row(row, found.over_tasks(), study.settings, least=LEAST)

    subsets = {
        "inside": f"languages of the multilingual training sets ({names})",
        "outside": "languages outside the multilingual training sets",
    }
    for variant, subset in subsets.items():
        row = _row(study, question, "exploratory", subset=subset, variant=variant)
        yield filled(row, partial(part, inside=variant == "inside"))
    method = "per run, mean inside minus mean outside; t over runs, languages are taken as they are"
    row = _row(study, question, "exploratory", method=method, variant="inside_minus_outside")
    yield filled(row, lambda row: _inside_minus_outside(study, compared(question), row))


def _inside_minus_outside(study: Study, found: Cells, row: Row) -> Row:
    settings = study.settings
    sides = (found.within(study.trained), found.within(None, study.trained))
    if any(side.frame.empty for side in sides):
        raise NotEstimableError("there are languages on one side only")
    inside, outside = (side.over_tasks().frame.groupby("seed")["gain"].mean() for side in sides)
    each = (inside - outside).tolist()
    named = dict(zip(("inside", "outside"), sides, strict=True))
    remarks = [f"{name}: {side.remark}" for name, side in named.items() if side.remark]
    try:
        mean, low, high, p = mean_over_seeds(each, alpha=settings.alpha, minimum=settings.minimum_seeds)
    except NotEstimableError as error:
        note = "; ".join([f"inconclusive: runs ({error.reason})", *remarks])
        return replace(row, estimate=sum(each) / len(each), n=len(each), note=note)
    note = "; ".join([count(len(each), "run"), *remarks])
    return replace(row, estimate=mean, low=low, high=high, p=p, n=len(each), note=note)


def _arm_rows(study: Study, model: str, compared: Compare) -> Iterator[Row]:
    """Every arm and side minus the masked LM, and English QA minus other English tasks."""
    against = [study.gain(model, arm) for arm in study.settings.planned if arm != MLM]
    against += [study.side(model, side) for side in study.arms[MATCHED]]
    for question in dict.fromkeys(against):  # a side of one arm is that arm
        yield _difference(study, compared, question, "exploratory")
    english, others = study.arms[WHOLE]["english"], tuple(study.settings.non_qa)
    question = Question(model, "english_minus_non_qa", english, others or ("-",), study.tasks, WHOLE)
    if others:
        yield _difference(study, compared, question, "exploratory")
    else:
        row = replace(_row(study, question, "exploratory"), recipe=_mean_of(english))
        yield filled(row, _refuse("no arm is an English task that is no QA"))


def _refuse(reason: str) -> Callable[[Row], Row]:
    def fill(row: Row) -> Row:
        raise NotEstimableError(reason)

    return fill


def _sensitivity_rows(study: Study, compared: Compare) -> Iterator[Row]:
    """The primary contrast under other choices."""
    question = study.primary
    yield _difference(
        study, compared, question, "sensitivity", value="logit_gain", variant="logit", unit="log odds"
    )
    yield _difference(
        study,
        compared,
        question,
        "sensitivity",
        families=None,
        variant="independent_languages",
        method=_method(question, "languages of a family as independent"),
    )
    for factor, variant in ((0.5, "half_margin"), (1.0, "margin"), (2.0, "double_margin")):
        yield _equivalence_row(study, compared, factor * study.settings.margin, variant)
    for task in study.tasks if len(study.tasks) > 1 else ():
        rest = tuple(other for other in study.tasks if other != task)
        row = _difference(study, compared, replace(question, tasks=rest), "sensitivity")
        yield replace(row, id=question.id("difference", f"without_{task}"))
    if len(study.tasks) > 1:
        yield _shared_row(study, compared)
    yield _family_range_row(study, compared)


def _shared_row(study: Study, compared: Compare) -> Row:
    def fill(row: Row) -> Row:
        found = compared(study.primary)
        require(bool(found.shared), "the tasks share no language")
        return crossed_row(row, found.within(found.shared).over_tasks(), study.settings)

    subset = "languages but English that all tasks have"
    row = _row(study, study.primary, "sensitivity", subset=subset, variant="shared_languages")
    return filled(row, fill)


def _equivalence_row(study: Study, compared: Compare, margin: float, variant: str) -> Row:
    settings = study.settings

    def fill(row: Row) -> Row:
        mean = crossed(compared(study.primary).over_tasks().frame, settings)
        found = tost(mean, margin, settings.alpha)
        note = "equivalent" if found.p <= settings.alpha else "equivalence is not shown"
        return replace(
            row,
            estimate=mean.estimate,
            low=found.low,
            high=found.high,
            p=found.p,
            n=mean.seeds,
            method=f"{row.method}; t with {mean.freedom} df",
            note=f"{note} within {margin:g}",
        )

    level = f"{100 * (1 - 2 * settings.alpha):g}"
    method = f"two one-sided tests (TOST) against {margin:g} either way; low and high: {level} % interval"
    row = _row(study, study.primary, "sensitivity", statistic="equivalence", method=method, variant=variant)
    return filled(row, fill)


def _family_range_row(study: Study, compared: Compare) -> Row:
    def mean(cells: pd.DataFrame) -> float:
        return float(cells.groupby("task")["gain"].mean().mean())

    def fill(row: Row) -> Row:
        frame = compared(study.primary).frame
        low, high = leave_one_family_out(frame, mean)
        return replace(row, estimate=mean(frame), low=low, high=high, n=frame["seed"].nunique())

    method = "the primary mean; low and high: range over leaving out one family at a time"
    row = _row(study, study.primary, "sensitivity", method=method, variant=LEAVE_ONE_OUT)
    return filled(row, fill)


def _signed_rank_row(study: Study, compared: Compare) -> Row:
    """Over languages, as description only: it takes the luck of the runs as none."""

    def fill(row: Row) -> Row:
        each = compared(study.primary).frame.groupby("language")["gain"].mean()
        biserial, p, n = signed_rank(each.tolist())
        return replace(row, estimate=biserial, p=p, n=n, note="description only, no test of the recipes")

    method = (
        "Wilcoxon over the languages' means over their tasks; takes languages as independent and runs as "
        "without luck"
    )
    row = _row(
        study,
        study.primary,
        "descriptive",
        statistic="signed_rank",
        method=method,
        unit="rank-biserial correlation",
    )
    return filled(row, fill)


def _floor_rows(study: Study) -> Iterator[Row]:
    """Shares of the languages in which the compared arms are not above chance and other controls."""
    settings, question = study.settings, study.primary
    methods = {
        "chance": f"exact binomial test per language, one-sided at {settings.alpha:g}",
        "tfidf": "count of scores not above those of character n-gram TF-IDF",
        "untrained": "count of scores not above those of the same encoder with random weights",
    }
    for task in study.tasks:
        for arm in (*question.ours, *question.theirs):
            place = (study.scores, question.model, arm, task)
            compared: dict[str, Callable[[], floor.Floor]] = {
                "chance": partial(floor.against_chance, *place, settings.alpha),
                "tfidf": partial(floor.against_control, *place, floor.TFIDF),
                "untrained": partial(floor.against_control, *place, (question.model, floor.UNTRAINED)),
            }
            for control, compare in compared.items():
                name = f"share_not_above:{control}"
                row = _described(study, question.model, arm, task, name, methods[control])
                yield filled(replace(row, unit="share of languages"), _shares(compare))


def _shares(compare: Callable[[], floor.Floor]) -> Callable[[Row], Row]:
    def fill(row: Row) -> Row:
        found = compare()
        return replace(row, estimate=found.share, n=found.languages, note=", ".join(found.below))

    return fill


def _described(study: Study, model: str, arm: str, task: str, statistic: str, method: str) -> Row:
    return Row(
        study=STUDY,
        id="/".join([*statistic.split(":"), model, arm, task]),
        role="descriptive",
        model=model,
        recipe=arm,
        task=task,
        subset=EVERYWHERE,
        statistic=statistic,
        method=method,
        unit="fraction",
    )


def _description(study: Study, model: str) -> Iterator[Row]:
    """Every metric of every arm and task as far as scored, and the most that recall can be."""
    table = study.scores.table
    for task in study.tasks:
        scored = set(table.loc[(table["model"] == model) & (table["task"] == task), "metric"])
        if "accuracy" in scored:
            scored.add(RECALLS[0])
        for arm in study.settings.planned:
            for metric in (metric for metric in METRICS if metric in scored):
                method = "mean over runs and languages; low and high: least and best language"
                row = _described(study, model, arm, task, f"mean:{metric}", method)
                yield filled(row, _means(study, model, arm, task, metric))
        for metric in RECALLS:
            ceiling = _ceiling(study, model, task, f"{metric}_ceiling")
            if len(ceiling):
                method = "mean over languages of min(k, relevant) / relevant; low and high: least and best"
                row = _described(study, model, "-", task, f"ceiling:{metric}", method)
                yield _spread(row, ceiling)


def _spread(row: Row, each: "pd.Series[float]") -> Row:
    return replace(row, estimate=each.mean(), low=each.min(), high=each.max(), n=len(each))


def _means(study: Study, model: str, arm: str, task: str, metric: str) -> Callable[[Row], Row]:
    def fill(row: Row) -> Row:
        cell, note = study.scores.of(model, arm, task, metric), ""
        if cell.empty and metric == RECALLS[0]:
            cell = study.scores.of(model, arm, task, "accuracy")
            note = "accuracy, which is recall at 1 where one candidate is right" if len(cell) else ""
        each = cell[cell["language"] != ENGLISH].groupby("language")["value"].mean()
        if each.empty:
            raise NotEstimableError(f"the scores hold no {metric} of {task} of {model}, {arm}")
        return replace(_spread(row, each), note=note)

    return fill


def _ceiling(study: Study, model: str, task: str, metric: str) -> "pd.Series[float]":
    """By language; of the model's own scores, else of those of chance."""
    table = study.scores.table
    rows = table[(table["task"] == task) & (table["metric"] == metric) & (table["language"] != ENGLISH)]
    own = rows[rows["model"] == model]
    rows = own if len(own) else rows[rows["model"] == floor.CHANCE[0]]
    return rows.dropna(subset=["value"]).groupby("language")["value"].mean()
