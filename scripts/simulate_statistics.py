"""Simulate scores with a known truth, and count how often a study's tests find it."""

from pathlib import Path
from typing import Annotated

from typer import Option

from xstilts.command_line import run
from xstilts.progress import Progress


def main(
    *,
    study: Annotated[str, Option(help="whose tests")],
    simulations: Annotated[int, Option(help="data sets per scenario")] = 1_000,
    output: Annotated[Path, Option(help="table to write, a row per scenario")],
) -> None:
    """Write coverage, error rate and power of every scenario of a study."""
    import pandas as pd

    from xstilts.statistics.simulation import SCENARIOS, simulate
    from xstilts.tables import write_table

    chosen = [scenario for scenario in SCENARIOS.values() if scenario.study == study]
    progress, rows = Progress(study, len(chosen), "data sets"), []
    for scenario in chosen:
        rows.append(simulate(scenario, simulations))
        progress.advance(simulations)
    write_table(pd.concat(rows), output)


if __name__ == "__main__":
    run(main)
