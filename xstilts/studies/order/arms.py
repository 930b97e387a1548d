"""The scores of every sequence of intermediate tasks, of the mixture, and of the baseline."""

from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from xstilts.errors import StudyError
from xstilts.statistics.errors import NotEstimableError
from xstilts.studies.scores import ENGLISH, Scores, gains, logit
from xstilts.studies.settings import MLM, OrderJob
from xstilts.studies.subsets import ALL, low_resource, subsets
from xstilts.studies.tables import Tables

CELL = ["task", "language"]


@dataclass(frozen=True)
class Arms:
    """The arms of one model, English left out.

    Attributes:
        cells: One row per sequence (`order`), seed, task and language with its `value` and the `logit` of
            it (missing without a number of examples): the sequences that every seed has, in the tasks and
            languages that all of them have.
        absent: The planned sequences that are not among them.
        lost: Pairs of task and language that some run lacks, as task/language.
        others: Likewise for the mixture and the baseline, in the same tasks and languages.
        known: What is known of each language.
        subsets: The languages of each subset by its name, all languages first.
    """

    scores: Scores
    model: str
    settings: OrderJob
    cells: pd.DataFrame
    absent: list[str]
    lost: list[str]
    others: dict[str, pd.DataFrame]
    known: pd.DataFrame
    subsets: dict[str, list[str]]

    @property
    def orders(self) -> list[str]:
        """The sequences that were scored with every seed, sorted."""
        return sorted(self.cells["order"].unique())

    @property
    def seeds(self) -> int:
        """How many runs each sequence has."""
        return int(self.cells["seed"].nunique())

    @property
    def remark(self) -> str:
        """What a reader of every row must know."""
        parts = []
        if self.absent and self.orders:
            parts.append(f"not scored with every seed: {', '.join(self.absent)} ({len(self.absent)})")
        if self.lost:
            parts.append(
                f"not scored with every sequence and seed: {', '.join(self.lost)} ({len(self.lost)})"
            )
        return "; ".join(parts)

    @property
    def uncounted(self) -> str:
        """The pairs of task and language that have no logit, in words; empty if all have one."""
        without = self.cells[self.cells["logit"].isna()].groupby(CELL).size().index
        pairs = [f"{task}/{language}" for task, language in without]
        return f"number of examples not given: {', '.join(pairs)} ({len(pairs)})" if pairs else ""

    def languages(self, subset: str = ALL, task: str | None = None, measure: str = "value") -> pd.DataFrame:
        """One row per order, seed and language of a subset: the mean over its tasks, or of one task.

        With the measure `logit` that of empirical logits, over the tasks where a language has them.

        Raises:
            NotEstimableError: if there are no such scores.
        """
        if self.cells.empty:
            sought = ", ".join(self.settings.tasks)
            raise NotEstimableError(
                f"the scores hold no {sought} of {self.model} in any sequence with every seed"
            )
        kept = self.cells[self.cells["language"].isin(self.subsets.get(subset, []))]
        kept = kept if task is None else kept[kept["task"] == task]
        if kept.empty:
            raise NotEstimableError(f"no language of {subset} is scored" + (f" in {task}" if task else ""))
        means = _known(kept, measure).groupby(["order", "seed", "language"])[measure].mean()
        return means.rename("value").reset_index()

    def runs(self, subset: str = ALL, task: str | None = None, measure: str = "value") -> pd.DataFrame:
        """One row per order and seed: the mean over the languages of a subset.

        Raises:
            NotEstimableError: as `languages`.
        """
        by_language = self.languages(subset, task, measure)
        return by_language.groupby(["order", "seed"])["value"].mean().reset_index()

    def other_runs(self, arm: str, subset: str = ALL) -> pd.DataFrame:
        """The same of the mixture or the baseline, over its languages; no rows if it was not scored."""
        kept = self.others[arm][self.others[arm]["language"].isin(self.subsets.get(subset, []))]
        by_language = kept.groupby(["seed", "language"])["value"].mean().reset_index()
        return by_language.groupby("seed")["value"].mean().reset_index()

    def contrast(self, orders: list[str], baseline: str, measure: str = "value") -> pd.DataFrame:
        """The mean of `orders` minus the baseline: seed, language, family, value.

        Args:
            orders: Sequences that every seed has.
            baseline: The mixture, or the masked LM.
            measure: As of `languages`; the baseline has to have it too.

        Raises:
            NotEstimableError: if either was not scored, or the mixture with fewer seeds.
        """
        if self.others[baseline].empty:
            raise NotEstimableError(f"the scores hold no {baseline} of {self.model}")
        if baseline != MLM and self.others[baseline]["seed"].nunique() < self.seeds:
            raise NotEstimableError(f"{baseline} was not scored with every seed")
        parts = [
            gains(self.scores, self.model, order, task, baseline).assign(task=task)
            for order in orders
            for task in self.settings.tasks
        ]
        kept = pd.concat(parts).merge(_known(self.cells, measure)[CELL].drop_duplicates(), on=CELL)
        gain = "logit_gain" if measure == "logit" else "gain"
        means = _known(kept, gain).groupby(["seed", "language"])[gain].mean().rename("value").reset_index()
        return means.merge(self.known[["language", "family"]], on="language", validate="many_to_one")


