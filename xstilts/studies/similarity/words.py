"""What S5 asks, and what its answers and figures are called."""

import pandas as pd

from xstilts.report.table import number
from xstilts.studies.similarity.pairs import GROUPS
from xstilts.studies.words import Picture, Settings, StudyWords, p_value

ENCODERS = {
    "run": "the run's own masked LM",
    "folder": "a sentence-transformers model of a local folder",
}


def _question(settings: Settings) -> str:
    return (
        "Does the semantic similarity between English intermediate tasks and target tasks correlate with "
        "zero-shot gains in low-resource languages? The primary hypothesis: over the pairs of intermediate "
        f"({', '.join(settings['recipes'])}) and target tasks ({', '.join(settings['tasks'])}), the gain in "
        f"languages with less than {settings['low_resource_gib']:g} GiB of CC-100, or none, rises with the "
        f"cosine of the tasks' centroids ({_encoder(settings)}, {settings['sample']} English examples of "
        "each task), both relative to the target's mean."
    )


def _encoder(settings: Settings) -> str:
    encoder = settings["encoder"]
    return ENCODERS.get(encoder["source"], f"embeddings of {encoder['repository']}")


def _answers(settings: Settings) -> dict[str, str]:
    return {
        "supports": "Yes: in this run similar intermediate tasks gain more in low-resource languages.",
        "contradicts": "No: in this run similar intermediate tasks gain less in low-resource languages.",
        "inconclusive": "This run cannot tell.",
        "not estimable": "The question cannot be answered with this run.",
    }


def _pictures(settings: Settings, tests: pd.DataFrame) -> dict[str, Picture]:
    model = str(tests.loc[tests["role"] == "primary", "model"].iloc[0])
    return {
        "scatter": Picture(
            f"Gain over the baseline against the cosine of the tasks' centroids, both relative to the "
            f"target's mean ({model}): in low-resource and in all other languages. A point is a pair of "
            "tasks, labelled by the intermediate task, averaged over runs and languages; a thin line is "
            "fitted to the pairs of one language, labelled by its code.",
            f"Two scatter plots of gain against similarity. {_correlations(tests, model)}",
        ),
        "heat_maps": Picture(
            "Similarity of each intermediate and target task (cosine of the centroids of their English "
            "examples), and the gain of the pair in low-resource languages in points, averaged over runs and "
            "languages; bold where the interval over runs and languages is off 0.",
            "Two heat maps with the number in each cell, rows of intermediate tasks and columns of target "
            f"tasks. {_extremes(tests, model)} The descriptive tests below hold every gain.",
        ),
    }


def _correlations(tests: pd.DataFrame, model: str) -> str:
    by_id = tests.set_index("id")
    sentences: list[str] = []
    for group, name in GROUPS.items():
        row = by_id.loc[f"correlation/{model}/{group}"]
        if pd.isna(row["estimate"]):
            sentences.append(f"In {name} no correlation could be computed.")
        else:
            found = f"{number(row['estimate'], 2)} ({p_value(row['p'])}, {row['n']:.0f} pairs)"
            sentences.append(f"In {name} the correlation is {found}.")
    return " ".join(sentences)


def _extremes(tests: pd.DataFrame, model: str) -> str:
    rows = tests[(tests["statistic"] == "gain:low") & (tests["model"] == model)].dropna(subset=["estimate"])
    if rows.empty:
        return "No gain could be computed."
    ordered = rows.sort_values("estimate", kind="stable")
    ends = [
        f"{number(row['estimate'])} ({row['recipe']} for {row['task']})"
        for _, row in ordered.iloc[[0, -1]].iterrows()
    ]
    return f"The gains lie between {ends[0]} and {ends[1]}."


WORDS = StudyWords("Similarity of tasks and gains in low-resource languages", _question, _answers, _pictures)
