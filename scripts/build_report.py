"""Write the page of a run: answers, figures, tables, settings and versions."""

import json
import os
from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from xstilts.command_line import run


def main(
    studies: Annotated[list[Path], Argument(help="tests.tsv, verdict.json and svg figures of every study")],
    *,
    scores: Annotated[Path, Option(help="scores.tsv")],
    languages: Annotated[Path, Option(help="languages.tsv")],
    fertility: Annotated[Path, Option(help="fertility.tsv")],
    leakage: Annotated[Path, Option(help="leakage.tsv")],
    vacuity: Annotated[Path, Option(help="vacuity.tsv")],
    rulegraph: Annotated[Path, Option(help="rulegraph.svg")],
    settings: Annotated[str, Option(help="The whole configuration, as JSON")],
    output: Annotated[Path, Option(help="report.html, to be written")],
    corpus: Annotated[Path | None, Option(help="corpus.tsv, if the run pre-trained its models")] = None,
) -> None:
    """Write one self-contained page."""
    from xstilts.report.build import Inputs, build

    inputs = Inputs(scores, languages, fertility, leakage, vacuity, rulegraph, corpus, studies)
    partial = output.with_name(output.name + ".partial")
    partial.write_text(build(inputs, json.loads(settings)), encoding="utf-8", newline="\n")
    os.replace(partial, output)


if __name__ == "__main__":
    run(main)
