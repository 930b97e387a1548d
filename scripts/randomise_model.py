"""Give the architecture of an imported model random weights: the recipe `untrained`."""

import time
from pathlib import Path
from typing import Annotated

from typer import Option

from xstilts import card
from xstilts import job_options as options
from xstilts.command_line import run
from xstilts.recipes import UNTRAINED


def main(
    model: options.Model,
    checkpoint: Annotated[Path, Option(help="Its masked LM")],
    code: options.CardCode,
    output: options.NewCheckpoint,
) -> None:
    """Randomise the weights of a model."""
    begun = time.monotonic()
    from xstilts.model import checkpoint as checkpoints
    from xstilts.model.device import seed_of

    made = checkpoints.randomise(checkpoint, seed_of(0, UNTRAINED, model))
    checkpoints.save(made, output)
    parameters = made.parameters
    card.write(output, begun, model=model, recipe=UNTRAINED, seed=0, code=code, parameters=parameters)


if __name__ == "__main__":
    run(main)
