"""What S4 asks, and what its answers and figures are called."""

import pandas as pd

from xstilts.report.table import number
from xstilts.studies.settings import MLM
from xstilts.studies.subsets import ALL
from xstilts.studies.words import Picture, Settings, StudyWords, p_value


def _question(settings: Settings) -> str:
    sampled = settings["sequences"]
    which = f"{sampled} sequences" if sampled else "all orders"
    return (
        "How does the order of intermediate fine-tuning affect zero-shot scores on subsets of the languages, "
        f"compared with a random sequence? The primary hypothesis: over {which} of "
        f"{', '.join(settings['ordered'])}, the variance between sequences of the score in "
        f"{', '.join(settings['tasks'])} is above zero."
    )


def _answers(settings: Settings) -> dict[str, str]:
    return {
        "supports": "It matters: in this run scores change with the order of the tasks.",
        "contradicts": "In this run scores do not change with the order of the tasks.",
        "inconclusive": "This run cannot tell orders apart.",
        "not estimable": "The question cannot be answered with this run.",
    }


def _pictures(settings: Settings, tests: pd.DataFrame) -> dict[str, Picture]:
    primary = tests[tests["role"] == "primary"].iloc[0]
    ours = tests[tests["model"] == primary["model"]]
    return {
        "sequences": Picture(
            "Every sequence of the intermediate tasks, a panel per subset of the languages (their number in "
            "brackets) and a row per sequence, the best on top: an open dot per run, a stroke for the mean. "
            f"Named sequences, the mixture and {MLM} have marks of their own; where one lies far off, an "
            "arrow at the edge says how far.",
            f"Strip plot of scores by sequence and subset of the languages.{_best_and_worst(ours)}"
            f"{_difference(primary)}",
        ),
        "positions": Picture(
            "Points that the sequences with a task at a position score above the mean of all sequences, with "
            "t intervals over runs. Hatched cells are below it.",
            f"Heat map with a row per task and a column per position.{_extremes(ours)}",
        ),
    }


def _best_and_worst(tests: pd.DataFrame) -> str:
    rows = tests[(tests["statistic"] == "mean_score") & (tests["subset"] == ALL)].dropna(subset=["estimate"])
    ranked = rows[rows["recipe"].str.contains("-")].sort_values("estimate", kind="stable")
    if ranked.empty:
        return " No sequence was scored."
    worst, best = ranked.iloc[0], ranked.iloc[-1]
    others = "".join(
        f" {row['recipe']}: {number(row['estimate'])}."
        for _, row in rows[~rows["recipe"].str.contains("-")].iterrows()
    )
    return (
        f" In all languages {best['recipe']} is best ({number(best['estimate'])}) and {worst['recipe']} "
        f"worst ({number(worst['estimate'])}) of {len(ranked)} sequences.{others}"
    )


def _difference(primary: "pd.Series[float]") -> str:
    if pd.isna(primary["estimate"]):
        return f" A test of order is {str(primary['note']).split(';')[0]}."
    deviation = number(primary["estimate"])
    return f" The standard deviation between sequences is {deviation} ({p_value(primary['p'])})."


def _extremes(tests: pd.DataFrame) -> str:
    rows = tests[tests["statistic"].str.startswith("position:")].dropna(subset=["estimate"])
    if rows.empty:
        return " No effect of a position could be computed."
    ranked = rows.sort_values("estimate", kind="stable")
    parts = [
        f"{row['recipe']} at position {row['statistic'].split(':')[1]} "
        f"({number(100 * row['estimate'], 2)} points)"
        for row in (ranked.iloc[-1], ranked.iloc[0])
    ]
    return f" Scores are highest with {parts[0]} and lowest with {parts[1]}."


WORDS = StudyWords("The order of the intermediate tasks", _question, _answers, _pictures)
