"""Pre-train a model on the run's text: the recipe `mlm`, or a last stage of continued masked LM."""

from pathlib import Path
from typing import Annotated

from typer import Option

from xstilts import card
from xstilts import job_options as options
from xstilts.command_line import from_json, run
from xstilts.job_settings import PretrainingJob
from xstilts.recipes import MLM

ROWS = 20  # of the training log


def main(
    model: options.Model,
    checkpoint: Annotated[Path, Option(help="What to start from; the untrained model, for `mlm`")],
    corpus: Annotated[Path, Option(help="Prepared pre-training text")],
    settings: Annotated[str, Option(help="Pre-training settings, as JSON")],
    threads: options.Threads,
    device: options.Device,
    code: options.CardCode,
    output: options.NewCheckpoint,
    recipe: options.Recipe = MLM,
    seed: Annotated[int, Option(help="Seed of data order and masks")] = 0,
    layer: Annotated[int | None, Option(help="Hidden state that translation ranking trains")] = None,
    precision: options.Precision = "auto",
    sharded: options.Sharded = False,
    state: options.State = None,
    state_seconds: options.StateSeconds = 600,
) -> None:
    """Masked LM; for the recipe `mlm` also translation ranking, where the corpus has pairs."""
    chosen = from_json(PretrainingJob, settings, "--settings")
    from xstilts.model import checkpoint as checkpoints
    from xstilts.model.layers import default_layer
    from xstilts.training import training_log
    from xstilts.training.pretrain import continue_masked_lm, pretrain, read_corpus
    from xstilts.training.session import Session

    session = Session(
        *(device, threads, precision, sharded, state, state_seconds),
        reads=[corpus],
        model=model,
        recipe=recipe,
        seed=seed,
        code=code,
        settings=chosen.model_dump() | {"layer": layer},
        parent=card.weights_hash(checkpoint),
    )
    made = checkpoints.load(checkpoint).to(session.device)
    made.check_length(chosen.max_length)
    texts = read_corpus(corpus, made, chosen.max_length, chosen.sampling_exponent)
    log = training_log.Averages(every=max(1, chosen.steps // ROWS))
    own = (seed, log, session.place)
    if recipe == MLM:
        loop = pretrain(made, texts, chosen, layer or default_layer(made.layers), *own)
    else:
        loop = continue_masked_lm(made, texts, chosen, *own)
    session.finish(made, output, loop, log.rows)


if __name__ == "__main__":
    run(main)
