"""Join the reports of what was filtered out of the training data."""

from pathlib import Path
from typing import Annotated

import pandas as pd
from typer import Argument, Option

from xstilts.command_line import run
from xstilts.data.leakage import leakage_table
from xstilts.tables import read_table, write_table


def main(
    output: Annotated[Path, Option(help="the joint report to write")],
    inputs: Annotated[list[Path] | None, Argument(help="reports of single jobs")] = None,
) -> None:
    """Write one sorted table."""
    tables = [read_table(path) for path in inputs or []]
    table = pd.concat(tables or [leakage_table([])], ignore_index=True)
    write_table(table.sort_values(["trained_on", "split", "language", "evaluation"], kind="stable"), output)


if __name__ == "__main__":
    run(main)
