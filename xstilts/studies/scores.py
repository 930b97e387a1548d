"""The scores that a study reads, checked, and what it compares: means over seeds, gains over a baseline."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from xstilts.errors import StudyError
from xstilts.studies.settings import MLM, Resolved

ENGLISH = "en"
KEY = [
    *("model", "recipe", "intermediate", "target", "seed", "task"),
    *("split", "language", "setting", "metric"),
]
SCORE_COLUMNS = (*KEY, "parameters", "n", "value")


def require_columns(frame: pd.DataFrame, columns: Iterable[str], table: str) -> None:
    """Check that `frame` has `columns`.

    Raises:
        StudyError: naming those that it lacks.
    """
    absent = [column for column in columns if column not in frame]
    if absent:
        raise StudyError(f"{table} lacks the column {', '.join(absent)}", where=table)


@dataclass(frozen=True)
class Scores:
    """The scores of one run, checked; `of` picks those of one model, recipe and task."""

    table: pd.DataFrame
    settings: Resolved

    @classmethod
    def checked(cls, table: pd.DataFrame, settings: Resolved) -> "Scores":
        """Check columns, range and uniqueness of the scores that the settings are about.

        Raises:
            StudyError: saying which row is at fault.
        """
        require_columns(table, SCORE_COLUMNS, "scores.tsv")
        table = table[table["task"].isin(settings.tasks)].copy()
        # What was trained before the target task's own English data, which are no treatment.
        table["n"] = table["n"].astype(float).where(table["n"] > 0)  # 0: not published
        intermediate = table["intermediate"].replace("-", MLM)
        table["treatment"] = table["recipe"].where(table["target"] == "-", intermediate)
        twice = table[table.duplicated(KEY)]
        if len(twice):
            raise StudyError("a score is given twice", where=_place(twice))
        outside = table[(table["value"] < 0) | (table["value"] > 1)]
        if len(outside):
            raise StudyError(
                f"a score is not within 0 and 1: {outside['value'].iloc[0]}",
                where=_place(outside),
                hint="scores are fractions; divide percentages by 100",
            )
        return cls(table, settings)

    def models(self) -> list[str]:
        """The models to analyse, the primary one first; the controls (`chance`, `tfidf`) are none."""
        if self.settings.models:
            return list(self.settings.models)
        order = self.parameters()
        return list(order.sort_values(["parameters", "model"], ascending=[False, True])["model"])

    def parameters(self) -> pd.DataFrame:
        """Columns model and parameters (a number), one row per model that is no control."""
        trained = self.table[self.table["recipe"] != "-"]
        return trained[["model", "parameters"]].drop_duplicates("model").reset_index(drop=True)

    @cached_property
    def _cells(self) -> dict[Hashable, pd.DataFrame]:
        """The rows by model, treatment, task and metric: a study asks for hundreds of cells."""
        return dict(iter(self.table.groupby(["model", "treatment", "task", "metric"], sort=False)))

    def of(self, model: str, recipe: str, task: str, metric: str = "") -> pd.DataFrame:
        """The rows of one cell, one per seed and language; empty if there are none.

        `recipe` is what was trained before the target's own training set, where the task has one; without
        `metric`, it is the one that the settings name.

        Raises:
            StudyError: if a language has several splits, or they are of several settings, and the
                configuration names none.
        """
        metric = metric or self.settings.metrics[task]
        rows = self._cells.get((model, recipe, task, metric), self.table.iloc[:0])
        choices = {
            # A language may have one split only, others another (xstilts.registry), so these are by language.
            "splits": ("split", self.settings.splits, ["language"]),
            "retrieval_settings": ("setting", self.settings.retrieval_settings, ["task"]),
        }
        for key, (column, choice, within) in choices.items():
            # A control may have no retrieval setting at all (`-`).
            if task in choice:
                rows = rows[rows[column].isin([choice[task], "-"])]
            if (rows.groupby(within)[column].nunique() > 1).any():
                found = ", ".join(sorted(rows[column].unique()))
                raise StudyError(
                    f"{task} of {model}, {recipe} was scored with several {column}s: {found}",
                    where="scores.tsv",
                    hint=f"name one in the study's {key}",
                )
        return rows.dropna(subset=["value"])


def mean_over_seeds_of(frame: pd.DataFrame) -> pd.DataFrame:
    """One row per language: means over seeds, for the languages that every seed has, sorted."""
    seeds = frame["seed"].nunique()
    every = frame.groupby("language").filter(lambda rows: len(rows) == seeds)
    return every.drop(columns="seed").groupby("language", sort=True).mean().reset_index()


def logit(value: "pd.Series[float]", n: "pd.Series[float]") -> "pd.Series[float]":
    """The empirical logit, ln((right + 1/2) / (wrong + 1/2)): finite also at 0 and 1, missing without n."""
    right = value * n
    odds = (right + 0.5) / (n - right + 0.5)
    return pd.Series(np.log(odds), index=value.index)


def gains(scores: Scores, model: str, recipe: str, task: str, baseline: str = MLM) -> pd.DataFrame:
    """What a recipe gains over the baseline, per seed and language, English left out.

    Treatment and baseline share model, seed, language and split. The masked LM as it is has one run only,
    because nothing of it is fine-tuned; it stands beside every seed.

    Returns:
        Columns seed, language, n, baseline, score, gain (score minus baseline) and logit_gain (the same of
        empirical logits); no rows if either side is missing.
    """
    ours, theirs = scores.of(model, recipe, task), scores.of(model, baseline, task)
    on = ["seed", "language", "split"]
    if theirs["seed"].nunique() == 1 and (theirs["recipe"] == MLM).all():
        theirs, on = theirs.drop(columns="seed"), ["language", "split"]
    both = ours[ours["language"] != ENGLISH].merge(
        theirs[[*on, "value", "n"]], on=on, suffixes=("", "_baseline"), validate="many_to_one"
    )
    return pd.DataFrame(
        {
            "seed": both["seed"],
            "language": both["language"],
            "n": both["n"],
            "baseline": both["value_baseline"],
            "score": both["value"],
            "gain": both["value"] - both["value_baseline"],
            "logit_gain": logit(both["value"], both["n"]) - logit(both["value_baseline"], both["n_baseline"]),
        }
    )


def _place(rows: pd.DataFrame) -> str:
    return "scores.tsv: " + " ".join(f"{column}={rows[column].iloc[0]}" for column in KEY)
