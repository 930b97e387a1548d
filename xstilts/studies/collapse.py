"""Results that rest on collapsed runs: they are computed with these runs and without them, and say so.

Such a run (xstilts.training.collapse) is no outlier to be dropped in silence, since training did that, and no
measurement like the others, since its score is that of a constant answer. So it stays in, every statistic
that it changes says what there is without it, and a verdict that holds only with it, or only without it, is
inconclusive.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from xstilts.errors import StudyError
from xstilts.studies.rows import COLUMNS
from xstilts.studies.tables import Tables
from xstilts.studies.verdict import Verdict
from xstilts.studies.verdicts import DECIDED

COLLAPSED = "collapsed"
NUMBERS = ["estimate", "low", "high", "p", "n"]
NAMED = 5  # recipes that a reason names

Analysis = Callable[[Tables, Any], tuple[pd.DataFrame, Verdict]]


def rests_on_collapse(scores: pd.DataFrame, incidents: pd.DataFrame) -> "pd.Series[bool]":
    """Of each score, whether its checkpoint or one below it collapsed.

    Args:
        scores: scores.tsv, or a part of it.
        incidents: incidents.tsv (xstilts.report.incidents).

    Returns:
        Booleans in the order of `scores`.
    """
    found = pd.Series(False, index=scores.index)
    for model, recipe, seed in _runs(incidents).itertuples(index=False, name=None):
        own = (scores["model"] == model) & (scores["seed"] == seed)
        found |= own & ((scores["recipe"] == recipe) | scores["recipe"].str.startswith(f"{recipe}-"))
    return found


def in_words(scores: pd.DataFrame, incidents: pd.DataFrame) -> str:
    """Which of the runs behind some scores collapsed; empty if none did."""
    said = []
    for (model, recipe), runs in _runs(incidents).groupby(["model", "recipe"], sort=True):
        one = incidents.assign(**{COLLAPSED: True}).merge(runs, on=["model", "recipe", "seed"])
        own = scores[rests_on_collapse(scores, one)]
        if len(own):
            same = scores[(scores["model"] == model) & scores["recipe"].isin(own["recipe"])]
            seeds = sorted(own["seed"].unique())
            named = f"seed{'s' * (len(seeds) > 1)} {', '.join(map(str, seeds))}"
            said.append(
                f"{len(seeds)} of {same['seed'].nunique()} runs of {model}/{recipe} collapsed ({named})"
            )
    more = f"likewise {len(said) - NAMED} other recipes"
    return "; ".join(said if len(said) <= NAMED else [*said[:NAMED], more])


def analysed(analyse: Analysis, tables: Tables, settings: Any) -> tuple[pd.DataFrame, Verdict]:
    """What `analyse` finds; where it rests on collapsed runs, with what it finds without them.

    Raises:
        StudyError: if a table lacks something or contradicts itself.
    """
    table, verdict = analyse(tables, settings)
    runs = "" if tables.incidents is None else in_words(tables.scores, tables.incidents)
    if not runs:
        return table, verdict
    try:
        other_table, other = analyse(_without(tables), settings)
    except StudyError as error:
        return table, _qualified(verdict, None, f"{runs}; without them there is no study: {error.what}")
    said = f"{runs}; without them the verdict is {other.verdict}"
    return _remarked(table, other_table), _qualified(verdict, other, said)


def _runs(incidents: pd.DataFrame) -> pd.DataFrame:
    own = incidents.loc[incidents["incident"] == COLLAPSED, ["model", "recipe", "seed"]]
    return own.drop_duplicates()


def _without(tables: Tables) -> Tables:
    incidents, extra = tables.incidents, tables.extra
    assert incidents is not None
    if extra is not None and "recipe" in extra:  # scores with equal pools
        extra = extra[~rests_on_collapse(extra, incidents)]
    kept = tables.scores[~rests_on_collapse(tables.scores, incidents)]
    return replace(tables, scores=kept, extra=extra, incidents=None)


def _qualified(verdict: Verdict, other: Verdict | None, said: str) -> Verdict:
    """The verdict, which is inconclusive if it decides what it would not without the collapsed runs."""
    holds = verdict.verdict not in DECIDED or (other is not None and other.verdict == verdict.verdict)
    return replace(
        verdict,
        verdict=verdict.verdict if holds else "inconclusive",
        rule=f"{verdict.rule}; inconclusive anyhow, if it is not the same without collapsed runs",
        reason=f"{verdict.reason} Caution: {said}.",
    )


def _remarked(table: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """`table`; the note of each row that is another in `other` says what it is there."""
    without = other.set_index("id")
    made = table.copy()
    made["note"] = [
        _note(row, without.loc[row["id"]] if row["id"] in without.index else None)
        for row in table.to_dict("records")
    ]
    return made[COLUMNS]


def _note(row: Mapping[Any, Any], other: "pd.Series[Any] | None") -> str:
    if other is None:
        remark = "not there"
    elif all(other[name] == row[name] or pd.isna([other[name], row[name]]).all() for name in NUMBERS):
        return str(row["note"])
    elif pd.isna(other["estimate"]):
        remark = str(other["note"])
    else:
        interval = "" if pd.isna(other["low"]) else f" ({other['low']:.4g} to {other['high']:.4g})"
        p = "" if pd.isna(other["p"]) else f", p = {other['p']:.3g}"
        remark = f"{other['estimate']:.4g}{interval}{p}"
    return "; ".join(filter(None, [str(row["note"]), f"without collapsed runs: {remark}"]))
