"""Contrasts between recipes: runs and languages are crossed, and the run is the replicate."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from xstilts.statistics.crossed import CrossedMean, crossed_mean, mean_over_tasks
from xstilts.statistics.errors import NotEstimableError, count
from xstilts.studies.rows import Row
from xstilts.studies.scores import Scores, gains
from xstilts.studies.settings import StatisticsSettings

LEAST = 3
"""Languages, and families, below which no subset of the languages has an interval."""
VALUES = ["baseline", "score", "gain", "logit_gain"]


class TooFewRunsError(NotEstimableError):
    """Fewer runs than a contrast of recipes needs."""


@dataclass(frozen=True)
class Contrast:
    """One value of a contrast per seed and language.

    Attributes:
        frame: All seeds with the same languages: seed, language, family and the value, in a column of its
            name (`gain`).
        remark: What a reader of its rows must know.
    """

    frame: pd.DataFrame
    remark: str = ""


@dataclass(frozen=True)
class Cells:
    """The mean of some arms minus the mean of others, in each task.

    Attributes:
        frame: A row per task, seed and language, all seeds with the same languages of a task: task, seed,
            language, family, baseline, score, gain (score minus baseline), logit_gain.
        remark: What a reader of its rows must know.
    """

    frame: pd.DataFrame
    remark: str = ""

    def within(self, languages: Collection[str] | None, without: Collection[str] = ()) -> "Cells":
        """The same of some languages only; tasks that have none of them drop out."""
        chosen = ~self.frame["language"].isin(without)
        if languages is not None:
            chosen &= self.frame["language"].isin(languages)
        return self._of(chosen)

    @property
    def shared(self) -> list[str]:
        """The languages that all tasks have, sorted."""
        tasks = self.frame.groupby("language")["task"].nunique()
        return sorted(tasks.index[tasks == self.frame["task"].nunique()])

    def over_tasks(self, value: str = "gain") -> Contrast:
        """The mean over tasks of a column: every task weighs the same, and so does each of its languages.

        A language counts in a task if every seed has the value there (`logit_gain` needs the number of
        examples too).
        """
        known = self.frame[value].notna().groupby([self.frame["task"], self.frame["language"]])
        found = self._of(known.transform("all"))
        family = found.frame.drop_duplicates("language").set_index("language")["family"]
        means = mean_over_tasks(found.frame, value)
        return Contrast(means.assign(family=means["language"].map(family)), found.remark)

    def _of(self, chosen: "pd.Series[bool]") -> "Cells":
        frame = self.frame[chosen]
        gone = [task for task in self.frame["task"].unique() if task not in set(frame["task"])]
        left_out = f"without such a language: {', '.join(gone)}" if gone else ""
        return Cells(frame, "; ".join(filter(None, [self.remark, left_out])))


def contrast(
    scores: Scores,
    known: pd.DataFrame,
    model: str,
    ours: Sequence[str],
    theirs: Sequence[str],
    tasks: Sequence[str],
) -> Cells:
    """Compare arms, English left out.

    A language counts in a task if every seed and arm has it there; a seed counts if it has every task.

    Args:
        scores: The scores.
        known: What is known of each language: columns language, family.
        model: The model.
        ours: Arms (recipes), whose scores are averaged.
        theirs: The arms that they are compared with.
        tasks: Evaluation tasks.

    Raises:
        NotEstimableError: if a task lacks an arm or a language with every run, or no seed has every task.
    """
    parts = {task: _task(scores, model, ours, theirs, task) for task in tasks}
    seeds = set.intersection(*(set(part["seed"]) for part in parts.values()))
    if not seeds:
        raise NotEstimableError("no seed has every task")
    complete, partly = [], []
    for task, part in parts.items():
        runs = part[part["seed"].isin(seeds)]
        whole = runs.groupby("language")["seed"].transform("size") == len(seeds)
        if not whole.any():
            raise NotEstimableError(f"no language of {task} is scored with every run")
        partly += [f"{task}/{code}" for code in sorted(set(part["language"]) - set(runs[whole]["language"]))]
        complete.append(runs[whole].assign(task=task))
    frame = pd.concat(complete, ignore_index=True)
    family = known.set_index("language")["family"]
    dropped = sorted({seed for part in parts.values() for seed in part["seed"]} - seeds)
    remarks = [
        f"not scored with every run: {', '.join(partly)} ({len(partly)})" if partly else "",
        f"left out, since a task lacks them: seeds {', '.join(map(str, dropped))}" if dropped else "",
    ]
    return Cells(frame.assign(family=frame["language"].map(family)), "; ".join(filter(None, remarks)))


def _task(scores: Scores, model: str, ours: Sequence[str], theirs: Sequence[str], task: str) -> pd.DataFrame:
    """Differences in one task, those that every pair of arms has: the mean over pairs is that of the arms."""
    for arm in (*ours, *theirs):
        if scores.of(model, arm, task).empty:
            raise NotEstimableError(f"the scores hold no {task} of {model}, {arm}")
    pairs = [gains(scores, model, own, task, baseline=other) for own in ours for other in theirs]
    both = pd.concat(pairs).dropna(subset=["gain"]).groupby(["seed", "language"])
    means = both[VALUES].mean()[both.size() == len(pairs)].reset_index()
    if means.empty:
        raise NotEstimableError(f"no seed and language of {task} have all arms")
    return means


def crossed(
    frame: pd.DataFrame,
    settings: StatisticsSettings,
    value: str = "gain",
    *,
    families: str | None = "family",
    least: int | None = None,
) -> CrossedMean:
    """The mean of a contrast over runs and languages, with the thresholds of the settings.

    Args:
        frame: As of a Contrast.
        settings: Level and thresholds.
        value: Column of the contrast.
        families: Column of the family; None takes languages as independent.
        least: For a subset of the languages: how many of them and of their families there must be.

    Raises:
        TooFewRunsError: fewer seeds than a contrast needs.
        NotEstimableError: too few languages or families, or values without spread.
    """
    runs = frame["seed"].nunique()
    if 0 < runs < settings.minimum_seeds:
        raise TooFewRunsError(
            f"there {'is' if runs == 1 else 'are'} {count(runs, 'run')}, at least "
            f"{settings.minimum_seeds} needed"
        )
    return crossed_mean(
        frame,
        value,
        families=families,
        alpha=settings.alpha,
        minimum_seeds=settings.minimum_seeds,
        minimum_languages=least or settings.minimum_languages,
        minimum_families=least or settings.minimum_families,
    )


def crossed_row(
    row: Row,
    found: Contrast,
    settings: StatisticsSettings,
    value: str = "gain",
    *,
    families: str | None = "family",
    least: int | None = None,
) -> Row:
    """`row` with the mean and its interval; with the mean alone where there are too few runs.

    Raises:
        NotEstimableError: as `crossed`, but for too few runs.
    """
    frame = found.frame
    try:
        mean = crossed(frame, settings, value, families=families, least=least)
    except TooFewRunsError as error:
        note = "; ".join(filter(None, [f"inconclusive: runs ({error.reason})", found.remark]))
        return replace(row, estimate=float(frame[value].mean()), n=frame["seed"].nunique(), note=note)
    kinds = "" if mean.families is None else f" of {count(mean.families, 'family', 'families')}"
    shares = (
        f"{mean.languages} languages{kinds}; {100 * mean.from_runs:.0f} % of the squared error is of runs"
    )
    return replace(
        row,
        estimate=mean.estimate,
        low=mean.low,
        high=mean.high,
        p=mean.p,
        n=mean.seeds,
        method=f"{row.method}; t with {mean.freedom} df; n counts runs",
        note="; ".join(filter(None, [shares, found.remark])),
    )
