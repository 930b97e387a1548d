"""Score a task without a head with every hidden state and pooling of a masked LM, apart from the scores."""

import json
from pathlib import Path
from typing import Annotated

from typer import Option

from xstilts import card
from xstilts import job_options as options
from xstilts.command_line import from_json, run
from xstilts.data.sources import open_source
from xstilts.job_settings import MiningPredictionJob, RetrievalPredictionJob
from xstilts.registry import EvaluationTask
from xstilts.scoring.table import RunKey, chosen, score_rows, score_table
from xstilts.tables import write_table


def main(
    checkpoint: options.Checkpoint,
    task: Annotated[str, Option(help="Name of the retrieval or mining task")],
    entry: options.Entry,
    languages: options.Languages,
    root: options.Root,
    settings: Annotated[str, Option(help="Direction and similarity, or neighbours and pairs, as JSON")],
    key: Annotated[str, Option(help="run, model, recipe and seed of the scores, as JSON")],
    threads: options.Threads,
    device: options.Device,
    scores: Annotated[Path, Option(help="Table to write, in the columns of scores.tsv")],
    lock: options.Lock = "none",
) -> None:
    """Write the task's metrics for each layer, pooling and language."""
    definition = from_json(EvaluationTask, entry, "--entry")
    how: MiningPredictionJob | RetrievalPredictionJob
    if definition.type == "mining":
        how = from_json(MiningPredictionJob, settings, "--settings")
    else:
        how = from_json(RetrievalPredictionJob, settings, "--settings")
    source = open_source(root, lock)
    from xstilts.model import checkpoint as checkpoints
    from xstilts.model.device import prepare
    from xstilts.prediction.sweep import every_setting

    place = prepare(device, threads)
    model = checkpoints.load(checkpoint, with_heads=False).to(place)
    known = {**json.loads(key), "parameters": card.read(checkpoint)["parameters"]}
    rows = []
    for language in sorted(languages.split()):
        split = definition.data.of(language)
        examples = source.read(definition.data.dataset, split, language)
        label = f"sweep {task} {language}"
        for setting, measures in every_setting(model, examples, how, label):
            whose = from_json(RunKey, json.dumps({**known, "setting": setting}), "--key")
            wanted = chosen(measures, definition.metrics, task)
            rows += score_rows(whose, task, definition.scored(language), language, wanted)
    write_table(score_table(rows), scores)


if __name__ == "__main__":
    run(main)
