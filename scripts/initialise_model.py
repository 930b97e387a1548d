"""Give a model that the run pre-trains its random weights: the recipe `untrained`."""

import time
from pathlib import Path
from typing import Annotated

from typer import Option

from xstilts import card
from xstilts import job_options as options
from xstilts.command_line import from_json, run
from xstilts.job_settings import Architecture
from xstilts.recipes import UNTRAINED


def main(
    model: options.Model,
    tokenizer: Annotated[Path, Option(help="Folder with tokenizer.json")],
    architecture: Annotated[str, Option(help="Shape of the encoder, as JSON")],
    code: options.CardCode,
    output: options.NewCheckpoint,
) -> None:
    """Initialise an XLM-R-shaped encoder."""
    begun = time.monotonic()
    shape = from_json(Architecture, architecture, "--architecture")
    from xstilts.model import checkpoint
    from xstilts.model.device import seed_of

    made = checkpoint.initialise(shape, tokenizer, seed_of(0, UNTRAINED, model))
    checkpoint.save(made, output)
    parameters = made.parameters
    card.write(output, begun, model=model, recipe=UNTRAINED, seed=0, code=code, parameters=parameters)


if __name__ == "__main__":
    run(main)
