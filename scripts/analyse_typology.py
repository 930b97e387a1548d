"""Run study S1 (typology) on a table of scores: tests.tsv and verdict.json."""

from pathlib import Path
from typing import Annotated

from typer import Option

from xstilts.command_line import from_json, run
from xstilts.studies.settings import TypologySettings


def main(
    *,
    scores: Annotated[Path, Option(help="scores.tsv, of a run or published")],
    languages: Annotated[Path, Option(help="languages.tsv")],
    settings: Annotated[str, Option(help="Settings of the study, as JSON")],
    tests: Annotated[Path, Option(help="tests.tsv, to be written")],
    verdict: Annotated[Path, Option(help="verdict.json, to be written")],
    fertility: Annotated[Path | None, Option(help="fertility.tsv; needed if it is a covariate")] = None,
    corpus: Annotated[Path | None, Option(help="corpus.tsv, if the run pre-trained its models")] = None,
    equal_pool: Annotated[list[Path] | None, Option(help="Scores with equal pools, as scores.tsv")] = None,
) -> None:
    """Test whether degradation in retrieval rises with typological distance from English."""
    parsed = from_json(TypologySettings, settings, "--settings")
    # Imported late: wrong settings are reported at once, without a second of statistics libraries.
    import pandas as pd

    from xstilts.studies.typology import analyse
    from xstilts.tables import read_table, write_table

    pieces, sizes = (None if path is None else read_table(path) for path in (fertility, corpus))
    pools = pd.concat(map(read_table, equal_pool)) if equal_pool else None
    table, decision = analyse(read_table(scores), read_table(languages), parsed, pieces, sizes, pools)
    write_table(table, tests)
    decision.write(verdict)


if __name__ == "__main__":
    run(main)
