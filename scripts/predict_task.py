"""Predict one classification, multiple-choice, span or tagging task in all its languages."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

from typer import Option

from xstilts import job_options as options
from xstilts.command_line import from_json, run
from xstilts.data.examples import Example
from xstilts.data.sources import open_source
from xstilts.job_settings import TaskPredictionJob
from xstilts.prediction import stamps
from xstilts.prediction.job import Predictor, predict_languages
from xstilts.registry import PredictionTask


def main(
    checkpoint: options.Checkpoint,
    task: options.Task,
    entry: options.Entry,
    languages: options.Languages,
    root: options.Root,
    settings: Annotated[str, Option(help="Head, windows and limits, as JSON")],
    threads: options.Threads,
    device: options.Device,
    code: options.StampCode,
    output: options.Predictions,
    lock: options.Lock = "none",
) -> None:
    """Write predictions and stamps, but for languages whose stamp still holds."""
    definition = from_json(PredictionTask, entry, "--entry")
    chosen = from_json(TaskPredictionJob, settings, "--settings")
    stamp = stamps.of(checkpoint, definition, chosen, setting="-", code=code, threads=threads, device=device)
    loader = _loader(checkpoint, task, chosen, threads, device)
    predict_languages(definition, languages.split(), open_source(root, lock), output, stamp, loader)


def _loader(
    checkpoint: Path, task: str, chosen: TaskPredictionJob, threads: int, device: str
) -> Callable[[], Predictor]:
    def load() -> Predictor:
        from xstilts.model import checkpoint as checkpoints
        from xstilts.model.device import prepare
        from xstilts.model.features import Lengths
        from xstilts.prediction.predict import Decoding, predict

        place = prepare(device, threads)
        model = checkpoints.load(checkpoint).to(place)
        how = Decoding(Lengths(chosen.max_length, chosen.stride or 0), chosen.max_answer, chosen.batch_tokens)

        def predictor(examples: Sequence[Example], language: str) -> dict[str, Any]:
            found = predict(model, chosen.head, examples, how, f"predict {task} {language}")
            return {example.id: value for example, value in zip(examples, found, strict=True)}

        return predictor

    return load


if __name__ == "__main__":
    run(main)
