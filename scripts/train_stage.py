"""Train the last stage of a recipe on top of the checkpoint of the stages before it."""

import time
from pathlib import Path
from typing import Annotated

from typer import Option

from xstilts import card, recipes
from xstilts.command_line import from_json, run
from xstilts.data.storage import read_examples
from xstilts.job_settings import StageJob


def main(
    checkpoint: Annotated[Path, Option(help="Checkpoint without the last stage")],
    data: Annotated[Path, Option(help="Folder with <task>/train.jsonl and dev.jsonl")],
    model: Annotated[str, Option(help="Name of the model")],
    recipe: Annotated[str, Option(help="The whole recipe")],
    seed: Annotated[int, Option(help="Seed of heads and data order")],
    settings: Annotated[str, Option(help="Settings of the stage, as JSON")],
    threads: Annotated[int, Option(help="CPU threads")],
    device: Annotated[str, Option(help="auto, cpu or cuda")],
    code: Annotated[str, Option(help="Hash of the code, for the card")],
    output: Annotated[Path, Option(help="Folder of the checkpoint")],
    corpus: Annotated[Path | None, Option(help="Prepared text, where masked LM is part of the stage")] = None,
) -> None:
    """Fine-tune on one stage; the weights that are best on the English dev sets are kept."""
    begun = time.monotonic()
    shared = from_json(StageJob, settings, "--settings")
    from xstilts.model import checkpoint as checkpoints
    from xstilts.model.device import prepare
    from xstilts.training import training_log
    from xstilts.training.pretrain import read_corpus
    from xstilts.training.stage import Part, Text, cap, train_stage

    stage = recipes.parse(recipe).stages[-1]
    parts = []
    for part in stage.parts:
        own = shared.parts.get(part.task)
        if own is None:
            continue  # masked LM has no examples
        train, dev = (read_examples(data / part.task / f"{split}.jsonl") for split in ("train", "dev"))
        parts.append(Part(part.task, own, cap(train, own.examples, seed, part.task), dev))
    place = prepare(device, threads)
    made = checkpoints.load(checkpoint, with_heads=corpus is not None).to(place)
    text = None
    if corpus and (how := shared.masked_lm):
        text = Text(read_corpus(corpus, made, how.max_length, how.sampling_exponent), how)
    rows = train_stage(made, parts, shared, seed, str(stage), text)
    checkpoints.save(made, output)
    training_log.write(rows, output)
    card.write(
        output,
        begun,
        model=model,
        recipe=recipe,
        seed=seed,
        code=code,
        parameters=made.encoder.num_parameters(),
        settings=shared.model_dump(),
        device=place.type,
        threads=threads,
        dtype="float32",
        parent=card.read(checkpoint)["weights"],
        examples={part.name: {"train": len(part.train), "dev": len(part.dev)} for part in parts},
    )


if __name__ == "__main__":
    run(main)
