"""Pairs of an intermediate and a target task: how similar they are, and what the one gains for the other."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd

from xstilts.errors import StudyError
from xstilts.statistics.errors import count
from xstilts.studies.contrasts import VALUES
from xstilts.studies.scores import Scores, gains, require_columns
from xstilts.studies.settings import SimilarityJob
from xstilts.studies.tables import Tables

Group = Literal["low", "high"]
GROUPS: dict[Group, str] = {"low": "low-resource languages", "high": "other languages"}
MEASURES = ("similarity", "best_match", "tfidf")
PAIR = ["intermediate", "target"]
OUTCOMES = (*VALUES, "headroom_gain")


@dataclass(frozen=True)
class Pairs:
    """The gains of one model in every pair of tasks.

    Attributes:
        scores: The checked scores.
        known: What is known of each language; `low` says whether it is a low-resource one.
        similarity: Columns intermediate, target and the MEASURES, a row per pair.
        settings: Thresholds and lists of tasks.
        model: Whose scores they are.
    """

    scores: Scores
    known: pd.DataFrame
    similarity: pd.DataFrame
    settings: SimilarityJob
    model: str

    @classmethod
    def of(cls, scores: Scores, tables: Tables, settings: SimilarityJob, model: str) -> "Pairs":
        """Checked, and with every language classed.

        A language is low-resource if CC-100 has less of it than the threshold, or nothing, or if the run's
        own corpus, where it pre-trained the model, has nothing.

        Raises:
            StudyError: if a table is missing, lacks something or names a pair twice.
        """
        if tables.extra is None:
            raise StudyError(
                "no similarity of tasks is given",
                where="similarity.tsv",
                hint="build it with rule compare_tasks",
            )
        require_columns(tables.extra, [*PAIR, *MEASURES], "similarity.tsv")
        if tables.extra.duplicated(PAIR).any():
            raise StudyError("a pair of tasks is given twice", where="similarity.tsv")
        known = tables.known(model, settings)
        amounts = tables.languages.set_index("language")["cc100_gib"].astype(float)
        gib = known["language"].map(amounts)
        few = gib.isna() | (gib < settings.low_resource_gib) | (known["unseen"] > 0)
        return cls(scores, known.assign(low=few), tables.extra, settings, model)

    @cached_property
    def runs(self) -> pd.DataFrame:
        """A row per pair, seed and language: the VALUES, headroom_gain, family, low; English left out.

        Only languages that every run of every pair of a target has count, so that pairs of a target differ in
        nothing but the intermediate task. `headroom_gain` is the gain as a share of what was left to gain.

        Raises:
            StudyError: if nothing is known of a language.
        """
        parts = []
        for target in self.settings.tasks:
            found = [
                gains(self.scores, self.model, intermediate, target).assign(
                    intermediate=intermediate, target=target
                )
                for intermediate in self.settings.recipes
            ]
            part = pd.concat(found).dropna(subset=["gain"])
            cells = len(part[["intermediate", "seed"]].drop_duplicates())
            parts.append(part[part.groupby("language")["seed"].transform("size") == cells])
        frame = pd.concat(parts, ignore_index=True)
        facts = self.known.set_index("language")
        if strangers := sorted(set(frame["language"]) - set(facts.index)):
            raise StudyError(
                f"languages.tsv lacks {', '.join(strangers)}",
                where="languages.tsv",
                hint="add the language to xstilts/registry/languages.yaml",
            )
        left = (1 - frame["baseline"]).where(frame["baseline"] < 1)
        return frame.assign(
            headroom_gain=frame["gain"] / left,
            family=frame["language"].map(facts["family"]),
            low=frame["language"].map(facts["low"]).astype(bool),
        )

    @cached_property
    def left_out(self) -> dict[str, str]:
        """The targets that are not analysed, and why."""
        reasons = {}
        for target in self.settings.tasks:
            rows = self.runs[self.runs["target"] == target]
            codes = sorted(set(rows.loc[rows["low"], "language"]))
            if rows.empty:
                reasons[target] = "no scores"
            elif len(codes) < self.settings.minimum_low_resource:
                reasons[target] = f"low-resource languages: {', '.join(codes) or 'none'}"
        return reasons

    @property
    def remark(self) -> str:
        """Which targets are left out, in words; empty if none."""
        parts = [f"{target} ({reason})" for target, reason in self.left_out.items()]
        return f"left out: {', '.join(parts)}" if parts else ""

    @cached_property
    def few_runs(self) -> str:
        """Why luck cannot be told from an effect: some analysed pair has too few runs; empty if none has.

        Runs are those of the fine-tuned recipes. The baseline may be the masked LM as it is, which has one.
        """
        analysed = self.runs[~self.runs["target"].isin(self.left_out)]
        least = self.settings.minimum_seeds
        runs = int(analysed.groupby(PAIR)["seed"].nunique().min()) if len(analysed) else least
        if runs >= least:
            return ""
        return f"there {'is' if runs == 1 else 'are'} {count(runs, 'run')}, at least {least} needed"

    def languages(self, group: Group) -> pd.DataFrame:
        """A row per pair and language of a group: means of the OUTCOMES over seeds, and the MEASURES."""
        return self._by_language[group]

    @cached_property
    def _by_language(self) -> dict[Group, pd.DataFrame]:
        runs = self.runs[~self.runs["target"].isin(self.left_out)]
        found = {}
        for group in GROUPS:
            rows = runs[runs["low"] == (group == "low")]
            means = rows.groupby([*PAIR, "language"])[list(OUTCOMES)].mean().reset_index()
            measures = self.similarity[[*PAIR, *MEASURES]]
            found[group] = means.merge(measures, on=PAIR, how="left", validate="many_to_one")
        return found

    def means(self, group: Group) -> pd.DataFrame:
        """A row per pair: means of the OUTCOMES over seeds and languages of a group, and the MEASURES."""
        rows = self.languages(group)
        return rows.groupby(PAIR)[[*OUTCOMES, *MEASURES]].mean().reset_index()

    def codes(self, group: Group, target: str) -> list[str]:
        """The languages of a group in which a target is analysed, sorted."""
        rows = self.runs[(self.runs["target"] == target) & (self.runs["low"] == (group == "low"))]
        return sorted(rows["language"].unique())


def centred(frame: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """`frame` with the target's means of `columns` taken off; rows that lack one are left out."""
    complete = frame.dropna(subset=list(columns))
    means = complete.groupby("target")[list(columns)].transform("mean")
    result = complete.copy()
    result[list(columns)] = complete[list(columns)].to_numpy() - np.asarray(means)
    return result
