"""Run a study on a table of scores: tests.tsv and verdict.json."""

from importlib import import_module
from pathlib import Path
from typing import Annotated

from typer import Option

from xstilts.command_line import from_json, run
from xstilts.studies.settings import JOBS


def main(
    *,
    study: Annotated[str, Option(help="Its name: " + ", ".join(JOBS))],
    scores: Annotated[Path, Option(help="scores.tsv, of a run or published")],
    languages: Annotated[Path, Option(help="languages.tsv")],
    settings: Annotated[str, Option(help="Settings of the study, as JSON")],
    tests: Annotated[Path, Option(help="tests.tsv, to be written")],
    verdict: Annotated[Path, Option(help="verdict.json, to be written")],
    fertility: Annotated[list[Path] | None, Option(help="fertility.tsv of each model")] = None,
    corpus: Annotated[Path | None, Option(help="corpus.tsv, if the run pre-trained its models")] = None,
    extra: Annotated[list[Path] | None, Option(help="What this study alone reads (docs/studies.md)")] = None,
    incidents: Annotated[Path | None, Option(help="incidents.tsv: the runs that collapsed")] = None,
) -> None:
    """Test the hypotheses of a study, and give its verdict."""
    parsed = from_json(JOBS[study], settings, "--settings")
    # Imported late: wrong settings are reported at once, without a second of statistics libraries.
    from xstilts.studies.collapse import analysed
    from xstilts.studies.tables import Tables
    from xstilts.tables import write_table

    tables = Tables.read(scores, languages, fertility, corpus, extra, incidents)
    analyse = import_module(f"xstilts.studies.{study}.analysis").analyse
    table, decision = analysed(analyse, tables, parsed)
    write_table(table, tests)
    decision.write(verdict)


if __name__ == "__main__":
    run(main)
