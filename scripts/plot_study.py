"""Draw the figures of a study, each as svg, pdf and png."""

from importlib import import_module
from pathlib import Path
from typing import Annotated

from typer import Option

from xstilts.command_line import from_json, run
from xstilts.studies.settings import JOBS


def main(
    *,
    study: Annotated[str, Option(help="Its name: " + ", ".join(JOBS))],
    scores: Annotated[Path, Option(help="scores.tsv, as analysed")],
    languages: Annotated[Path, Option(help="languages.tsv, as analysed")],
    tests: Annotated[Path, Option(help="tests.tsv of the study")],
    settings: Annotated[str, Option(help="Settings of the study, as JSON")],
    output_dir: Annotated[Path, Option(help="Folder of the figures")],
    fertility: Annotated[list[Path] | None, Option(help="fertility.tsv of each model, as analysed")] = None,
    corpus: Annotated[Path | None, Option(help="corpus.tsv, as analysed")] = None,
    extra: Annotated[list[Path] | None, Option(help="What this study alone reads, as analysed")] = None,
    note: Annotated[str, Option(help="Printed small below each figure")] = "",
) -> None:
    """Draw what the study found."""
    parsed = from_json(JOBS[study], settings, "--settings")
    from xstilts.studies.figures import save
    from xstilts.studies.tables import Tables
    from xstilts.tables import read_table

    tables = Tables.read(scores, languages, fertility, corpus, extra)
    draw = import_module(f"xstilts.studies.{study}.figures").draw
    for name, figure in draw(tables, read_table(tests), parsed, note).items():
        save(figure, output_dir, name)


if __name__ == "__main__":
    run(main)
