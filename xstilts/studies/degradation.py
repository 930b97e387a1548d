"""What S1 compares: degradation per language, and what is known of each language."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from xstilts.errors import StudyError
from xstilts.studies.settings import TypologySettings
from xstilts.studies.words import in_words

ENGLISH = "en"
LATIN = "Latn"
MLM = "mlm"
KEY = [
    *("model", "recipe", "intermediate", "target", "seed", "task"),
    *("split", "language", "setting", "metric"),
]
SCORE_COLUMNS = (*KEY, "parameters", "n", "value")
LANGUAGE_COLUMNS = ("language", "family", "script", "cc100_gib")


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
    settings: TypologySettings

    @classmethod
    def checked(cls, table: pd.DataFrame, settings: TypologySettings) -> "Scores":
        """Check columns, range and uniqueness of the scores that the settings are about.

        Raises:
            StudyError: saying which row is at fault.
        """
        require_columns(table, SCORE_COLUMNS, "scores.tsv")
        table = table[table["task"].isin(settings.tasks)].copy()
        # What was trained before the target task's own English data, which are no treatment.
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
        trained = self.table[self.table["recipe"] != "-"]
        order = trained[["model", "parameters"]].drop_duplicates()
        return list(order.sort_values(["parameters", "model"], ascending=[False, True])["model"].unique())

    def of(self, model: str, recipe: str, task: str) -> pd.DataFrame:
        """The rows of one cell, one per seed and language; empty if there are none.

        `recipe` is what was trained before the target's own training set, where the task has one.

        Raises:
            StudyError: if they are of several splits or settings and the configuration names none.
        """
        rows = self.table[
            (self.table["model"] == model)
            & (self.table["treatment"] == recipe)
            & (self.table["task"] == task)
            & (self.table["metric"] == self.settings.metrics[task])
        ]
        choices = {
            "splits": ("split", self.settings.splits),
            "retrieval_settings": ("setting", self.settings.retrieval_settings),
        }
        for key, (column, choice) in choices.items():
            # A control may have no retrieval setting at all (`-`).
            if task in choice:
                rows = rows[rows[column].isin([choice[task], "-"])]
            found = sorted(rows[column].unique())
            if len(found) > 1:
                raise StudyError(
                    f"{task} of {model}, {recipe} was scored with several {column}s: {', '.join(found)}",
                    where="scores.tsv",
                    hint=f"name one in studies.typology.{key}",
                )
        return rows.dropna(subset=["value"])


def degradation(cell: pd.DataFrame, ceiling: float = 1.0) -> pd.DataFrame:
    """Reference minus score, per seed and language, English left out.

    The reference is the same run's English score where the task has English queries, else `ceiling`.

    Args:
        cell: Rows of one model, recipe and task: seed, language, n, value.
        ceiling: Highest value of the metric.

    Returns:
        Columns seed, language, n, score, degradation and logit_degradation. The latter is minus the
        empirical logit, ln((right + 1/2) / (wrong + 1/2)), finite also at 0 and 1, missing without n; it
        has no reference, which would only shift it.
    """
    english = cell[cell["language"] == ENGLISH].set_index("seed")["value"]
    others = cell[cell["language"] != ENGLISH]
    reference = others["seed"].map(english) if len(english) else pd.Series(ceiling, index=others.index)
    right, n = others["value"] * others["n"], others["n"]
    return pd.DataFrame(
        {
            "seed": others["seed"],
            "language": others["language"],
            "n": n,
            "score": others["value"],
            "degradation": reference - others["value"],
            "logit_degradation": -np.log((right + 0.5) / (n - right + 0.5)),
        }
    )


def mean_over_seeds_of(frame: pd.DataFrame) -> pd.DataFrame:
    """One row per language: means over seeds, for the languages that every seed has, sorted."""
    seeds = frame["seed"].nunique()
    every = frame.groupby("language").filter(lambda rows: len(rows) == seeds)
    return every.drop(columns="seed").groupby("language", sort=True).mean().reset_index()


def predictors(
    languages: pd.DataFrame, fertility: pd.DataFrame | None = None, corpus: pd.DataFrame | None = None
) -> pd.DataFrame:
    """What is known of each language, one row per language.

    Args:
        languages: languages.tsv.
        fertility: fertility.tsv; without it the column is missing throughout.
        corpus: corpus.tsv of models that the run pre-trained; without it size is that of CC-100.

    Returns:
        Columns language, family, script, size (log10 of bytes or of GiB; missing: unseen), unseen (0 or
        1), fertility, other_script (1: not Latin) and every distance_* and alternative_* column. A
        distance without coverage is missing.

    Raises:
        StudyError: if a table lacks a column or names a language twice.
    """
    require_columns(languages, LANGUAGE_COLUMNS, "languages.tsv")
    if languages["language"].duplicated().any():
        raise StudyError("a language is given twice", where="languages.tsv")
    frame = languages.set_index("language")
    amount = (frame["cc100_gib"] if corpus is None else _column(corpus, "bytes", "corpus.tsv")).astype(float)
    size = amount.where(amount > 0).map(math.log10, na_action="ignore").reindex(frame.index)
    result = pd.DataFrame({"family": frame["family"], "script": frame["script"], "size": size})
    result["unseen"] = size.isna().astype(float)
    absent = pd.Series(np.nan, index=frame.index)
    result["fertility"] = absent if fertility is None else _column(fertility, "fertility", "fertility.tsv")
    result["other_script"] = (frame["script"] != LATIN).astype(float)
    for column in frame.columns:
        kind, _, name = column.partition("_")
        if kind in {"distance", "alternative"} and name:
            values = frame[column].astype(float)
            coverage = frame.get(f"coverage_{name}") if kind == "distance" else None
            result[column] = values if coverage is None else values.where(coverage > 0)
    return result.reset_index()


def _column(frame: pd.DataFrame, column: str, table: str) -> pd.Series:
    require_columns(frame, ["language", column], table)
    return frame.set_index("language")[column].astype(float)


def join(means: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """The scores of each language with what is known of it.

    Raises:
        StudyError: naming the languages of which nothing is known.
    """
    strangers = sorted(set(means["language"]) - set(known["language"]))
    if strangers:
        raise StudyError(
            f"languages.tsv lacks {', '.join(strangers)}",
            where="languages.tsv",
            hint="add the language to xstilts/registry/languages.yaml",
        )
    return means.merge(known, on="language", how="left", validate="one_to_one")


def left_out(frame: pd.DataFrame, columns: Sequence[str]) -> str:
    """Which languages lack one of `columns`, in words; empty if none."""
    parts = []
    for column in columns:
        names = frame.loc[frame[column].isna(), "language"].tolist()
        if names:
            what = "unseen in pre-training" if column == "size" else f"no {in_words(column)}"
            parts.append(f"{what}: {', '.join(names)} ({len(names)})")
    return "left out: " + "; ".join(parts) if parts else ""


def _place(rows: pd.DataFrame) -> str:
    return "scores.tsv: " + " ".join(f"{column}={rows[column].iloc[0]}" for column in KEY)
