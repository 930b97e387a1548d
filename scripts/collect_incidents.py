"""Collect what went wrong in trainings: models that collapsed, trainings that had to restart."""

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from xstilts.command_line import run
from xstilts.report.incidents import incidents
from xstilts.tables import write_table


def main(
    checkpoints: Annotated[list[Path] | None, Argument(help="folders <model>/<recipe>/seed<k>")] = None,
    *,
    data: Annotated[Path, Option(help="folder with <task>/train.jsonl and dev.jsonl")],
    output: Annotated[Path, Option(help="incidents.tsv, to be written")],
) -> None:
    """Write incidents.tsv, one row per task that collapsed and per restart."""
    write_table(incidents(checkpoints or [], data), output)


if __name__ == "__main__":
    run(main)
