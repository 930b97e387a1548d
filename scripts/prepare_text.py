"""Prepare the text (and translation pairs) that encoders are pre-trained on."""

from pathlib import Path
from typing import Annotated

from typer import Option

from xstilts.command_line import run
from xstilts.data.leakage import EvaluationKeys
from xstilts.data.preparation import prepare_text
from xstilts.data.sources import open_source
from xstilts.tables import write_table


def main(
    root: Annotated[Path, Option(help="folder of the data")],
    keys: Annotated[Path, Option(help="keys of the evaluation data")],
    output: Annotated[Path, Option(help="folder to write text/ and pairs/ to")],
    corpus: Annotated[Path, Option(help="table of sizes to write")],
    leakage: Annotated[Path, Option(help="report of what was filtered out, to write")],
    languages: Annotated[str, Option(help="languages, separated by spaces; none: all of the source")] = "",
    lock: Annotated[str, Option(help="data.lock, or none")] = "none",
    max_lines: Annotated[int | None, Option(min=1, help="lines kept per language")] = None,
    seed: Annotated[int, Option(help="of the choice of lines")] = 0,
) -> None:
    """Filter and write the pre-training corpus."""
    source = open_source(root, lock)
    wanted = languages.split() or source.languages("text", "train")
    sizes, removed = prepare_text(source, wanted, EvaluationKeys.load(keys), output, max_lines, seed)
    write_table(sizes, corpus)
    write_table(removed, leakage)


if __name__ == "__main__":
    run(main)
