"""Write scores.tsv from a table of published scores."""

from pathlib import Path
from typing import Annotated

from typer import Option

from xstilts.command_line import run
from xstilts.scoring.published import imported
from xstilts.tables import read_table, write_table


def main(
    *,
    table: Annotated[
        Path, Option(help="the published scores, tab-separated; docs/scores.md has the columns")
    ],
    name: Annotated[str, Option("--run", help="name of the run")],
    output: Annotated[Path, Option(help="scores.tsv, to be written")],
) -> None:
    """Check the table, fill in what it need not say, and write it as scores.tsv."""
    write_table(imported(read_table(table), name, str(table)), output)


if __name__ == "__main__":
    run(main)
