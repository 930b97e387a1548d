"""Train the last stage of a recipe on top of the checkpoint of the stages before it."""

from pathlib import Path
from typing import Annotated

from typer import Option

from xstilts import card, recipes
from xstilts import job_options as options
from xstilts.command_line import from_json, run
from xstilts.data.storage import read_examples
from xstilts.job_settings import StageJob


def main(
    checkpoint: Annotated[Path, Option(help="Checkpoint without the last stage")],
    data: Annotated[Path, Option(help="Folder with <task>/train.jsonl and dev.jsonl")],
    model: options.Model,
    recipe: options.Recipe,
    seed: Annotated[int, Option(help="Seed of heads and data order")],
    settings: Annotated[str, Option(help="Settings of the stage, as JSON")],
    threads: options.Threads,
    device: options.Device,
    code: options.CardCode,
    output: options.NewCheckpoint,
    corpus: Annotated[Path | None, Option(help="Prepared text, where masked LM is part of the stage")] = None,
    precision: options.Precision = "auto",
    sharded: options.Sharded = False,
    state: options.State = None,
    state_seconds: options.StateSeconds = 600,
) -> None:
    """Fine-tune on one stage; the weights that are best on the English dev sets are kept."""
    shared = from_json(StageJob, settings, "--settings")
    from xstilts.model import checkpoint as checkpoints
    from xstilts.training.pretrain import read_corpus
    from xstilts.training.session import Session
    from xstilts.training.stage import Part, Text, cap, train_stage

    stage = recipes.parse(recipe).stages[-1]
    tasks = [part.task for part in stage.parts if part.task in shared.parts]  # masked LM has no examples
    files = {task: [data / task / f"{split}.jsonl" for split in ("train", "dev")] for task in tasks}
    session = Session(
        *(device, threads, precision, sharded, state, state_seconds),
        reads=[file for pair in files.values() for file in pair] + ([corpus] if corpus else []),
        model=model,
        recipe=recipe,
        seed=seed,
        code=code,
        settings=shared.model_dump(),
        parent=card.weights_hash(checkpoint),
    )
    parts = []
    for task, pair in files.items():
        train, dev = map(read_examples, pair)
        own = shared.parts[task]
        parts.append(Part(task, own, cap(train, own.examples, seed, task), dev))
    made = checkpoints.load(checkpoint, with_heads=corpus is not None).to(session.device)
    text = None
    if corpus and (how := shared.masked_lm):
        text = Text(read_corpus(corpus, made, how.max_length, how.sampling_exponent), how)
    trained = train_stage(made, parts, shared, seed, str(stage), text, session.place)
    examples = {part.name: {"train": len(part.train), "dev": len(part.dev)} for part in parts}
    session.finish(made, output, trained.loop, trained.rows, examples=examples, collapsed=trained.collapsed)


if __name__ == "__main__":
    run(main)
