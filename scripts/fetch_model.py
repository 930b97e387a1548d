"""Fetch a model of the hub: its configuration, tokenizer and weights (safetensors only), as published."""

from pathlib import Path
from typing import Annotated

from typer import Option

from xstilts.command_line import run
from xstilts.data.fetching import Repository, fetch

NEEDED = ["config.json", "tokenizer.json", "*.safetensors"]
OPTIONAL = ["*.safetensors.index.json"]


def main(
    repository: Annotated[str, Option(help="repository of the hub")],
    revision: Annotated[str, Option(help="its 40-digit commit")],
    state: Annotated[Path, Option(help="folder for what is under way")],
    output: Annotated[Path, Option(help="folder to write")],
) -> None:
    """Fetch the files, check them by the hub's hashes and lock them."""
    fetch(Repository(repository, revision, "model"), NEEDED, output, state, optional=OPTIONAL)


if __name__ == "__main__":
    run(main)
