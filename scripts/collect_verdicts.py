"""Collect the verdicts of all studies into one table, their primary tests corrected over one another."""

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from xstilts.command_line import from_json, run
from xstilts.studies.settings import StatisticsSettings


def main(
    studies: Annotated[list[str], Argument(help="Names of the studies, in the order of the table")],
    *,
    folder: Annotated[Path, Option(help="Folder that has a folder per study")],
    settings: Annotated[str, Option(help="What all studies share, as JSON")],
    output: Annotated[Path, Option(help="verdicts.tsv, to be written")],
) -> None:
    """Correct the primary tests over the studies, and say what is left of each verdict."""
    shared = from_json(StatisticsSettings, settings, "--settings")
    from xstilts.studies.verdicts import corrected
    from xstilts.tables import write_table

    write_table(corrected([folder / study for study in studies], shared), output)


if __name__ == "__main__":
    run(main)
