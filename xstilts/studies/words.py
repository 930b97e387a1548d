"""Columns and codes in words, for notes, verdicts and figures; and what is said of a whole study."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd

Settings = dict[str, Any]

LEAVE_ONE_OUT = "leave_one_family_out"
"""The sensitivity analysis whose low and high are a range of estimates."""


def in_words(column: str) -> str:
    """A column's name for people: `distance_syntactic` is the syntactic distance."""
    kind, _, name = column.partition("_")
    return f"{name} distance" if kind == "distance" else column.replace("_", " ")


def percent(share: float) -> str:
    """A share as a percentage of at most three digits."""
    return f"{100 * share:.3g} %"


def p_value(p: float) -> str:
    """A p-value with its sign of equality."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


@dataclass(frozen=True)
class Picture:
    """What goes with a figure: the caption for all, the alternative for who does not see it."""

    caption: str
    alternative: str


@dataclass(frozen=True)
class StudyWords:
    """A study for people.

    Attributes:
        title: Its name.
        question: What it asks, given its settings.
        answers: The short answer to each verdict, given its settings.
        pictures: The figures by file name, given its settings and its tests.tsv.
    """

    title: str
    question: Callable[[Settings], str]
    answers: Callable[[Settings], dict[str, str]]
    pictures: Callable[[Settings, pd.DataFrame], dict[str, Picture]]
