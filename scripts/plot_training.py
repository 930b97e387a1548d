"""Draw the learning curves of a model's trainings, as svg, pdf and png."""

from pathlib import Path
from typing import Annotated

from typer import Option

from xstilts.command_line import run


def main(
    *,
    training: Annotated[Path, Option(help="training.tsv")],
    model: Annotated[str, Option(help="whose trainings; names the files")],
    output_dir: Annotated[Path, Option(help="folder of the figure")],
    note: Annotated[str, Option(help="printed small below the figure")] = "",
) -> None:
    """Draw one figure with a panel per task."""
    from xstilts.report.learning_curves import draw
    from xstilts.studies.figures import save
    from xstilts.tables import read_table

    table = read_table(training)
    save(draw(table[table["model"] == model], f"Learning curves of {model}", note), output_dir, model)


if __name__ == "__main__":
    run(main)
