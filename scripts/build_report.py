"""Write the page of a run: answers, figures, tables, settings and versions."""

import json
import os
from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from xstilts.command_line import run


def main(
    files: Annotated[list[Path], Argument(help="the tables, verdicts and svg figures that the page shows")],
    *,
    results: Annotated[Path, Option(help="folder of the run, in which they lie")],
    settings: Annotated[str, Option(help="the whole configuration, as JSON")],
    studies: Annotated[str, Option(help="the settings of each study, as JSON")],
    output: Annotated[Path, Option(help="report.html, to be written")],
) -> None:
    """Write one self-contained page."""
    from xstilts.report.build import Results, build

    page = build(Results(results, files), json.loads(settings), json.loads(studies))
    partial = output.with_name(output.name + ".partial")
    partial.write_text(page, encoding="utf-8", newline="\n")
    os.replace(partial, output)


if __name__ == "__main__":
    run(main)
