"""Write docs/statistics.md: what the tests of the studies are, and how they do on simulated scores."""

from pathlib import Path
from typing import Annotated

import pandas as pd
from typer import Argument, Option

from xstilts.command_line import run
from xstilts.statistics.page import page
from xstilts.tables import read_table


def main(
    simulated: Annotated[list[Path], Argument(help="tables of simulate_statistics")],
    *,
    output: Annotated[Path, Option(help="the page")],
) -> None:
    """Write the page."""
    output.write_text(page(pd.concat(map(read_table, simulated))), encoding="utf-8")


if __name__ == "__main__":
    run(main)
