"""Draw the figures of study S1 (typology): scatter and forest, each as svg, pdf and png."""

from pathlib import Path
from typing import Annotated

from typer import Option

from xstilts.command_line import from_json, run
from xstilts.studies.settings import TypologySettings


def main(
    *,
    scores: Annotated[Path, Option(help="scores.tsv, as analysed")],
    languages: Annotated[Path, Option(help="languages.tsv, as analysed")],
    tests: Annotated[Path, Option(help="tests.tsv of the study")],
    settings: Annotated[str, Option(help="Settings of the study, as JSON")],
    output_dir: Annotated[Path, Option(help="Folder for scatter.* and forest.*")],
    fertility: Annotated[Path | None, Option(help="fertility.tsv, as analysed")] = None,
    corpus: Annotated[Path | None, Option(help="corpus.tsv, as analysed")] = None,
    note: Annotated[str, Option(help="Printed small below each figure")] = "",
) -> None:
    """Draw what the study found."""
    parsed = from_json(TypologySettings, settings, "--settings")
    from xstilts.studies.figures import save
    from xstilts.studies.typology_figures import forest, scatter
    from xstilts.tables import read_table

    table = read_table(tests)
    points = scatter(
        read_table(scores),
        read_table(languages),
        table,
        parsed,
        fertility=None if fertility is None else read_table(fertility),
        corpus=None if corpus is None else read_table(corpus),
        note=note,
    )
    save(points, output_dir, "scatter")
    save(forest(table, parsed, note=note), output_dir, "forest")


if __name__ == "__main__":
    run(main)
