"""What the studies ask, and what their answers, figures and statistics are called."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from xstilts.report.table import interval, number
from xstilts.studies.words import LEAVE_ONE_OUT, p_value, percent

Settings = dict[str, Any]

STATISTICS = {
    "slope": "slope on",
    "slope_change": "change of the slope on",
    "spearman": "Spearman correlation with",
    "partial_spearman": "partial Spearman correlation with",
    "share_not_above": "share of languages not above",
    "coverage": "share of languages with data for",
    "feature_coverage": "share of known features for",
    "fitted": "fitted degradation by",
}
SUBJECTS = {
    **{
        name: f"{name} distance" for name in ("syntactic", "phonological", "inventory", "featural", "genetic")
    },
    "geographic": "geographic distance",
    "size": "log10 pre-training size",
    "script": "script other than Latin",
    "untrained": "the untrained encoder",
    "tfidf": "n-gram TF-IDF",
}


def statistic_in_words(statistic: str, identity: str, task: str) -> str:
    """What a row of tests.tsv holds: `slope:syntactic` is the slope on syntactic distance.

    Args:
        statistic: Column `statistic`.
        identity: Column `id`, whose last part names the variant, if it is one.
        task: Column `task`, the last part of an id without a variant.
    """
    kind, _, about = statistic.partition(":")
    shown = STATISTICS.get(kind, kind.replace("_", " "))
    shown = f"{shown} {SUBJECTS.get(about, about.replace('_', ' '))}".strip()
    variant = identity.rsplit("/", 1)[-1]
    return shown if variant == task or "/" not in identity else f"{shown}: {variant.replace('_', ' ')}"


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


def _typology_question(settings: Settings) -> str:
    return (
        "How does the typological distance between English and a language correlate with zero-shot "
        "degradation in sentence retrieval? The primary hypothesis: with the recipe "
        f"{settings['primary_recipe']}, degradation in {settings['primary_task']} rises with "
        f"{settings['primary_distance']} distance from English"
        + (f", given {' and '.join(settings['covariates'])}." if settings["covariates"] else ".")
    )


def _typology_answers(settings: Settings) -> dict[str, str]:
    distance = f"{settings['primary_distance']} distance"
    return {
        "supports": f"Yes: in this run degradation rises with {distance}.",
        "contradicts": f"No: in this run degradation does not rise with {distance}.",
        "inconclusive": "This run cannot tell.",
        "not estimable": "The question cannot be answered with this run.",
    }


def _typology_pictures(settings: Settings, tests: pd.DataFrame) -> dict[str, Picture]:
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


STUDIES = {
    "typology": StudyWords(
        "Typological distance and degradation in sentence retrieval",
        _typology_question,
        _typology_answers,
        _typology_pictures,
    ),
}


def confidence(tests: pd.DataFrame, settings: Settings, detectable: float | None) -> str:
    """How sure the answer is: interval, p, sensitivity analyses, and what the run could have seen."""
    primary = tests[tests["role"] == "primary"].iloc[0]
    if pd.isna(primary["estimate"]):
        return f"None: the primary test is {primary['note']}."
    level = percent(1 - settings["alpha"])
    parts = [
        f"Estimate {number(primary['estimate'])} {primary['unit']}, {level} interval "
        f"{interval(primary['low'], primary['high'])}, {p_value(primary['p'])}, "
        f"n = {number(primary['n'], 0)}.",
        _agreement(tests, primary["estimate"]),
    ]
    if pd.notna(detectable) and detectable <= 1:
        power = percent(settings["power"])
        parts.append(f"An effect of {number(detectable)} would have been found with {power} power.")
    return " ".join(filter(None, parts))


def _agreement(tests: pd.DataFrame, estimate: float) -> str:
    sensitivity = tests[tests["role"] == "sensitivity"]
    is_range = sensitivity["id"].str.endswith(f"/{LEAVE_ONE_OUT}")  # its bounds are no interval
    rows = sensitivity[~is_range]
    known = rows.dropna(subset=["estimate", "low", "high"])
    if known.empty:
        return "No sensitivity analysis could be made."
    bounds = known["low"] if estimate > 0 else -known["high"]
    missing = f"; {len(rows) - len(known)} could not be made" if len(known) < len(rows) else ""
    ranges = sensitivity[is_range].dropna(subset=["low", "high"])
    without = "".join(
        f" Without any one family the estimate lies from {number(low)} to {number(high)}."
        for low, high in zip(ranges["low"], ranges["high"], strict=True)
    )
    return (
        f"Of {len(known)} sensitivity analyses, {int((bounds > 0).sum())} have an interval that lies on the "
        f"estimate's side of zero{missing}.{without}"
    )
