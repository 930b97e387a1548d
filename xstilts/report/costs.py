"""What a run cost: the benchmarks that Snakemake keeps of every job, added up by step."""

from pathlib import Path

import pandas as pd

from xstilts.tables import read_table

COLUMNS = ["step", "jobs", "seconds", "cpu_seconds", "longest_seconds", "memory_mb"]
BY_TASK = ("predictions", "scores")
"""Folders with a benchmark per task and checkpoint; in all others the folder is the step."""


def collected(folder: Path) -> pd.DataFrame:
    """One row per step, the most expensive first, and the sum.

    Args:
        folder: The benchmarks; `checkpoints/<model>/<recipe>/...` is the step `checkpoints`.

    Returns:
        Columns step, jobs, seconds (summed), cpu_seconds (summed), longest_seconds (of one job) and
        memory_mb (the most that one job held); a value that was not measured is missing.

    Raises:
        DataError: if a benchmark is no table.
    """
    rows = [_job(folder, path) for path in sorted(folder.rglob("*.tsv"))]
    jobs = pd.DataFrame(rows, columns=["step", "s", "cpu_time", "max_rss"])
    jobs[["s", "cpu_time", "max_rss"]] = jobs[["s", "cpu_time", "max_rss"]].apply(
        pd.to_numeric,
        errors="coerce",  # Snakemake writes NA or - where a job was too short to measure
    )
    steps = pd.DataFrame([{"step": step, **_summed(rows)} for step, rows in jobs.groupby("step", sort=True)])
    steps = steps.sort_values("seconds", ascending=False, kind="stable")
    total = pd.DataFrame([{"step": "all", **_summed(jobs)}])
    return pd.concat([steps, total], ignore_index=True)[COLUMNS]


def _job(folder: Path, path: Path) -> dict[str, object]:
    parts = path.relative_to(folder).with_suffix("").parts
    step = f"{parts[0]}: {parts[-1]}" if parts[0] in BY_TASK else parts[0]
    last = read_table(path).iloc[-1]  # a repeated job appends
    return {"step": step, **{name: last.get(name) for name in ("s", "cpu_time", "max_rss")}}


def _summed(jobs: pd.DataFrame) -> dict[str, float]:
    return {
        "jobs": len(jobs),
        "seconds": jobs["s"].sum(min_count=1),
        "cpu_seconds": jobs["cpu_time"].sum(min_count=1),
        "longest_seconds": jobs["s"].max(),
        "memory_mb": jobs["max_rss"].max(),
    }
