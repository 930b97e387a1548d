"""Generate data sets of micro-XTREME below a root folder, in their publishers' layout."""

from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from xstilts.command_line import run
from xstilts.errors import ConfigError
from xstilts.micro.generate import generate
from xstilts.micro.settings import MicroSettings


def main(
    dataset: Annotated[str, typer.Option(help="Data sets, as the registry names them, separated by spaces")],
    output: Annotated[Path, typer.Option(help="Root folder; the data sets lie below it")],
    settings: Annotated[str, typer.Option(help="MicroSettings as JSON")] = "{}",
) -> None:
    """Write the data sets."""
    try:
        parsed = MicroSettings.model_validate_json(settings)
    except ValidationError as error:
        fault = error.errors()[0]
        raise ConfigError(fault["msg"], where=".".join(map(str, fault["loc"])) or "--settings") from error
    for name in dataset.split():
        generate(name, parsed, output)


if __name__ == "__main__":
    run(main)
