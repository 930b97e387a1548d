"""Predict one classification, multiple-choice, span or tagging task in all its languages."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

from typer import Option

from xstilts import card
from xstilts.command_line import from_json, run
from xstilts.data.examples import Example
from xstilts.data.sources import open_source
from xstilts.job_settings import TaskPredictionJob
from xstilts.prediction.job import Predictor, predict_languages
from xstilts.registry import PredictionTask


def main(
    checkpoint: Annotated[Path, Option(help="The checkpoint")],
    task: Annotated[str, Option(help="Name of the evaluation task")],
    entry: Annotated[str, Option(help="Its registry entry, as JSON")],
    languages: Annotated[str, Option(help="Languages, separated by spaces")],
    root: Annotated[Path, Option(help="Source folder of the examples")],
    settings: Annotated[str, Option(help="Head, windows and limits, as JSON")],
    threads: Annotated[int, Option(help="CPU threads")],
    device: Annotated[str, Option(help="auto, cpu or cuda")],
    code: Annotated[str, Option(help="Hash of the code, for the stamps")],
    output: Annotated[Path, Option(help="Folder of the predictions")],
    lock: Annotated[str, Option(help="data.lock of the source folder; none: it has no lock")] = "none",
) -> None:
    """Write predictions and stamps, but for languages whose stamp still holds."""
    definition = from_json(PredictionTask, entry, "--entry")
    chosen, made = from_json(TaskPredictionJob, settings, "--settings"), card.read(checkpoint)
    stamp = {
        "device": device,
        "weights": made["weights"],
        "parameters": made["parameters"],
        "code": code,
        "entry": definition.model_dump(),
        "settings": chosen.model_dump(),
        "setting": "-",
        "threads": threads,
    }
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
