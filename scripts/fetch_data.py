"""Fetch one part of a data set of the hub: a split, or one language of it, as published."""

from pathlib import Path
from typing import Annotated

from typer import Option

from xstilts.command_line import from_json, run
from xstilts.data.fetching import Repository, fetch
from xstilts.registry.hub import HubDataset


def main(
    entry: Annotated[str, Option(help="the part's entry of hub.yaml, as JSON")],
    state: Annotated[Path, Option(help="folder for what is under way")],
    output: Annotated[Path, Option(help="folder of the part, to write")],
) -> None:
    """Fetch the Parquet files, check them by the hub's hashes and lock them."""
    part = from_json(HubDataset, entry, "--entry")
    patterns = [split.files for split in part.splits.values()]
    fetch(Repository(part.repository, part.revision), patterns, output, state, languages=part.languages)


if __name__ == "__main__":
    run(main)
