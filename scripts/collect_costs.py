"""Add up the run time of every step from the benchmarks of its jobs."""

from pathlib import Path
from typing import Annotated

from typer import Option

from xstilts.command_line import run
from xstilts.report.costs import collected
from xstilts.tables import write_table


def main(
    *,
    benchmarks: Annotated[Path, Option(help="folder of the jobs' benchmarks, a folder or file per step")],
    output: Annotated[Path, Option(help="costs.tsv, to be written")],
) -> None:
    """Write costs.tsv, one row per step and their sum."""
    write_table(collected(benchmarks), output)


if __name__ == "__main__":
    run(main)
