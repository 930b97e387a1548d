"""Write the table of all languages of the registry with their distances to English."""

from pathlib import Path
from typing import Annotated

import typer

from xstilts import registry
from xstilts.command_line import run
from xstilts.languages import language_table
from xstilts.tables import write_table


def main(*, output: Annotated[Path, typer.Option(help="Where to write languages.tsv.")]) -> None:
    """Write languages.tsv; reads only the registry and the data inside the library urielplus."""
    write_table(language_table(registry.languages()), output)


if __name__ == "__main__":
    run(main)
