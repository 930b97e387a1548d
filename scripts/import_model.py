"""Take a masked LM from a local folder or the Hugging Face hub: the recipe `mlm`."""

import time
from pathlib import Path
from typing import Annotated

from typer import Option

from xstilts import card
from xstilts.command_line import run
from xstilts.errors import ConfigError
from xstilts.recipes import MLM


def main(
    model: Annotated[str, Option(help="Name of the model")],
    code: Annotated[str, Option(help="Hash of the code, for the card")],
    output: Annotated[Path, Option(help="Folder of the checkpoint")],
    folder: Annotated[str, Option(help="Local folder")] = "",
    repository: Annotated[str, Option(help="Repository of the hub")] = "",
    revision: Annotated[str, Option(help="Its 40-digit commit")] = "",
) -> None:
    """Import a model; every weight of its encoder has to be there."""
    begun = time.monotonic()
    from xstilts.model import checkpoint, importing

    if folder:
        made = importing.from_folder(Path(folder))
    elif repository and revision:
        made = importing.from_hub(repository, revision)
    else:
        raise ConfigError("a model needs a folder, or a repository and its revision", where=f"models.{model}")
    checkpoint.save(made, output)
    card.write(
        output,
        begun,
        model=model,
        recipe=MLM,
        seed=0,
        code=code,
        parameters=made.encoder.num_parameters(),
        repository=repository,
        revision=revision,
    )


if __name__ == "__main__":
    run(main)
