"""Take a masked LM, or an mT5, from a folder, one's own or one fetched from the hub: the recipe `mlm`."""

import time
from pathlib import Path
from typing import Annotated

from typer import Option

from xstilts import card
from xstilts import job_options as options
from xstilts.command_line import run
from xstilts.recipes import MLM


def main(
    model: options.Model,
    code: options.CardCode,
    output: options.NewCheckpoint,
    folder: Annotated[Path, Option(help="Folder with config.json, tokenizer.json and safetensors")],
    repository: Annotated[
        str, Option(help="Repository of the hub that it was fetched from, for the card")
    ] = "",
    revision: Annotated[str, Option(help="Its 40-digit commit, for the card")] = "",
) -> None:
    """Import a model; every weight of its encoder, and of an mT5's decoder, has to be there."""
    begun = time.monotonic()
    from xstilts.model import checkpoint, importing

    made = importing.from_folder(folder)
    checkpoint.save(made, output)
    card.write(
        output,
        begun,
        model=model,
        recipe=MLM,
        seed=0,
        code=code,
        parameters=made.parameters,
        repository=repository,
        revision=revision,
    )


if __name__ == "__main__":
    run(main)
