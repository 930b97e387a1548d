"""Fetch a sentence-transformers model of the hub: modules, tokenizer, weights (safetensors only)."""

from pathlib import Path
from typing import Annotated

from typer import Option

from xstilts.command_line import run
from xstilts.data.fetching import Repository, fetch

NEEDED = ["modules.json", "config.json", "tokenizer.json", "*.safetensors", "1_Pooling/config.json"]
OPTIONAL = [
    *("config_sentence_transformers.json", "sentence_*_config.json", "tokenizer_config.json"),
    *("special_tokens_map.json", "*.safetensors.index.json", "2_Dense/config.json", "2_Dense/*.safetensors"),
]


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
