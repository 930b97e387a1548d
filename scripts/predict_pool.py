"""Predict one task of a dual encoder in all its languages: rank one pool of candidates for every query."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from typer import Option

from xstilts import card
from xstilts.command_line import from_json, run
from xstilts.data.sources import open_source
from xstilts.job_settings import PoolPredictionJob
from xstilts.model.layers import layers_of
from xstilts.prediction.pool import Ranker, predict_pool
from xstilts.registry import PredictionTask


def main(
    checkpoint: Annotated[Path, Option(help="The checkpoint")],
    task: Annotated[str, Option(help="Name of the evaluation task")],
    entry: Annotated[str, Option(help="Its registry entry, as JSON")],
    languages: Annotated[str, Option(help="Languages, separated by spaces")],
    root: Annotated[Path, Option(help="Source folder of the examples")],
    settings: Annotated[str, Option(help="Head, lengths and pooling, as JSON")],
    threads: Annotated[int, Option(help="CPU threads")],
    device: Annotated[str, Option(help="auto, cpu or cuda")],
    code: Annotated[str, Option(help="Hash of the code, for the stamps")],
    output: Annotated[Path, Option(help="Folder of the predictions")],
    lock: Annotated[str, Option(help="data.lock of the source folder; none: it has no lock")] = "none",
) -> None:
    """Write predictions and stamps of all languages, unless all stamps still hold."""
    definition = from_json(PredictionTask, entry, "--entry")
    chosen, made = from_json(PoolPredictionJob, settings, "--settings"), card.read(checkpoint)
    stamp = {
        "device": device,
        "weights": made["weights"],
        "parameters": made["parameters"],
        "code": code,
        "entry": definition.model_dump(),
        "settings": chosen.model_dump(),
        "setting": f"{layers_of(checkpoint)}-{chosen.embedding}-xx2all-cosine",
        "threads": threads,
    }
    loader = _loader(checkpoint, task, chosen, threads, device)
    predict_pool(definition, sorted(languages.split()), open_source(root, lock), output, stamp, loader)


def _loader(
    checkpoint: Path, task: str, chosen: PoolPredictionJob, threads: int, device: str
) -> Callable[[], Ranker]:
    def load() -> Ranker:
        from xstilts.model import checkpoint as checkpoints
        from xstilts.model.device import prepare
        from xstilts.prediction.rank import ranker_of

        place = prepare(device, threads)
        return ranker_of(checkpoints.load(checkpoint).to(place), chosen, f"predict {task}")

    return load


if __name__ == "__main__":
    run(main)
