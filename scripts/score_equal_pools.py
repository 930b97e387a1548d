"""Score one retrieval task of a masked LM with candidate pools of equal size, averaged over draws."""

import json
from pathlib import Path
from typing import Annotated

from typer import Option

from xstilts import card
from xstilts import job_options as options
from xstilts.command_line import from_json, run
from xstilts.data.sources import open_source
from xstilts.job_settings import RetrievalPredictionJob
from xstilts.registry import PredictionTask
from xstilts.scoring import Measure
from xstilts.scoring.equal_pools import equal_pool_accuracy
from xstilts.scoring.table import RunKey, score_rows, score_table
from xstilts.tables import write_table


def main(
    checkpoint: options.Checkpoint,
    task: Annotated[str, Option(help="Name of the retrieval task")],
    entry: options.Entry,
    languages: options.Languages,
    root: options.Root,
    settings: Annotated[str, Option(help="Layer, pooling, direction and similarity, as JSON")],
    size: Annotated[int, Option(help="Pairs per pool")],
    draws: Annotated[int, Option(help="Pools per language")],
    key: Annotated[str, Option(help="run, model, recipe, seed, ... of the scores, as JSON")],
    threads: options.Threads,
    device: options.Device,
    scores: Annotated[Path, Option(help="Table to write, in the columns of scores.tsv")],
    lock: options.Lock = "none",
) -> None:
    """Write one accuracy per language."""
    definition = from_json(PredictionTask, entry, "--entry")
    chosen = from_json(RetrievalPredictionJob, settings, "--settings")
    source = open_source(root, lock)
    from xstilts.model import checkpoint as checkpoints
    from xstilts.model.device import prepare, seed_of
    from xstilts.model.layers import default_layer
    from xstilts.prediction.retrieval import queries_and_index

    place = prepare(device, threads)
    model = checkpoints.load(checkpoint, with_heads=False).to(place)
    layer = chosen.layer or default_layer(model.layers)
    parameters = card.read(checkpoint)["parameters"]
    known = {**json.loads(key), "parameters": parameters, "setting": chosen.setting(layer)}
    whose = from_json(RunKey, json.dumps(known), "--key")
    rows = []
    for language in sorted(languages.split()):
        split = definition.data.of(language)
        examples = source.read(definition.data.dataset, split, language)
        label = f"equal pools {task} {language}"
        queries, index = queries_and_index(model, examples, layer, chosen, label)
        seed = seed_of(0, "pools", language)
        value = equal_pool_accuracy(queries, index, size, draws, seed, chosen.neighbours)
        measures = {"accuracy": Measure(value, min(size, len(examples)))}
        rows += score_rows(whose, task, split, language, measures)
    write_table(score_table(rows), scores)


if __name__ == "__main__":
    run(main)
