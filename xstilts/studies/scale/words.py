"""What S2 asks, and what its answers and figures are called."""

import pandas as pd

from xstilts.report.table import interval, number
from xstilts.studies.words import Picture, Settings, StudyWords


def _question(settings: Settings) -> str:
    given = f", given {' and '.join(settings['covariates'])}" if settings["covariates"] else ""
    return (
        "Does the effectiveness of English intermediate training depend on a language's similarity to "
        "English, and how does that scale with the size of the model? The primary hypothesis: the slope of "
        f"the gain of {settings['recipes'][0]} in {settings['tasks'][0]} on {settings['distance']} "
        f"similarity{given} changes with the logarithm of the number of parameters."
    )


def _answers(settings: Settings) -> dict[str, str]:
    dependence = f"how much gains depend on {settings['distance']} similarity"
    return {
        "supports": f"Yes: in this run {dependence} changes with the size of the model.",
        "contradicts": f"No: in this run {dependence} changes too little with the size to matter.",
        "inconclusive": "This run cannot tell.",
        "not estimable": "The question cannot be answered with this run.",
    }


def _pictures(settings: Settings, tests: pd.DataFrame) -> dict[str, Picture]:
    primary = tests[tests["role"] == "primary"].iloc[0]
    ours = tests[(tests["recipe"] == primary["recipe"]) & (tests["task"] == primary["task"])]
    distance = settings["distance"]
    change = (
        f" Per tenfold parameters the slope changes by {number(primary['estimate'])} "
        f"(interval {interval(primary['low'], primary['high'])})."
        if pd.notna(primary["estimate"])
        else f" A trend over sizes is {primary['note'].split(';')[0]}."
    )
    about = f"{primary['recipe']} in {primary['task']}"
    return {
        "slopes": Picture(
            f"Slope of the gain of {about} on {distance} similarity to English, against the number of "
            "parameters (logarithmic). Small open circles are runs, large marks their means with t intervals "
            "over runs. The line is the primary model's, drawn where there are sizes enough.",
            f"The slope of gain on {distance} similarity by size of the model."
            f"{_listed(ours, f'slope:{distance}', 'Slopes')}{change}",
        ),
        "gains": Picture(
            f"Gain of {about} over the baseline against {distance} similarity to English, a panel per size "
            "and a point per language (mean over runs), with the fitted line. Filled: Latin script; open: "
            "another.",
            f"A scatter plot per size of the model, every language labelled by its code."
            f"{_listed(ours, 'mean_gain', 'Mean gains')}"
            f"{_listed(ours, f'spearman:{distance}', 'Spearman correlations of gain and similarity')}",
        ),
    }


def _listed(tests: pd.DataFrame, statistic: str, name: str) -> str:
    rows = tests[tests["statistic"] == statistic].dropna(subset=["estimate"])
    if rows.empty:
        return f" {name} could not be computed."
    listed = ", ".join(f"{number(row['estimate'])} ({row['model']})" for _, row in rows.iterrows())
    return f" {name}: {listed}."


WORDS = StudyWords("Similarity to English and the size of the model", _question, _answers, _pictures)
