"""Pre-train a model on the run's text: the recipe `mlm`, or a last stage of continued masked LM."""

import time
from pathlib import Path
from typing import Annotated

from typer import Option

from xstilts import card
from xstilts.command_line import from_json, run
from xstilts.job_settings import PretrainingJob
from xstilts.recipes import MLM

ROWS = 20  # of the training log


def main(
    model: Annotated[str, Option(help="Name of the model")],
    checkpoint: Annotated[Path, Option(help="What to start from; the untrained model, for `mlm`")],
    corpus: Annotated[Path, Option(help="Prepared pre-training text")],
    settings: Annotated[str, Option(help="Pre-training settings, as JSON")],
    threads: Annotated[int, Option(help="CPU threads")],
    device: Annotated[str, Option(help="auto, cpu or cuda")],
    code: Annotated[str, Option(help="Hash of the code, for the card")],
    output: Annotated[Path, Option(help="Folder of the checkpoint")],
    recipe: Annotated[str, Option(help="The whole recipe")] = MLM,
    seed: Annotated[int, Option(help="Seed of data order and masks")] = 0,
    layer: Annotated[int | None, Option(help="Hidden state that translation ranking trains")] = None,
) -> None:
    """Masked LM; for the recipe `mlm` also translation ranking, where the corpus has pairs."""
    begun = time.monotonic()
    chosen = from_json(PretrainingJob, settings, "--settings")
    from xstilts.model import checkpoint as checkpoints
    from xstilts.model.device import prepare
    from xstilts.model.layers import default_layer
    from xstilts.training import pretrain, training_log

    place = prepare(device, threads)
    made = checkpoints.load(checkpoint).to(place)
    made.check_length(chosen.max_length)
    texts = pretrain.read_corpus(corpus, made, chosen.max_length, chosen.sampling_exponent)
    log = training_log.Averages(every=max(1, chosen.steps // ROWS))
    if recipe == MLM:
        pretrain.pretrain(made, texts, chosen, layer or default_layer(made.layers), seed, log.add)
    else:
        pretrain.continue_masked_lm(made, texts, chosen, seed, log.add)
    checkpoints.save(made, output)
    training_log.write(log.rows, output)
    card.write(
        output,
        begun,
        model=model,
        recipe=recipe,
        seed=seed,
        code=code,
        parameters=made.encoder.num_parameters(),
        settings=chosen.model_dump(),
        device=place.type,
        threads=threads,
        dtype="float32",
        parent=card.read(checkpoint)["weights"],
    )


if __name__ == "__main__":
    run(main)
