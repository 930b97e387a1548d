"""Scores that were published: any table with a model, a task, a language and a value becomes scores.tsv."""

from collections.abc import Hashable, Mapping
from typing import Annotated

import pandas as pd
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from xstilts import recipes, registry
from xstilts.errors import DataError, XstiltsError
from xstilts.registry.codes import resolve
from xstilts.scoring.table import COLUMNS, KEY, collect

COLUMNS_HINT = "docs/scores.md lists the columns of published scores"
HINTS = {"value": "scores are fractions; divide percentages by 100"}


def _task(name: str) -> str:
    if name not in (known := registry.evaluation_tasks()):
        raise ValueError(f"unknown evaluation task (there are {', '.join(sorted(known))})")
    return name


def _code(name: str) -> str:
    """The registry's code of a language; it may carry the script that the registry gives it, as zh-Hans."""
    scripts = {f"{code}-{entry.script}": code for code, entry in registry.languages().items()}
    try:
        return resolve([scripts.get(name, name)])[0]
    except XstiltsError as error:
        raise ValueError(f"unknown language ({error.hint})") from error


def _recipe(text: str) -> str:
    try:
        return text if text == "-" else str(recipes.parse(text))
    except XstiltsError as error:
        raise ValueError(error.what) from error


Text = Annotated[str, Field(min_length=1)]
Count = Annotated[int, Field(ge=0)]
Recipe = Annotated[str, AfterValidator(_recipe)]


class PublishedScore(BaseModel):
    """A row of a published table, and what it need not say; `n` of 0 is unknown."""

    model_config = ConfigDict(coerce_numbers_to_str=True, frozen=True)

    model: Text
    parameters: Count = 0
    recipe: Recipe = recipes.MLM
    intermediate: Recipe = "-"
    target: Recipe = "-"
    seed: Count = 0
    task: Annotated[str, AfterValidator(_task)]
    split: Text = "test"
    language: Annotated[str, AfterValidator(_code)]
    setting: Text = "published"
    metric: Text
    n: Count = 0
    value: Annotated[float, Field(ge=0, le=1)]

    @field_validator("metric")
    @classmethod
    def _is_of_the_task(cls, metric: str, found: ValidationInfo) -> str:
        task = found.data.get("task")
        if task and metric not in (known := registry.evaluation_tasks()[task].metrics):
            raise ValueError(f"{task} has no such metric (it has {', '.join(known)})")
        return metric


def imported(table: pd.DataFrame, run: str, where: str) -> pd.DataFrame:
    """scores.tsv of a published table.

    Args:
        table: A row per score, with the columns of `PublishedScore`; further columns are left out.
        run: Name of the run.
        where: What to call the table in messages.

    Raises:
        DataError: if a column or every row is missing; or, naming line and column, if a field is empty or of
            another type, a value is no fraction, a task, metric, language or recipe is unknown, or a score is
            given twice.
    """
    needed = [name for name, field in PublishedScore.model_fields.items() if field.is_required()]
    if absent := [name for name in needed if name not in table]:
        raise DataError(f"the table lacks the column {', '.join(absent)}", where=where, hint=COLUMNS_HINT)
    if table.empty:
        raise DataError("the table has no rows", where=where, hint=COLUMNS_HINT)
    fields = table.astype(object).where(table.notna(), None).to_dict("records")
    scores = [_score(row, f"{where}, line {line}") for line, row in enumerate(fields, start=2)]
    rows = pd.DataFrame([{"run": run} | score.model_dump() for score in scores], columns=COLUMNS)
    if (repeated := rows.duplicated(KEY)).any():
        line = int(repeated.to_numpy().argmax()) + 2
        raise DataError("a score is given twice", where=f"{where}, line {line}", hint="keep one of the two")
    return collect([rows])


def _score(row: Mapping[Hashable, object], where: str) -> PublishedScore:
    try:
        return PublishedScore.model_validate(row)
    except ValidationError as error:
        fault = error.errors()[0]
        column, value = str(fault["loc"][0]), fault["input"]
        message = str(fault["msg"]).removeprefix("Value error, ")
        raise DataError(
            f"{column}: the field is empty" if value is None else f"{column}: '{value}': {message}",
            where=f"{where}, column {column}",
            hint=HINTS.get(column, COLUMNS_HINT),
        ) from error
