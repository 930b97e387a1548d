"""Add up the run time of every step from the benchmarks of its jobs, and collect what trainings cost."""

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from xstilts.command_line import run
from xstilts.report import trainings
from xstilts.report.costs import collected
from xstilts.tables import write_table


def main(
    checkpoints: Annotated[list[Path] | None, Argument(help="folders <model>/<recipe>/seed<k>")] = None,
    *,
    benchmarks: Annotated[Path, Option(help="folder of the jobs' benchmarks, a folder or file per step")],
    output: Annotated[Path, Option(help="costs.tsv, to be written")],
    training: Annotated[Path, Option(help="training_costs.tsv, to be written")],
) -> None:
    """Write costs.tsv, one row per step and their sum, and training_costs.tsv, one per checkpoint."""
    write_table(trainings.costs(checkpoints or []), training)
    write_table(collected(benchmarks), output)


if __name__ == "__main__":
    run(main)
