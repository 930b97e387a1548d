"""What S3 asks, and what its answers and figures are called."""

import pandas as pd

from xstilts.report.table import interval, number
from xstilts.studies.words import Picture, Settings, StudyWords


def _question(settings: Settings) -> str:
    return (
        "To what extent does intermediate training on English question answering generalise to "
        "cross-lingual retrieval, compared with multilingual question answering? The primary hypothesis: "
        f"with {settings['matched_examples']} training examples each, {_mean_of(settings['multilingual'])} "
        f"prepares better than {_mean_of(settings['english'])} for {' and '.join(settings['tasks'])} "
        f"({_metrics(settings)}; runs weigh the same, so do tasks, and so do a task's languages other than "
        "English)."
    )


def _mean_of(tasks: list[str]) -> str:
    return tasks[0] if len(tasks) == 1 else f"the mean of {', '.join(tasks)}"


def _metrics(settings: Settings) -> str:
    chosen = {task: settings["metrics"].get(task, settings["metric"]) for task in settings["tasks"]}
    return " and ".join(sorted({metric.replace("_", " ") for metric in chosen.values()}))


def _answers(settings: Settings) -> dict[str, str]:
    return {
        "supports": "In this run multilingual question answering prepares better than English.",
        "contradicts": "In this run multilingual question answering prepares no better than English.",
        "inconclusive": "This run cannot tell.",
        "not estimable": "The question cannot be answered with this run.",
    }


def _pictures(settings: Settings, tests: pd.DataFrame) -> dict[str, Picture]:
    primary = tests[tests["role"] == "primary"].iloc[0]
    tasks = " and ".join(settings["tasks"])
    return {
        "contrasts": Picture(
            f"Left: {_metrics(settings)} in {tasks} of each language after English and after multilingual "
            f"question answering with {settings['matched_examples']} examples each ({primary['model']}; "
            "means over runs and the language's tasks; dashed where it lacks one; black: the mean over "
            "tasks). Right: the differences with their intervals over runs and languages, by subset of the "
            "languages and by task, with examples of equal number (filled) and with all (open).",
            "Paired slopes, a line per language labelled by its code; filled circles are languages of the "
            "multilingual training sets, open squares are others; lines are dashed where a language lacks a "
            "task. "
            f"{_mean(primary)}{_subsets(tests, primary)}",
        ),
        "recall": Picture(
            "Recall among the first 1, 5 and 10 candidates of every arm, by task, averaged over runs and "
            "languages other than English. A bar marks the most that recall can be where there are more "
            "right candidates than are counted.",
            f"Curves of recall that rise with k, a panel per task. {_best(tests, primary, settings)}"
            f"{_ceilings(tests, settings)} The descriptive tests below hold every number.",
        ),
    }


def _mean(primary: pd.Series) -> str:
    if pd.isna(primary["estimate"]):
        return "No difference could be computed."
    bounds = f" (interval {interval(primary['low'], primary['high'])})" if pd.notna(primary["low"]) else ""
    return f"Multilingual minus English is {number(primary['estimate'])} in the mean{bounds}."


def _subsets(tests: pd.DataFrame, primary: pd.Series) -> str:
    by_id = tests.set_index("id")["estimate"]
    places = {"inside": "languages of the training sets", "outside": "other languages"}
    values = {where: by_id.get(f"{primary['id']}/{variant}") for variant, where in places.items()}
    known = [f"{number(value)} in {where}" for where, value in values.items() if pd.notna(value)]
    return f" It is {' and '.join(known)}." if known else ""


def _best(tests: pd.DataFrame, primary: pd.Series, settings: Settings) -> str:
    sentences = []
    for task in settings["tasks"]:
        rows = tests[(tests["statistic"] == "mean:recall_at_10") & (tests["task"] == task)]
        known = rows[rows["model"] == primary["model"]].dropna(subset=["estimate"])
        if len(known):
            ordered = known.sort_values("estimate", kind="stable")
            least, most = ordered.iloc[0], ordered.iloc[-1]
            sentences.append(
                f"In {task} recall at 10 lies between {number(least['estimate'])} ({least['recipe']}) and "
                f"{number(most['estimate'])} ({most['recipe']})."
            )
    return " ".join(sentences) or "No recall at 10 was scored."


def _ceilings(tests: pd.DataFrame, settings: Settings) -> str:
    rows = tests[(tests["statistic"] == "ceiling:recall_at_10") & (tests["estimate"] < 1)]
    return "".join(
        f" In {row['task']} it can be {number(row['estimate'], 2)} at most."
        for _, row in rows[rows["task"].isin(settings["tasks"])].drop_duplicates("task").iterrows()
    )


WORDS = StudyWords(
    "English and multilingual question answering before retrieval", _question, _answers, _pictures
)
