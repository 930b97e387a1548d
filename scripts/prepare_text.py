"""Prepare the text (and translation pairs) that encoders are pre-trained on."""

from pathlib import Path
from typing import Annotated

from pydantic import TypeAdapter
from typer import Option

from xstilts.command_line import run
from xstilts.data.leakage import EvaluationKeys
from xstilts.data.preparation import prepare_text
from xstilts.data.sources import open_source
from xstilts.tables import write_table


def main(
    root: Annotated[Path, Option(help="folder of the data")],
    languages: Annotated[str, Option(help="languages wanted, a JSON list")],
    keys: Annotated[Path, Option(help="keys of the evaluation data")],
    output: Annotated[Path, Option(help="folder to write text/ and pairs/ to")],
    corpus: Annotated[Path, Option(help="table of sizes to write")],
    leakage: Annotated[Path, Option(help="report of what was filtered out, to write")],
    lock: Annotated[str, Option(help="data.lock, or none")] = "none",
    max_lines: Annotated[int | None, Option(min=1, help="lines kept per language")] = None,
    seed: Annotated[int, Option(help="of the choice of lines")] = 0,
) -> None:
    """Filter and write the pre-training corpus."""
    wanted = TypeAdapter(list[str]).validate_json(languages)
    source = open_source(root, lock)
    sizes, removed = prepare_text(source, wanted, EvaluationKeys.load(keys), output, max_lines, seed)
    write_table(sizes, corpus)
    write_table(removed, leakage)


if __name__ == "__main__":
    run(main)
