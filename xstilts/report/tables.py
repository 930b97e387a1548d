"""The tables of the page, from the tables of the run."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from xstilts.recipes import MLM, UNTRAINED
from xstilts.report.table import MISSING, Table, from_frame, interval, number, probability, text
from xstilts.report.words import statistic_in_words
from xstilts.studies.collapse import rests_on_collapse

CONTROLS = {"chance": "chance", "tfidf": "TF-IDF"}
CORRECTIONS = {"holm": "Holm", "fdr_bh": "Benjamini-Hochberg", "fdr_by": "Benjamini-Yekutieli"}
CELL = ["task", "split", "setting", "metric", "model", "recipe"]
ROLES = {
    "primary": "Primary test",
    "sensitivity": "Sensitivity: the primary test under other choices",
    "exploratory": "Exploratory tests",
    "descriptive": "Descriptive statistics",
}
CHECKS = {
    "encoder_mean": "masked LM above the untrained encoder, mean over languages",
    "encoder_spread": "best language above the worst",
    "encoder_non_latin_share": "share of non-Latin languages clearly above the untrained encoder",
    "encoder": "masked LM above the untrained encoder by three standard errors",
    "head": "fine-tuned head above the best constant answer, English dev set",
}


def tests_by_role(tests: pd.DataFrame) -> list[Table]:
    """tests.tsv as one table per role; a test that could not be made says why in its note."""
    columns = ["Statistic", "Model, recipe, task", "Estimate", "Low to high"]
    columns += ["p", "Adjusted p", "n", "Unit", "Method", "Note"]
    found = []
    for role, caption in ROLES.items():
        rows = [
            (
                statistic_in_words(str(row.statistic), str(row.id), str(row.task)),
                ", ".join(str(part) for part in (row.model, row.recipe, row.task) if part != "-"),
                number(row.estimate),
                interval(row.low, row.high),
                probability(row.p),
                probability(row.p_adjusted),
                number(row.n, 0),
                text(row.unit),
                text(row.method),
                text(row.note),
            )
            for row in tests[tests["role"] == role].itertuples()
        ]
        if rows:
            note = f"{MISSING}: not defined for this statistic, or not estimable (then the note says why)."
            found.append(Table(f"{caption} ({len(rows)})", columns, rows, frozenset(range(2, 7)), note))
    return found


def retrieval(scores: pd.DataFrame, names: Mapping[str, str]) -> list[Table]:
    """Per retrieval task, metric and model: the masked LM beside its controls, language by language."""
    own = scores[(scores["setting"] != "-") & (scores["recipe"] == MLM)]
    tables = []
    for (task, split, metric, model, setting), cell in own.groupby(
        ["task", "split", "metric", "model", "setting"], sort=True
    ):
        same = scores[(scores["task"] == task) & (scores["split"] == split) & (scores["metric"] == metric)]
        untrained = same[
            (same["model"] == model) & (same["recipe"] == UNTRAINED) & (same["setting"] == setting)
        ]
        sides = {MLM: cell, "untrained": untrained}
        sides |= {label: same[same["model"] == control] for control, label in CONTROLS.items()}
        wide = pd.DataFrame(
            {label: side.groupby("language")["value"].mean() for label, side in sides.items()}
        )
        wide = wide.loc[sorted(cell["language"].unique())]
        queries = cell.groupby("language")["n"].first()
        rows = [
            (f"{names.get(code, code)} ({code})", *map(number, wide.loc[code]), number(queries[code], 0))
            for code in wide.index
        ]
        rows.append((f"Mean of {len(wide)} languages", *map(number, wide.mean()), MISSING))
        tables.append(
            Table(
                f"{task}, {metric}: {model} ({setting})",
                ["Language", *wide.columns, "Queries"],
                rows,
                frozenset(range(1, len(wide.columns) + 2)),
                f"{MISSING}: not scored with this control.",
            )
        )
    return tables


def language_means(scores: pd.DataFrame, incidents: pd.DataFrame | None) -> Table:
    """Every model, recipe and task: the mean over languages and seeds, English apart.

    Args:
        scores: scores.tsv.
        incidents: incidents.tsv, if the run has it; collapsed runs are counted beside their mean.
    """
    rows = []
    doubtful = pd.Series(False, scores.index) if incidents is None else rests_on_collapse(scores, incidents)
    for cell, group in scores.groupby(CELL, sort=True):
        others = group[group["language"] != "en"].groupby("language")["value"].mean()
        english = group.loc[group["language"] == "en", "value"].mean()
        parts = [str(part) for part in cell]
        rows.append(
            (
                *parts[:1],
                *map(text, [parts[3], parts[4], parts[5], parts[2]]),
                number(others.mean()),
                f"{number(others.min())} ({others.idxmin()})" if len(others) else MISSING,
                f"{number(others.max())} ({others.idxmax()})" if len(others) else MISSING,
                number(english),
                number(len(others), 0),
                _runs(group["seed"], doubtful),
            )
        )
    columns = ["Task", "Metric", "Model", "Recipe", "Retrieval setting", "Mean", "Least", "Most", "English"]
    note = (
        f"Mean, least and most: over the languages but English, each averaged over seeds. {MISSING}: a "
        "control has no recipe, only retrieval has a setting, and English is not scored where it is "
        "the pivot."
    )
    if doubtful.any():
        note += " Collapsed: these of the seeds rest on a model that gives one answer to everything."
    return Table("All scores", [*columns, "Languages", "Seeds"], rows, frozenset(range(5, 11)), note)


def _runs(seeds: "pd.Series[int]", doubtful: "pd.Series[bool]") -> str:
    """How many seeds there are, and how many of them collapsed."""
    collapsed = seeds[doubtful.loc[seeds.index]].nunique()
    return number(seeds.nunique(), 0) + (f" ({collapsed} collapsed)" if collapsed else "")


def incidents(frame: pd.DataFrame | None) -> Table | None:
    """incidents.tsv, if the run has it."""
    if frame is None:
        return None
    columns = {"model": "Model", "recipe": "Recipe", "seed": "Seed", "incident": "Training", "task": "Task"}
    columns |= {"metric": "Metric", "value": "Dev score", "baseline": "Best constant answer", "what": "What"}
    shown = frame[list(columns)].rename(columns=columns)
    shown["Seed"] = shown["Seed"].astype(str)
    counts = frame["incident"].value_counts()
    summary = ", ".join(f"{counts[name]} {name}" for name in sorted(counts.index))
    return from_frame(shown, f"Trainings that collapsed or restarted: {summary}")


@dataclass(frozen=True)
class Checks:
    """The checks that a run has learnt something, those of single languages, and the failed ones."""

    whole: Table
    single: Table
    failed: list[str]


def vacuity(frame: pd.DataFrame | None) -> Checks | None:
    """vacuity.tsv, if the run has it."""
    if frame is None:
        return None
    verdicts = frame["passed"].astype(str).str.lower() == "true"
    shown = pd.DataFrame(
        {
            "Check": frame["check"].map(CHECKS).fillna(frame["check"]),
            "Of": frame["model"] + ", " + frame["subject"],
            "Metric": frame["metric"],
            "Value": frame["value"],
            "Baseline": frame["baseline"],
            "Difference": frame["difference"],
            "Required": frame["required"],
            "Result": verdicts.map({True: "passed", False: "FAILED"}),
        }
    )
    single = frame["check"] == "encoder"
    failed = shown[~verdicts & ~single]
    return Checks(
        from_frame(shown[~single], "Checks"),
        from_frame(shown[single], "Language by language"),
        [f"{row.Check} ({row.Of})" for row in failed.itertuples()],
    )


def correction_in_words(verdict: "pd.Series[Any]", settings: Mapping[str, Any]) -> str:
    """What the correction over the studies made of a verdict (a row of verdicts.tsv); empty without one."""
    if pd.isna(verdict["p_adjusted"]):
        return ""
    method = CORRECTIONS[settings["primary_correction"]]
    found = f"{method} over the primary tests of the studies: adjusted p {probability(verdict['p_adjusted'])}"
    if verdict["verdict"] == verdict["alone"]:
        return f"{found}."
    return (
        f"{found}, above {settings['alpha']:g}: what “{verdict['alone']}” by itself is {verdict['verdict']}."
    )


def claims(frame: pd.DataFrame | None) -> Table | None:
    """claims.tsv, if the run has it."""
    if frame is None:
        return None
    columns = {"id": "Claim", "statement": "Statement", "expected": "Expected", "found": "Found"}
    columns |= {"verdict": "Verdict", "why": "Why", "source": "Source"}
    counts = frame["verdict"].value_counts()
    summary = ", ".join(f"{counts[name]} {name}" for name in counts.index)
    shown = frame[list(columns)].rename(columns=columns)
    return from_frame(shown, f"{len(frame)} claims of the source reports: {summary}")


def costs(frame: pd.DataFrame | None) -> Table | None:
    """costs.tsv, if the run has it."""
    if frame is None:
        return None
    columns = {
        "step": "Step",
        "jobs": "Jobs",
        "seconds": "Seconds",
        "longest_seconds": "Longest job (seconds)",
    }
    shown = frame[list(columns)].rename(columns=columns)
    note = "Jobs run side by side: the run took less time than the sum. Measured where they last ran."
    return from_frame(shown, "Run time and cost of every step", digits=1, note=note)


def training_costs(frame: pd.DataFrame | None) -> Table | None:
    """training_costs.tsv, if the run has it: seeds of a recipe together."""
    if frame is None or frame.empty:
        return None
    names = {"model": "Model", "recipe": "Recipe", "device": "Device", "dtype": "Precision"}
    grouped = frame.groupby(list(names), sort=True)
    shown = pd.DataFrame(
        {
            "Runs": grouped.size(),
            "Seconds": grouped["training_seconds"].sum(),
            "Examples per second": grouped["examples_per_second"].mean(),
            "Pieces per second": grouped["pieces_per_second"].mean().round().astype(int),
            "Peak memory (MiB)": grouped["peak_memory_mib"].max(),
            "Energy (kJ)": grouped["energy_kilojoules"].sum(min_count=1).astype(float),
        }
    ).reset_index(names=list(names.values()))
    note = (
        f"Seconds and energy: summed over the runs; throughput: their mean; memory: the largest. {MISSING}: "
        "not told by the device. Memory is the GPU's, on a CPU that of the process."
    )
    return from_frame(shown, "What the trainings cost", digits=1, note=note)


def leakage(frame: pd.DataFrame | None) -> Table | None:
    """What was removed from training and selection, summed over languages, where there was anything."""
    if frame is None:
        return None
    grouped = frame.groupby(["trained_on", "split", "evaluation"], sort=True).agg(
        removed=("removed", "sum"),
        of=("of", "sum"),
        languages=("removed", lambda counts: int((counts > 0).sum())),
    )
    shown = grouped[grouped["removed"] > 0].reset_index()
    shown.columns = pd.Index(["Trained on", "Part", "Stands in", "Removed", "Of", "Languages concerned"])
    note = (
        "“any” counts every example once, in however many evaluation sets it stands; “dev” is what is"
        " selected on."
    )
    return from_frame(shown, "Removed from training because it stands in an evaluation set", note=note)


def languages(
    frame: pd.DataFrame, scores: pd.DataFrame, fertility: pd.DataFrame | None, corpus: pd.DataFrame | None
) -> Table:
    """The languages that the run scores or pre-trains on: facts, distances, fertility, own corpus."""
    used = set(scores["language"]) | set([] if corpus is None else corpus["language"])
    joined = frame[frame["language"].isin(used)]
    columns = {"language": "Code", "name": "Name", "family": "Family", "script": "Script"}
    columns |= {"cc100_gib": "CC-100 (GiB)"}
    distances = [name for name in frame.columns if name.startswith("distance_")]
    columns |= {name: name.removeprefix("distance_").capitalize() for name in distances}
    if fertility is not None:
        joined = joined.merge(fertility[["language", "fertility"]], on="language", how="left")
        columns |= {"fertility": "Fertility"}
    if corpus is not None:
        joined = joined.merge(corpus, on="language", how="left")
        columns |= {"lines": "Lines", "bytes": "Bytes", "pairs": "Pairs"}
    note = (
        f"Distances to English: 0 is near. {MISSING}: not in CC-100 (unseen by the published models), no "
        "feature known in both languages, no aligned text to measure fertility on, or no text in this run's "
        "corpus. Coverage of the distances: languages.tsv."
    )
    return from_frame(joined[list(columns)].rename(columns=columns), "Languages", note=note)