def _known(rows: pd.DataFrame, column: str) -> pd.DataFrame:
    """The rows of the pairs of task and language of which none lacks `column`.

    Raises:
        NotEstimableError: if every pair lacks it, as logits do without numbers of examples.
    """
    complete = rows[rows[column].notna().groupby([rows[name] for name in CELL]).transform("all")]
    if len(rows) and complete.empty:
        raise NotEstimableError("the numbers of examples are not given")
    return complete


@dataclass(frozen=True)
class Study:
    """The checked inputs of one analysis."""

    scores: Scores
    tables: Tables
    settings: OrderJob

    @cached_property
    def models(self) -> list[str]:
        """The models, the primary one first."""
        return self.scores.models() or ["-"]

    @property
    def mixture(self) -> str:
        """The recipe of the simultaneous mixture."""
        return "+".join(sorted(self.settings.ordered))

    def arms(self, model: str) -> Arms:
        """All arms of one model.

        Raises:
            StudyError: if nothing is known of a language.
        """
        planned = self.settings.orders
        rows = pd.concat([self._rows(model, order).assign(order=order) for order in planned])
        seeds = rows["seed"].nunique()
        every = rows.groupby("order")["seed"].nunique()
        whole = sorted(every.index[every == seeds]) if seeds else []
        rows = rows[rows["order"].isin(whole)]
        counts = rows.groupby(CELL).size()
        shared = counts.index[counts == len(whole) * seeds]
        cells = rows.set_index(CELL).loc[lambda frame: frame.index.isin(shared)].reset_index()
        others = {
            arm: self._rows(model, arm).merge(cells[CELL].drop_duplicates(), on=CELL)
            for arm in [MLM, *([self.mixture] if self.settings.mixture else [])]
        }
        known = self._known(model, set(cells["language"]))
        low = low_resource(self.tables.languages, known, self.settings.low_resource_gib)
        return Arms(
            scores=self.scores,
            model=model,
            settings=self.settings,
            cells=cells,
            absent=sorted(set(planned) - set(whole)),
            lost=[f"{task}/{language}" for task, language in sorted(set(counts.index) - set(shared))],
            others=others,
            known=known,
            subsets=subsets(known, low),
        )

    def _rows(self, model: str, recipe: str) -> pd.DataFrame:
        """Seed, task, language, value and its logit of one arm in all tasks, English left out."""
        rows = pd.concat([self.scores.of(model, recipe, task) for task in self.settings.tasks])
        rows = rows.assign(logit=logit(rows["value"], rows["n"]))
        return rows.loc[rows["language"] != ENGLISH, ["seed", "task", "language", "value", "logit"]]

    def _known(self, model: str, scored: set[str]) -> pd.DataFrame:
        known = self.tables.known(model, self.settings)
        if strangers := sorted(scored - set(known["language"])):
            raise StudyError(
                f"languages.tsv lacks {', '.join(strangers)}",
                where="languages.tsv",
                hint="add the language to xstilts/registry/languages.yaml",
            )
        return known[known["language"].isin(scored)]
