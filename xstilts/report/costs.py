"""What a run cost: the wall-clock time that Snakemake keeps of every job, added up by step."""

from pathlib import Path

import pandas as pd

from xstilts.tables import read_table

COLUMNS = ["step", "jobs", "seconds", "longest_seconds"]
BY_NAME = ("predictions", "scores", "studies")
"""Folders whose benchmarks are named by the step within them; of all others the folder is the step."""


def collected(folder: Path) -> pd.DataFrame:
    """One row per step, the most expensive first, and the sum.

    Of CPU time and memory nothing is said: Snakemake measures a job's own processes, and a model job may
    be run by a fork of another (xstilts.warm).

    Args:
        folder: The benchmarks; `checkpoints/<model>/<recipe>/...` is the step `checkpoints`.

    Returns:
        Columns step, jobs, seconds (summed over the jobs) and longest_seconds (of one job).

    Raises:
        DataError: if a benchmark is no table.
    """
    rows = [_job(folder, path) for path in sorted(folder.rglob("*.tsv"))]
    jobs = pd.DataFrame(rows, columns=["step", "seconds"])
    steps = pd.DataFrame([_summed(str(step), group) for step, group in jobs.groupby("step", sort=True)])
    whole = [steps.sort_values("seconds", ascending=False, kind="stable")] if len(steps) else []
    return pd.concat([*whole, pd.DataFrame([_summed("all", jobs)])], ignore_index=True)[COLUMNS]


def _job(folder: Path, path: Path) -> dict[str, object]:
    parts = path.relative_to(folder).with_suffix("").parts
    step = f"{parts[0]}: {parts[-1]}" if parts[0] in BY_NAME else parts[0]
    return {"step": step, "seconds": float(read_table(path)["s"].iloc[-1])}  # a repeated job appends


def _summed(step: str, jobs: pd.DataFrame) -> dict[str, object]:
    seconds = jobs["seconds"]
    return {
        "step": step,
        "jobs": len(jobs),
        "seconds": float(seconds.sum()),
        "longest_seconds": float(seconds.max()) if len(jobs) else 0.0,
    }
