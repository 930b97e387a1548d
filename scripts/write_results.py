"""Write the results of a run as a page of Markdown."""

import json
from pathlib import Path
from typing import Annotated

from typer import Option

from xstilts.command_line import run
from xstilts.report.results_page import page


def main(
    results: Annotated[Path, Option(help="Folder of the run's results")],
    checkpoints: Annotated[str, Option(help="Checkpoints to name, separated by spaces")],
    settings: Annotated[str, Option(help="The whole configuration, as JSON")],
    output: Annotated[Path, Option(help="The page")],
) -> None:
    """Write the page."""
    text = page(results, json.loads(settings), [Path(folder) for folder in checkpoints.split()])
    output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    run(main)
