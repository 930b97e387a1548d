"""Collect the keys of all evaluation data that the source holds, to filter training data by."""

from pathlib import Path
from typing import Annotated

from typer import Option

from xstilts.command_line import run
from xstilts.data.leakage import evaluation_keys, write_keys
from xstilts.data.sources import folders_from, open_source


def main(
    root: Annotated[Path, Option(help="folder of the data")],
    output: Annotated[Path, Option(help="table of keys to write (Parquet)")],
    lock: Annotated[str, Option(help="data.lock, or none")] = "none",
    folders: Annotated[str, Option(help="folders of data sets that lie elsewhere, as JSON")] = "{}",
) -> None:
    """Write the keys of all evaluation splits."""
    write_keys(evaluation_keys(open_source(root, lock), folders_from(folders)), output)


if __name__ == "__main__":
    run(main)
