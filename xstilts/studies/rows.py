"""tests.tsv: one row per statistic of a study, in the same columns for all studies."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Literal

import pandas as pd

from xstilts.statistics.errors import NotEstimableError
from xstilts.statistics.multiplicity import adjust

Role = Literal["primary", "exploratory", "sensitivity", "descriptive"]
ROLES: tuple[Role, ...] = ("primary", "sensitivity", "exploratory", "descriptive")


@dataclass(frozen=True)
class Row:
    """One statistic. `None` is missing, and then `note` says why; `id` is unique within the table."""

    study: str
    id: str
    role: Role
    statistic: str
    method: str
    unit: str
    model: str = "-"
    recipe: str = "-"
    task: str = "-"
    subset: str = "-"
    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    p_adjusted: float | None = None
    n: int | None = None
    note: str = ""


COLUMNS = [
    *("study", "id", "role", "model", "recipe", "task", "subset", "statistic", "estimate", "low", "high"),
    *("p", "p_adjusted", "method", "unit", "n", "note"),
]
assert set(COLUMNS) == {field.name for field in fields(Row)}


def not_estimable(reason: str) -> str:
    """The note of a row without numbers."""
    return f"not estimable, because {reason}"


def filled(row: Row, fill: Callable[[Row], Row], *remarks: str) -> Row:
    """`row` with its numbers, or with the reason why there are none; either way with the remarks."""
    try:
        done = fill(row)
    except NotEstimableError as error:
        done = replace(row, note=not_estimable(error.reason))
    return replace(done, note="; ".join(filter(None, [done.note, *remarks])))


def tests_table(rows: Sequence[Row], correction: str, alpha: float) -> pd.DataFrame:
    """The rows as a table sorted by role and id; exploratory p-values are corrected over all of them.

    The primary p stays uncorrected here: it is corrected over the studies, which no study knows.

    Raises:
        ValueError: if two rows have the same id (a fault of the study's code).
    """
    frame = pd.DataFrame([asdict(row) for row in rows], columns=COLUMNS)
    if frame["id"].duplicated().any():
        raise ValueError(f"two rows have the id {frame.loc[frame['id'].duplicated(), 'id'].iloc[0]}")
    numbers = ["estimate", "low", "high", "p", "p_adjusted"]
    frame[numbers] = frame[numbers].astype(float)
    frame["n"] = frame["n"].astype("Int64")
    tested = (frame["role"] == "exploratory") & frame["p"].notna()
    frame.loc[tested, "p_adjusted"] = adjust(frame.loc[tested, "p"].tolist(), correction, alpha)
    frame["rank"] = frame["role"].map({role: rank for rank, role in enumerate(ROLES)})
    return frame.sort_values(["rank", "id"], kind="stable")[COLUMNS].reset_index(drop=True)
