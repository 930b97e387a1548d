"""Rows of scores and outcomes, and the one table of all scores."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, Field

from xstilts.data.examples import Example
from xstilts.errors import DataError, RegistryError
from xstilts.scoring import Measure

COLUMNS = [
    "run", "model", "parameters", "recipe", "intermediate", "target", "seed",
    "task", "split", "language", "setting", "metric", "n", "value",
]  # fmt: skip
KEY = COLUMNS[:-2]
OUTCOMES = pa.schema(
    [(name, pa.string()) for name in ("run", "model", "recipe")]
    + [("seed", pa.int64())]
    + [(name, pa.string()) for name in ("task", "split", "language", "setting", "id", "metric")]
    + [("weight", pa.int64()), ("value", pa.float64())]
)


class RunKey(BaseModel):
    """What tells the scores of one checkpoint, in one setting, from all others."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    run: str
    model: str
    parameters: Annotated[int, Field(ge=0)]
    recipe: str
    intermediate: str = "-"
    target: str = "-"
    seed: Annotated[int, Field(ge=0)]
    setting: str = "-"


def score_rows(
    key: RunKey, task: str, split: str, language: str, measures: Mapping[str, Measure]
) -> list[dict[str, Any]]:
    """One row of scores.tsv per metric."""
    place = {**key.model_dump(), "task": task, "split": split, "language": language}
    return [
        {**place, "metric": metric, "n": measure.n, "value": measure.value}
        for metric, measure in sorted(measures.items())
    ]


def outcome_rows(
    key: RunKey,
    task: str,
    split: str,
    language: str,
    examples: Sequence[Example],
    measures: Mapping[str, Measure],
) -> list[dict[str, Any]]:
    """One row per metric and example, for the metrics that are means over examples."""
    place = {**key.model_dump(), "task": task, "split": split, "language": language}
    return [
        {**place, "id": example.id, "metric": metric, "weight": weight, "value": outcome}
        for metric, measure in sorted(measures.items())
        if measure.outcomes
        for example, outcome, weight in zip(examples, measure.outcomes, measure.weights, strict=True)
    ]


def chosen(measures: Mapping[str, Measure], metrics: Sequence[str], task: str) -> dict[str, Measure]:
    """The measures that the task's entry asks for.

    Raises:
        RegistryError: if it asks for one that its task type does not have.
    """
    for metric in metrics:
        if metric not in measures:
            raise RegistryError(
                f"the metric '{metric}' does not exist for the task '{task}'",
                hint=f"its task type has {', '.join(sorted(measures))}",
            )
    return {metric: measures[metric] for metric in metrics}


def score_table(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """A table with the columns of scores.tsv, sorted by its key."""
    return collect([pd.DataFrame(rows, columns=COLUMNS)])


def collect(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """All rows of `tables`, sorted by their key.

    Raises:
        DataError: if a table has other columns, a field is empty, or two rows have the same key.
    """
    for table in tables:
        if list(table.columns) != COLUMNS:
            raise DataError(
                f"not a table of scores: its columns are {', '.join(map(str, table.columns))}",
                hint=f"they must be {', '.join(COLUMNS)}",
            )
    whole = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=COLUMNS)
    _check_rows(whole)
    return whole.sort_values(KEY, kind="stable", ignore_index=True)


def _check_rows(table: pd.DataFrame) -> None:
    empty = table[table.isna().any(axis=1)]
    if len(empty):
        raise DataError("a score has an empty field", where=_named(empty))
    repeated = table[table.duplicated(KEY)]
    if len(repeated):
        raise DataError(
            f"{len(repeated)} scores have the key of another",
            where=_named(repeated),
            hint="delete the scores of this checkpoint and task, and rebuild them",
        )


def _named(rows: pd.DataFrame) -> str:
    return ", ".join(f"{name}={rows.iloc[0][name]}" for name in KEY)


def write_outcomes(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Write rows of outcomes as Parquet (zstd), all at once; equal rows make equal bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    table = pa.table({name: [row[name] for row in rows] for name in OUTCOMES.names}, schema=OUTCOMES)
    pq.write_table(table, partial, compression="zstd")
    partial.replace(path)
