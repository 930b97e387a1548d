"""The results of a run as a page of Markdown: what docs/results-<run>.md shows is made here, not by hand."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from xstilts.registry import evaluation_tasks
from xstilts.tables import read_table

CONTROLS = ("chance", "tfidf")
PIVOT = "en"


def page(run: Path, settings: Mapping[str, Any], checkpoints: Sequence[Path]) -> str:
    """The whole page.

    Args:
        run: Folder of the run's results.
        settings: The whole configuration.
        checkpoints: Folders of the checkpoints whose cards tell parameters and time.
    """
    scores = read_table(run / "scores.tsv")
    name = settings["run"]["name"]
    small = "\nThis run is a **miniature**: its numbers say nothing about large models.\n"
    parts = [
        f"# Results of the run `{name}`\n",
        f"Made by the target `write_results` from the files of `results/{name}/`; not edited by hand.\n"
        + (small if settings["run"]["miniature"] else ""),
        *_retrieval(scores),
        *_tasks(scores, settings),
        *_verdicts(run, settings["run"]["studies"]),
        "## Has the run learnt anything?\n",
        "Encoders against their untrained twins, heads against the best constant answer on English dev.\n",
        _markdown(_vacuity(read_table(run / "vacuity.tsv"))),
        *_incidents(read_table(run / "incidents.tsv")),
        "## What was left out of training\n",
        "Training text and examples that stand in an evaluation set of the source.\n",
        _markdown(_leakage(read_table(run / "leakage.tsv"))),
        "## Checkpoints\n",
        _markdown(_cards(checkpoints)),
        "## Settings\n",
        "```yaml\n" + yaml.safe_dump(_chosen(settings), sort_keys=False, allow_unicode=True) + "```\n",
    ]
    return "\n".join(parts)


def _markdown(table: pd.DataFrame) -> str:
    shown = table.astype({"n": "Int64"}) if "n" in table else table
    shown = shown.map(lambda value: f"{value:.3f}" if isinstance(value, float) else value)
    rows = [list(map(str, shown.columns)), ["---"] * len(shown.columns)]
    missing = {"nan", "None", "<NA>"}
    rows += [["–" if text in missing else text for text in map(str, row)] for row in shown.to_numpy()]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"


def _by_language(rows: pd.DataFrame, first: Sequence[str] = ()) -> str:
    """A row per language, a column per value of `column`, and the mean over languages but English."""
    table = rows.pivot_table(index="language", columns="column", values="value", aggfunc="mean")
    order = [column for column in first if column in table]
    table = table[order + sorted(set(table.columns) - set(order))]
    mean = table.drop(index=PIVOT, errors="ignore").mean()
    table.insert(0, "n", rows.groupby("language")["n"].first())
    table.loc["mean but en"] = mean
    return _markdown(table.reset_index())


def _retrieval(scores: pd.DataFrame) -> list[str]:
    """A table per retrieval task and model of the task's first metric, a column per recipe and control."""
    parts = []
    controls = scores[scores["model"].isin(CONTROLS)]
    for task in sorted(controls["task"].unique()):
        metric = evaluation_tasks()[task].metrics[0]
        chosen = scores[(scores["task"] == task) & (scores["metric"] == metric)]
        for model in sorted(set(chosen["model"]) - set(CONTROLS)):
            own = chosen[chosen["model"].isin([model, *CONTROLS])].copy()
            own["column"] = own["recipe"].where(own["recipe"] != "-", own["model"])
            setting = own.loc[own["model"] == model, "setting"].iloc[0]
            title = f"## {task}: {metric}, {model}, {setting}\n"
            parts += [title, _by_language(own, ("chance", "untrained", "tfidf", "mlm"))]
    return parts


def _tasks(scores: pd.DataFrame, settings: Mapping[str, Any]) -> list[str]:
    """A table per task with a head and model; a task without scores is named."""
    headed = scores[(scores["setting"] == "-") & ~scores["model"].isin(CONTROLS)]
    parts = []
    for (task, model), rows in headed.groupby(["task", "model"], sort=True):
        own = rows.assign(column=rows["recipe"] + ": " + rows["metric"])
        # tag_accuracy counts words, all else examples: show the latter.
        own["n"] = own.groupby("language")["n"].transform("min")
        parts += [f"## {task}, zero-shot, {model}\n", _by_language(own)]
    asked = {task for block in settings["run"]["evaluations"] for task in block["tasks"]}
    withheld = sorted(asked - set(scores["task"]))
    if withheld:
        parts.append(
            f"Predicted, not scored, since the source withholds the gold answers: {', '.join(withheld)}.\n"
        )
    return parts


def _verdicts(run: Path, studies: Sequence[str]) -> list[str]:
    parts = []
    for study in studies:
        verdict = json.loads((run / "studies" / study / "verdict.json").read_text(encoding="utf-8"))
        tests = read_table(run / "studies" / study / "tests.tsv")
        shown = tests[tests["role"].isin(["primary", "descriptive"])]
        columns = ["role", "recipe", "task", "statistic", "estimate", "low", "high", "p", "n", "note"]
        parts += [
            f"## Study {study}: {verdict['verdict']}\n",
            f"{verdict['reason']}\n\nRule: {verdict['rule']}\n",
            _markdown(shown[columns]),
        ]
    return parts


def _vacuity(table: pd.DataFrame) -> pd.DataFrame:
    kept = table[table["check"] != "encoder"].copy()
    kept["passed"] = kept["passed"].map({True: "yes", False: "no"})
    return kept


def _incidents(table: pd.DataFrame) -> list[str]:
    """Collapsed and restarted trainings, if there are any."""
    if table.empty:
        return []
    words = "What rests on a collapsed run says so; its score is that of one answer to everything.\n"
    return ["## Collapsed and restarted trainings\n", words, _markdown(table)]


def _leakage(table: pd.DataFrame) -> pd.DataFrame:
    return table[(table["evaluation"] == "any") & (table["removed"] > 0)]


def _cards(checkpoints: Sequence[Path]) -> pd.DataFrame:
    cards = [json.loads((folder / "card.json").read_text(encoding="utf-8")) for folder in checkpoints]
    keys = ["model", "recipe", "seed", "parameters", "device", "threads", "seconds"]
    return pd.DataFrame([{key: card.get(key, "–") for key in keys} for card in cards])


def _chosen(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration without the entries of the catalogues that the run does not select."""
    run, data = settings["run"], dict(settings["data"])
    if data["source"] != "micro":
        data.pop("micro")
    models = {name: settings["models"][name] for name in run["models"]}
    studies = {name: settings["studies"][name] for name in run["studies"]}
    return {**settings, "data": data, "models": models, "studies": studies}
