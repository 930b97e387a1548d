"""Tables as a reader sees them: words, rounded numbers, and a dash where a value is missing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

MISSING = "–"
DIGITS = 3


@dataclass(frozen=True)
class Table:
    """A table ready to be shown: all cells are text, `numeric` are the positions of number columns."""

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    numeric: frozenset[int]
    note: str = ""


def number(value: Any, digits: int = DIGITS) -> str:
    """A number rounded to `digits` decimals (whole numbers to none), or the dash."""
    if value is None or pd.isna(value):
        return MISSING
    if isinstance(value, int) or digits == 0:
        return f"{round(value):,}"
    return f"{value:.{digits}f}".replace("-", "\N{MINUS SIGN}")


def probability(value: Any) -> str:
    """A p-value; one that would be rounded to zero is given as an upper bound."""
    return "< 0.001" if pd.notna(value) and value < 0.001 else number(value)


def interval(low: Any, high: Any) -> str:
    """Two bounds, or the dash."""
    return MISSING if pd.isna(low) or pd.isna(high) else f"{number(low)} to {number(high)}"


def text(value: Any) -> str:
    """A text, or the dash."""
    return MISSING if pd.isna(value) or value in ("", "-") else str(value)


def from_frame(frame: pd.DataFrame, caption: str, digits: int = DIGITS, note: str = "") -> Table:
    """A table of all columns of a frame under their own names, integers without decimals."""
    kinds = [
        "text"
        if frame[name].dtype == bool or not pd.api.types.is_numeric_dtype(frame[name])
        else ("whole" if _is_whole(frame[name]) else "number")
        for name in frame.columns
    ]
    show: dict[str, Callable[[Any], str]] = {
        "text": text,
        "whole": lambda value: number(value, 0),
        "number": lambda value: number(value, digits),
    }
    rows = [
        tuple(show[kind](value) for kind, value in zip(kinds, row, strict=True))
        for row in frame.itertuples(index=False, name=None)
    ]
    numeric = frozenset(place for place, kind in enumerate(kinds) if kind != "text")
    return Table(caption, [str(name) for name in frame.columns], rows, numeric, note)


def _is_whole(column: "pd.Series[Any]") -> bool:
    """Whether a column counts something: integers, also where some are missing."""
    if pd.api.types.is_integer_dtype(column):
        return True
    known = column.dropna()
    return bool(len(known)) and bool((known % 1 == 0).all()) and bool((known > 1).any())
