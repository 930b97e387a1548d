"""Collect tables of scores into one."""

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from xstilts.command_line import run
from xstilts.scoring.table import collect
from xstilts.tables import read_table, write_table


def main(
    inputs: Annotated[list[Path], Argument(help="tables of scores")],
    output: Annotated[Path, Option(help="table to write, sorted by its key")],
) -> None:
    """Collect tables of scores, each key once."""
    write_table(collect([read_table(path) for path in sorted(inputs)]), output)


if __name__ == "__main__":
    run(main)
