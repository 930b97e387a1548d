"""Collect the training logs of all checkpoints into one table."""

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from xstilts.command_line import run
from xstilts.report.trainings import curves
from xstilts.tables import write_table


def main(
    checkpoints: Annotated[list[Path] | None, Argument(help="folders <model>/<recipe>/seed<k>")] = None,
    *,
    output: Annotated[Path, Option(help="training.tsv, to be written")],
) -> None:
    """Write training.tsv, one row per checkpoint, step and task."""
    write_table(curves(checkpoints or []), output)


if __name__ == "__main__":
    run(main)
