"""Columns and codes in words, for notes, verdicts and figures."""

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
