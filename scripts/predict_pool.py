"""Predict one task of a dual encoder in all its languages: rank one pool of candidates for every query."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from typer import Option

from xstilts import job_options as options
from xstilts.command_line import from_json, run
from xstilts.data.sources import open_source
from xstilts.job_settings import PoolPredictionJob
from xstilts.model.layers import layers_of
from xstilts.prediction import stamps
from xstilts.prediction.pool import Ranker, predict_pool
from xstilts.registry import PredictionTask


def main(
    checkpoint: options.Checkpoint,
    task: options.Task,
    entry: options.Entry,
    languages: options.Languages,
    root: options.Root,
    settings: Annotated[str, Option(help="Head, lengths and pooling, as JSON")],
    threads: options.Threads,
    device: options.Device,
    code: options.StampCode,
    output: options.Predictions,
    lock: options.Lock = "none",
) -> None:
    """Write predictions and stamps of all languages, unless all stamps still hold."""
    definition = from_json(PredictionTask, entry, "--entry")
    chosen = from_json(PoolPredictionJob, settings, "--settings")
    setting = f"{layers_of(checkpoint)}-{chosen.embedding}-xx2all-cosine"
    stamp = stamps.of(
        checkpoint, definition, chosen, setting=setting, code=code, threads=threads, device=device
    )
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
