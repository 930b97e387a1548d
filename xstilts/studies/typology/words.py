"""What S1 asks, and what its answers and figures are called."""

import pandas as pd

from xstilts.report.table import interval, number
from xstilts.studies.words import Picture, Settings, StudyWords


def _question(settings: Settings) -> str:
    return (
        "How does the typological distance between English and a language correlate with zero-shot "
        "degradation in sentence retrieval? The primary hypothesis: with the recipe "
        f"{settings['primary_recipe']}, degradation in {settings['primary_task']} rises with "
        f"{settings['primary_distance']} distance from English"
        + (f", given {' and '.join(settings['covariates'])}." if settings["covariates"] else ".")
    )


def _answers(settings: Settings) -> dict[str, str]:
    distance = f"{settings['primary_distance']} distance"
    return {
        "supports": f"Yes: in this run degradation rises with {distance}.",
        "contradicts": f"No: in this run degradation does not rise with {distance}.",
        "inconclusive": "This run cannot tell.",
        "not estimable": "The question cannot be answered with this run.",
    }


def _pictures(settings: Settings, tests: pd.DataFrame) -> dict[str, Picture]:
    primary = tests[tests["role"] == "primary"].iloc[0]
    mean = tests[(tests["statistic"] == "mean_degradation") & (tests["recipe"] == primary["recipe"])]
    mean = mean[(mean["model"] == primary["model"]) & (mean["task"] == primary["task"])]
    spread = ""
    if len(mean) and pd.notna(mean["estimate"].iloc[0]):
        row = mean.iloc[0]
        spread = (
            f" Degradation is {number(row['estimate'])} in the mean and lies between {number(row['low'])} "
            f"and {number(row['high'])} ({row['note']})."
        )
    slope = (
        f" The fitted slope is {number(primary['estimate'])} "
        f"(interval {interval(primary['low'], primary['high'])})."
        if pd.notna(primary["estimate"])
        else " No line could be fitted."
    )
    distance = settings["primary_distance"]
    correlations = tests[tests["statistic"].str.startswith("spearman:")]
    correlations = correlations[correlations["statistic"].str.split(":").str[1].isin(settings["distances"])]
    given = " and ".join(settings["covariates"])
    return {
        "scatter": Picture(
            f"Degradation in {primary['task']} against {distance} distance from English, a point per "
            f"language ({primary['model']}, {primary['recipe']}). The line and its band are the primary "
            "model's, covariates at their means; dotted lines are the controls.",
            f"Scatter plot of degradation in {primary['task']} against {distance} distance from English, "
            f"every language labelled by its code.{spread}{slope}",
        ),
        "forest": Picture(
            "Spearman correlations of degradation with each distance, by recipe"
            + (f"; the second kind of mark is the partial correlation given {given}" if given else "")
            + ". Lines are ranges over leaving out one language family at a time, no confidence intervals.",
            f"Forest plot, a panel per distance and a row per recipe.{_range(correlations)} The descriptive "
            "tests below hold every number.",
        ),
    }


def _range(correlations: pd.DataFrame) -> str:
    known = correlations.dropna(subset=["estimate"])
    if known.empty:
        return " No correlation could be computed."
    ordered = known.sort_values("estimate", kind="stable")
    least, most = ordered.iloc[0], ordered.iloc[-1]
    ends = [
        f"{number(row['estimate'])} ({row['recipe']}, {row['statistic'].split(':')[1]})"
        for row in (least, most)
    ]
    return f" The correlations lie between {ends[0]} and {ends[1]}."


WORDS = StudyWords(
    "Typological distance and degradation in sentence retrieval", _question, _answers, _pictures
)
