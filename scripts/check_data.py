"""Check quickly that the data are there: existence and sizes, before any job starts."""

from pathlib import Path
from typing import Annotated

from typer import Option

from xstilts.command_line import run
from xstilts.data.sources import open_source


def main(
    root: Annotated[Path, Option(help="folder of the data")],
    datasets: Annotated[list[str], Option(help="a data set, or one split as tatoeba/test; repeatable")],
    lock: Annotated[str, Option(help="data.lock, or none")] = "none",
) -> None:
    """Exit with a message if a file is missing, empty or of another size than the lock's."""
    open_source(root, lock).check(datasets)


if __name__ == "__main__":
    run(main)
