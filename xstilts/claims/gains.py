"""Gains from the table of scores: what intermediate training adds, in percentage points.

A gain is the score with an intermediate recipe minus the score without it: same model, same target stage,
same seed (a masked LM that is scored as it is, is paired with every seed). Every language of XTREME that the
task has must be there, with every seed; what is missing is named, and nothing is averaged over less.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from functools import cached_property
from math import fsum

import pandas as pd

from xstilts import registry
from xstilts.recipes import MLM

SHOWN = 5
DIGITS = 6  # of points
PRIMARY = ""
"""The split that the registry gives a task."""


class NotRunError(Exception):
    """What a claim needs is not there; the message says what, a few of each kind.

    Args:
        problem: What is wrong, if anything but the absence of scores.
        absent: Recipes without a score in a task, as (recipe, task).
    """

    def __init__(self, *problem: str, absent: Sequence[tuple[str, str]] = ()) -> None:
        self.problems, self.absent = problem, tuple(absent)
        super().__init__(*problem)

    def __str__(self) -> str:
        tasks: dict[str, list[str]] = {}
        for recipe, task in dict.fromkeys(self.absent):
            tasks.setdefault(recipe, []).append(task)
        recipes: dict[tuple[str, ...], list[str]] = {}
        for recipe, those in tasks.items():
            recipes.setdefault(tuple(those), []).append(recipe)
        words = [f"no score of {_some(names)} in {_some(those, 9)}" for those, names in recipes.items()]
        words += [_some(dict.fromkeys(self.problems), joint="; ")] if self.problems else []
        return "; ".join(words)


def xtreme_languages(task: str) -> list[str]:
    """The languages in which XTREME scores a task, sorted."""
    return sorted(registry.evaluation_tasks()[task].languages.xtreme)


class Gains:
    """Gains of one model. `scores` has the columns of scores.tsv."""

    def __init__(self, scores: pd.DataFrame, model: str) -> None:
        self.scores = scores[scores["model"] == model]
        self.seeds = set(self.scores.loc[self.scores["intermediate"] != "-", "seed"])

    @cached_property
    def _parts(self) -> dict[Hashable, pd.DataFrame]:
        return dict(iter(self.scores.groupby(["task", "metric"])))

    def table(
        self, recipes: Iterable[str], metrics: Mapping[str, Sequence[str]], split: str = PRIMARY
    ) -> dict[str, dict[str, float]]:
        """The gain of each recipe in each task, by recipe and task.

        Args:
            recipes: Intermediate recipes.
            metrics: For each evaluation task, the metrics of which its score is the mean.
            split: The split that is scored; empty: that of the registry.

        Returns:
            Percentage points: means over metrics, seeds and languages.

        Raises:
            NotRunError: naming all that is missing.
        """
        found: dict[str, dict[str, float]] = {}
        absent: list[tuple[str, str]] = []
        problems: list[str] = []
        for recipe in dict.fromkeys(recipes):
            for task, names in metrics.items():
                try:
                    gain = mean([self._metric(recipe, task, metric, split) for metric in names])
                    found.setdefault(recipe, {})[task] = gain
                except NotRunError as gap:
                    absent += gap.absent
                    problems += gap.problems
        if absent or problems:
            raise NotRunError(*problems, absent=absent)
        return found

    def _metric(self, recipe: str, task: str, metric: str, split: str) -> float:
        entry = registry.evaluation_tasks()[task]
        rows = self._parts.get((task, metric), self.scores[:0])
        if split == "test" and entry.test is not None:
            entry = entry.model_copy(update={"data": entry.test})
        rows = rows[rows["split"] == rows["language"].map(entry.scored)]
        whose = f"{recipe} in {task}" + (f" (split {split})" if split else "")
        treated = rows[rows["intermediate"] == recipe]
        if treated.empty:
            raise NotRunError(absent=[(recipe, f"{task} ({split})" if split else task)])
        targets = treated["target"].unique()
        if len(targets) > 1:
            raise NotRunError(f"{whose} has several target stages: {', '.join(sorted(targets))}")
        untreated = MLM if targets[0] == "-" else targets[0]
        baseline = rows[(rows["intermediate"] == "-") & (rows["recipe"] == untreated)]
        languages = xtreme_languages(task)
        with_it = _by_seed(treated, languages, whose)
        without = _by_seed(baseline, languages, f"the baseline {untreated} in {task}")
        if targets[0] == "-" and len(without) == 1:
            without = {seed: next(iter(without.values())) for seed in with_it}
        if unseen := sorted(self.seeds - set(with_it)):
            raise NotRunError(f"no score of {whose} with seed {_some(map(str, unseen))}")
        if unpaired := sorted(set(with_it) - set(without)):
            raise NotRunError(f"no baseline {untreated} in {task} with seed {_some(map(str, unpaired))}")
        gains = [with_it[seed][code] - without[seed][code] for seed in with_it for code in languages]
        return round(100 * mean(gains), DIGITS)


def mean(values: Sequence[float]) -> float:
    """The mean, exactly summed, so that neither order nor rounding decides a comparison."""
    return round(fsum(values) / len(values), DIGITS + 2)  # a fraction has two digits more than points


def _by_seed(rows: pd.DataFrame, languages: Sequence[str], whose: str) -> dict[int, dict[str, float]]:
    """Values by seed and language.

    Raises:
        NotRunError: if there are none, or those of a seed are incomplete or ambiguous.
    """
    rows = rows[rows["language"].isin(languages) & rows["value"].notna()]
    if rows.empty:
        raise NotRunError(f"no score of {whose}")
    settings = sorted(rows["setting"].astype(str).unique())
    if len(settings) > 1:
        raise NotRunError(f"{whose} has scores in several settings: {', '.join(settings)}")
    found: dict[int, dict[str, float]] = {}
    for seed, language, value in zip(rows["seed"], rows["language"], rows["value"], strict=True):
        found.setdefault(int(seed), {})[str(language)] = float(value)
    missing = sorted({code for values in found.values() for code in set(languages) - set(values)})
    if missing:
        raise NotRunError(f"no score of {whose} in {_some(missing)}")
    return dict(sorted(found.items()))


def _some(every: Iterable[str], shown: int = SHOWN, joint: str = ", ") -> str:
    names = list(every)
    more = [f"and {len(names) - shown} more"] if len(names) > shown else []
    return joint.join(names[:shown] + more)
