"""Make data.lock: the files of a mirror, their sha256, origins and counts."""

from pathlib import Path
from typing import Annotated

from typer import Option

from xstilts.command_line import run
from xstilts.data.lock import save_lock
from xstilts.data.locking import build_lock


def main(
    mirror: Annotated[Path, Option(help="folder of the publishers' files")],
    output: Annotated[Path, Option(help="the lock to write")] = Path("data.lock"),
) -> None:
    """Hash and count every registered data set of a mirror."""
    save_lock(build_lock(mirror), output)


if __name__ == "__main__":
    run(main)
