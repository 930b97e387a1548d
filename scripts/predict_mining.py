"""Predict one mining task in all its languages: the sentences that translate each other, by margin."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

from typer import Option

from xstilts import job_options as options
from xstilts.command_line import from_json, run
from xstilts.data.examples import Example
from xstilts.data.sources import open_source
from xstilts.job_settings import MiningPredictionJob
from xstilts.model.layers import default_layer, layers_of
from xstilts.prediction import stamps
from xstilts.prediction.job import Predictor, predict_languages
from xstilts.registry import PredictionTask


def main(
    checkpoint: options.Checkpoint,
    task: options.Task,
    entry: options.Entry,
    languages: options.Languages,
    root: options.Root,
    settings: Annotated[str, Option(help="Layer, pooling and margin, as JSON")],
    threads: options.Threads,
    device: options.Device,
    code: options.StampCode,
    output: options.Predictions,
    lock: options.Lock = "none",
) -> None:
    """Write predictions and stamps, but for languages whose stamp still holds."""
    definition = from_json(PredictionTask, entry, "--entry")
    chosen = from_json(MiningPredictionJob, settings, "--settings")
    layer = chosen.layer or default_layer(layers_of(checkpoint))
    setting = chosen.setting(layer)
    stamp = stamps.of(
        checkpoint, definition, chosen, setting=setting, code=code, threads=threads, device=device
    )
    loader = _loader(checkpoint, task, layer, chosen, threads, device)
    predict_languages(definition, languages.split(), open_source(root, lock), output, stamp, loader)


def _loader(
    checkpoint: Path, task: str, layer: int, chosen: MiningPredictionJob, threads: int, device: str
) -> Callable[[], Predictor]:
    def load() -> Predictor:
        from xstilts.model import checkpoint as checkpoints
        from xstilts.model.device import prepare
        from xstilts.prediction.retrieval import mined_pairs

        place = prepare(device, threads)
        model = checkpoints.load(checkpoint, with_heads=False).to(place)

        def predictor(examples: Sequence[Example], language: str) -> dict[str, Any]:
            label = f"predict {task} {language}"
            return dict(mined_pairs(model, examples, layer, chosen, label))

        return predictor

    return load


if __name__ == "__main__":
    run(main)
