"""Scores that were published: any table with a model, a task, a language and a value becomes scores.tsv."""

from typing import Any

import pandas as pd

from xstilts import recipes
from xstilts.errors import DataError, XstiltsError
from xstilts.registry.codes import resolve
from xstilts.scoring.table import COLUMNS, collect

NEEDED = ("model", "task", "language", "metric", "value")
DEFAULTS: dict[str, Any] = {
    "parameters": 0,
    "recipe": recipes.MLM,
    "intermediate": "-",
    "target": "-",
    "seed": 0,
    "split": "test",
    "setting": "published",
    "n": 0,
}
"""What a table need not say; `n` of 0 is unknown, and analyses that need it say so."""


def imported(table: pd.DataFrame, run: str, where: str) -> pd.DataFrame:
    """scores.tsv of a published table.

    Args:
        table: A row per score: columns model, task, language (any code that the registry knows), metric
            and value (a fraction), and any of `DEFAULTS`; further columns are left out.
        run: Name of the run.
        where: What to call the table in messages.

    Raises:
        DataError: if a column or a field is missing, a value is no fraction, a recipe or a language is
            unknown, or a score is given twice.
    """
    absent = [name for name in NEEDED if name not in table]
    if absent:
        raise DataError(
            f"the table lacks the column {', '.join(absent)}",
            where=where,
            hint="docs/scores.md lists the columns of published scores",
        )
    filled = table.assign(**{name: value for name, value in DEFAULTS.items() if name not in table})
    filled = filled.assign(run=run)
    empty = [name for name in COLUMNS if filled[name].isna().any()]
    if empty:
        raise DataError(f"a field of the column {empty[0]} is empty", where=where)
    _check_values(filled, where)
    return collect([filled.assign(language=_codes(filled, where))[COLUMNS]])


def _check_values(table: pd.DataFrame, where: str) -> None:
    outside = table[(table["value"] < 0) | (table["value"] > 1)]
    if len(outside):
        raise DataError(
            f"a score is not within 0 and 1: {outside['value'].iloc[0]:g}",
            where=f"{where}, {outside['task'].iloc[0]} in {outside['language'].iloc[0]}",
            hint="scores are fractions; divide percentages by 100",
        )
    for recipe in sorted(set(table["recipe"]) - {"-"}):
        recipes.parse(recipe)


def _codes(table: pd.DataFrame, where: str) -> "pd.Series[str]":
    try:
        known = {code: resolve([code])[0] for code in table["language"].unique()}
    except XstiltsError as error:
        raise DataError(f"a language is unknown: {error}", where=where) from error
    return table["language"].map(known)
