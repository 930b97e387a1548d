"""Compare tasks by the meaning of their English examples: similarity.tsv."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict
from typer import Option

from xstilts import job_options as options
from xstilts.command_line import from_json, run
from xstilts.data.examples import Example
from xstilts.data.sources import FolderSource, open_source
from xstilts.data.storage import read_examples
from xstilts.job_settings import Pool
from xstilts.model.layers import default_layer, layers_of
from xstilts.recipes import parse
from xstilts.registry import HeldOut
from xstilts.tables import write_table
from xstilts.task_similarity import compare, english_texts


class EvaluationText(BaseModel):
    """Where the English side of an evaluation set is."""

    model_config = ConfigDict(extra="forbid")

    data: HeldOut
    languages: list[str]


class Comparison(BaseModel):
    """Which tasks are compared, and how.

    `intermediates` are recipes; `targets` maps evaluation tasks to the recipe of their own training, empty
    where they have none: then `evaluation` says where their texts are. `layer` (null: the default) and `pool`
    are of a checkpoint of the run.
    """

    model_config = ConfigDict(extra="forbid")

    intermediates: list[str]
    targets: dict[str, str]
    evaluation: dict[str, EvaluationText]
    sample: int
    source: Literal["run", "folder", "hub"]
    layer: int | None
    pool: Pool


def main(
    *,
    encoder: Annotated[Path, Option(help="Folder of the checkpoint or the sentence-transformers model")],
    comparison: Annotated[str, Option(help="Which tasks are compared, and how, as JSON")],
    training: Annotated[Path, Option(help="Folder of the prepared training data")],
    root: Annotated[Path, Option(help="Source folder of the evaluation sets")],
    output: Annotated[Path, Option(help="similarity.tsv, to be written")],
    lock: options.Lock = "none",
    threads: options.Threads = 1,
    device: options.Device = "auto",
) -> None:
    """Write one row per intermediate and target task."""
    chosen = from_json(Comparison, comparison, "--comparison")
    source = open_source(root, lock)
    intermediates = {name: _trained(training, name) for name in chosen.intermediates}
    targets = {
        task: _trained(training, recipe) if recipe else _evaluated(source, task, chosen.evaluation[task])
        for task, recipe in chosen.targets.items()
    }
    embed = _embedder(encoder, chosen, threads, device)
    write_table(compare(intermediates, targets, chosen.sample, embed), output)


def _trained(folder: Path, recipe: str) -> list[str]:
    """English texts of all tasks of a recipe, from the prepared data."""
    examples: list[Example] = []
    for task in sorted(parse(recipe).tasks):
        examples += read_examples(folder / task / "train.jsonl")
    return english_texts(examples, recipe)


def _evaluated(source: FolderSource, task: str, place: EvaluationText) -> list[str]:
    """English texts of an evaluation set: of translations, the English sides in all languages."""
    examples = [
        example
        for language in place.languages
        for example in source.read(place.data.dataset, place.data.of(language), language)
    ]
    return english_texts(examples, task)


def _embedder(
    folder: Path, chosen: Comparison, threads: int, device: str
) -> Callable[[Sequence[str]], np.ndarray]:
    # Imported late: wrong settings are reported at once, without seconds of libraries.
    from xstilts.model import sentences
    from xstilts.model.device import prepare

    place = prepare(device, threads)
    if chosen.source == "run":
        layer = chosen.layer or default_layer(layers_of(folder))
        model = sentences.of_checkpoint(folder, layer, chosen.pool, place)
    else:
        model = sentences.of_folder(folder, place)
    return lambda texts: sentences.embed(model, texts)


if __name__ == "__main__":
    run(main)
