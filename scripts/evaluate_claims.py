"""Evaluate the claims of claims.yaml for one run: reproduced, not reproduced, or not run at this tier."""

from pathlib import Path
from typing import Annotated

from typer import Option

from xstilts.claims.evaluation import evaluate
from xstilts.claims.facts import RunFacts
from xstilts.claims.quantities import Evidence
from xstilts.claims.schema import load
from xstilts.command_line import from_json, run
from xstilts.tables import read_table, write_table


def main(
    claims: Annotated[Path, Option(help="claims.yaml")],
    facts: Annotated[str, Option(help="what the run is and plans, as JSON")],
    scores: Annotated[Path, Option(help="scores.tsv, of a run or published")],
    output: Annotated[Path, Option(help="claims.tsv, to be written")],
    leakage: Annotated[
        Path | None, Option(help="leakage.tsv, which counts the examples of training tasks")
    ] = None,
    incidents: Annotated[Path | None, Option(help="incidents.tsv: the runs that collapsed")] = None,
) -> None:
    """Write a table with a verdict for every claim, and why."""
    whose = from_json(RunFacts, facts, "--facts")
    counts = [] if leakage is None else [read_table(leakage)]
    evidence = Evidence(load(claims), whose, read_table(scores), *counts)
    collapsed = None if incidents is None else read_table(incidents)
    write_table(evaluate(evidence, collapsed), output)


if __name__ == "__main__":
    run(main)
