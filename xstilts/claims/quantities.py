"""The value of each quantity that is claimed, from scores, data, the run's plan or published figures."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property, singledispatchmethod

import pandas as pd

from xstilts import recipes, registry
from xstilts.claims.facts import RunFacts
from xstilts.claims.gains import DIGITS, PRIMARY, Gains, NotRunError, mean, xtreme_languages
from xstilts.claims.schema import (
    BestRecipeGain,
    Claims,
    CountGains,
    GainDifference,
    GainQuantity,
    IntermediateTasks,
    LanguagesPerTask,
    MeanGain,
    Published,
    PublishedLead,
    Quantity,
    StartingModel,
    TargetTasks,
    TasksWithTrainingData,
    TrainingExamples,
    TrainingPhases,
)
from xstilts.data.counts import published
from xstilts.data.leakage import ANY

NONE = "-"
NOTHING_TRAINED = "the scores are published ones: nothing was trained"


@dataclass(frozen=True)
class Finding:
    """The value of a quantity, what to say of it, and what else speaks against the claim."""

    value: float
    note: str = ""
    refuted: str = ""


@dataclass(frozen=True)
class Evidence:
    """What claims are evaluated on: claims.yaml, the run, its scores and its leakage report."""

    claims: Claims
    run: RunFacts
    scores: pd.DataFrame
    leakage: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def models(self) -> list[str]:
        """The run's models that start from the one that the claims are about."""
        return [name for name, start in self.run.models.items() if start == self.claims.model.repository]

    @cached_property
    def gains(self) -> Gains:
        """Gains of the first of those models.

        Raises:
            NotRunError: if its size is another, so that it cannot be that model.
        """
        model, expected = self.models[0], self.claims.model
        sizes = self.scores.loc[self.scores["model"] == model, "parameters"].unique()
        if others := [size for size in sizes if abs(size / expected.parameters - 1) > 1 / 20]:
            raise NotRunError(
                f"{model} has {int(others[0]):,} parameters, and {expected.title} about"
                f" {expected.parameters:,}"
            )
        return Gains(self.scores, model)

    def table(
        self, quantity: GainQuantity, names: Iterable[str], split: str = PRIMARY
    ) -> dict[str, dict[str, float]]:
        """Gains in the tasks of a quantity, by recipe and task."""
        return self.gains.table(names, {task: quantity.metrics_of(task) for task in quantity.tasks}, split)

    def means(self, quantity: GainQuantity, names: Iterable[str]) -> dict[str, float]:
        """The mean gain of each recipe over the tasks of a quantity."""
        table = self.table(quantity, names)
        return {recipe: mean(list(gains.values())) for recipe, gains in table.items()}

    @singledispatchmethod
    def find(self, quantity: Quantity) -> Finding:
        """The value of a quantity.

        Raises:
            NotRunError: if something that it needs is not there.
        """
        raise NotImplementedError(type(quantity).__name__)

    @find.register
    def _(self, quantity: MeanGain) -> Finding:
        every = self.means(quantity, [*quantity.recipes, *quantity.best_of])
        value = mean([every[recipe] for recipe in quantity.recipes])
        better = [f"{name} ({every[name]:+.1f})" for name in quantity.best_of if every[name] > value]
        refuted = f"higher: {', '.join(better)}" if better else ""
        return Finding(value, _signed(every) if len(every) > 1 else "", refuted)

    @find.register
    def _(self, quantity: CountGains) -> Finding:
        table = self.table(quantity, quantity.recipes)
        least = {recipe: min(gains.values()) for recipe, gains in table.items()}
        if quantity.above is not None:
            reached = [recipe for recipe, gain in least.items() if gain > quantity.above]
        else:
            assert quantity.at_least is not None
            reached = [recipe for recipe, gain in least.items() if gain >= quantity.at_least]
        over = " (the smallest over the tasks)" if len(quantity.tasks) > 1 else ""
        return Finding(len(reached), f"{_signed(least)}{over}")

    @find.register
    def _(self, quantity: BestRecipeGain) -> Finding:
        chosen_by = self.table(quantity, quantity.recipes)
        best = {
            task: max(chosen_by, key=lambda recipe, task=task: chosen_by[recipe][task])  # type: ignore[misc]
            for task in quantity.tasks
        }
        found: dict[str, float] = {}
        absent: list[tuple[str, str]] = []
        problems: list[str] = []
        for task, recipe in best.items():
            only = quantity.model_copy(update={"tasks": [task]})
            try:
                found[task] = self.table(only, [recipe], quantity.split)[recipe][task]
            except NotRunError as gap:
                absent += gap.absent
                problems += gap.problems
        if absent or problems:
            raise NotRunError(*problems, absent=absent)
        words = [f"{task}: {best[task]} {gain:+.1f}" for task, gain in found.items()]
        return Finding(mean(list(found.values())), ", ".join(words))

    @find.register
    def _(self, quantity: GainDifference) -> Finding:
        every = self.means(quantity, [recipe for pair in quantity.pairs for recipe in pair])
        return Finding(
            mean([every[first] - every[second] for first, second in quantity.pairs]), _signed(every)
        )

    @find.register
    def _(self, quantity: StartingModel) -> Finding:
        others = sorted(set(self.run.models) - set(self.models))
        note = f"the others: {', '.join(others)}" if others else ""
        return Finding(len(self.models) / len(self.run.models), note)

    @find.register
    def _(self, quantity: TargetTasks) -> Finding:
        known = {name for name, entry in registry.evaluation_tasks().items() if entry.languages.xtreme}
        claimed = set(quantity.tasks)
        foreign, besides = ", ".join(sorted(claimed - known)), ", ".join(sorted(known - claimed))
        words = [f"not of XTREME: {foreign}" if foreign else "", f"not claimed: {besides}" if besides else ""]
        return Finding(len(known), refuted=_joined(*words))

    @find.register
    def _(self, quantity: IntermediateTasks) -> Finding:
        if self.run.scores_are_given:
            raise NotRunError(NOTHING_TRAINED)
        asked = {task: kind for kind, tasks in quantity.types.items() for task in tasks}
        types = {task: registry.training_tasks()[task].type for task in asked}
        other = [task for task, kind in asked.items() if types[task] != kind]
        trained = {
            task
            for intermediate, _, _ in self.run.stages
            if intermediate != NONE
            for task in recipes.parse(intermediate).tasks
        }
        lacking = [task for task in asked if task not in trained]
        if lacking and not other:
            raise NotRunError(f"the run has no intermediate training on {', '.join(lacking)}")
        found = set(asked) - set(other) - set(lacking)
        return Finding(len(found), ", ".join(f"{task} is {types[task]}" for task in other))

    @find.register
    def _(self, quantity: LanguagesPerTask) -> Finding:
        numbers = {task: len(xtreme_languages(task)) for task in quantity.tasks}
        return Finding(max(numbers.values()), ", ".join(f"{task} {n}" for task, n in numbers.items()))

    @find.register
    def _(self, quantity: TasksWithTrainingData) -> Finding:
        entries = registry.evaluation_tasks()
        read = {split.dataset for task in registry.training_tasks().values() for split in task.train}
        staged = {task for _, target, task in self.run.stages if target != NONE}
        having = [
            task
            for task in quantity.tasks
            if entries[task].target or task in staged or entries[task].data.dataset in read
        ]
        return Finding(len(having), ", ".join(having))

    @find.register
    def _(self, quantity: TrainingPhases) -> Finding:
        if self.run.scores_are_given:
            raise NotRunError(NOTHING_TRAINED)
        if not any(self.run.models.values()):
            raise NotRunError(f"no model of the run starts from a public masked LM: {self.run.starts}")
        english = [stages for *stages, _ in self.run.stages if all(map(_is_english, stages))]
        longest = min(english, key=lambda stages: stages.count(NONE), default=[NONE, NONE])
        kinds = ("intermediate training", "target training")
        later = [f"{kind}: {stage}" for kind, stage in zip(kinds, longest, strict=True) if stage != NONE]
        return Finding(1 + len(later), _joined(f"masked LM: {self.run.starts}", *later))

    @find.register
    def _(self, quantity: TrainingExamples) -> Finding:
        task = registry.training_tasks()[quantity.task]
        parts = [(split.dataset, split.split, code) for split in task.train for code in task.languages]
        figures = [published(*part) for part in parts]
        known = [figure for figure in figures if figure is not None]
        said = f"published are {sum(known):,}" if len(known) == len(figures) else ""
        if len(self.leakage):
            rows = self.leakage
            read = rows[(rows["trained_on"] == quantity.task) & (rows["evaluation"] == ANY)]
            if len(read):
                return Finding(int(read["of"].sum()), _joined("read by this run", said))
        locked = {f"{name}/{split}": self.run.locked.get(f"{name}/{split}", {}) for name, split, _ in parts}
        absent = [
            f"{name}/{split} ({code})" for name, split, code in parts if code not in locked[f"{name}/{split}"]
        ]
        if absent:
            raise NotRunError(_joined(f"the data present hold no {', '.join(absent)}", said))
        value = sum(locked[f"{name}/{split}"][code] for name, split, code in parts)
        return Finding(value, _joined("as the data lock counts them", said))

    @find.register
    def _(self, quantity: PublishedLead) -> Finding:
        rows = self.claims.published
        leads, words = [], []
        for own in [row for row in rows if row.system == quantity.system]:
            rivals = [row for row in rows if row.source == own.source and row.system != own.system]
            before = {row.system: _means(own, row) for row in rivals if not row.later}
            if not before:
                raise NotRunError(f"{own.source} has no system before {own.system}")
            best = max(before, key=lambda system: before[system][1] - before[system][0])
            ours, theirs, tasks = before[best]
            leads.append(round(ours - theirs, DIGITS))
            since = [row.system for row in rivals if row.later and _means(own, row)[1] > _means(own, row)[0]]
            later = f"; higher since: {', '.join(since)}" if since else ""
            words.append(
                f"{own.source}: {own.system} {ours:.1f}, {best} {theirs:.1f}, mean of {tasks} tasks{later}"
            )
        return Finding(min(leads), ". ".join(["published figures, none of this run", *words]))


def _means(one: Published, other: Published) -> tuple[float, float, int]:
    """The mean figures of two systems over the tasks and metrics that both have, and the number of tasks."""
    tasks = [task for task in one.figures if set(one.figures[task]) & set(other.figures.get(task, {}))]
    if not tasks:
        raise NotRunError(f"{one.source} has no task that both {one.system} and {other.system} have")

    def of(row: Published) -> float:
        shared = {task: sorted(set(one.figures[task]) & set(other.figures[task])) for task in tasks}
        return mean([mean([row.figures[task][name] for name in shared[task]]) for task in tasks])

    return of(one), of(other), len(tasks)


def _is_english(stages: str) -> bool:
    entries = registry.training_tasks()
    tasks = () if stages == NONE else recipes.parse(stages).tasks
    return all(entries[task].languages == ["en"] and not entries[task].is_text for task in tasks)


def _signed(gains: dict[str, float]) -> str:
    return ", ".join(f"{name} {gain:+.1f}" for name, gain in gains.items())


def _joined(*parts: str) -> str:
    return "; ".join(filter(None, parts))
