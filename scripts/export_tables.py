"""Export a run's scores, outcomes per example and tests as Parquet and TSV, with a data dictionary."""

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from xstilts.command_line import run
from xstilts.export import export


def main(
    scores: Annotated[Path, Option(help="scores.tsv")],
    output: Annotated[Path, Option(help="folder to write to")],
    outcomes: Annotated[
        Path | None,
        Option(help="folder <model>/<recipe>/seed<k>/<task>.parquet of outcomes; published scores have none"),
    ] = None,
    tests: Annotated[list[Path] | None, Argument(help="tests.tsv of every study")] = None,
) -> None:
    """Write scores, outcomes and tests in both forms, and what their columns mean."""
    export(scores, outcomes, tests or [], output)


if __name__ == "__main__":
    run(main)
